"""Errors as RFC 9457 problem documents: stable type and code, and what to do about it.

``type`` is ``urn:tanlian:problem:`` and the code in lower case with hyphens. It never changes, so
programs may act on it; ``detail`` is for people and may.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from chain.errors import DecodeError

PROBLEM_CONTENT_TYPE: Final = "application/problem+json"
TYPE_PREFIX: Final = "urn:tanlian:problem:"
DETAIL_CHARACTERS_MAX: Final = 1_024
"""A detail may quote what a client sent; it is cut here."""

STATUS_BY_CODE: Final[Mapping[str, int]] = {
    # Of the transport.
    "BAD_REQUEST": 400,
    "MALFORMED_JSON": 400,
    "MALFORMED_BODY": 400,
    "MALFORMED_PARAMETER": 400,
    "UNKNOWN_PARAMETER": 400,
    "BODY_TIMEOUT": 408,
    "BODY_TOO_LARGE": 413,
    "TOO_MANY_TRANSACTIONS": 413,
    "UNSUPPORTED_MEDIA_TYPE": 415,
    "NOT_FOUND": 404,
    "METHOD_NOT_ALLOWED": 405,
    "RATE_LIMITED": 429,
    "TOO_MANY_SUBSCRIBERS": 503,
    "OVERLOADED": 503,
    "NOT_READY": 503,
    "INTERNAL": 500,
    # Of reading what is not there.
    "UNKNOWN_TRANSACTION": 404,
    "UNKNOWN_BLOCK": 404,
    "UNKNOWN_METER": 404,
    "UNKNOWN_ALERT": 404,
    "UNKNOWN_SITE": 404,
    "UNKNOWN_ORGANISATION": 404,
    "UNKNOWN_TARGET": 404,
    "UNKNOWN_READING": 404,
    "UNKNOWN_DEPOSIT": 404,
    "UNKNOWN_CERTIFICATE": 404,
    "UNKNOWN_CERTIFICATION": 404,
    "UNKNOWN_REPORT": 404,
    "UNKNOWN_ACCOUNT": 404,
    "NO_BLOCK_YET": 404,
    # Of a transaction (chain.errors, node.kernel.admission, chain.mempool).
    "MALFORMED_TRANSACTION": 400,
    "TRANSACTION_TOO_LARGE": 413,
    "WRONG_CHAIN": 422,
    "TRANSACTION_EXPIRED": 422,
    "TRANSACTION_LIFETIME": 422,
    "INVALID_SIGNATURE": 422,
    "DUPLICATE": 409,
    "ALREADY_EXISTS": 409,
    "WRONG_STATE": 409,
    "QUARANTINED": 409,
    "ACCOUNT_REVOKED": 403,
    "NOT_PERMITTED": 403,
    "SENDER_QUOTA": 429,
    "MEMPOOL_FULL": 503,
    "BUSY": 503,
}
"""HTTP status of each code; what a contract refuses and is not named here is 422."""

OTHER_STATUS: Final = 422
_RETRY_AFTER_S: Final[Mapping[str, int]] = {
    "SENDER_QUOTA": 1,
    "MEMPOOL_FULL": 1,
    "BUSY": 1,
    "OVERLOADED": 1,
    "TOO_MANY_SUBSCRIBERS": 10,
    "NOT_READY": 5,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One refused request."""

    code: str
    """Stable, upper case, such as ``UNKNOWN_METER``."""
    detail: str
    """What was expected, what came, and what to do."""
    field: str | None = None
    """Which part of the request is meant, where it is one."""
    expected: str | None = None
    got: str | None = None
    transaction_id: str | None = None
    """Hexadecimal, where the problem is one transaction's."""
    is_refusal: bool = False
    """Whether a transaction was refused: what it names is then not the address of the request."""
    retry_after_s: int | None = None
    """Seconds after which it may work; the code's usual one where this is None."""

    @property
    def status(self) -> int:
        """Returns the HTTP status."""
        status = STATUS_BY_CODE.get(self.code, OTHER_STATUS)
        return OTHER_STATUS if self.is_refusal and status == HTTPStatus.NOT_FOUND else status

    @property
    def type(self) -> str:
        """Returns the stable name of this kind of problem."""
        return TYPE_PREFIX + self.code.lower().replace("_", "-")

    def headers(self) -> dict[str, str]:
        """Returns the headers that go with it."""
        wait_s = self.retry_after_s or _RETRY_AFTER_S.get(self.code)
        return {} if wait_s is None else {"Retry-After": str(wait_s)}

    def to_json(self) -> dict[str, object]:
        """Returns the document; members that say nothing are left out."""
        members: dict[str, object] = {
            "type": self.type,
            "title": self.code.replace("_", " ").capitalize(),
            "status": self.status,
            "detail": self.detail[:DETAIL_CHARACTERS_MAX],
            "code": self.code,
            "field": self.field,
            "expected": self.expected,
            "got": self.got,
            "transaction_id": self.transaction_id,
        }
        return {name: value for name, value in members.items() if value is not None}


class ProblemError(Exception):
    """Leaves a handler to become the answer."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        super().__init__(problem.detail)


def refuse(code: str, *, field: str, expected: str, got: str) -> ProblemError:
    """Builds the error to raise for one part of a request that is not as expected."""
    return ProblemError(
        Problem(
            code=code,
            detail=f"{field}: expected {expected}, got {got}",
            field=field,
            expected=expected,
            got=got,
        )
    )


def unknown(code: str, what: str, name: str) -> ProblemError:
    """Builds the error for a thing that is not on this chain, or not yet at this node."""
    return refuse(code, field=what, expected="one that this node knows", got=name)


def problem_of_decode(code: str, error: DecodeError) -> ProblemError:
    """Turns a codec's finding into a problem."""
    return refuse(code, field=error.path, expected=error.expected, got=error.got)


def quoted(text: str) -> str:
    """Returns a glance of client text that no terminal and no log misreads."""
    return ascii(text[:60])
