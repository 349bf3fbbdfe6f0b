"""The state: a map from namespaced keys to records, seen through an overlay.

A block executes on an overlay of the committed state. Within it each transaction runs on a second
layer that is merged when it succeeds and dropped when it is refused. A key's record is decoded at
most once while it is hot and encoded once per block, however often the block touches it, because
records are frozen and therefore shared rather than copied. What many calls of a block change a
little, such as a meter's page, is changed in a :class:`Draft` and becomes a record once.

Keys are byte strings whose namespace ends with ``/`` (``meter/steel.main``); namespaces iterate in
byte order over database and overlay together.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Final, Protocol, TypeVar, cast

from chain.codec import Record
from chain.errors import ChainError
from chain.types import Hash

RecordT = TypeVar("RecordT", bound=Record)

RECORDS_MAX: Final = 8_192
"""Records that a cache keeps: meters, accounts and factors are read in every block, and what a
block wrote is mostly read by the next one. A record and its bytes take 1 to 4 KB."""
KEY_BYTES_MAX: Final = 256
"""Longest key: a namespace and three identifiers."""


class UnencodableRecord(ChainError):
    """A record that a contract wrote has no canonical bytes, such as an integer beyond 64 bits."""

    def __init__(self, *, key: bytes, writer: Hash | None, cause: Exception) -> None:
        self.writer = writer
        """Who wrote it last, as :meth:`State.keep` was told; None for the block itself."""
        self.cause = cause
        super().__init__(f"state key {key!r}: {type(cause).__name__}: {cause}")


class StateReader(Protocol):
    """Committed state, as a database offers it."""

    def get(self, key: bytes) -> bytes | None:
        """Returns the value's canonical bytes, or None where the key is absent."""
        ...

    def iterate(self, prefix: bytes, start: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
        """Yields (key, value) with this prefix in byte order, from ``start`` on if given."""
        ...


class Draft(Protocol):
    """A record while a block changes it in place."""

    def record(self) -> Record:
        """Returns the record as it stands.

        Raises:
            OverflowError, TypeError, ValueError: it holds what no record can.
        """
        ...


DraftT = TypeVar("DraftT", bound=Draft)


class MemoryStateReader:
    """A state in a dictionary, for genesis, tests and the simulator."""

    def __init__(self, entries: Mapping[bytes, bytes] | None = None) -> None:
        self.entries = dict(entries or {})

    def get(self, key: bytes) -> bytes | None:
        """Returns the value or None."""
        return self.entries.get(key)

    def iterate(self, prefix: bytes, start: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
        """Yields (key, value) with this prefix in byte order, from ``start`` on if given."""
        for key in sorted(self.entries):
            if key.startswith(prefix) and key >= start:
                yield key, self.entries[key]

    def apply(self, changes: Mapping[bytes, bytes | None]) -> None:
        """Takes over the changes of a block."""
        for key, value in changes.items():
            if value is None:
                self.entries.pop(key, None)
            else:
                self.entries[key] = value


class Records(Protocol):
    """Whatever gives records by key: a state, or the cache over a committed one."""

    def get(self, cls: type[RecordT], key: bytes) -> RecordT | None:
        """Returns the record under a key as the given class, or None where it is absent."""
        ...


class RecordCache:
    """Records of the committed state by key: what one block read or wrote, the next one reads.

    What a block wrote enters as bytes and is decoded when it is read, so that every node, one that
    restarted a moment ago included, works on what came out of the decoder and on nothing else.

    Args:
        reader: the committed state.
        records_max: records that are kept at least; at most twice as many are.
    """

    def __init__(self, reader: StateReader, records_max: int = RECORDS_MAX) -> None:
        self._reader = reader
        self._records_max = records_max
        # What is asked for moves from the old generation to the young one; when that is full, it
        # becomes the old one, and what nobody asked for since is forgotten.
        self._young: dict[bytes, Record | bytes | None] = {}
        self._old: dict[bytes, Record | bytes | None] = {}

    def get(self, cls: type[RecordT], key: bytes) -> RecordT | None:
        """Returns the record under a key as the given class, or None where it is absent."""
        if key in self._young:
            found = self._young[key]
        else:
            found = self._old[key] if key in self._old else self._reader.get(key)
            self._keep(key, found)
        if type(found) is bytes:
            found = self._young[key] = cls.decode(found)
        assert found is None or isinstance(found, cls), f"{key!r} holds another class"
        return found

    def stored(self, key: bytes) -> bytes | None:
        """Returns the canonical bytes under a key, or None where it is absent."""
        return self._reader.get(key)

    def iterate(self, prefix: bytes, start: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
        """Yields (key, value) with this prefix in byte order, from ``start`` on if given."""
        return self._reader.iterate(prefix, start)

    def apply(self, changes: Mapping[bytes, bytes | None]) -> None:
        """Takes over the changes of a block that the reader serves from now on."""
        for key, value in changes.items():
            self._old.pop(key, None)
            self._keep(key, value)

    def _keep(self, key: bytes, found: Record | bytes | None) -> None:
        if len(self._young) >= self._records_max:
            self._old, self._young = self._young, {}
        self._young[key] = found


class State:
    """Overlay of one block over a committed state.

    Use: :meth:`begin` a transaction, read and write, then :meth:`keep` or :meth:`drop` it;
    :meth:`changes` at the end of the block. Reads and writes outside a transaction belong to the
    block itself.

    Args:
        committed: the state after the parent block.
    """

    def __init__(self, committed: StateReader | RecordCache) -> None:
        self._committed = (
            committed if isinstance(committed, RecordCache) else RecordCache(committed)
        )
        self._loaded: dict[bytes, Record | None] = {}
        """What was read of the committed state."""
        self._current: dict[bytes, Record | None] = {}
        """What was read or written, as it stands after the last transaction that was kept."""
        self._transaction: dict[bytes, Record | None] | None = None
        self._writers: dict[bytes, Hash | None] = {}
        """Who wrote last, of each key that the block wrote."""
        self._drafts: dict[bytes, Draft] = {}
        """What stands under their keys, whatever the layers say."""
        self._edited: dict[bytes, None] = {}
        """Keys of the drafts that the transaction has asked for."""
        self.revision = 0
        """Grows with each :meth:`put`, :meth:`delete` and :meth:`changes`. As long as it stands,
        what was read stands, and drafts are still the drafts of their keys."""

    def begin(self) -> None:
        """Starts a transaction layer."""
        assert self._transaction is None, "transactions do not nest"
        self._transaction = {}

    def keep(self, writer: Hash | None = None) -> None:
        """Merges the transaction layer into the block.

        Args:
            writer: id of the transaction, to name it where its records prove unencodable.
        """
        assert self._transaction is not None, "no transaction has begun"
        self._current.update(self._transaction)
        self._writers.update(dict.fromkeys(self._transaction, writer))
        self._transaction = None
        if self._edited:
            self._writers.update(dict.fromkeys(self._edited, writer))
            self._edited.clear()

    def drop(self) -> None:
        """Forgets everything that the transaction wrote; it must not have asked for a draft."""
        assert self._transaction is not None, "no transaction has begun"
        assert not self._edited, "what was changed in a draft cannot be forgotten"
        self._transaction = None

    def get(self, cls: type[RecordT], key: bytes) -> RecordT | None:
        """Returns the record under a key as the given class, or None where it is absent."""
        transaction = self._transaction
        if key in self._drafts:
            record: Record | None = self._frozen(key)
        elif transaction is not None and key in transaction:
            record = transaction[key]
        elif key in self._current:
            record = self._current[key]
        else:
            record = self._loaded[key] = self._current[key] = self._committed.get(cls, key)
        assert record is None or isinstance(record, cls), f"{key!r} holds another class"
        return record

    def put(self, key: bytes, record: Record) -> None:
        """Sets the record under a key."""
        assert 0 < len(key) <= KEY_BYTES_MAX, f"state key of {len(key)} bytes"
        self._write(key, record)

    def delete(self, key: bytes) -> None:
        """Removes a key; removing an absent one changes nothing."""
        self._write(key, None)

    def edit(
        self, cls: type[RecordT], key: bytes, begin: Callable[[RecordT | None], DraftT]
    ) -> DraftT:
        """Returns the draft of the record under a key, to be changed in place.

        One draft serves all transactions of the block, and whoever reads the key sees what the
        draft holds then. So there is no way back: a transaction asks for a draft only when nothing
        can make it be dropped any more. Each call asks anew, or :meth:`edit_again` while
        :attr:`revision` stands, because :meth:`put` and :meth:`delete` of the key and
        :meth:`changes` end the draft.

        Args:
            cls: class of the record.
            key: the same one always with the same kind of draft.
            begin: makes the draft of the record as it stands, or of none.
        """
        draft = self._drafts.get(key)
        if draft is None:
            assert 0 < len(key) <= KEY_BYTES_MAX, f"state key of {len(key)} bytes"
            draft = self._drafts[key] = begin(self.get(cls, key))
            self._writers.setdefault(key, None)
        if self._transaction is not None:
            self._edited[key] = None
        return cast("DraftT", draft)

    def edit_again(self, keys: dict[bytes, None]) -> None:
        """Notes that the transaction changes drafts which an earlier one asked for."""
        if self._transaction is not None:
            self._edited.update(keys)

    def iterate(
        self, cls: type[RecordT], prefix: bytes, start: bytes = b""
    ) -> Iterator[tuple[bytes, RecordT]]:
        """Yields (key, record) with this prefix in byte order, overlay included.

        Writing under the prefix while iterating is not seen by the iteration; take what you need
        first.
        """
        transaction = self._transaction or {}
        written = {
            key: transaction[key] if key in transaction else self._current[key]
            for key in (*self._writers, *transaction)
            if key.startswith(prefix) and key >= start and key not in self._drafts
        }
        for key in self._drafts:
            if key.startswith(prefix) and key >= start:
                written[key] = self._frozen(key)
        pending = sorted(written, reverse=True)
        for key, stored in self._committed.iterate(prefix, start):
            while pending and pending[-1] < key:
                yield from _written_entry(cls, pending.pop(), written)
            if pending and pending[-1] == key:
                yield from _written_entry(cls, pending.pop(), written)
            else:
                yield key, cls.decode(stored)
        while pending:
            yield from _written_entry(cls, pending.pop(), written)

    def changes(self) -> dict[bytes, bytes | None]:
        """Returns what the block wrote, by key in byte order; None means removed.

        A key written back to its committed value is no change. All drafts end.

        Raises:
            UnencodableRecord: names the key and who wrote it.
        """
        assert self._transaction is None, "a transaction is still open"
        self.revision += 1
        for key in self._drafts:
            self._current[key] = self._frozen(key)
        self._drafts.clear()  # drafts may know this state: what knows each other is freed late
        changes: dict[bytes, bytes | None] = {}
        for key in sorted(self._writers):
            record = self._current[key]
            # What was read before needs no second look at the database to be compared.
            if key in self._loaded and self._loaded[key] == record:
                continue
            encoded = None if record is None else self._encode(key, record)
            if key in self._loaded or encoded != self._committed.stored(key):
                changes[key] = encoded
        return changes

    def _encode(self, key: bytes, record: Record) -> bytes:
        try:
            return record.encode()
        except (OverflowError, TypeError, ValueError) as error:
            raise UnencodableRecord(key=key, writer=self._writers.get(key), cause=error) from error

    def _frozen(self, key: bytes) -> Record:
        try:
            return self._drafts[key].record()
        except (OverflowError, TypeError, ValueError) as error:
            raise UnencodableRecord(key=key, writer=self._writers.get(key), cause=error) from error

    def _write(self, key: bytes, record: Record | None) -> None:
        self.revision += 1
        if key in self._drafts:
            # Left in the block, where a dropped transaction finds it again.
            self._current[key] = self._frozen(key)
            del self._drafts[key]
        if self._transaction is None:
            self._current[key] = record
            self._writers[key] = None
        else:
            self._transaction[key] = record


def _written_entry(
    cls: type[RecordT], key: bytes, written: Mapping[bytes, Record | None]
) -> Iterator[tuple[bytes, RecordT]]:
    record = written[key]
    if record is not None:
        assert isinstance(record, cls), f"{key!r} holds another class"
        yield key, record
