"""``tanlian instrument``: registered, handed on, retired into months, and a site's market."""

import pytest

from contracts.account import Role
from tests.command_node import CommandNode

REGISTER = (
    *("instrument", "register", "wind", "1000-1999", "900"),
    *("--registry", "i-rec", "--market", "kr", "--source", "an issuer"),
)
VINTAGE = ("--vintage", "2023-10..2023-12")
MARKET = ("instrument", "market", "plant", "kr", "--from", "2023-01", "--to", "2023-12")


def test_an_instrument_is_registered_and_listed(plant: CommandNode) -> None:
    assert plant.run("instrument", "list") == "No instruments.\n"
    plant.run(*REGISTER, *VINTAGE, "--value", "12", "--kind", "contract")

    (found,) = plant.json("instrument", "list", "--organisation", "steel")["instruments"]
    assert (found["serial_first"], found["serial_last"], found["volume_wh"]) == (1_000, 1_999, 900)
    assert (found["rank"], found["value"], found["evidence"]) == ("CONTRACT", 12, "UNCONFIRMED")
    assert (found["vintage_from_month"], found["vintage_to_month"]) == (645, 647)
    assert plant.json("instrument", "list", "--organisation", "body")["instruments"] == []
    table = plant.run("instrument", "list")
    for word in ("wind", "i-rec 1000-1999", "900", "UNCONFIRMED"):
        assert word in table


def test_one_serial_number_and_one_month_are_spans_too(plant: CommandNode) -> None:
    plant.run(*REGISTER[:3], "7", *REGISTER[4:], "--vintage", "2023-10")

    (found,) = plant.json("instrument", "list")["instruments"]
    assert (found["serial_first"], found["serial_last"]) == (7, 7)
    assert (found["vintage_from_month"], found["vintage_to_month"]) == (645, 645)


def test_it_is_retired_once_into_months_of_a_site(plant: CommandNode) -> None:
    plant.run(*REGISTER, *VINTAGE)
    assert "see market.set" in plant.fails("instrument", "retire", "wind", "plant", "2023-10=900")
    plant.run(*MARKET)

    plant.run("instrument", "retire", "wind", "plant", "2023-10=600", "2023-11=300")

    (found,) = plant.json("instrument", "list")["instruments"]
    assert (found["state"], found["site"]) == ("RETIRED", "plant")
    assert found["months"] == [[645, 600], [646, 300]]
    again = plant.fails("instrument", "retire", "wind", "plant", "2023-10=900")
    assert "expected one that is not retired: it counts once" in again


@pytest.mark.parametrize(
    ("months", "words"),
    [
        (("2023-10",), "MONTHS: expected Wh by month such as 2023-10=900000, got '2023-10'"),
        (("2023-10=9.5",), "MONTHS: expected Wh by month"),
        (("2023-10=\u0669",), "MONTHS: expected Wh by month"),
        (("2023-10=-9",), "MONTHS: expected Wh by month"),
        (("2023-1=900",), "MONTHS: expected a month such as 2018-01, got '2023-1'"),
        (("2023-10=" + "9" * 30,), "RetireInstrument.months[0][1]: expected an integer from"),
        (("2023-10=899",), "months: expected together its volume, 900 Wh, got 899 Wh"),
        (("2024-01=900",), "months: expected months of its vintage, 2023-10 to 2023-12"),
        (("2023-11=300", "2023-10=600"), "months: expected each month once, ascending"),
    ],
)
def test_wrong_months_are_refused_and_it_stays(
    plant: CommandNode, months: tuple[str, ...], words: str
) -> None:
    plant.run(*REGISTER, *VINTAGE)
    plant.run(*MARKET)

    assert words in plant.fails("instrument", "retire", "wind", "plant", *months)
    (found,) = plant.json("instrument", "list")["instruments"]
    assert found["state"] != "RETIRED"


@pytest.mark.parametrize(
    ("serials", "options", "words"),
    [
        ("a-b", VINTAGE, "SERIALS: expected numbers such as 1000-1999, got 'a-b'"),
        ("1-x", VINTAGE, "SERIALS: expected numbers such as 1000-1999, got '1-x'"),
        ("-5", VINTAGE, "SERIALS: expected numbers such as 1000-1999, got '-5'"),
        ("\u0661", VINTAGE, "SERIALS: expected numbers such as 1000-1999"),
        ("9-1", VINTAGE, "serial_last: expected a number from serial_first 9 on, got 1"),
        ("1-9", ("--vintage", "2023"), "--vintage: expected a month such as 2018-01, got '2023'"),
        ("1-9", ("--vintage", "2023-12..2023-10"), "vintage_to_month: expected a month from"),
        ("1-9", (*VINTAGE, "--kind", "gift"), "--kind: expected one of certificate, contract"),
        ("1-9", (*VINTAGE, "--kind", "supplier"), "rank: expected CERTIFICATE or CONTRACT"),
        ("1-9", (*VINTAGE, "--evidence", "sure"), "--evidence: expected one of confirmed"),
        ("1-9", (*VINTAGE, "--document", "no-such-file"), "no-such-file: expected"),
    ],
)
def test_what_is_no_instrument_is_refused(
    plant: CommandNode, serials: str, options: tuple[str, ...], words: str
) -> None:
    error = plant.fails("instrument", "register", *REGISTER[5:], *options, "--", "x", serials, "9")
    assert words in error
    assert plant.json("instrument", "list")["instruments"] == []


def test_it_is_handed_to_another_member_only(plant: CommandNode) -> None:
    plant.run(*REGISTER, *VINTAGE)
    for receiver in ("body", "steel", "nobody"):
        error = plant.fails("instrument", "transfer", "wind", receiver, "--reference", "17")
        assert "receiver: expected a member other than steel" in error


def test_a_market_names_what_counts_for_the_rest(plant: CommandNode) -> None:
    plant.run(*MARKET, "--series", "kr-grid", "--supplier")

    totals = plant.read("/v1/sites/plant/totals?from=2023-11&to=2023-11")
    (span,) = totals["market"]
    assert (span["market"], span["series"], span["rank"]) == ("kr", "kr-grid", "SUPPLIER")
    error = plant.fails(*MARKET, "--series", "nothing")
    assert "UNKNOWN_FACTOR" in error
    assert "--from: expected a month" in plant.fails(*MARKET[:5], "2023", *MARKET[6:])
    plant.add_account("operator", Role.OPERATOR)
    assert "NOT_PERMITTED" in plant.fails(*MARKET, "--as", "operator")
