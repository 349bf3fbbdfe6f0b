"""Blocks, state and indexes of one node, over an ordered key-value database.

One batch per block holds everything that the block changes (consensus.md 28); torn batches do not
exist, so neither does half a block. The layout is the same for LevelDB and for the simulator's
disk, because it lives here and only the :class:`KeyValue` beneath differs. docs/storage.md draws
it; each table is one letter:

====== ============================== ===============================================
table  key                            value
====== ============================== ===============================================
``m``  name                           head height, genesis, layout version, key count
``c``  height (8)                     header and commit certificate
``b``  height (8)                     wire bytes of the transactions, compressed (zlib)
``r``  height (8)                     encoded receipts, the block's own last
``t``  transaction id (32)            height (8), position (4)
``s``  state key                      state value
``k``  bucket (2)                     the bucket's (key hash, value hash) list
``n``  bucket (2)                     bucket hash
``x``  meter, 0, page (8), height (8), position (4)   empty
====== ============================== ===============================================

Numbers in keys are big-endian, so that byte order is numeric order.
"""

import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from chain.block import CertifiedBlock, Header
from chain.certificate import CommitCertificate
from chain.codec import Record
from chain.receipt import Receipt
from chain.state_tree import StateTree, TreeUpdate
from chain.types import HASH_BYTES, Hash, Height
from node.errors import StorageError
from node.ports import Location, StoredBlock

LAYOUT_VERSION: Final = b"2"
BODIES: Final = b"b"
"""Table of what is compressed: transactions have much in common, and are never written again."""
_COMPRESSION_LEVEL: Final = 1
"""The fastest: less than half of the bytes for one and a half microseconds a transaction; slower
ones save a tenth more."""
_HEAD: Final = b"mhead"
_GENESIS: Final = b"mgenesis"
_LAYOUT: Final = b"mlayout"
_KEY_COUNT: Final = b"mkeys"
_LOCATION: Final = struct.Struct(">QI")


class KeyValue(Protocol):
    """An ordered map of byte strings with atomic, durable batches."""

    def get(self, key: bytes) -> bytes | None:
        """Returns the value, checksum verified, or None."""
        ...

    def iterate(self, prefix: bytes, start: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Yields (key, value) from ``start`` on in byte order while the prefix holds."""
        ...

    def write(self, batch: Sequence[tuple[bytes, bytes | None]]) -> None:
        """Writes all or nothing, durable on return; None removes."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class CertifiedHeader(Record):
    """A header beside its proof; small, so that head and sync checks need no bodies."""

    header: Header
    certificate: CommitCertificate


@dataclass(frozen=True, slots=True, kw_only=True)
class ByteStrings(Record):
    """A list of encoded things that are read together."""

    entries: tuple[bytes, ...]


class ChainStore:
    """The block store of a node (:class:`node.ports.BlockStore`)."""

    def __init__(self, database: KeyValue) -> None:
        self._database = database
        layout = database.get(_LAYOUT)
        if layout not in {None, LAYOUT_VERSION}:
            raise StorageError(
                f"database layout: expected version {LAYOUT_VERSION.decode()}, got "
                f"{layout!r}; run the version of tanlian that wrote it"
            )

    # -- chain ---------------------------------------------------------------------------------

    def head_height(self) -> Height:
        """Returns the height of the newest block; 0 at genesis."""
        stored = self._database.get(_HEAD)
        return 0 if stored is None else int.from_bytes(stored, "big")

    def head(self) -> tuple[Header, CommitCertificate] | None:
        """Returns header and certificate of the newest block, or None at genesis."""
        height = self.head_height()
        if height == 0:
            return None
        certified = self._certified_header(height)
        if certified is None:
            raise StorageError(f"block {height} is named as the head but its header is missing")
        return certified.header, certified.certificate

    def block(self, height: Height) -> CertifiedBlock | None:
        """Returns a committed block, or None above the head and at genesis."""
        certified = self._certified_header(height)
        bodies = self._database.get(_numbered(BODIES, height))
        if certified is None or bodies is None:
            return None
        return CertifiedBlock(
            header=certified.header,
            certificate=certified.certificate,
            transactions=ByteStrings.decode(decompressed(bodies)).entries,
        )

    def header(self, height: Height) -> Header | None:
        """Returns a committed header without reading the bodies."""
        certified = self._certified_header(height)
        return None if certified is None else certified.header

    def certificate(self, height: Height) -> CommitCertificate | None:
        """Returns the commit certificate of a committed block."""
        certified = self._certified_header(height)
        return None if certified is None else certified.certificate

    def encoded_receipts(self, height: Height) -> tuple[bytes, ...]:
        """Returns the receipts of a block as bytes, as they are under the receipt root."""
        stored = self._database.get(_numbered(b"r", height))
        return () if stored is None else ByteStrings.decode(stored).entries

    def receipts(self, height: Height) -> tuple[Receipt, ...]:
        """Returns the receipts of a block: one per transaction, then the block's own."""
        return tuple(Receipt.decode(encoded) for encoded in self.encoded_receipts(height))

    def locate(self, transaction_id: Hash) -> Location | None:
        """Returns where a committed transaction stands."""
        stored = self._database.get(b"t" + transaction_id)
        if stored is None:
            return None
        height, position = _LOCATION.unpack(stored)
        return Location(height=height, position=position)

    def holds(self, transaction_id: Hash) -> bool:
        """Returns whether a committed block holds this id."""
        return self._database.get(b"t" + transaction_id) is not None

    # -- state ---------------------------------------------------------------------------------

    def get(self, key: bytes) -> bytes | None:
        """Returns a state value."""
        return self._database.get(b"s" + key)

    def iterate(self, prefix: bytes, start: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
        """Yields state entries with this prefix in byte order, from ``start`` on if given."""
        for key, value in self._database.iterate(b"s" + prefix, b"s" + max(prefix, start)):
            yield key[1:], value

    def get_bucket(self, index: int) -> bytes:
        """Returns the content of a bucket of the authenticated tree."""
        return self._database.get(b"k" + index.to_bytes(2, "big")) or b""

    def open_tree(self) -> StateTree:
        """Returns the authenticated tree over the stored state; reads hashes, no contents."""
        hashes = bytearray(StateTree(self).bucket_hashes())
        for key, value in self._database.iterate(b"n", b"n"):
            offset = int.from_bytes(key[1:], "big") * HASH_BYTES
            hashes[offset : offset + HASH_BYTES] = value
        stored_count = self._database.get(_KEY_COUNT) or b""
        return StateTree(self, bytes(hashes), key_count=int.from_bytes(stored_count, "big"))

    def index_entries(self, prefix: bytes, start: bytes = b"") -> Iterator[bytes]:
        """Yields keys of the readings index with this prefix in byte order."""
        for key, _ in self._database.iterate(b"x" + prefix, b"x" + max(prefix, start)):
            yield key[1:]

    # -- writing -------------------------------------------------------------------------------

    def genesis(self) -> bytes | None:
        """Returns the encoded genesis record, or None for a new store."""
        return self._database.get(_GENESIS)

    def initialise(
        self, genesis: bytes, changes: dict[bytes, bytes | None], update: TreeUpdate
    ) -> None:
        """Writes the genesis record and state into an empty store, durably."""
        if self.genesis() is not None:
            raise StorageError("the store already holds a chain; use an empty directory")
        batch: list[tuple[bytes, bytes | None]] = [(_LAYOUT, LAYOUT_VERSION), (_GENESIS, genesis)]
        batch += self._state_entries(changes, update)
        self._database.write(batch)

    def commit(self, stored: StoredBlock) -> None:
        """Writes one block as one durable batch."""
        header = stored.block.header
        height = header.height
        if height != self.head_height() + 1:
            raise StorageError(f"next block: expected {self.head_height() + 1}, got {height}")
        certified = CertifiedHeader(header=header, certificate=stored.block.certificate)
        batch: list[tuple[bytes, bytes | None]] = [
            (_HEAD, height.to_bytes(8, "big")),
            (_numbered(b"c", height), certified.encode()),
            (_numbered(BODIES, height), _compressed(stored.block.transactions)),
            (_numbered(b"r", height), ByteStrings(entries=stored.encoded_receipts).encode()),
        ]
        place = _LOCATION.pack
        batch += [
            (b"t" + transaction_id, place(height, position))
            for transaction_id, position in stored.fresh_ids
        ]
        batch += [(b"x" + entry, b"") for entry in stored.index_entries]
        batch += self._state_entries(stored.changes, stored.tree_update)
        self._database.write(batch)

    def _state_entries(
        self, changes: dict[bytes, bytes | None], update: TreeUpdate
    ) -> list[tuple[bytes, bytes | None]]:
        stored_count = int.from_bytes(self._database.get(_KEY_COUNT) or b"", "big")
        key_count = stored_count + update.key_count_delta
        entries: list[tuple[bytes, bytes | None]] = [
            (_KEY_COUNT, key_count.to_bytes(8, "big")),
            *((b"s" + key, value) for key, value in changes.items()),
        ]
        for index, content in update.buckets.items():
            entries.append((b"k" + index.to_bytes(2, "big"), content or None))
        for index, bucket_hash in update.bucket_hashes.items():
            entries.append((b"n" + index.to_bytes(2, "big"), bucket_hash))
        return entries

    def _certified_header(self, height: Height) -> CertifiedHeader | None:
        stored = self._database.get(_numbered(b"c", height))
        return None if stored is None else CertifiedHeader.decode(stored)


def _numbered(table: bytes, height: Height) -> bytes:
    return table + height.to_bytes(8, "big")


def _compressed(transactions: tuple[bytes, ...]) -> bytes:
    return zlib.compress(ByteStrings(entries=transactions).encode(), _COMPRESSION_LEVEL)


def decompressed(bodies: bytes) -> bytes:
    """Returns what a value of :data:`BODIES` holds; its bytes depend on the library that made it.

    Raises:
        StorageError: it is damaged.
    """
    stream = zlib.decompressobj()
    try:
        content = stream.decompress(bodies)
    except zlib.error as error:
        raise StorageError(
            f"database: table b: expected a compressed list of transactions, got {error}; run "
            "`tanlian node verify` and restore or sync anew"
        ) from error
    if not stream.eof or stream.unused_data:
        raise StorageError(
            "database: table b: expected one whole compressed list of transactions, got a part of "
            "one, or more; run `tanlian node verify` and restore or sync anew"
        )
    return content
