"""``tanlian bill``: a bill is filed by whoever may, and listed beside what it was compared with."""

import hashlib
from pathlib import Path

import pytest

from contracts.account import Role
from tests.command_node import CommandNode

SUBMIT = ("bill", "submit", "main", "2023-11")


@pytest.fixture
def billed(plant: CommandNode) -> CommandNode:
    """A plant and an account of a certification body, which may file bills."""
    plant.add_account("certifier", Role.CERTIFIER, "body")
    return plant


def test_a_bill_is_filed_with_its_document_and_listed(billed: CommandNode, tmp_path: Path) -> None:
    assert billed.run("bill", "list", "main") == "No bills, and nothing was compared.\n"
    document = tmp_path / "bill.pdf"
    document.write_bytes(b"a bill")

    billed.run(*SUBMIT, "90000", "--document", str(document), "--note", "number 17")
    billed.run(*SUBMIT, "90001", "--note", "put right")

    newest, first = billed.json("bill", "list", "main")["bills"]
    assert (first["amount"], first["number"], first["organisation"]) == (90_000, 1, "body")
    assert first["document"] == hashlib.sha256(b"a bill").hexdigest()
    assert (newest["amount"], newest["number"], newest["document"]) == (90_001, 2, "00" * 32)
    table = billed.run("bill", "list", "main")
    for word in ("2023-11", "90000", "number 17", "put right"):
        assert word in table


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("main", "2023-13", "1"), "MONTH: expected a month such as 2018-01, got '2023-13'"),
        (("main", "november", "1"), "MONTH: expected a month such as 2018-01, got 'november'"),
        (("main", "2999-01", "1"), "INVALID_ARGUMENTS: month: expected one that is over"),
        (("other", "2023-11", "1"), "UNKNOWN_METER"),
        (("main", "2023-11", "9" * 30), "SubmitBill.amount: expected an integer from 0 to"),
        (("main", "2023-11", "1", "--document", "no-such-file"), "no-such-file: expected"),
    ],
)
def test_what_is_no_bill_is_refused(
    billed: CommandNode, arguments: tuple[str, ...], words: str
) -> None:
    assert words in billed.fails("bill", "submit", *arguments)
    assert billed.json("bill", "list", "main")["bills"] == []


def test_the_plants_own_administrator_files_no_bill(billed: CommandNode) -> None:
    assert "NOT_PERMITTED" in billed.fails(*SUBMIT, "1", "--as", "admin")


def test_a_negative_amount_is_wrong_usage(billed: CommandNode) -> None:
    assert billed.usage(*SUBMIT, "--", "-1")
