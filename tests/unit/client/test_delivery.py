"""Delivery: the same bytes until it is clear, and never a wrong word for what became of them."""

import asyncio
from collections.abc import Callable, Mapping, Sequence

import pytest

from chain.codec import Value, decode, encode
from chain.transaction import Transaction
from client.delivery import DeliveryPlan, deliver
from client.errors import MalformedAnswer, NodeUnreachable, RpcProblem
from client.nodes import Nodes
from client.outcome import AnsweredResult, AnsweredState, Outcome, OutcomeState
from tests import chain_samples as samples

Answer = Callable[[Sequence[bytes]], bytes]
FIRST, SECOND = samples.transaction(1), samples.transaction(2)


def result(
    transaction: Transaction | None,
    state: AnsweredState,
    code: str = "",
    *,
    height: int | None = None,
) -> Value:
    """One element of a node's answer."""
    return AnsweredResult(
        transaction_id=None if transaction is None else transaction.id,
        state=state,
        code=code,
        detail="",
        height=height,
        position=None if height is None else 0,
    ).to_value()


def says(*results: Value) -> Answer:
    return lambda _: encode(tuple(results))


def refuses(code: str) -> Answer:
    return lambda wires: encode(tuple(result(FIRST, AnsweredState.REFUSED, code) for _ in wires))


def commits(wires: Sequence[bytes]) -> bytes:
    parsed = [Transaction.parse(wire) for wire in wires]
    return encode(tuple(result(each, AnsweredState.COMMITTED, height=5) for each in parsed))


def breaks_off(_: Sequence[bytes]) -> bytes:
    raise NodeUnreachable("broken")


def is_not_there(_: Sequence[bytes]) -> bytes:
    raise NodeUnreachable("refused", may_have_arrived=False)


def answers_with(status: int) -> Answer:
    def answer(_: Sequence[bytes]) -> bytes:
        raise RpcProblem(status=status, code="C", detail="d", type_urn="u", field="")

    return answer


class ScriptedNodes(Nodes):
    """Nodes that answer in order as told; the last answer is repeated."""

    def __init__(self, *answers: Answer) -> None:
        super().__init__(("http://a", "http://b"), request_timeout_s=1, patience_s=0)
        self.answers = list(answers)
        self.sent: list[tuple[str, tuple[bytes, ...]]] = []
        self.queries: list[dict[str, str]] = []

    async def post(
        self, url: str, *, query: Mapping[str, str], body: bytes, media_type: str, timeout_s: float
    ) -> bytes:
        assert media_type == "application/msgpack"
        assert timeout_s > int(query.get("timeout_ms", "0")) / 1_000
        wires = decode(body)
        assert isinstance(wires, tuple)
        sent = tuple(wire for wire in wires if isinstance(wire, bytes))
        self.sent.append((url, sent))
        self.queries.append(dict(query))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return answer(sent)

    async def pause(self) -> None:
        await asyncio.sleep(0)


def run(
    nodes: ScriptedNodes,
    *transactions: Transaction,
    until_final: bool = True,
    patience_s: float = 60.0,
    told: list[Outcome] | None = None,
) -> list[Outcome]:
    plan = DeliveryPlan(
        until_final=until_final,
        patience_s=patience_s,
        on_outcome=None if told is None else told.append,
    )
    return asyncio.run(deliver(nodes, transactions or (FIRST,), plan))


def test_committed_comes_with_its_place() -> None:
    nodes = ScriptedNodes(commits)

    (outcome,) = run(nodes)

    assert outcome == Outcome(
        transaction_id=FIRST.id, state=OutcomeState.COMMITTED, height=5, position=0
    )
    assert nodes.queries == [{"wait": "committed", "timeout_ms": "10000"}]


def test_acceptance_is_enough_where_that_is_asked() -> None:
    nodes = ScriptedNodes(says(result(FIRST, AnsweredState.ACCEPTED)))

    (outcome,) = run(nodes, until_final=False)

    assert outcome.state is OutcomeState.ACCEPTED
    assert nodes.queries == [{}]


def test_a_known_transaction_is_accepted() -> None:
    (outcome,) = run(ScriptedNodes(refuses("DUPLICATE")), until_final=False)

    assert (outcome.state, outcome.code) == (OutcomeState.ACCEPTED, "")


@pytest.mark.parametrize(
    "obstacle",
    [
        breaks_off,
        is_not_there,
        answers_with(503),
        answers_with(429),
        refuses("MEMPOOL_FULL"),
        refuses("BUSY"),
        says(result(FIRST, AnsweredState.ACCEPTED)),
    ],
)
def test_the_same_bytes_go_to_another_node_after_an_obstacle(obstacle: Answer) -> None:
    nodes = ScriptedNodes(obstacle, obstacle, commits)

    (outcome,) = run(nodes)

    assert outcome.state is OutcomeState.COMMITTED
    assert [wires for _, wires in nodes.sent] == [(FIRST.wire,)] * 3
    assert {url for url, _ in nodes.sent} == {
        "http://a/v1/transactions",
        "http://b/v1/transactions",
    }


def test_a_refusal_is_final_where_no_node_can_have_the_bytes() -> None:
    nodes = ScriptedNodes(is_not_there, refuses("UNKNOWN_METHOD"))

    (outcome,) = run(nodes)

    assert (outcome.state, outcome.code) == (OutcomeState.REFUSED, "UNKNOWN_METHOD")


@pytest.mark.parametrize("before", [breaks_off, says(result(FIRST, AnsweredState.ACCEPTED))])
def test_a_refusal_proves_nothing_once_some_node_may_have_the_bytes(before: Answer) -> None:
    nodes = ScriptedNodes(before, refuses("UNKNOWN_ACCOUNT"), commits)

    (outcome,) = run(nodes)

    assert outcome.state is OutcomeState.COMMITTED


@pytest.mark.parametrize("before", [is_not_there, breaks_off])
def test_expired_is_final_whoever_had_the_bytes(before: Answer) -> None:
    (outcome,) = run(ScriptedNodes(before, refuses("TRANSACTION_EXPIRED")))

    assert outcome.state is OutcomeState.EXPIRED


def test_a_failed_receipt_is_final_and_has_its_code() -> None:
    failed = result(FIRST, AnsweredState.FAILED, "UNKNOWN_METER", height=9)

    (outcome,) = run(ScriptedNodes(says(failed)))

    assert (outcome.state, outcome.code, outcome.height) == (
        OutcomeState.FAILED,
        "UNKNOWN_METER",
        9,
    )


@pytest.mark.parametrize(
    ("answer", "state", "code"),
    [
        (breaks_off, OutcomeState.UNRESOLVED, "UNREACHABLE"),
        (answers_with(503), OutcomeState.UNRESOLVED, "C"),
        (refuses("NOT_READY"), OutcomeState.UNRESOLVED, "NOT_READY"),
        (says(result(FIRST, AnsweredState.ACCEPTED)), OutcomeState.ACCEPTED, ""),
    ],
)
def test_without_progress_patience_ends_and_the_obstacle_is_told(
    answer: Answer, state: OutcomeState, code: str
) -> None:
    (outcome,) = run(ScriptedNodes(answer), patience_s=0.0)

    assert (outcome.state, outcome.code) == (state, code)
    assert not outcome.is_final


def test_patience_does_not_end_before_each_node_had_its_turn() -> None:
    nodes = ScriptedNodes(breaks_off, commits)

    (outcome,) = run(nodes, patience_s=0.0)

    assert outcome.state is OutcomeState.COMMITTED
    assert len({url for url, _ in nodes.sent}) == 2


def test_what_a_node_has_accepted_is_left_to_it_when_patience_ends() -> None:
    nodes = ScriptedNodes(says(result(FIRST, AnsweredState.ACCEPTED)), breaks_off)

    (outcome,) = run(nodes, patience_s=0.0)

    assert outcome.state is OutcomeState.ACCEPTED
    assert len(nodes.sent) == 2


def test_only_what_is_not_clear_is_sent_again_and_each_is_told_once() -> None:
    half = says(
        result(FIRST, AnsweredState.COMMITTED, height=1),
        result(SECOND, AnsweredState.REFUSED, "BUSY"),
    )
    nodes = ScriptedNodes(half, commits)
    told: list[Outcome] = []

    outcomes = run(nodes, FIRST, SECOND, told=told)

    assert [outcome.state for outcome in outcomes] == [OutcomeState.COMMITTED] * 2
    assert [wires for _, wires in nodes.sent] == [(FIRST.wire, SECOND.wire), (SECOND.wire,)]
    assert told == outcomes


def test_a_batch_holds_at_most_two_hundred() -> None:
    transactions = [samples.transaction(number) for number in range(201)]
    nodes = ScriptedNodes(commits)

    outcomes = run(nodes, *transactions)

    assert [len(wires) for _, wires in nodes.sent] == [200, 1]
    assert [each.transaction_id for each in outcomes] == [each.id for each in transactions]


def test_a_batch_holds_at_most_four_megabytes() -> None:
    large = [samples.transaction(number, arguments=bytes(2_097_152 - 250)) for number in range(3)]
    nodes = ScriptedNodes(commits)

    run(nodes, *large)

    assert [len(wires) for _, wires in nodes.sent] == [2, 1]


def test_a_request_that_is_wrong_as_a_whole_is_an_error() -> None:
    with pytest.raises(RpcProblem):
        run(ScriptedNodes(answers_with(400)))


@pytest.mark.parametrize(
    "answer",
    [
        lambda _: b"\xc1",
        lambda _: encode(1),
        lambda _: encode(()),
        lambda _: encode((1,)),
        says(result(SECOND, AnsweredState.COMMITTED, height=1)),
    ],
)
def test_an_answer_that_no_node_gives_is_an_error(answer: Answer) -> None:
    with pytest.raises(MalformedAnswer):
        run(ScriptedNodes(answer))
