"""Bringing signed transactions onto the chain: the same bytes, node after node, until it is clear.

The rule that everything here serves: whoever signs anew while the first bytes may still be
committed does the thing twice. So bytes that a node may have are sent again and again, unchanged,
until they are in a block or block time has passed ``valid_until_ms``; a refusal counts only where
no node can have taken them before.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final

from chain.codec import decode, encode
from chain.errors import DecodeError
from chain.transaction import Transaction
from chain.types import Hash
from client.errors import MalformedAnswer, NodeUnreachable, RpcProblem
from client.nodes import RETRY_STATUSES, Nodes
from client.outcome import AnsweredResult, AnsweredState, Outcome, OutcomeState

BATCH_TRANSACTIONS_MAX: Final = 200
"""What a node takes in one request."""
BATCH_BYTES_MAX: Final = 4 * 2**20
"""Half of what a node takes in one request."""
WAIT_MS: Final = 10_000
"""How long one request waits for commits before it is made again, perhaps elsewhere."""
ANSWER_MARGIN_S: Final = 15.0
"""For the way there and back, beyond the wait."""
KNOWN: Final = "DUPLICATE"
UNREACHABLE: Final = "UNREACHABLE"
"""No answer of a node but the client's own word: there was none."""
EXPIRED: Final = "TRANSACTION_EXPIRED"
LATER_CODES: Final = frozenset(
    {"BUSY", "MEMPOOL_FULL", "SENDER_QUOTA", "OVERLOADED", "NOT_READY", "RATE_LIMITED"}
)
"""Refusals that say nothing about the transaction."""
_MESSAGEPACK: Final = "application/msgpack"

Progress = Callable[[Outcome], None]


@dataclass(slots=True)
class _Parcel:
    """One transaction on its way."""

    transaction: Transaction
    outcome: Outcome
    may_be_known: bool = False
    """Whether some node may have it, so that a refusal elsewhere proves nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryPlan:
    """How far to go."""

    until_final: bool
    """Wait for the block; otherwise acceptance by one node is enough."""
    patience_s: float
    """How long to go on without any progress before giving up unresolved. One node that hangs may
    take all of it; so no delivery gives up what no node has accepted before each had its turn."""
    on_outcome: Progress | None = None
    """Called once for each transaction when what was asked for is reached."""


async def deliver(
    nodes: Nodes, transactions: Sequence[Transaction], plan: DeliveryPlan
) -> list[Outcome]:
    """Sends transactions until each has reached what the plan asks for, or patience ends.

    Args:
        nodes: where to.
        transactions: signed, each id once.
        plan: how far.

    Returns:
        One outcome each, in order. ``UNRESOLVED`` where patience ended: send the same bytes again
        later, or ask for the state until block time has passed ``valid_until_ms``.
    """
    parcels = {each.id: _Parcel(each, _unresolved(each)) for each in transactions}
    assert len(parcels) == len(transactions), "each transaction is delivered once"
    waiting = dict(parcels)
    last_progress_s = time.monotonic()
    while waiting:
        batch = _next_batch(waiting)
        has_moved = await _send(nodes, batch, plan)
        for parcel in batch:
            if _is_done(parcel, plan):
                del waiting[parcel.transaction.id]
                if plan.on_outcome is not None:
                    plan.on_outcome(parcel.outcome)
        if has_moved:
            last_progress_s = time.monotonic()
        elif time.monotonic() - last_progress_s > plan.patience_s and (
            nodes.have_all_failed or _are_all_accepted(waiting.values())
        ):
            break
        else:
            await nodes.pause()
    return [parcel.outcome for parcel in parcels.values()]


def _unresolved(transaction: Transaction) -> Outcome:
    return Outcome(transaction_id=transaction.id, state=OutcomeState.UNRESOLVED)


def _next_batch(waiting: dict[Hash, _Parcel]) -> list[_Parcel]:
    """Takes the next transactions that fit one request; they move to the end of the queue."""
    batch: list[_Parcel] = []
    size = 0
    for parcel in islice(waiting.values(), BATCH_TRANSACTIONS_MAX):
        size += len(parcel.transaction.wire)
        if batch and size > BATCH_BYTES_MAX:
            break
        batch.append(parcel)
    for parcel in batch:
        waiting[parcel.transaction.id] = waiting.pop(parcel.transaction.id)
    return batch


def _is_done(parcel: _Parcel, plan: DeliveryPlan) -> bool:
    outcome = parcel.outcome
    return outcome.is_final or (not plan.until_final and outcome.state is OutcomeState.ACCEPTED)


def _are_all_accepted(parcels: Iterable[_Parcel]) -> bool:
    return all(parcel.outcome.state is OutcomeState.ACCEPTED for parcel in parcels)


async def _send(nodes: Nodes, batch: Sequence[_Parcel], plan: DeliveryPlan) -> bool:
    """Sends one batch to one node; returns whether anything is clearer than before."""
    url = nodes.next_url()
    query = {"wait": "committed", "timeout_ms": str(WAIT_MS)} if plan.until_final else {}
    wait_s = WAIT_MS / 1_000 if plan.until_final else 0.0
    try:
        body = await nodes.post(
            url + "/v1/transactions",
            query=query,
            body=encode(tuple(parcel.transaction.wire for parcel in batch)),
            media_type=_MESSAGEPACK,
            timeout_s=wait_s + ANSWER_MARGIN_S,
        )
    except NodeUnreachable as error:
        for parcel in batch:
            parcel.may_be_known |= error.may_have_arrived
            _put_off(parcel, UNREACHABLE, str(error))
        nodes.failed(url)
        return False
    except RpcProblem as problem:
        if problem.status not in RETRY_STATUSES:
            raise
        for parcel in batch:
            _put_off(parcel, problem.code, problem.detail)
        nodes.failed(url)
        return False
    results = _parse(body, len(batch))
    moved = [_take(parcel, result) for parcel, result in zip(batch, results, strict=True)]
    if any(moved):
        nodes.served(url)
        return True
    nodes.failed(url)
    return False


def _parse(body: bytes, count: int) -> list[AnsweredResult]:
    try:
        value = decode(body)
        if not isinstance(value, tuple) or len(value) != count:
            raise MalformedAnswer(f"submission: expected {count} results, got something else")
        return [AnsweredResult.from_value(element) for element in value]
    except DecodeError as error:
        raise MalformedAnswer(f"submission: {error}") from error


def _take(parcel: _Parcel, result: AnsweredResult) -> bool:
    """Takes over what a node says of one transaction; returns whether anything is clearer."""
    before = parcel.outcome
    match result.state:
        case AnsweredState.COMMITTED | AnsweredState.FAILED:
            if result.transaction_id != parcel.transaction.id:
                raise MalformedAnswer("submission: a result of another transaction")
            parcel.outcome = replace(
                before,
                state=OutcomeState[result.state.name],
                code=result.code,
                detail=result.detail,
                height=result.height,
                position=result.position,
            )
        case AnsweredState.ACCEPTED:
            _know(parcel)
        case AnsweredState.REFUSED:
            _take_refusal(parcel, result)
    return parcel.outcome.state is not before.state


def _know(parcel: _Parcel) -> None:
    parcel.may_be_known = True
    parcel.outcome = replace(parcel.outcome, state=OutcomeState.ACCEPTED, code="", detail="")


def _take_refusal(parcel: _Parcel, result: AnsweredResult) -> None:
    if result.code == KNOWN:
        _know(parcel)
    elif result.code == EXPIRED:
        # The node does not hold it, and its block time is past the end: no later block can.
        parcel.outcome = replace(
            parcel.outcome,
            state=OutcomeState.EXPIRED,
            code=result.code,
            detail=result.detail,
        )
    elif result.code in LATER_CODES or parcel.may_be_known:
        _put_off(parcel, result.code, result.detail)
    else:
        parcel.outcome = replace(
            parcel.outcome,
            state=OutcomeState.REFUSED,
            code=result.code,
            detail=result.detail,
        )


def _put_off(parcel: _Parcel, code: str, detail: str) -> None:
    """Keeps the newest reason why nobody can tell yet, for whoever runs out of patience."""
    if parcel.outcome.state is OutcomeState.UNRESOLVED:
        parcel.outcome = replace(parcel.outcome, code=code, detail=detail)
