"""``POST /v1/transactions``: from untrusted bytes to one answer for each transaction.

The path is kept lean for gateways: a MessagePack body is an array of byte strings that are handed
on as they are, and the answer is one array for each. The words are those of the whole system:
*accepted* promises only that this node's pool has it, *committed* and *failed* are final.
"""

import binascii
from base64 import b64decode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from http import HTTPStatus
from typing import Final

from aiohttp import web

from chain.codec import Record, Value, decode, encode
from chain.errors import DecodeError
from chain.receipt import Receipt, Status
from chain.types import Hash, Height, Milliseconds
from node.kernel.effects import Admission
from node.ports import BlockStore, Location
from node.rpc import strict_json
from node.rpc.bodies import JSON, MESSAGEPACK, media_type_of, request_body, wants_messagepack
from node.rpc.context import RpcContext, answer
from node.rpc.limits import WAIT_DEFAULT_MS, WAIT_MAX_MS
from node.rpc.parameters import malformed, parse_integer
from node.rpc.presentation import present_placed_receipt
from node.rpc.problems import (
    PROBLEM_CONTENT_TYPE,
    Problem,
    ProblemError,
    problem_of_decode,
    quoted,
    refuse,
)
from node.rpc.schemas import check_count, parse_submission
from node.rpc.service import CommittedTransaction

KNOWN: Final = "DUPLICATE"
"""Code for a transaction that is pending or committed already."""


class SubmissionState(IntEnum):
    """What became of one transaction of a request; the number stands in MessagePack answers."""

    ACCEPTED = 1
    """In this node's pool; nothing more is promised."""
    COMMITTED = 2
    """In a final block, and did what it says."""
    FAILED = 3
    """In a final block, and refused by its contract; final too."""
    REFUSED = 4
    """Not taken by this node."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmissionResult(Record):
    """Answer for one transaction, as MessagePack carries it."""

    transaction_id: Hash | None
    """None where the bytes are no transaction."""
    state: SubmissionState
    code: str = ""
    """Of a refusal or a failed receipt; otherwise empty."""
    detail: str = ""
    height: Height | None = None
    """Block, once committed or failed."""
    position: int | None = None


_ACCEPTED_REST: Final = SubmissionResult(
    transaction_id=None, state=SubmissionState.ACCEPTED
).to_value()[1:]
"""What follows the transaction id in the MessagePack answer for an accepted transaction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outcome:
    """What became of a committed transaction."""

    location: Location
    receipt: Receipt
    time_ms: Milliseconds
    """Block time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    """A result, with the outcome that only JSON shows whole."""

    result: SubmissionResult
    outcome: _Outcome | None = None


async def submit(context: RpcContext, request: web.Request) -> web.Response:
    """Takes one or many transactions; waits for their commit where the client asks for it."""
    wait_s = _wait_s(request.query)
    readiness = context.service.readiness()
    if not readiness.is_ready:
        raise ProblemError(Problem(code="NOT_READY", detail=readiness.reason))
    media_type = media_type_of(request)
    async with request_body(request, context.limits, context.bodies) as body:
        wires, is_single = _parse_wires(body, media_type)
        admissions = await context.service.submit(wires)
    assert len(admissions) == len(wires), "one answer for each transaction"
    if wait_s is None and wants_messagepack(request) and all(map(_is_accepted, admissions)):
        return _all_accepted(admissions)
    answers = [_answer_of(admission) for admission in admissions]
    if wait_s is not None:
        answers = await _wait_for_all(context, answers, wait_s)
    if wants_messagepack(request):
        return _messagepack(answers)
    return _single(answers[0]) if is_single else _many(answers)


def _wait_s(query: Mapping[str, str]) -> float | None:
    timeout_ms = parse_integer(
        query.get("timeout_ms", str(WAIT_DEFAULT_MS)), "timeout_ms", minimum=1, maximum=WAIT_MAX_MS
    )
    match query.get("wait"):
        case None:
            return None
        case "committed":
            return timeout_ms / 1_000
        case other:
            raise malformed("wait", "committed, or no such parameter", other)


def _parse_wires(body: bytes, media_type: str) -> tuple[list[bytes], bool]:
    """Returns the wire bytes and whether the client sent a single one as such."""
    if media_type == MESSAGEPACK:
        return _parse_messagepack(body), False
    assert media_type == JSON
    try:
        document = strict_json.parse(body)
    except strict_json.MalformedJson as error:
        raise refuse(
            "MALFORMED_JSON", field="body", expected="strict JSON", got=str(error)
        ) from None
    submission = parse_submission(document)
    wires = [_from_base64(text, index) for index, text in enumerate(submission.wires)]
    return wires, submission.transaction is not None


def _parse_messagepack(body: bytes) -> list[bytes]:
    try:
        value = decode(body)
    except DecodeError as error:
        raise problem_of_decode("MALFORMED_BODY", error) from None
    if type(value) is not tuple:
        raise refuse(
            "MALFORMED_BODY",
            field="body",
            expected="an array of byte strings",
            got=f"a {type(value).__name__}",
        )
    check_count(len(value))
    return [_checked_bytes(element, index) for index, element in enumerate(value)]


def _checked_bytes(value: Value, index: int) -> bytes:
    if type(value) is not bytes:
        raise refuse(
            "MALFORMED_BODY",
            field=f"transactions[{index}]",
            expected="a byte string",
            got=f"a {type(value).__name__}",
        )
    return value


def _from_base64(text: str, index: int) -> bytes:
    try:
        return b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise refuse(
            "MALFORMED_BODY",
            field=f"transactions[{index}]",
            expected="base64 (RFC 4648, section 4, with padding)",
            got=quoted(text),
        ) from None


def _is_accepted(admission: Admission) -> bool:
    return admission.is_accepted


def _all_accepted(admissions: Sequence[Admission]) -> web.Response:
    """Answers a batch that was taken whole: the usual case of a gateway, without a record each."""
    body = encode(tuple((each.transaction_id, *_ACCEPTED_REST) for each in admissions))
    return web.Response(status=HTTPStatus.ACCEPTED, body=body, content_type=MESSAGEPACK)


def _answer_of(admission: Admission) -> _Answer:
    state = SubmissionState.ACCEPTED if admission.is_accepted else SubmissionState.REFUSED
    return _Answer(
        result=SubmissionResult(
            transaction_id=admission.transaction_id,
            state=state,
            code=admission.code,
            detail=admission.detail,
        )
    )


async def _wait_for_all(
    context: RpcContext, answers: Sequence[_Answer], wait_s: float
) -> list[_Answer]:
    """Waits until all that can be committed are, or the time is over."""
    waiting = {each.result.transaction_id: None for each in answers if _can_commit(each.result)}
    ids = [each for each in waiting if each is not None]
    seen = await context.service.wait_committed(ids, wait_s)
    outcomes = {each: _outcome_of(committed) for each, committed in seen.items()}
    others = [each for each in ids if each not in outcomes]
    if others:
        outcomes |= await context.read(_find_outcomes, context.store, others)
    return [_final(each, outcomes) for each in answers]


def _outcome_of(committed: CommittedTransaction) -> _Outcome:
    return _Outcome(
        location=committed.location,
        receipt=Receipt.decode(committed.encoded_receipt),
        time_ms=committed.time_ms,
    )


def _can_commit(result: SubmissionResult) -> bool:
    # Sending what is already known is no fault of a client that wants to see it committed.
    return result.state is SubmissionState.ACCEPTED or result.code == KNOWN


def _find_outcomes(store: BlockStore, ids: Sequence[Hash]) -> dict[Hash, _Outcome]:
    """Returns the final outcome of those that are committed; reads each block once."""
    receipts_by_height: dict[Height, tuple[bytes, ...]] = {}
    outcomes: dict[Hash, _Outcome] = {}
    for transaction_id in ids:
        location = store.locate(transaction_id)
        if location is None:
            continue
        height = location.height
        if height not in receipts_by_height:
            receipts_by_height[height] = store.encoded_receipts(height)
        header = store.header(height)
        assert header is not None, "a located transaction stands in a block"
        outcomes[transaction_id] = _Outcome(
            location=location,
            receipt=Receipt.decode(receipts_by_height[height][location.position]),
            time_ms=header.time_ms,
        )
    return outcomes


def _final(waited: _Answer, outcomes: Mapping[Hash, _Outcome]) -> _Answer:
    result = waited.result
    outcome = None if result.transaction_id is None else outcomes.get(result.transaction_id)
    if outcome is None:
        return _still_waiting(waited)
    receipt = outcome.receipt
    is_ok = receipt.status is Status.OK
    return _Answer(
        result=replace(
            result,
            state=SubmissionState.COMMITTED if is_ok else SubmissionState.FAILED,
            code=receipt.code,
            detail=receipt.detail,
            height=outcome.location.height,
            position=outcome.location.position,
        ),
        outcome=outcome,
    )


def _still_waiting(waited: _Answer) -> _Answer:
    if waited.result.code != KNOWN:
        return waited
    accepted = replace(waited.result, state=SubmissionState.ACCEPTED, code="", detail="")
    return replace(waited, result=accepted)


def _messagepack(answers: Sequence[_Answer]) -> web.Response:
    body = encode(tuple(each.result.to_value() for each in answers))
    return web.Response(status=_status_of(answers), body=body, content_type=MESSAGEPACK)


def _single(one: _Answer) -> web.Response:
    if one.result.state is SubmissionState.REFUSED:
        problem = _problem_of(one.result)
        refusal = answer(problem.to_json(), status=problem.status)
        refusal.content_type = PROBLEM_CONTENT_TYPE
        refusal.headers.update(problem.headers())
        return refusal
    return answer(_to_json(one), status=_status_of([one]))


def _many(answers: Sequence[_Answer]) -> web.Response:
    document = {"results": [_to_json(each) for each in answers]}
    return answer(document, status=_status_of(answers))


def _status_of(answers: Sequence[_Answer]) -> int:
    states = {each.result.state for each in answers}
    if SubmissionState.REFUSED in states:
        return HTTPStatus.MULTI_STATUS
    if SubmissionState.ACCEPTED in states:
        return HTTPStatus.ACCEPTED
    return HTTPStatus.OK


def _to_json(one: _Answer) -> dict[str, object]:
    result = one.result
    if result.state is SubmissionState.REFUSED:
        return {"state": "refused", **_problem_of(result).to_json()}
    assert result.transaction_id is not None, "what is accepted has an id"
    outcome = one.outcome
    if outcome is None:
        return {"id": result.transaction_id.hex(), "state": "accepted"}
    return dict(
        present_placed_receipt(
            outcome.receipt,
            height=outcome.location.height,
            position=outcome.location.position,
            time_ms=outcome.time_ms,
        )
    )


def _problem_of(result: SubmissionResult) -> Problem:
    transaction_id = result.transaction_id
    return Problem(
        code=result.code,
        detail=result.detail,
        is_refusal=True,
        transaction_id=None if transaction_id is None else transaction_id.hex(),
    )
