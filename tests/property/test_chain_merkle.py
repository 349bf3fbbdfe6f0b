"""The tree against the recursive definition of RFC 6962, section 2.1."""

from hashlib import sha256

import pytest
from hypothesis import given, strategies as st

from chain.errors import InvalidProof
from chain.merkle import inclusion_path, merkle_root, verify_inclusion

leaf_lists = st.lists(st.binary(max_size=4), max_size=70)


def naive_root(leaves: list[bytes]) -> bytes:
    """MTH of the RFC, word for word."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return sha256(b"\x00" + leaves[0]).digest()
    k = split(len(leaves))
    return sha256(b"\x01" + naive_root(leaves[:k]) + naive_root(leaves[k:])).digest()


def naive_path(index: int, leaves: list[bytes]) -> list[bytes]:
    """PATH of the RFC, word for word."""
    if len(leaves) == 1:
        return []
    k = split(len(leaves))
    if index < k:
        return [*naive_path(index, leaves[:k]), naive_root(leaves[k:])]
    return [*naive_path(index - k, leaves[k:]), naive_root(leaves[:k])]


def split(count: int) -> int:
    """The largest power of two below a count."""
    return 1 << (count - 1).bit_length() - 1


@given(leaf_lists)
def test_the_root_is_that_of_the_definition(leaves: list[bytes]) -> None:
    assert merkle_root(leaves) == naive_root(leaves)


@given(leaf_lists.filter(bool), st.integers(0, 10**6))
def test_a_path_is_that_of_the_definition_and_verifies(leaves: list[bytes], at: int) -> None:
    index = at % len(leaves)
    path = inclusion_path(leaves, index)

    assert list(path) == naive_path(index, leaves)
    verify_inclusion(
        leaves[index], index=index, count=len(leaves), path=path, root=naive_root(leaves)
    )


@given(leaf_lists.filter(bool), st.integers(0, 10**6), st.binary(max_size=4))
def test_a_leaf_that_is_not_there_never_verifies(
    leaves: list[bytes], at: int, other: bytes
) -> None:
    index = at % len(leaves)
    if other == leaves[index]:
        other += b"x"

    with pytest.raises(InvalidProof):
        verify_inclusion(
            other,
            index=index,
            count=len(leaves),
            path=inclusion_path(leaves, index),
            root=merkle_root(leaves),
        )
