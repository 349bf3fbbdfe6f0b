"""Shapes of requests, checked by pydantic at the edge and converted at once."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from node.rpc.limits import TRANSACTIONS_PER_REQUEST_MAX
from node.rpc.problems import ProblemError, quoted, refuse
from node.rpc.strict_json import Json

_Wire = Annotated[str, Field(min_length=1, description="a signed transaction, base64 (RFC 4648)")]


class SubmissionBody(BaseModel):
    """Body of ``POST /v1/transactions`` as JSON: one transaction or several."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    transaction: _Wire | None = None
    transactions: Annotated[list[_Wire], Field(min_length=1)] | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> "SubmissionBody":
        if (self.transaction is None) == (self.transactions is None):
            raise ValueError("expected exactly one of transaction and transactions")
        return self

    @property
    def wires(self) -> list[str]:
        """Returns the transactions, still in base64."""
        if self.transaction is not None:
            return [self.transaction]
        return self.transactions or []


def parse_submission(document: Json) -> SubmissionBody:
    """Checks a JSON document against :class:`SubmissionBody`.

    Raises:
        ProblemError: MALFORMED_BODY names the field; TOO_MANY_TRANSACTIONS.
    """
    try:
        body = SubmissionBody.model_validate(document)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        raise refuse(
            "MALFORMED_BODY",
            field=".".join(map(str, first["loc"])) or "body",
            expected=first["msg"],
            got=quoted(repr(first["input"])),
        ) from None
    check_count(len(body.wires))
    return body


def check_count(count: int) -> None:
    """Checks how many transactions one request carries.

    Raises:
        ProblemError: MALFORMED_BODY for none, TOO_MANY_TRANSACTIONS.
    """
    expected = f"1 to {TRANSACTIONS_PER_REQUEST_MAX} transactions"
    if count == 0:
        raise refuse("MALFORMED_BODY", field="transactions", expected=expected, got="none")
    if count > TRANSACTIONS_PER_REQUEST_MAX:
        raise too_many(expected, count)


def too_many(expected: str, count: int) -> ProblemError:
    """Builds the error for a request with more transactions than one may carry."""
    return refuse("TOO_MANY_TRANSACTIONS", field="transactions", expected=expected, got=str(count))
