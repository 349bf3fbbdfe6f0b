"""Proof files of a real network, as they are and with anything in them changed."""

import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from chain import jcs
from chain.codec import decode
from chain.crypto import ED25519
from chain.errors import InvalidProof
from chain.genesis import Genesis
from chain.proof_file import (
    Claim,
    PageClaim,
    ReadingClaim,
    StateClaim,
    seal_of,
    verify_proof_file,
)
from node.genesis_file import load_genesis
from node.rpc.strict_json import MalformedJson, parse
from tests.chain_samples import genesis as other_genesis

VECTORS = Path(__file__).parents[2] / "vectors" / "proofs"
NAMES = ("reading", "absence", "alert", "total", "nothing")
GENESIS = load_genesis(VECTORS / "genesis.json")
TEXTS = {name: (VECTORS / f"{name}.json").read_bytes() for name in NAMES}
STATEMENTS = ("stamp_from_ms", "stamp_to_ms")
"""Bounds of what is claimed: another bound is another claim, which may hold as well."""


def verified(text: bytes, genesis: Genesis = GENESIS) -> tuple[Claim, ...]:
    return verify_proof_file(text, parse(text), genesis=genesis, scheme=ED25519)


def resealed(document: dict[str, Any]) -> bytes:
    """The file as a forger would write it, with a seal that fits."""
    document["seal"] = seal_of(document).hex()
    return jcs.encode(document) + b"\n"


def test_a_reading_is_proved_with_all_that_its_page_was_sent() -> None:
    reading, page, meter, corrections = verified(TEXTS["reading"])

    assert isinstance(reading, ReadingClaim)
    assert isinstance(page, PageClaim)
    assert reading.leaf[0] == "office-main"
    assert (reading.leaf[4], reading.outcome, reading.failed) == (127_225, 1, 0)
    assert page.within == (reading.leaf,)
    assert page.count == 28
    assert isinstance(meter, StateClaim)
    assert meter.key == b"meter/office-main"
    assert isinstance(corrections, StateClaim)
    assert corrections.value is not None
    assert reading.block.height < page.block.height == meter.block.height
    assert (page.block.votes, page.block.validators) == (3, 4)


def test_that_no_reading_of_an_interval_was_sent_is_proved() -> None:
    page, _, corrections = verified(TEXTS["absence"])

    assert isinstance(page, PageClaim)
    assert page.within == ()
    assert isinstance(corrections, StateClaim)
    assert corrections.value is None


@pytest.mark.parametrize(
    ("name", "key", "is_present"),
    [
        ("alert", b"alert/office-main/04/000001", True),
        ("total", b"site-month/berkeley/000523", True),
        ("nothing", b"nothing/here", False),
    ],
)
def test_what_the_state_holds_or_does_not_hold_is_proved(
    name: str, key: bytes, *, is_present: bool
) -> None:
    (claim,) = verified(TEXTS[name])

    assert isinstance(claim, StateClaim)
    assert claim.key == key
    assert (claim.value is not None) is is_present


@settings(max_examples=120, deadline=None)
@given(name=st.sampled_from(NAMES), data=st.data())
def test_no_byte_of_a_file_can_be_changed(name: str, data: st.DataObject) -> None:
    text = bytearray(TEXTS[name])
    place = data.draw(st.integers(0, len(text) - 1))
    text[place] ^= data.draw(st.integers(1, 255))

    with pytest.raises((InvalidProof, MalformedJson)):
        verified(bytes(text))


@settings(max_examples=60, deadline=None)
@given(name=st.sampled_from(NAMES), data=st.data())
def test_no_part_of_a_file_is_enough(name: str, data: st.DataObject) -> None:
    text = TEXTS[name]
    length = data.draw(st.integers(0, len(text) - 1))

    with pytest.raises((InvalidProof, MalformedJson)):
        verified(text[:length])


Path_ = tuple[str | int, ...]


def places_of(value: object, path: Path_ = ()) -> Iterator[Path_]:
    """Every scalar and array of a document."""
    if isinstance(value, dict):
        for name, member in value.items():
            yield from places_of(member, (*path, name))
    elif isinstance(value, list):
        yield path
        for index, element in enumerate(value):
            yield from places_of(element, (*path, index))
    else:
        yield path


def changed(value: object, number: int) -> Iterator[object]:
    """Other values that a forger may try in the place of one."""
    match value:
        case str() if value:
            place = number % len(value)
            digit = "0" if value[place] != "0" else "1"
            yield value[:place] + digit + value[place + 1 :]
            yield value[:-2]
            yield value + "00"
            yield None
        case None:
            yield "00"
        case int():
            yield value + 1
            yield max(value - 1, 0)
            yield value + 1_000_000
        case list():
            yield value[1:]
            yield [*value, *value[:1]]
            yield value[::-1]
        case _:
            raise AssertionError(f"no part of a proof file: {value!r}")


@settings(max_examples=120, deadline=None)
@given(name=st.sampled_from(NAMES), data=st.data())
def test_no_field_can_be_changed_by_who_writes_a_seal_that_fits(
    name: str, data: st.DataObject
) -> None:
    document = json.loads(TEXTS[name])
    # Fewer claims, or one twice, are a file that proves less or the same.
    left_out = ("seal", "claims", *STATEMENTS)
    places = [path for path in places_of(document) if path[-1] not in left_out]
    path = data.draw(st.sampled_from(places))
    holder = document
    for step in path[:-1]:
        holder = holder[step]
    for other in changed(holder[path[-1]], data.draw(st.integers(0, 10**6))):
        if other == holder[path[-1]]:
            continue
        forged = copy.deepcopy(document)
        into = forged
        for step in path[:-1]:
            into = into[step]
        into[path[-1]] = other
        with pytest.raises(InvalidProof, match=r"^[a-z_]+(\[\d+\])?[.:]"):
            verified(resealed(forged))


@settings(max_examples=30, deadline=None)
@given(first=st.integers(0, 2**41), last=st.integers(0, 2**41))
def test_another_span_is_another_claim_and_still_a_true_one(first: int, last: int) -> None:
    document = json.loads(TEXTS["reading"])
    page = document["claims"][1]
    stamps = [parse_leaf(leaf)[2] for leaf in page["leaves"]]
    inside = sum(first <= stamp <= last for stamp in stamps)
    page |= {"stamp_from_ms": first, "stamp_to_ms": last, "within": inside}

    claim = verified(resealed(document))[1]

    assert isinstance(claim, PageClaim)
    assert len(claim.within) == inside
    page["within"] = inside + 1
    with pytest.raises(InvalidProof, match=rf"within: expected {inside}, the readings between"):
        verified(resealed(document))


def parse_leaf(text: str) -> Any:
    return decode(bytes.fromhex(text))


def forge(name: str, change: Callable[[dict[str, Any]], object]) -> bytes:
    document: dict[str, Any] = json.loads(TEXTS[name])
    change(document)
    return resealed(document)


def drop_the_second_leaf(document: dict[str, Any]) -> None:
    del document["claims"][1]["leaves"][1]


def hide_a_leaf(document: dict[str, Any]) -> None:
    leaves = document["claims"][1]["leaves"]
    leaves[1] = leaves[0]


@pytest.mark.parametrize(
    ("name", "change", "words"),
    [
        ("alert", lambda d: d.pop("blocks"), "file: expected an object of format, chain_id"),
        ("alert", lambda d: d.update(extra=1), "file: expected an object of format, chain_id"),
        ("alert", lambda d: d.update(format="x"), "format: expected tanlian/proof/1, got 'x'"),
        ("alert", lambda d: d.update(claims=[]), "claims: expected an array of at least one"),
        ("alert", lambda d: d.update(claims={}), "claims: expected an array, got"),
        ("alert", lambda d: d["claims"][0].update(kind="x"), "kind: expected state, reading or"),
        ("alert", lambda d: d["claims"][0].update(block=1), "block: expected a number below 1"),
        ("alert", lambda d: d["claims"][0].update(key="AB"), "key: expected lower-case hexa"),
        ("alert", lambda d: d["claims"][0].update(key=7), "key: expected a text, got 7"),
        ("alert", lambda d: d["claims"][0].update(value=None), "expected no value, got a value"),
        ("nothing", lambda d: d["claims"][0].update(value="01"), "expected a value with the hash"),
        ("alert", lambda d: d["blocks"].append(d["blocks"][0]), "expected each in a claim, got 1"),
        ("alert", lambda d: d["blocks"][0].update(header="00"), "blocks[0].header: "),
        ("reading", drop_the_second_leaf, "claims[1].leaves: expected 28, as the page counts"),
        ("reading", hide_a_leaf, "a reading is missing, added, changed or out of order"),
        ("reading", lambda d: d["claims"][0].update(path=["00"]), "path: expected hashes of 32"),
    ],
)
def test_an_error_says_what_does_not_hold(
    name: str, change: Callable[[dict[str, Any]], object], words: str
) -> None:
    with pytest.raises(InvalidProof) as caught:
        verified(forge(name, change))

    assert words in str(caught.value)


def test_a_proof_of_another_chain_is_none_of_this() -> None:
    with pytest.raises(InvalidProof, match="of the genesis that is given, got"):
        verified(TEXTS["alert"], other_genesis())


def test_another_spelling_of_the_same_json_is_refused() -> None:
    text = json.dumps(json.loads(TEXTS["alert"])).encode()

    with pytest.raises(InvalidProof, match="expected canonical JSON"):
        verified(text)


@pytest.mark.parametrize("text", [b"[]", b"null", b"7", b'"x"', b"{}"])
def test_json_that_is_no_proof_is_refused(text: bytes) -> None:
    with pytest.raises(InvalidProof, match="file: expected an object of"):
        verified(text)


def test_a_number_that_is_no_integer_is_refused() -> None:
    text = TEXTS["alert"].replace(b'"block":0', b'"block":0.5')

    with pytest.raises(InvalidProof, match="file: "):
        verified(text)
