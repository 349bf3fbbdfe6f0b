"""RFC 6962 trees: known roots, and proofs that hold for one leaf in one place only."""

from typing import Any

import pytest

from chain.errors import InvalidProof
from chain.merkle import inclusion_path, leaf_hash, merkle_root, node_hash, verify_inclusion

# The test tree of Certificate Transparency implementations (google/certificate-transparency,
# merkle_tree_test.cc): its eight leaves, and the root after each.
CT_LEAVES = tuple(
    bytes.fromhex(leaf)
    for leaf in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
)
CT_ROOTS = (
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)
EMPTY_ROOT = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_the_empty_tree_hashes_to_sha256_of_nothing() -> None:
    assert merkle_root(()).hex() == EMPTY_ROOT


@pytest.mark.parametrize(("count", "root"), list(enumerate(CT_ROOTS, 1)))
def test_roots_are_those_of_certificate_transparency(count: int, root: str) -> None:
    assert merkle_root(CT_LEAVES[:count]).hex() == root


def test_audit_paths_are_those_of_certificate_transparency() -> None:
    path = [each.hex() for each in inclusion_path(CT_LEAVES, 5)]

    assert path == [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]
    assert inclusion_path(CT_LEAVES[:3], 2) == (merkle_root(CT_LEAVES[:2]),)
    assert inclusion_path(CT_LEAVES[:1], 0) == ()


def test_a_leaf_cannot_pass_for_a_node() -> None:
    left, right = leaf_hash(b"a"), leaf_hash(b"b")

    assert merkle_root([left + right]) != node_hash(left, right)


def verify(index: int = 5, count: int = 8, **changes: object) -> None:
    arguments: dict[str, Any] = {
        "index": index,
        "count": count,
        "path": inclusion_path(CT_LEAVES, 5),
        "root": bytes.fromhex(CT_ROOTS[7]),
    }
    verify_inclusion(CT_LEAVES[5], **{**arguments, **changes})


def test_the_audit_path_leads_to_the_root() -> None:
    verify()


@pytest.mark.parametrize("index", [-1, 8])
def test_a_leaf_stands_within_the_tree(index: int) -> None:
    with pytest.raises(InvalidProof, match=f"leaf index: expected below 8, got {index}"):
        verify(index=index)


@pytest.mark.parametrize("index", [1, 4, 7])
def test_a_path_holds_for_one_place_only(index: int) -> None:
    with pytest.raises(InvalidProof, match="root: expected 5dc9da79"):
        verify(index=index)


def test_a_path_that_is_too_short_is_refused() -> None:
    with pytest.raises(InvalidProof, match="audit path: expected more than 2 hashes"):
        verify(path=inclusion_path(CT_LEAVES, 5)[:2])


def test_a_path_that_is_too_long_is_refused() -> None:
    with pytest.raises(InvalidProof, match="audit path: 1 hashes too many"):
        verify(path=(*inclusion_path(CT_LEAVES, 5), bytes(32)))


def test_a_path_to_another_root_is_refused() -> None:
    with pytest.raises(InvalidProof, match="root: expected 00000000"):
        verify(root=bytes(32))


def test_nothing_is_in_the_empty_tree() -> None:
    with pytest.raises(InvalidProof, match="leaf index: expected below 0, got 0"):
        verify_inclusion(b"", index=0, count=0, path=(), root=bytes.fromhex(EMPTY_ROOT))
