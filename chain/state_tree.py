"""The authenticated map over the state: one root, proofs of presence and of absence.

The shape is fixed. A key belongs to one of 2**16 *buckets* by the first two bytes of its hash. A
bucket's content is the sorted list of (key hash, value hash) of its keys, 64 bytes each; above the
bucket hashes stands a tree of arity 16 and four levels::

    root  <- 16 nodes  <- 256 nodes  <- 4,096 nodes  <- 65,536 bucket hashes
                                                         <- (key hash, value hash)*

So the cost of a block is bounded by the keys it wrote: one bucket hash for each, and inner nodes
that they share. With a million keys a bucket holds 15, about 1 KB. A proof carries its whole
bucket: a key whose hash is not in it is absent, because it could stand nowhere else.

The nodes live in memory (2 MB and a sixteenth); contents stay with the database, which keeps
changed contents and their hashes, so that opening needs no content at all. What the last blocks
changed is kept here too, because the next ones change much of it again.
"""

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Final, Protocol

from chain.codec import Record
from chain.crypto import Domain, hash_of, hasher_of
from chain.errors import InvalidProof
from chain.types import HASH_BYTES, U16, Hash, Length

BUCKET_COUNT: Final = 2**16
"""Two bytes of the key hash; a bucket of 15 entries at a million keys hashes in about 1 us."""
ARITY: Final = 16
"""Children of a node: 512 bytes are hashed for each; a proof takes 15 siblings a level."""
LEVELS: Final = 4
"""Levels of nodes above the bucket hashes: 16**4 is the number of buckets."""
ENTRY_BYTES: Final = 2 * HASH_BYTES
"""A bucket's entry: key hash, then value hash."""
BUCKET_HASHES_BYTES: Final = BUCKET_COUNT * HASH_BYTES
"""Size of all bucket hashes together, as a database keeps them: 2 MB."""
PROOF_BUCKET_BYTES_MAX: Final = 4_194_304
"""Bounds decoding of a proof: 65,536 keys in one bucket, 4,000 times the usual."""

RECENT_BUCKETS_MAX: Final = 4_096
"""Changed buckets that are kept, at most twice as many; about 1 KB each at a million keys."""

_hash_key: Final = hasher_of(Domain.STATE_KEY)
_hash_value: Final = hasher_of(Domain.STATE_VALUE)
_hash_bucket: Final = hasher_of(Domain.STATE_BUCKET)
_hash_node: Final = hasher_of(Domain.STATE_NODE)

_NODE_BYTES: Final = ARITY * HASH_BYTES
_SIBLINGS_BYTES: Final = (ARITY - 1) * HASH_BYTES


class BucketReader(Protocol):
    """Committed bucket contents, as a database offers them."""

    def get_bucket(self, index: int) -> bytes:
        """Returns a bucket's content as :class:`TreeUpdate` gave it, or b"" where it is empty."""
        ...


class MemoryBucketReader:
    """Bucket contents in a dictionary, for genesis, tests and the simulator."""

    def __init__(self) -> None:
        self.buckets: dict[int, bytes] = {}

    def get_bucket(self, index: int) -> bytes:
        """Returns a bucket's content."""
        return self.buckets.get(index, b"")

    def apply(self, buckets: Mapping[int, bytes]) -> None:
        """Takes over the contents that a block changed."""
        self.buckets.update(buckets)


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeUpdate:
    """What a block changes in the tree; nothing is changed until :meth:`StateTree.apply`."""

    base_root: Hash
    """Root that the update was computed on, and the only one that it fits."""
    root: Hash
    buckets: dict[int, bytes]
    """New contents by bucket index, ascending; b"" where a bucket has become empty."""
    nodes: tuple[dict[int, Hash], ...]
    """New hashes by index, level by level: bucket hashes first, the root alone last."""
    key_count_delta: int
    """Keys added minus keys removed."""

    @property
    def bucket_hashes(self) -> dict[int, Hash]:
        """Returns the hashes of the changed buckets, for a database to keep beside them."""
        return self.nodes[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class StateProof(Record):
    """Shows the value that a state root gives to a key, or that it gives none."""

    index: U16
    """Bucket: the first two bytes of the key's hash."""
    bucket: Annotated[bytes, Length(0, PROOF_BUCKET_BYTES_MAX)]
    """The bucket's whole content."""
    siblings: Annotated[
        tuple[Annotated[bytes, Length(_SIBLINGS_BYTES, _SIBLINGS_BYTES)], ...],
        Length(LEVELS, LEVELS),
    ]
    """The 15 other children of each node on the way up, joined in order."""


class StateTree:
    """The nodes over the committed state.

    Args:
        reader: bucket contents of the same state as the hashes.
        bucket_hashes: as :meth:`bucket_hashes` gave them, or None for the empty state.
        key_count: keys of that state; kept by the database beside the hashes.
    """

    def __init__(
        self, reader: BucketReader, bucket_hashes: bytes | None = None, *, key_count: int = 0
    ) -> None:
        self._reader = reader
        self._key_count = key_count
        # Two generations: when the young one is full it becomes the old one.
        self._young: dict[int, bytes] = {}
        self._old: dict[int, bytes] = {}
        if bucket_hashes is None:
            self._levels = [bytearray(level) for level in _EMPTY_LEVELS]
        else:
            assert len(bucket_hashes) == BUCKET_HASHES_BYTES, "one hash for each bucket"
            self._levels = _levels_over(bucket_hashes)

    @property
    def root(self) -> Hash:
        """Returns the state root."""
        return bytes(self._levels[LEVELS])

    @property
    def key_count(self) -> int:
        """Returns the number of keys in the state."""
        return self._key_count

    def bucket_hashes(self) -> bytes:
        """Returns all bucket hashes in order, :data:`BUCKET_HASHES_BYTES` bytes."""
        return bytes(self._levels[0])

    def update(self, changes: Mapping[bytes, bytes | None]) -> TreeUpdate:
        """Computes the tree after some changes; pure, the tree stays as it is.

        Args:
            changes: encoded values by key; None removes the key, which may be absent.
        """
        entries_by_bucket: dict[int, list[tuple[Hash, Hash | None]]] = {}
        for key, value in changes.items():
            key_hash = _hash_key(key)
            entry = (key_hash, None if value is None else _hash_value(value))
            entries_by_bucket.setdefault(_bucket_of(key_hash), []).append(entry)
        buckets: dict[int, bytes] = {}
        size_delta = 0
        for index in sorted(entries_by_bucket):
            old = self._bucket(index)
            new = _with_entries(old, entries_by_bucket[index])
            if new != old:
                buckets[index] = new
                size_delta += len(new) - len(old)
        nodes = self._nodes_over(buckets)
        return TreeUpdate(
            base_root=self.root,
            root=nodes[LEVELS].get(0, self.root),
            buckets=buckets,
            nodes=nodes,
            key_count_delta=size_delta // ENTRY_BYTES,
        )

    def apply(self, update: TreeUpdate) -> None:
        """Makes an update current; the reader must serve its contents from now on."""
        assert update.base_root == self.root, "an update fits the tree that computed it"
        for level, changed in zip(self._levels, update.nodes, strict=True):
            for index, node in changed.items():
                level[index * HASH_BYTES : (index + 1) * HASH_BYTES] = node
        self._key_count += update.key_count_delta
        self._keep(update.buckets)
        assert self.root == update.root

    def prove(self, key: bytes) -> StateProof:
        """Returns the proof of the key's value, or of its absence, under the current root."""
        index = _bucket_of(hash_of(Domain.STATE_KEY, key))
        siblings = []
        for height, level in enumerate(self._levels[:LEVELS]):
            place = index // ARITY**height
            family = _family(level, place // ARITY)
            start = place % ARITY * HASH_BYTES
            siblings.append(bytes(family[:start] + family[start + HASH_BYTES :]))
        return StateProof(index=index, bucket=self._bucket(index), siblings=tuple(siblings))

    def _bucket(self, index: int) -> bytes:
        """Returns a bucket's content after the last update that was applied."""
        content = self._young.get(index)
        if content is None:
            content = self._old.get(index)
        return self._reader.get_bucket(index) if content is None else content

    def _keep(self, buckets: Mapping[int, bytes]) -> None:
        if len(self._young) + len(buckets) > RECENT_BUCKETS_MAX:
            self._old, self._young = self._young, {}
        self._young.update(buckets)

    def _nodes_over(self, buckets: Mapping[int, bytes]) -> tuple[dict[int, Hash], ...]:
        """Returns the changed hashes of each level, bucket hashes first."""
        changed = {index: _hash_bucket(content) for index, content in buckets.items()}
        nodes = [changed]
        for level in self._levels[:LEVELS]:
            families: dict[int, bytearray] = {}
            for index, node in changed.items():
                parent = index // ARITY
                family = families.get(parent)
                if family is None:
                    family = families[parent] = _family(level, parent)
                start = index % ARITY * HASH_BYTES
                family[start : start + HASH_BYTES] = node
            changed = {parent: _hash_node(family) for parent, family in families.items()}
            nodes.append(changed)
        return tuple(nodes)


def verify_state_proof(root: Hash, key: bytes, value: bytes | None, proof: StateProof) -> None:
    """Checks that a state root gives a key this value, or none where ``value`` is None.

    Args:
        root: a state root that the caller trusts, such as one in a certified header.
        key: the state key.
        value: its encoded record, or None for the claim that the key is absent.
        proof: untrusted.

    Raises:
        InvalidProof: the proof is malformed, of another key or root, or shows another value.
    """
    key_hash = hash_of(Domain.STATE_KEY, key)
    if proof.index != _bucket_of(key_hash):
        raise InvalidProof(
            f"bucket: expected {_bucket_of(key_hash)} by the key's hash, got {proof.index}"
        )
    if len(proof.bucket) % ENTRY_BYTES:
        raise InvalidProof(
            f"bucket: expected entries of {ENTRY_BYTES} bytes, got {len(proof.bucket)} bytes"
        )
    computed = _root_of(proof)
    if computed != root:
        raise InvalidProof(f"state root: expected {root.hex()}, got {computed.hex()}")
    entries = dict(_entries_of(proof.bucket))
    found = entries.get(key_hash)
    expected = None if value is None else hash_of(Domain.STATE_VALUE, value)
    if found != expected:
        raise InvalidProof(
            f"state key {key!r}: expected {_words_for(expected)}, got {_words_for(found)}"
        )


def _root_of(proof: StateProof) -> Hash:
    node = hash_of(Domain.STATE_BUCKET, proof.bucket)
    index = proof.index
    for siblings in proof.siblings:
        index, place = divmod(index, ARITY)
        start = place * HASH_BYTES
        node = hash_of(Domain.STATE_NODE, siblings[:start], node, siblings[start:])
    return node


def _entries_of(bucket: bytes) -> Iterator[tuple[Hash, Hash]]:
    for start in range(0, len(bucket), ENTRY_BYTES):
        middle = start + HASH_BYTES
        yield bucket[start:middle], bucket[middle : start + ENTRY_BYTES]


def _words_for(value_hash: Hash | None) -> str:
    return "no value" if value_hash is None else f"a value with the hash {value_hash.hex()}"


def _bucket_of(key_hash: Hash) -> int:
    return int.from_bytes(key_hash[:2], "big")


def _family(level: bytearray, parent: int) -> bytearray:
    """Returns a copy of the hashes of a node's children."""
    return level[parent * _NODE_BYTES : (parent + 1) * _NODE_BYTES]


def _with_entries(content: bytes, entries: list[tuple[Hash, Hash | None]]) -> bytes:
    """Returns a bucket's content after setting or removing entries, each key at most once."""
    for key_hash, value_hash in entries:
        start = _place_of(content, key_hash)
        end = start + ENTRY_BYTES if content.startswith(key_hash, start) else start
        entry = b"" if value_hash is None else key_hash + value_hash
        content = content[:start] + entry + content[end:]
    return content


def _place_of(content: bytes, key_hash: Hash) -> int:
    """Returns the offset at which a bucket holds a key's entry, or would hold it."""
    found = content.find(key_hash)
    if found % ENTRY_BYTES == 0:  # a value may hold anything, also another key's hash
        return found
    hashes = [content[at : at + HASH_BYTES] for at in range(0, len(content), ENTRY_BYTES)]
    return bisect_left(hashes, key_hash) * ENTRY_BYTES


def _levels_over(bucket_hashes: bytes) -> list[bytearray]:
    """Returns all levels, bucket hashes first and the root last."""
    levels = [bytearray(bucket_hashes)]
    while len(levels[-1]) > HASH_BYTES:
        below = levels[-1]
        level = bytearray()
        for start in range(0, len(below), _NODE_BYTES):
            level += hash_of(Domain.STATE_NODE, below[start : start + _NODE_BYTES])
        levels.append(level)
    return levels


def _empty_levels() -> tuple[bytes, ...]:
    """Returns the levels of the empty tree; each repeats one hash."""
    node = hash_of(Domain.STATE_BUCKET, b"")
    count = BUCKET_COUNT
    levels = [node * count]
    while count > 1:
        node = hash_of(Domain.STATE_NODE, node * ARITY)
        count //= ARITY
        levels.append(node * count)
    return tuple(levels)


_EMPTY_LEVELS: Final = _empty_levels()
EMPTY_ROOT: Final = _EMPTY_LEVELS[LEVELS]
"""State root of the state without keys."""
