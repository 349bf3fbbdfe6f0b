"""The tree against one that is hashed anew from all entries each time."""

from hashlib import sha256

import pytest
from hypothesis import given, settings, strategies as st

from chain.errors import InvalidProof
from chain.state_tree import MemoryBucketReader, StateTree, verify_state_proof


def tagged(name: str, content: bytes) -> bytes:
    return sha256(f"tanlian/{name}/1\x00".encode() + content).digest()


def naive_root(entries: dict[bytes, bytes]) -> bytes:
    """Hashes the whole tree by its definition, empty parts by their one hash."""
    buckets: dict[int, list[bytes]] = {}
    for key, value in entries.items():
        key_hash = tagged("state-key", key)
        entry = key_hash + tagged("state-value", value)
        buckets.setdefault(int.from_bytes(key_hash[:2], "big"), []).append(entry)
    level = {
        index: tagged("state-bucket", b"".join(sorted(content)))
        for index, content in buckets.items()
    }
    empty = tagged("state-bucket", b"")
    for _ in range(4):
        level = {
            parent: tagged(
                "state-node", b"".join(level.get(16 * parent + i, empty) for i in range(16))
            )
            for parent in sorted({index // 16 for index in level})
        }
        empty = tagged("state-node", empty * 16)
    return level.get(0, empty)


def crowded_keys() -> list[bytes]:
    """Forty keys of which most share a bucket with another."""
    by_bucket: dict[bytes, list[bytes]] = {}
    for number in range(4_000):
        key = b"key/%d" % number
        by_bucket.setdefault(tagged("state-key", key)[:2], []).append(key)
    shared = [key for keys in by_bucket.values() if len(keys) > 1 for key in keys]
    return shared[:30] + [b"key/%d" % number for number in range(10)]


KEYS = crowded_keys()
changes = st.dictionaries(
    st.sampled_from(KEYS), st.sampled_from([b"", b"x", b"y"]) | st.none(), max_size=12
)


@settings(max_examples=40)
@given(st.lists(changes, max_size=6))
def test_the_tree_is_that_of_all_entries(blocks: list[dict[bytes, bytes | None]]) -> None:
    reader = MemoryBucketReader()
    tree = StateTree(reader)
    entries: dict[bytes, bytes] = {}
    for block in blocks:
        update = tree.update(block)
        tree.apply(update)
        reader.apply(update.buckets)
        for key, value in block.items():
            if value is None:
                entries.pop(key, None)
            else:
                entries[key] = value

        assert tree.root == naive_root(entries)
        assert tree.key_count == len(entries)
    opened = StateTree(reader, tree.bucket_hashes())
    assert opened.root == tree.root
    for key in KEYS:
        value = entries.get(key)
        proof = opened.prove(key)
        verify_state_proof(tree.root, key, value, proof)
        for other in (None, b"", b"x", b"y"):
            if other != value:
                with pytest.raises(InvalidProof):
                    verify_state_proof(tree.root, key, other, proof)
