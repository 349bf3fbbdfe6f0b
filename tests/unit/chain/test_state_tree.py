"""The authenticated tree: its shape, its updates, and proofs that nobody can bend."""

import dataclasses
from hashlib import sha256

import pytest

from chain.errors import DecodeError, InvalidProof
from chain.state_tree import (
    BUCKET_COUNT,
    BUCKET_HASHES_BYTES,
    EMPTY_ROOT,
    MemoryBucketReader,
    StateProof,
    StateTree,
    TreeUpdate,
    _place_of,
    verify_state_proof,
)

ENTRIES: dict[bytes, bytes] = {b"meter/%d" % number: b"value %d" % number for number in range(300)}


def key_hash(key: bytes) -> bytes:
    return sha256(b"tanlian/state-key/1\x00" + key).digest()


def key_beside(key: bytes) -> bytes:
    """Finds a key that belongs to the same bucket."""
    return next(
        other
        for number in range(2**24)
        if key_hash(other := b"other/%d" % number)[:2] == key_hash(key)[:2]
    )


def grown(
    tree: StateTree, reader: MemoryBucketReader, changes: dict[bytes, bytes | None]
) -> TreeUpdate:
    update = tree.update(changes)
    tree.apply(update)
    reader.apply(update.buckets)
    return update


@pytest.fixture
def reader() -> MemoryBucketReader:
    return MemoryBucketReader()


@pytest.fixture
def tree(reader: MemoryBucketReader) -> StateTree:
    """A tree over :data:`ENTRIES`."""
    tree = StateTree(reader)
    grown(tree, reader, dict(ENTRIES))
    return tree


def test_the_root_of_one_key_is_hashed_by_hand() -> None:
    hashed = key_hash(b"meter/a")
    bucket = hashed + sha256(b"tanlian/state-value/1\x00" + b"value").digest()
    index = int.from_bytes(hashed[:2], "big")
    level = {index: sha256(b"tanlian/state-bucket/1\x00" + bucket).digest()}
    empty = sha256(b"tanlian/state-bucket/1\x00").digest()
    for _ in range(4):
        ((place, node),) = level.items()
        first = place // 16 * 16
        children = b"".join(node if at == place else empty for at in range(first, first + 16))
        level = {place // 16: sha256(b"tanlian/state-node/1\x00" + children).digest()}
        empty = sha256(b"tanlian/state-node/1\x00" + empty * 16).digest()

    update = StateTree(MemoryBucketReader()).update({b"meter/a": b"value"})

    assert update.root == level[0]
    assert update.buckets == {index: bucket}
    assert empty == EMPTY_ROOT


def test_an_empty_tree_has_the_empty_root_and_no_keys() -> None:
    tree = StateTree(MemoryBucketReader())

    assert tree.root == EMPTY_ROOT
    assert tree.key_count == 0
    assert len(tree.bucket_hashes()) == BUCKET_HASHES_BYTES == 32 * BUCKET_COUNT


def test_an_update_changes_nothing_until_it_is_applied(tree: StateTree) -> None:
    before = tree.root, tree.bucket_hashes(), tree.key_count

    update = tree.update({b"meter/new": b"value", b"meter/0": None})

    assert (tree.root, tree.bucket_hashes(), tree.key_count) == before
    assert update.base_root == tree.root
    assert update.root != tree.root


def test_an_applied_update_is_current(tree: StateTree, reader: MemoryBucketReader) -> None:
    update = grown(tree, reader, {b"meter/new": b"value", b"meter/0": None, b"meter/1": None})

    assert tree.root == update.root
    assert update.key_count_delta == -1
    assert tree.key_count == 299


def test_the_root_does_not_depend_on_the_order_or_the_way(
    tree: StateTree, reader: MemoryBucketReader
) -> None:
    other_reader = MemoryBucketReader()
    other = StateTree(other_reader)
    for key in reversed(ENTRIES):
        grown(other, other_reader, {key: b"at first", b"passing": b"by"})
        grown(other, other_reader, {key: ENTRIES[key], b"passing": None})

    assert other.root == tree.root
    assert other.bucket_hashes() == tree.bucket_hashes()
    assert {index: content for index, content in other_reader.buckets.items() if content} == (
        reader.buckets
    )


def test_removing_every_key_leads_back_to_the_empty_root(
    tree: StateTree, reader: MemoryBucketReader
) -> None:
    grown(tree, reader, dict.fromkeys(ENTRIES))

    assert tree.root == EMPTY_ROOT
    assert tree.key_count == 0


@pytest.mark.parametrize("changes", [{}, {b"meter/5": b"value 5"}, {b"absent": None}])
def test_a_change_that_changes_nothing_touches_nothing(
    tree: StateTree, changes: dict[bytes, bytes | None]
) -> None:
    update = tree.update(changes)

    assert update.root == tree.root
    assert update.buckets == {}
    assert update.nodes == ({}, {}, {}, {}, {})


def test_buckets_come_in_ascending_order_with_their_hashes(tree: StateTree) -> None:
    update = tree.update({b"meter/%d" % number: b"new" for number in range(100)})

    assert list(update.buckets) == sorted(update.buckets)
    assert update.bucket_hashes == {
        index: sha256(b"tanlian/state-bucket/1\x00" + content).digest()
        for index, content in update.buckets.items()
    }


def test_a_tree_opens_from_its_bucket_hashes(tree: StateTree, reader: MemoryBucketReader) -> None:
    opened = StateTree(reader, tree.bucket_hashes(), key_count=tree.key_count)

    assert opened.root == tree.root
    assert opened.key_count == 300
    assert opened.update({b"meter/1": None}) == tree.update({b"meter/1": None})


def test_bucket_hashes_of_another_size_are_a_mistake(reader: MemoryBucketReader) -> None:
    with pytest.raises(AssertionError, match="one hash for each bucket"):
        StateTree(reader, bytes(BUCKET_HASHES_BYTES - 32))


def test_an_update_fits_only_the_tree_that_computed_it(
    tree: StateTree, reader: MemoryBucketReader
) -> None:
    stale = tree.update({b"meter/1": b"stale"})
    grown(tree, reader, {b"meter/2": b"first"})

    with pytest.raises(AssertionError, match="an update fits the tree"):
        tree.apply(stale)


@pytest.mark.parametrize("key", [b"meter/0", b"meter/150", b"meter/299"])
def test_presence_is_proved(tree: StateTree, key: bytes) -> None:
    proof = StateProof.decode(tree.prove(key).encode())

    verify_state_proof(tree.root, key, ENTRIES[key], proof)


def test_absence_is_proved_in_an_empty_bucket_and_beside_other_keys(tree: StateTree) -> None:
    for key in (b"absent", key_beside(b"meter/7")):
        verify_state_proof(tree.root, key, None, tree.prove(key))


def test_a_key_is_found_among_others_of_its_bucket(
    tree: StateTree, reader: MemoryBucketReader
) -> None:
    beside = key_beside(b"meter/7")
    grown(tree, reader, {beside: b"beside"})

    assert len(tree.prove(beside).bucket) == 128
    verify_state_proof(tree.root, beside, b"beside", tree.prove(beside))
    verify_state_proof(tree.root, b"meter/7", b"value 7", tree.prove(beside))


def test_another_value_is_not_proved(tree: StateTree) -> None:
    with pytest.raises(InvalidProof, match=r"expected a value with the hash .*, got a value"):
        verify_state_proof(tree.root, b"meter/7", b"value 8", tree.prove(b"meter/7"))


def test_a_present_key_is_not_proved_absent(tree: StateTree) -> None:
    with pytest.raises(InvalidProof, match="expected no value, got a value with the hash"):
        verify_state_proof(tree.root, b"meter/7", None, tree.prove(b"meter/7"))


def test_an_absent_key_is_not_proved_present(tree: StateTree) -> None:
    with pytest.raises(InvalidProof, match=r"expected a value with the hash .*, got no value"):
        verify_state_proof(tree.root, b"absent", b"value", tree.prove(b"absent"))


def test_a_proof_of_another_bucket_proves_no_absence(tree: StateTree) -> None:
    with pytest.raises(InvalidProof, match=r"bucket: expected .* by the key's hash, got"):
        verify_state_proof(tree.root, b"meter/7", None, tree.prove(b"absent"))


def test_a_proof_moved_to_another_bucket_leads_elsewhere(tree: StateTree) -> None:
    moved = dataclasses.replace(
        tree.prove(b"absent"), index=int.from_bytes(key_hash(b"meter/7")[:2], "big")
    )

    with pytest.raises(InvalidProof, match="state root: expected"):
        verify_state_proof(tree.root, b"meter/7", None, moved)


def test_a_proof_under_another_root_is_refused(tree: StateTree) -> None:
    with pytest.raises(InvalidProof, match="state root: expected 0000"):
        verify_state_proof(bytes(32), b"meter/7", b"value 7", tree.prove(b"meter/7"))


def test_a_bucket_without_the_key_leads_elsewhere(tree: StateTree) -> None:
    emptied = dataclasses.replace(tree.prove(b"meter/7"), bucket=b"")

    with pytest.raises(InvalidProof, match="state root: expected"):
        verify_state_proof(tree.root, b"meter/7", None, emptied)


@pytest.mark.parametrize("level", range(4))
@pytest.mark.parametrize("position", [0, 479])
def test_a_flipped_bit_among_the_siblings_leads_elsewhere(
    tree: StateTree, level: int, position: int
) -> None:
    proof = tree.prove(b"meter/7")
    siblings = [bytearray(each) for each in proof.siblings]
    siblings[level][position] ^= 1
    forged = dataclasses.replace(proof, siblings=tuple(bytes(each) for each in siblings))

    with pytest.raises(InvalidProof, match="state root: expected"):
        verify_state_proof(tree.root, b"meter/7", b"value 7", forged)


@pytest.mark.parametrize("levels", [3, 5])
def test_a_proof_of_another_depth_is_no_record(tree: StateTree, levels: int) -> None:
    proof = tree.prove(b"meter/7")
    wrong = dataclasses.replace(proof, siblings=(bytes(480),) * levels)

    with pytest.raises(DecodeError, match="siblings: expected an array of 4 elements"):
        StateProof.decode(wrong.encode())


@pytest.mark.parametrize("size", [1, 63, 65])
def test_a_bucket_holds_whole_entries(tree: StateTree, size: int) -> None:
    torn = dataclasses.replace(tree.prove(b"meter/7"), bucket=bytes(size))

    with pytest.raises(InvalidProof, match=f"expected entries of 64 bytes, got {size} bytes"):
        verify_state_proof(tree.root, b"meter/7", None, torn)


LOW, MIDDLE, HIGH = b"\x11" * 32, b"\x22" * 32, b"\x33" * 32


@pytest.mark.parametrize(
    ("content", "key_hash", "place"),
    [
        (b"", MIDDLE, 0),
        (MIDDLE + LOW, MIDDLE, 0),
        (LOW + MIDDLE, MIDDLE, 64),  # the value of another key
        (LOW + MIDDLE + MIDDLE + LOW, MIDDLE, 64),  # both
        (LOW + b"\x11" * 16 + b"\x22" * 16 + b"\x22" * 16 + b"\x44" * 48, MIDDLE, 64),  # across
        (LOW + LOW + HIGH + HIGH, MIDDLE, 64),
        (LOW + LOW + HIGH + HIGH, HIGH, 64),
        (LOW + LOW + HIGH + HIGH, b"\x44" * 32, 128),
    ],
)
def test_an_entry_is_found_by_its_key_and_nothing_else(
    content: bytes, key_hash: bytes, place: int
) -> None:
    assert _place_of(content, key_hash) == place


class CountingBuckets(MemoryBucketReader):
    """Notes which buckets are asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[int] = []

    def get_bucket(self, index: int) -> bytes:
        self.asked.append(index)
        return super().get_bucket(index)


def test_a_bucket_that_a_block_changed_is_not_read_again() -> None:
    reader = CountingBuckets()
    tree = StateTree(reader)
    first = tree.update({b"a": b"1", b"b": b"1"})
    reader.apply(first.buckets)
    tree.apply(first)
    reader.asked.clear()

    again = tree.update({b"a": b"2", b"b": None})
    reader.apply(again.buckets)
    tree.apply(again)

    assert reader.asked == []
    assert tree.root == StateTree(MemoryBucketReader()).update({b"a": b"2"}).root
    assert tree.key_count == 1
    verify_state_proof(tree.root, b"a", b"2", tree.prove(b"a"))
    verify_state_proof(tree.root, b"b", None, tree.prove(b"b"))


def test_what_was_not_applied_is_not_kept() -> None:
    reader = CountingBuckets()
    tree = StateTree(reader)
    tree.update({b"a": b"1"})

    tree.update({b"a": b"1"})

    assert len(reader.asked) == 2


def test_kept_buckets_make_room_and_are_read_when_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("chain.state_tree.RECENT_BUCKETS_MAX", 2)
    reader = CountingBuckets()
    tree = StateTree(reader)
    for number in range(40):
        changes: dict[bytes, bytes | None] = {b"%d" % (number % 20): b"%d" % number}
        update = tree.update(changes)
        reader.apply(update.buckets)
        tree.apply(update)

    held = {b"%d" % key: b"%d" % (key + 20) for key in range(20)}
    assert tree.root == StateTree(MemoryBucketReader()).update(dict(held)).root
    assert len(tree._young) + len(tree._old) <= 4
