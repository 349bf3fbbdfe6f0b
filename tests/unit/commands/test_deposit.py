"""``tanlian deposit``: the annual report from its anchor to its check."""

from datetime import UTC, datetime

import pytest

from contracts.account import Role
from tests.command_node import CommandNode
from tests.contract.test_rpc_readings import CALENDAR, SITE


@pytest.fixture
def enrolled(node: CommandNode) -> CommandNode:
    """A chain whose site deposits from this month on."""
    node.send("calendar.register", CALENDAR)
    node.send("site.register", SITE)
    now = datetime.fromtimestamp(node.now_ms / 1_000, UTC)
    node.run("deposit", "enrol", "plant", f"{now:%Y-%m}")
    return node


def test_enrolling_starts_the_annual_clock(enrolled: CommandNode) -> None:
    year = datetime.fromtimestamp(enrolled.now_ms / 1_000, UTC).year
    clock = enrolled.read("/v1/sites/plant/annual-clock")
    assert (clock["from_year"], clock["year"], clock["stage"]) == (year, year, "SUBMIT")
    assert enrolled.run("deposit", "list-annual", "plant") == "No annual filings.\n"
    assert enrolled.json("deposit", "list-annual", "plant") == {"filings": []}


def test_a_report_that_is_not_there_is_refused(enrolled: CommandNode) -> None:
    year = datetime.fromtimestamp(enrolled.now_ms / 1_000, UTC).year
    error = enrolled.fails("deposit", "submit-annual", "plant", str(year), "7")
    assert f"report: expected number of a current CN_ANNUAL of steel for {year}" in error
    error = enrolled.fails("deposit", "submit-annual", "plant", str(year - 1), "7")
    assert f"expected a year from {year} on" in error
    assert "NOT_PERMITTED" in enrolled.fails("deposit", "check-annual", "plant", str(year), "7")


def test_a_certifiers_check_goes_to_the_chain(enrolled: CommandNode) -> None:
    enrolled.add_account("certifier", Role.CERTIFIER, "body")
    error = enrolled.fails("deposit", "check-annual", "plant", "2099", "1")
    assert "expected one that is submitted and waits for its check" in error
