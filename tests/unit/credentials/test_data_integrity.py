"""eddsa-jcs-2022: the W3C's vectors byte for byte, and every change of what is signed noticed."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st

from chain import jcs
from chain.crypto import Ed25519Signer
from client.credentials.data_integrity import hash_data, sign, verify
from client.credentials.multibase import decode_base58, did_of, key_text, method_of
from client.errors import InvalidCredential
from client.json_object import parse

VECTORS = Path(__file__).parents[2] / "vectors" / "vc"
SUITE = VECTORS / "eddsa-jcs-2022"
SECRET_MULTICODEC = b"\x80\x26"
"""Ed25519 private key, as the vectors' key pair is written."""
CREATED_MS = 1_677_281_798_000
"""2023-02-24T23:36:38Z."""


def vector(name: str) -> str:
    return (SUITE / name).read_text().strip()


def signer() -> Ed25519Signer:
    pair = json.loads((VECTORS / "keyPair.json").read_text())
    secret = decode_base58(pair["privateKeyMultibase"], "key")
    assert secret.startswith(SECRET_MULTICODEC)
    return Ed25519Signer(secret[2:])


def unsigned() -> dict[str, Any]:
    return parse((VECTORS / "unsigned.json").read_bytes())


def signed() -> dict[str, Any]:
    return parse((SUITE / "signedJCS.json").read_bytes())


def test_the_vectors_key_is_written_as_a_did() -> None:
    pair = json.loads((VECTORS / "keyPair.json").read_text())

    assert key_text(signer().public_key) == pair["publicKeyMultibase"]
    assert did_of(signer().public_key) == f"did:key:{pair['publicKeyMultibase']}"


def test_the_vectors_canonical_texts_and_hashes_come_out() -> None:
    options = json.loads(vector("proofConfigJCS.json"))

    assert jcs.encode(unsigned()).decode() == vector("canonDocJCS.txt")
    assert jcs.encode(options).decode() == vector("proofCanonJCS.txt")
    hashes = hash_data(unsigned(), options)
    assert hashes.hex() == vector("combinedHashJCS.txt")
    assert hashes[:32].hex() == vector("proofHashJCS.txt")
    assert hashes[32:].hex() == vector("docHashJCS.txt")


def test_the_vectors_signature_comes_out() -> None:
    made = sign(unsigned(), signer(), CREATED_MS)

    assert made == signed()
    assert made["proof"]["proofValue"] == vector("sigBTC58JCS.txt")
    assert decode_base58(made["proof"]["proofValue"], "proof").hex() == vector("sigHexJCS.txt")


def test_the_vectors_document_verifies() -> None:
    assert verify(signed()) == (signer().public_key,)


def test_a_set_of_proofs_holds_in_any_order_and_each_alone() -> None:
    others = [Ed25519Signer(bytes([number]) * 32) for number in (1, 2)]
    document = signed()
    for other in others:
        document = sign(document, other, CREATED_MS)

    assert verify(document) == tuple(each.public_key for each in (signer(), *others))
    document["proof"].reverse()
    assert len(verify(document)) == 3
    assert verify({**document, "proof": document["proof"][1]})


def test_one_bad_proof_spoils_the_set() -> None:
    document = sign(signed(), Ed25519Signer(b"1" * 32), CREATED_MS)
    document["proof"][1]["created"] = "2023-02-24T23:36:39Z"

    with pytest.raises(InvalidCredential, match="the signature does not verify"):
        verify(document)


def places_in(value: Any, place: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The place of every text and every member in a document."""
    children: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        children = list(value.items())
    elif isinstance(value, list):
        children = list(enumerate(value))
    found = [place] if place else []
    for name, child in children:
        found += places_in(child, (*place, name))
    return found


def at(document: Any, place: tuple[Any, ...]) -> Any:
    for name in place:
        document = document[name]
    return document


PLACES = places_in(signed())


@given(st.sampled_from(PLACES), st.sampled_from(["change", "remove"]), st.text(max_size=5))
def test_any_change_of_any_member_is_noticed(place: tuple[Any, ...], how: str, text: str) -> None:
    document = copy.deepcopy(signed())
    parent = at(document, place[:-1])
    if how == "remove":
        del parent[place[-1]]
    else:
        parent[place[-1]] = f"{parent[place[-1]]}{text}!"

    with pytest.raises(InvalidCredential):
        verify(document)


@given(st.text(min_size=1), st.text() | st.integers(0, 9) | st.none())
def test_nothing_can_be_added(name: str, value: Any) -> None:
    document = signed()
    if name in document:
        return
    document[name] = value
    try:
        jcs.encode(document)
    except jcs.NotCanonicalJson:
        return

    with pytest.raises(InvalidCredential):
        verify(document)


def test_a_context_cannot_be_added_behind_the_signed_ones() -> None:
    document = signed()
    document["@context"].append("https://example.org/other")

    with pytest.raises(InvalidCredential, match=r"proof\.@context"):
        verify(document)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"type": "Ed25519Signature2020"}, "proof.type: expected DataIntegrityProof, got 'Ed25"),
        ({"cryptosuite": "eddsa-rdfc-2022"}, "proof.cryptosuite: expected eddsa-jcs-2022"),
        ({"proofPurpose": "authentication"}, "proof.proofPurpose: expected assertionMethod"),
        ({"expires": "2023-02-24T23:36:38Z"}, "proof.expires: expected a proof without it"),
        ({"previousProof": "urn:a"}, "proof.previousProof: expected a proof without it"),
        ({"verificationMethod": "https://a"}, "expected a did:key: of an Ed25519 key"),
        ({"verificationMethod": "did:key:z6Mk"}, "expected the did:key of an Ed25519 key"),
        ({"proofValue": "uAAAA"}, "proof.proofValue: expected base58btc, which begins with z"),
        ({"proofValue": "z0"}, "got the character '0'"),
        ({"proofValue": "z" + "2" * 600}, "expected base58btc"),
        ({"proofValue": "z2"}, "the signature does not verify"),
        ({"created": 5}, "created: expected text, got int"),
        ({"created": "yesterday"}, "proof.created: expected a moment such as"),
    ],
)
def test_a_proof_of_another_kind_is_named(changes: dict[str, Any], message: str) -> None:
    document = signed()
    document["proof"] |= changes

    with pytest.raises(InvalidCredential) as refused:
        verify(document)

    assert message in str(refused.value)


def test_a_fragment_names_the_key_of_its_did() -> None:
    document = signed()
    other = Ed25519Signer(b"1" * 32).public_key
    document["proof"]["verificationMethod"] = f"{did_of(signer().public_key)}#{key_text(other)}"

    with pytest.raises(InvalidCredential, match="expected the key of"):
        verify(document)


def test_another_key_of_the_same_form_does_not_verify() -> None:
    document = signed()
    other = Ed25519Signer(b"1" * 32).public_key
    document["proof"]["verificationMethod"] = method_of(other)

    with pytest.raises(InvalidCredential, match=f"proof of {other.hex()}"):
        verify(document)


@pytest.mark.parametrize("proof", [[], None, "z", [5], [{}] * 129])
def test_a_document_has_proofs_and_not_too_many(proof: Any) -> None:
    with pytest.raises(InvalidCredential, match="proof"):
        verify({**unsigned(), "proof": proof})
    with pytest.raises(InvalidCredential, match="got 0"):
        verify(unsigned())
