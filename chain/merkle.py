"""Merkle trees of RFC 6962 (Certificate Transparency), section 2.1, over SHA-256.

A leaf is hashed with the prefix 0x00 and an inner node with 0x01, so that no leaf can pass for a
node. A list of n > 1 leaves splits at the largest power of two below n; the empty tree hashes to
SHA-256 of nothing.

What is a hash under a domain of its own already, as the leaf of a reading is, needs no prefix to be
told from a node, and no second hash: ``*_of_hashes`` are the same trees over such leaf hashes.
"""

import hashlib
from collections.abc import Sequence

from chain.errors import InvalidProof
from chain.types import Hash


def leaf_hash(leaf: bytes) -> Hash:
    """Returns the hash of one leaf."""
    return hashlib.sha256(b"\x00" + leaf).digest()


def node_hash(left: Hash, right: Hash) -> Hash:
    """Returns the hash of an inner node."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def merkle_root(leaves: Sequence[bytes]) -> Hash:
    """Returns the root over the leaves in order."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    sha256 = hashlib.sha256
    return root_of_hashes([sha256(b"\x00" + leaf).digest() for leaf in leaves])


def root_of_hashes(hashes: Sequence[Hash]) -> Hash:
    """Returns the root over the hashes of leaves, at least one, in order."""
    sha256, level = hashlib.sha256, list(hashes)
    # Joining neighbours level by level, an odd last one moving up unchanged, gives the same tree
    # as the recursive split at the largest power of two.
    while len(level) > 1:
        pairs = zip(level[::2], level[1::2], strict=False)
        joined = [sha256(b"\x01" + left + right).digest() for left, right in pairs]
        if len(level) % 2:
            joined.append(level[-1])
        level = joined
    return level[0]


def inclusion_path(leaves: Sequence[bytes], index: int) -> tuple[Hash, ...]:
    """Returns the audit path of a leaf, from the leaf's sibling up to the root's child."""
    return path_of_hashes([leaf_hash(leaf) for leaf in leaves], index)


def path_of_hashes(hashes: Sequence[Hash], index: int) -> tuple[Hash, ...]:
    """Returns the audit path of a leaf, given the hashes of all leaves."""
    assert 0 <= index < len(hashes)
    level = list(hashes)
    path: list[Hash] = []
    while len(level) > 1:
        sibling = index ^ 1
        if sibling < len(level):
            path.append(level[sibling])
        joined = [node_hash(level[i], level[i + 1]) for i in range(0, len(level) - 1, 2)]
        if len(level) % 2:
            joined.append(level[-1])
        level = joined
        index //= 2
    return tuple(path)


def verify_inclusion(
    leaf: bytes, *, index: int, count: int, path: Sequence[Hash], root: Hash
) -> None:
    """Checks that a leaf stands at an index of the tree with this many leaves and this root.

    Raises:
        InvalidProof: index out of range, a path of the wrong length, or another root.
    """
    verify_path(leaf_hash(leaf), index=index, count=count, path=path, root=root)


def verify_path(
    hashed_leaf: Hash, *, index: int, count: int, path: Sequence[Hash], root: Hash
) -> None:
    """Checks :func:`verify_inclusion` of a leaf that is given by its hash.

    Raises:
        InvalidProof: index out of range, a path of the wrong length, or another root.
    """
    if not 0 <= index < count:
        raise InvalidProof(f"leaf index: expected below {count}, got {index}")
    remaining = list(path)
    computed = hashed_leaf
    last = count - 1
    while last > 0:
        # The last node of an odd level has no sibling and moves up as it is.
        if index % 2 == 1 or index < last:
            if not remaining:
                raise InvalidProof(f"audit path: expected more than {len(path)} hashes")
            sibling = remaining.pop(0)
            computed = node_hash(sibling, computed) if index % 2 else node_hash(computed, sibling)
        index //= 2
        last //= 2
    if remaining:
        raise InvalidProof(f"audit path: {len(remaining)} hashes too many")
    if computed != root:
        raise InvalidProof(f"root: expected {root.hex()}, got {computed.hex()}")
