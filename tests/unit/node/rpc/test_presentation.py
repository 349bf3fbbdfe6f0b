"""Records as JSON: each rule once."""

from dataclasses import dataclass

import pytest

from chain.receipt import Event, Receipt, Status
from chain.vote import VoteKind
from contracts.account import Account, Role
from contracts.accounts import RegisterAccount
from node.rpc.presentation import (
    iso_utc,
    present,
    present_certificate,
    present_event,
    present_header,
    present_receipt,
    present_transaction,
)
from tests import chain_samples as samples

ACCOUNT = Account(
    public_key=b"\xab" * 32,
    name="碳 meter",
    organisation="steel",
    roles=(Role.ADMIN, Role.OPERATOR),
    registered_ms=1_700_000_000_250,
    revoked_ms=None,
)


@dataclass(frozen=True)
class Times:
    at_ms: int
    interval_ms: int = 900_000


def test_a_record_shows_its_fields_in_order() -> None:
    assert present(ACCOUNT) == {
        "public_key": "ab" * 32,
        "name": "碳 meter",
        "organisation": "steel",
        "roles": ["ADMIN", "OPERATOR"],
        "registered_ms": 1_700_000_000_250,
        "registered_utc": "2023-11-14T22:13:20.250Z",
        "revoked_ms": None,
    }


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, None),
        (True, True),
        ("text", "text"),
        (b"", ""),
        (VoteKind.COMMIT, "COMMIT"),
        (2**53 - 1, 9_007_199_254_740_991),
        (2**53, "9007199254740992"),
        (-(2**53), "-9007199254740992"),
        ((1, (b"\x01",)), [1, ["01"]]),
    ],
)
def test_each_kind_of_value_has_one_form(value: object, shown: object) -> None:
    assert present(value) == shown


@pytest.mark.parametrize(
    ("moment_ms", "utc"),
    [
        (10**11 - 1, None),
        (10**11, "1973-03-03T09:46:40.000Z"),
        (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
        (253_402_300_800_000, None),
    ],
)
def test_moments_are_written_out_and_spans_are_not(moment_ms: int, utc: str | None) -> None:
    shown = present(Times(at_ms=moment_ms))

    assert isinstance(shown, dict)
    assert shown.get("at_utc") == utc
    assert "interval_utc" not in shown


def test_a_moment_is_written_without_rounding() -> None:
    assert iso_utc(1_700_000_000_001) == "2023-11-14T22:13:20.001Z"


def test_a_header_comes_with_its_hash_and_a_certificate_with_named_signers() -> None:
    header = samples.header()
    shown = present_certificate(samples.certificate(header, signers=(0, 2, 3)))

    assert present_header(header)["hash"] == header.hash.hex()
    assert present_header(header)["height"] == 1
    signatures = shown["signatures"]
    assert isinstance(signatures, list)
    assert [each["signer"] for each in signatures if isinstance(each, dict)] == [0, 2, 3]


def test_arguments_of_a_known_method_are_shown_by_name() -> None:
    arguments = RegisterAccount(public_key=b"\xab" * 32, name="Gateway", roles=(Role.GATEWAY,))
    transaction = samples.transaction(1, "account.register", arguments.encode())

    shown = present_transaction(transaction)

    assert shown["arguments"] == {
        "public_key": "ab" * 32,
        "name": "Gateway",
        "roles": ["GATEWAY"],
    }
    assert shown["id"] == transaction.id.hex()
    assert shown["valid_until_utc"] == "2023-11-14T22:14:20.000Z"


@pytest.mark.parametrize("method", ["no.such", "account.register"])
def test_arguments_that_cannot_be_read_stay_hexadecimal(method: str) -> None:
    assert present_transaction(samples.transaction(1, method, b"\x01"))["arguments"] == "01"


def test_an_event_shows_its_content_by_name_where_its_kind_is_known() -> None:
    known = Event(kind="account.registered", subject="ab", content=ACCOUNT.encode())
    unknown = Event(kind="later.version", subject="", content=b"\x05")

    content = present_event(known)["content"]
    assert isinstance(content, dict)
    assert content["name"] == "碳 meter"
    assert present_event(unknown) == {"kind": "later.version", "subject": "", "content": "05"}


def test_a_receipt_says_why_only_where_there_is_a_why() -> None:
    good = Receipt(transaction_id=bytes(32), status=Status.OK)
    failed = Receipt(
        transaction_id=bytes(32), status=Status.FAILED, code="UNKNOWN_METER", detail="meter"
    )

    assert present_receipt(good) == {"status": "OK", "result": "", "events": []}
    assert present_receipt(failed)["code"] == "UNKNOWN_METER"
    assert present_receipt(failed)["detail"] == "meter"
