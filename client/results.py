"""Results of contract calls, from a node's JSON back into the contracts' own records."""

from typing import TypeVar

from client.errors import MalformedAnswer
from client.nodes import Document, Json
from contracts.baseline import Model, Reason, Resolution
from contracts.baselines import FitResult
from contracts.reading import Outcome, SubmitResult

EnumT = TypeVar("EnumT", Outcome, Reason, Model, Resolution)


def submit_result_of(document: Document) -> SubmitResult:
    """Returns what became of each reading of a committed ``readings.submit``.

    Args:
        document: what ``GET /v1/transactions/{id}`` answered.

    Raises:
        MalformedAnswer: not the receipt of such a call.
    """
    result = _result(document)
    outcomes, failed, root = (result.get(name) for name in ("outcomes", "failed", "root"))
    if not isinstance(outcomes, list) or not isinstance(failed, list) or not isinstance(root, str):
        raise MalformedAnswer(f"result: expected outcomes, failed and root, got {result!r:.60}")
    return SubmitResult(
        outcomes=tuple(_member(Outcome, outcome) for outcome in outcomes),
        failed=tuple(_integer(mask) for mask in failed),
        root=_bytes(root),
    )


def fit_result_of(document: Document) -> FitResult:
    """Returns what came of a committed ``baseline.fit``.

    Args:
        document: what ``GET /v1/transactions/{id}`` answered.

    Raises:
        MalformedAnswer: not the receipt of such a call.
    """
    result = _result(document)
    reason = result.get("reason")
    return FitResult(
        meter_id=str(result.get("meter_id")),
        version=_integer(result.get("version")),
        model=_member(Model, result.get("model")),
        resolution=_member(Resolution, result.get("resolution")),
        accepted=result.get("accepted") is True,
        reason=None if reason is None else _member(Reason, reason),
        cv_rmse_permille=_integer(result.get("cv_rmse_permille")),
        nmbe_permille=_integer(result.get("nmbe_permille")),
        fsu_permille=_integer(result.get("fsu_permille")),
        interval_count=_integer(result.get("interval_count")),
        coverage_permille=_integer(result.get("coverage_permille")),
    )


def _result(document: Document) -> Document:
    receipt = document.get("receipt")
    result = receipt.get("result") if isinstance(receipt, dict) else None
    if not isinstance(result, dict):
        raise MalformedAnswer(f"receipt: expected a result by name, got {result!r:.60}")
    return result


def _bytes(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise MalformedAnswer(f"result: expected hexadecimal text, got {text!r:.60}") from None


def _member(cls: type[EnumT], name: Json) -> EnumT:
    try:
        return cls[str(name)]
    except KeyError:
        raise MalformedAnswer(f"result: expected a {cls.__name__}, got {name!r:.60}") from None


def _integer(value: Json) -> int:
    """Returns an integer, which JSON shows as text beyond 2**53."""
    if type(value) is int:
        return value
    try:
        return int(str(value))
    except ValueError:
        raise MalformedAnswer(f"result: expected an integer, got {value!r:.60}") from None
