"""How a contract says no: a stable code, and a sentence with field, expectation and finding.

The detail stands in the receipt and so under the receipt root: it is made from the transaction
and the state alone, never from the text of an exception that nobody planned (consensus.md 26).
"""

from enum import StrEnum
from typing import Final

from chain.errors import ContractRefusal

DETAIL_BYTES_MAX: Final = 1_024
"""Longest detail, UTF-8 bytes: what a receipt can hold."""


class Code(StrEnum):
    """Why a contract refuses; stable, because programs act on it."""

    UNKNOWN_ACCOUNT = "UNKNOWN_ACCOUNT"
    ACCOUNT_REVOKED = "ACCOUNT_REVOKED"
    UNKNOWN_METHOD = "UNKNOWN_METHOD"
    NOT_PERMITTED = "NOT_PERMITTED"
    """The sender lacks a role, or the thing belongs to another organisation."""
    INVALID_ARGUMENTS = "INVALID_ARGUMENTS"
    """An argument is outside its type or contradicts another."""
    ALREADY_EXISTS = "ALREADY_EXISTS"
    WRONG_STATE = "WRONG_STATE"
    """The thing is in a state that does not allow this step."""
    LIMIT_REACHED = "LIMIT_REACHED"
    UNKNOWN_SITE = "UNKNOWN_SITE"
    UNKNOWN_CALENDAR = "UNKNOWN_CALENDAR"
    UNKNOWN_METER = "UNKNOWN_METER"
    WRONG_UNIT = "WRONG_UNIT"
    UNKNOWN_FACTOR = "UNKNOWN_FACTOR"
    UNKNOWN_ALERT = "UNKNOWN_ALERT"
    UNKNOWN_EXCHANGE = "UNKNOWN_EXCHANGE"
    UNKNOWN_BASELINE = "UNKNOWN_BASELINE"
    UNKNOWN_INSTRUMENT = "UNKNOWN_INSTRUMENT"
    UNKNOWN_ACTIVITY = "UNKNOWN_ACTIVITY"
    UNKNOWN_CERTIFICATION = "UNKNOWN_CERTIFICATION"
    UNKNOWN_CERTIFICATE = "UNKNOWN_CERTIFICATE"
    UNKNOWN_CORRECTION = "UNKNOWN_CORRECTION"
    PERIOD_OVERLAP = "PERIOD_OVERLAP"


def refusal(code: Code, field: str, *, expected: str, got: str) -> ContractRefusal:
    """Builds the refusal to raise: ``field: expected ..., got ...``.

    Args:
        code: stable reason.
        field: name of the argument, or of the thing that is in the way.
        expected: what would have been accepted, and what to call instead if that helps.
        got: what came or what is.
    """
    return ContractRefusal(code.value, _cut(f"{field}: expected {expected}, got {got}"))


def _cut(detail: str) -> str:
    """Returns the detail within what a receipt holds, cut between characters."""
    return detail.encode()[:DETAIL_BYTES_MAX].decode(errors="ignore")
