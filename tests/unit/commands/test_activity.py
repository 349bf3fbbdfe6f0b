"""``tanlian activity``: counted by document, listed, and withdrawn with a reason."""

import hashlib
from pathlib import Path
from typing import Any

import pytest

from commands.activity import scaled_amount
from commands.output import CommandFailed
from tests.command_node import CommandNode

DIESEL = (
    *("factor", "set", "diesel", "31000", "--source", "a table", "--base-unit", "gram", "--co2"),
    *("--valid-from", "2020-01-01", "--valid-to", "2030-01-01", "--basis", "combustion"),
)
SUBMIT = ("activity", "submit", "plant", "fuel-1")
SAID = ("--factor", "diesel", "--from", "2023-11", "--source", "invoice 7")


@pytest.fixture
def fuelled(plant: CommandNode) -> CommandNode:
    """A plant with a factor for fuel by mass."""
    plant.run(*DIESEL)
    return plant


def found(node: CommandNode) -> dict[str, Any]:
    (activity,) = node.json("activity", "list", "plant")["activities"]
    return dict(activity)


def test_fuel_is_counted_in_its_months_and_listed(fuelled: CommandNode, tmp_path: Path) -> None:
    assert fuelled.run("activity", "list", "plant") == "No activities.\n"
    invoice = tmp_path / "invoice.pdf"
    invoice.write_bytes(b"an invoice")
    options = ("--to", "2023-12", "--uncertainty", "20", "--document", str(invoice))

    fuelled.run(*SUBMIT, "2.50", "kilogram", *SAID, *options)

    activity = found(fuelled)
    assert (activity["amount"], activity["scale"], activity["unit"]) == (25, -1, "KILOGRAM")
    assert activity["booking"] == {
        "scope": "DIRECT",
        "category": "DIRECT",
        "s3_category": 0,
        "is_removal": False,
    }
    assert [each["amount"] for each in activity["shares"]] == [1_250, 1_250]
    assert activity["evidence_hash"] == hashlib.sha256(b"an invoice").hexdigest()
    assert (activity["quality"], activity["uncertainty_permille"]) == ("MEASURED", 20)
    table = fuelled.run("activity", "list", "plant")
    for word in ("fuel-1", "2.5", "KILOGRAM", "2023-11 to 2023-12", "in force"):
        assert word in table
    total = fuelled.read("/v1/sites/plant/totals?from=2023-11&to=2023-12")["total"]
    assert total["lines"][0]["co2e_g"] == 7_750


@pytest.mark.parametrize(
    ("options", "booking"),
    [
        (("--scope", "2"), (2, 2, 0, False)),
        (("--scope", "3", "--s3-category", "6"), (3, 3, 6, False)),
        (("--scope", "3", "--s3-category", "6", "--iso-category", "6"), (3, 6, 6, False)),
        (("--scope", "3", "--s3-category", "15"), (3, 5, 15, False)),
        (("--removal",), (1, 1, 0, True)),
    ],
)
def test_a_booking_is_made_of_scope_and_category(
    fuelled: CommandNode, options: tuple[str, ...], booking: tuple[int, int, int, bool]
) -> None:
    fuelled.run(*SUBMIT, "1", "kilogram", *SAID, *options)

    with_names = found(fuelled)["booking"]
    assert (with_names["s3_category"], with_names["is_removal"]) == booking[2:]
    scopes = ("DIRECT", "PURCHASED_ENERGY", "VALUE_CHAIN")
    categories = (
        *("DIRECT", "IMPORTED_ENERGY", "TRANSPORT", "PRODUCTS_USED", "USE_OF_PRODUCTS", "OTHER"),
    )
    assert with_names["scope"] == scopes[booking[0] - 1]
    assert with_names["category"] == categories[booking[1] - 1]


@pytest.mark.parametrize(
    ("amount", "unit", "options", "words"),
    [
        ("0", "kilogram", (), "AMOUNT: expected a number above 0 of at most six decimals, got '0'"),
        ("1", "stone", (), "UNIT: expected one of"),
        ("1", "kilowatt_hour", (), "WRONG_UNIT"),
        ("0.0005", "kilogram", (), "amount: expected a whole number of base units (GRAM)"),
        ("123456789012345.123456", "tonne", (), "SubmitActivity.amount: expected an integer from"),
        ("1", "kilogram", ("--scope", "3"), "--s3-category: expected 1 to 15 in scope 3, got 0"),
        ("1", "kilogram", ("--s3-category", "4"), "--s3-category: expected none in scope 1, got 4"),
        ("1", "kilogram", ("--iso-category", "3"), "booking.category: expected DIRECT in scope 1"),
        ("1", "kilogram", ("--scope", "2", "--removal"), "booking.is_removal: expected a removal"),
        ("1", "kilogram", ("--quality", "good"), "--quality: expected one of"),
        ("1", "kilogram", ("--quality", "missing"), "quality: expected another than MISSING"),
        ("1", "kilogram", ("--to", "2023-10"), "to_month: expected a month from"),
        ("1", "kilogram", ("--to", "soon"), "--to: expected a month such as 2018-01, got 'soon'"),
        ("1", "kilogram", ("--uncertainty", "10001"), "uncertainty_permille"),
        ("1", "kilogram", ("--document", "no-such-file"), "no-such-file: expected"),
    ],
)
def test_what_cannot_be_counted_is_refused(
    fuelled: CommandNode, amount: str, unit: str, options: tuple[str, ...], words: str
) -> None:
    assert words in fuelled.fails(*SUBMIT, amount, unit, *SAID, *options)
    assert fuelled.json("activity", "list", "plant") == {"activities": []}


def test_it_is_withdrawn_once_with_a_reason(fuelled: CommandNode) -> None:
    fuelled.run(*SUBMIT, "1", "kilogram", *SAID)
    withdraw = ("activity", "withdraw", "plant", "fuel-1", "--reason")
    assert "reason: expected why it is withdrawn" in fuelled.fails(*withdraw, " ")

    fuelled.run(*withdraw, "counted twice")

    assert found(fuelled)["withdrawal_reason"] == "counted twice"
    assert "withdrawn" in fuelled.run("activity", "list", "plant")
    assert "expected one that is in force" in fuelled.fails(*withdraw, "again")
    unknown = ("activity", "withdraw", "plant", "fuel-2", "--reason", "twice")
    assert "UNKNOWN_ACTIVITY" in fuelled.fails(*unknown)
    assert "ALREADY_EXISTS" in fuelled.fails(*SUBMIT, "1", "kilogram", *SAID)
    assert fuelled.usage("activity", "withdraw", "plant", "fuel-1")


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("1250.5", (12_505, -1)),
        ("7", (7, 0)),
        ("7.000", (7, 0)),
        ("0.000001", (1, -6)),
        ("100", (100, 0)),
    ],
)
def test_an_amount_is_exact(text: str, amount: tuple[int, int]) -> None:
    assert scaled_amount(text) == amount


@pytest.mark.parametrize(
    "text", ["", "0", "0.0", "-1", "1e3", "1,5", "1.", ".5", "1.0000001", "\u0665", "1" * 16]
)
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(CommandFailed, match="AMOUNT: expected a number above 0"):
        scaled_amount(text)
