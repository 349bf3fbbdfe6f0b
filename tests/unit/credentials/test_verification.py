"""A certificate's credential: what it says, and that nothing of it can be changed unnoticed."""

import copy
import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, strategies as st

from chain import jcs
from chain.crypto import Ed25519Signer
from chain.proof_file import FORMAT, seal_of
from chain.state_tree import MemoryBucketReader, StateTree
from client.credentials import data_integrity
from client.credentials.certificate_credential import credential_of, grams_text
from client.credentials.chain_binding import ProofFile, evidence_of
from client.credentials.document import text_of
from client.credentials.multibase import did_of
from client.credentials.verification import ChainTrust, standing_of, verify_certificate
from client.errors import InvalidCredential
from client.json_object import parse
from contracts.certificate import revoked_key, suspended_key
from contracts.emissions import pack_numerator
from tests import chain_samples as samples
from tests.unit.credentials.credential_world import (
    CERTIFICATE,
    CERTIFIER,
    GENESIS,
    NOW_MS,
    proof_answer,
    signed,
    status_list,
    unsigned,
)

KEYS = (revoked_key("body.000001"), suspended_key("body.000001"))
TRUST = ChainTrust(genesis=GENESIS)
STRANGER = Ed25519Signer(b"x" * 32)
BOTH_LISTS = (status_list("revocation"), status_list("suspension"))


def refusal_of(credential: dict[str, Any], **given: Any) -> str:
    with pytest.raises(InvalidCredential) as refused:
        verify_certificate(credential, **{"now_ms": NOW_MS, "chain": TRUST, **given})
    return str(refused.value)


def test_a_certificate_goes_through_a_file_and_holds_without_any_node() -> None:
    credential = parse(text_of(signed()).encode())

    verdict = verify_certificate(credential, now_ms=NOW_MS, status_lists=BOTH_LISTS, chain=TRUST)

    assert verdict.certificate == "body.000001"
    assert verdict.issuer == CERTIFIER.public_key
    assert verdict.block_height == 40
    assert [(each.purpose, each.is_set) for each in verdict.statuses] == [
        ("revocation", False),
        ("suspension", False),
    ]
    assert standing_of(verdict, NOW_MS, 31) == "VALID"


def test_what_was_not_given_is_not_said_to_be_good() -> None:
    verdict = verify_certificate(signed(), now_ms=NOW_MS)
    assert verdict.block_height is None
    assert standing_of(verdict, NOW_MS, 31) == (
        "unknown: no status list of revocation and suspension and no proof was given"
    )
    half = verify_certificate(signed(), now_ms=NOW_MS, status_lists=BOTH_LISTS[:1])
    assert (
        standing_of(half, NOW_MS, 31)
        == "unknown: no status list of suspension and no proof was given"
    )


def test_the_credential_says_what_was_checked() -> None:
    subject = unsigned()["credentialSubject"]

    assert subject["assessmentLevel"] == "REASONABLE"
    assert subject["opinion"] == "UNMODIFIED"
    assert subject["scope"]["fromMonth"] == "2023-10"
    assert subject["assessment"][0]["declaredValue"]["scope2LocationBased"] == "129180.0000000000"
    assert subject["auditableEvidence"] == {"reportSha256": "05" * 32}
    assert subject["checks"]["presentIntervals"] == "2"
    assert subject["checks"]["byCheck"][2] == {
        "check": "DUPLICATE",
        "number": "3",
        "applied": "2",
        "passed": "2",
    }
    assert subject["chain"]["stateRoot"] == "0a" * 32
    assert subject["chain"]["chainId"] == GENESIS.chain_id.hex()


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0.0000000000"), (1, "0.0000000001"), (-15 * 10**9, "-1.5000000000"),
     (12 * 10**30, "1200000000000000000000.0000000000")],
)  # fmt: skip
def test_grams_are_written_exactly(value: int, text: str) -> None:
    assert grams_text(pack_numerator(value)) == text


def test_co_signers_are_named() -> None:
    credential = data_integrity.sign(signed(), STRANGER, NOW_MS)

    verdict = verify_certificate(credential, now_ms=NOW_MS, chain=TRUST)
    again = data_integrity.sign(credential, STRANGER, NOW_MS + 1_000)

    assert verdict.co_signers == (STRANGER.public_key,)
    assert verify_certificate(again, now_ms=NOW_MS, chain=TRUST) == verdict


@pytest.mark.parametrize("purpose", ["revocation", "suspension"])
def test_a_set_bit_ends_reliance(purpose: str) -> None:
    text = refusal_of(signed(), status_lists=(status_list(purpose, 0, 5),))

    state = {"revocation": "REVOKED", "suspension": "SUSPENDED"}[purpose]
    assert text.startswith(
        f"certificate body.000001: expected one to rely on, got one that is {state} as of 2023-"
    )


def test_another_certificates_bit_says_nothing_of_this_one() -> None:
    lists = (status_list("revocation", 1, 2, 131_071),)

    (status,) = verify_certificate(signed(), now_ms=NOW_MS, status_lists=lists).statuses
    assert not status.is_set


def test_a_status_list_is_the_issuers_own() -> None:
    text = refusal_of(signed(), status_lists=(status_list("revocation", signer=STRANGER),))

    assert text.startswith("status list: expected one of the certificate's issuer")


def test_a_status_list_of_the_future_is_none() -> None:
    late = status_list("revocation", time_ms=NOW_MS + 86_400_000)

    assert refusal_of(signed(), status_lists=(late,)).startswith(
        "status list: expected one made since the certificate was issued"
    )


def test_a_changed_status_list_does_not_hold() -> None:
    changed = status_list("revocation", 0)
    empty = status_list("revocation")
    changed["credentialSubject"]["encodedList"] = empty["credentialSubject"]["encodedList"]

    assert "the signature does not verify" in refusal_of(signed(), status_lists=(changed,))


def test_a_status_list_from_before_the_certificate_says_nothing_of_it() -> None:
    early = status_list("revocation", time_ms=CERTIFICATE.issued_ms - 1)

    text = refusal_of(signed(), status_lists=(early,))

    assert text.startswith("status list: expected one made since the certificate was issued")


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"validUntil": "2023-12-01T00:00:00Z"}, "validUntil"),
        ({"termsOfUse": None}, "termsOfUse"),
        ({"credentialSubject": {"statusSize": "2"}}, "credentialSubject"),
    ],
)
def test_a_status_list_of_another_form_is_not_read_as_if_it_were_ours(
    change: dict[str, Any], name: str
) -> None:
    other = data_integrity.without_proof(status_list("revocation"))
    if name in other:
        change = {name: {**other[name], **change[name]}}
    other = data_integrity.sign({**other, **change}, CERTIFIER, NOW_MS)

    text = refusal_of(signed(), status_lists=(other,))

    assert text.startswith(f"{name}: expected a status list as this version has it")


def test_the_standing_is_as_old_as_the_older_of_both_lists_and_ends_with_its_age() -> None:
    day_ms = 86_400_000
    later = status_list("suspension", time_ms=NOW_MS + 600)
    verdict = verify_certificate(
        signed(), now_ms=NOW_MS + 601, status_lists=(*BOTH_LISTS, later), chain=TRUST
    )

    assert verdict.stood_at == datetime.fromtimestamp(NOW_MS / 1_000, tz=UTC)
    assert standing_of(verdict, NOW_MS + 31 * day_ms - 1, 31) == "VALID"
    assert standing_of(verdict, NOW_MS + 31 * day_ms, 31) == (
        "unknown: shown 31 days ago, expected less than 31"
    )


def test_a_list_that_the_certificate_does_not_name_is_refused() -> None:
    other = data_integrity.without_proof(status_list("revocation"))
    other["id"] = "urn:tanlian:other"
    other = data_integrity.sign(other, CERTIFIER, NOW_MS)

    assert "expected one that the certificate names" in refusal_of(signed(), status_lists=(other,))


@pytest.mark.parametrize(
    ("now_ms", "text"),
    [
        (CERTIFICATE.issued_ms - 1, "validFrom: expected a moment that has come, got 2023-"),
        (CERTIFICATE.valid_until_ms, "validUntil: expected a moment to come, got 2023-"),
    ],
)
def test_a_certificate_holds_within_its_dates(now_ms: int, text: str) -> None:
    assert refusal_of(signed(), now_ms=now_ms).startswith(text)


def test_a_certificate_holds_from_its_millisecond_on() -> None:
    certificate = replace(CERTIFICATE, issued_ms=CERTIFICATE.issued_ms + 900)
    credential = data_integrity.sign(unsigned(certificate), CERTIFIER, certificate.issued_ms)

    verdict = verify_certificate(credential, now_ms=certificate.issued_ms, chain=TRUST)

    assert verdict.valid_from.endswith(".900Z")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"validUntil": "2099-01-01"}, "validUntil: expected a moment such as"),
        ({"validFrom": "soon"}, "validFrom: expected a moment such as"),
        ({"type": ["VerifiableCredential"]}, "type: expected a certificate"),
        (
            {"@context": ["https://www.w3.org/2018/credentials/v1"]},
            "@context: expected an array",
        ),
        ({"@context": []}, "@context: expected an array"),
        ({"issuer": did_of(CERTIFIER.public_key)}, "issuer: expected an object, got str"),
        ({"issuer": {"id": did_of(STRANGER.public_key)}}, "proof: expected one of the issuer"),
        ({"credentialSubject": {}}, "conformityCertificate: expected text, got nothing"),
        ({"evidence": []}, "evidence: expected one TanlianStateProof, got 0"),
        ({"evidence": "none"}, "evidence: expected an array, got str"),
        ({"termsOfUse": None}, "termsOfUse: expected what the chain holds of certificate"),
        ({"name": "more"}, "name: expected what the chain holds of certificate body.000001"),
        ({"validUntil": "2099-01-01T00:00:00Z"}, "validUntil: expected what the chain holds"),
        ({"credentialStatus": []}, "credentialStatus: expected what the chain holds"),
    ],
)
def test_a_certifier_cannot_sign_what_the_chain_does_not_hold(
    changes: dict[str, Any], message: str
) -> None:
    assert refusal_of(signed(**changes)).startswith(message)


def test_a_stranger_who_signs_is_not_the_issuer() -> None:
    mine = {**unsigned(), "issuer": {"id": did_of(STRANGER.public_key), "name": "body"}}
    credential = data_integrity.sign(mine, STRANGER, NOW_MS)

    assert verify_certificate(credential, now_ms=NOW_MS).issuer == STRANGER.public_key
    assert refusal_of(credential).startswith("issuer: expected what the chain holds")


def test_another_genesis_binds_nothing() -> None:
    other = samples.genesis(network="other")

    assert refusal_of(signed(), chain=ChainTrust(genesis=other)).startswith(
        "evidence: chain id: expected"
    )


@pytest.mark.parametrize("name", ["key", "value", "proof", "header", "certificate"])
@pytest.mark.parametrize("how", ["shorten", "flip", "text", "remove"])
def test_evidence_that_was_changed_before_signing_proves_nothing(name: str, how: str) -> None:
    evidence = evidence_of(proof_answer())
    match how:
        case "shorten":
            evidence[name] = evidence[name][:-2]
        case "flip":
            evidence[name] = evidence[name][:-2] + f"{int(evidence[name][-2:], 16) ^ 1:02x}"
        case "text":
            evidence[name] = "no digits"
        case _:
            del evidence[name]

    assert refusal_of(signed(evidence=[evidence])).startswith("evidence") or how == "remove"


def test_another_certificates_evidence_proves_nothing_of_this_one() -> None:
    other = replace(CERTIFICATE, certificate_id="body.000002", number=2)
    evidence = [evidence_of(proof_answer(other))]

    assert "expected what the chain holds of certificate body.000002" in refusal_of(
        signed(evidence=evidence)
    )


SIGNED = signed()


def leaves_of(value: Any, place: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(value, dict):
        return [leaf for name, each in value.items() for leaf in leaves_of(each, (*place, name))]
    if isinstance(value, list):
        return [leaf for n, each in enumerate(value) for leaf in leaves_of(each, (*place, n))]
    return [place]


@given(st.sampled_from(leaves_of(SIGNED)), st.text(max_size=8) | st.integers(0, 5) | st.none())
def test_any_changed_value_is_noticed_by_the_proof_alone(place: tuple[Any, ...], new: Any) -> None:
    document = copy.deepcopy(SIGNED)
    parent: Any = document
    for name in place[:-1]:
        parent = parent[name]
    if parent[place[-1]] == new:
        return
    parent[place[-1]] = new

    with pytest.raises(InvalidCredential):
        verify_certificate(document, now_ms=NOW_MS)


def test_one_record_makes_one_document() -> None:
    assert credential_of(CERTIFICATE, GENESIS.chain_id) == credential_of(
        type(CERTIFICATE).decode(CERTIFICATE.encode()), GENESIS.chain_id
    )


def proof_file(*held: bytes, claimed: tuple[bytes, ...] = KEYS, height: int = 50) -> bytes:
    """What `tanlian proof get certificate` writes, of a state that holds these keys."""
    entries = {b"other": b"x", **dict.fromkeys(held, b"y")}
    buckets = MemoryBucketReader()
    tree = StateTree(buckets)
    update = tree.update(entries)
    buckets.apply(update.buckets)
    tree.apply(update)
    header = samples.header(chain_id=GENESIS.chain_id, height=height, state_root=update.root)
    document: dict[str, Any] = {
        "format": FORMAT,
        "chain_id": GENESIS.chain_id.hex(),
        "validator_sets": [{"keys": GENESIS.validator_set().encode().hex()}],
        "blocks": [
            {
                "header": header.encode().hex(),
                "certificate": samples.certificate(header).encode().hex(),
            }
        ],
        "claims": [
            {
                "kind": "state",
                "block": 0,
                "key": key.hex(),
                "value": entries[key].hex() if key in entries else None,
                "proof": tree.prove(key).encode().hex(),
            }
            for key in claimed
        ],
    }
    document["seal"] = seal_of(document).hex()
    return jcs.encode(document) + b"\n"


def trusting(text: bytes) -> ChainTrust:
    return ChainTrust(genesis=GENESIS, proof=ProofFile(text=text, document=parse(text)))


def test_the_absence_of_both_keys_shows_that_a_certificate_stands() -> None:
    chain = trusting(proof_file())

    verdict = verify_certificate(signed(), now_ms=NOW_MS, chain=chain)

    assert verdict.standing_block is not None
    assert verdict.standing_block.height == 50
    assert standing_of(verdict, NOW_MS, 31) == "VALID"


@pytest.mark.parametrize(("key", "word"), list(zip(KEYS, ("REVOKED", "SUSPENDED"), strict=True)))
def test_a_key_that_is_there_ends_reliance(key: bytes, word: str) -> None:
    text = refusal_of(signed(), chain=trusting(proof_file(key)))

    assert text.endswith(f"got one that is {word} after block 50")


def test_that_nothing_was_revoked_before_the_issue_shows_nothing() -> None:
    issued = CERTIFICATE.issued_height
    before = proof_file(height=issued - 1)

    text = refusal_of(signed(), chain=trusting(before))

    assert text == (
        f"proof: expected one of block {issued}, which issued the certificate, or a later one, "
        f"got one of block {issued - 1}"
    )
    since = trusting(proof_file(height=issued))
    assert verify_certificate(signed(), now_ms=NOW_MS, chain=since).standing_block is not None


def test_an_older_claim_of_a_key_does_not_hide_a_newer_one() -> None:
    newer, older = (json.loads(proof_file(*held, height=height)) for held, height in (
        ((KEYS[1],), 51), ((), 50)
    ))  # fmt: skip
    newer["blocks"] += older["blocks"]
    newer["claims"] += [{**claim, "block": 1} for claim in older["claims"]]
    newer["seal"] = seal_of(newer).hex()

    text = refusal_of(signed(), chain=trusting(jcs.encode(newer) + b"\n"))

    assert text.endswith("got one that is SUSPENDED after block 51")


@pytest.mark.parametrize("missing", [0, 1])
def test_a_proof_shows_both_keys(missing: int) -> None:
    one = proof_file(claimed=(KEYS[1 - missing],))

    text = refusal_of(signed(), chain=trusting(one))

    assert text.startswith("proof: expected what the chain holds under certificate-")


def test_a_damaged_proof_file_shows_nothing() -> None:
    damaged = proof_file().replace(b'"block":0', b'"block":1')

    text = refusal_of(signed(), chain=trusting(damaged))

    assert text.startswith("proof: the proof does not hold: seal: expected")
