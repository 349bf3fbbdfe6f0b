"""The client against real servers: delivery, failover, expiry, reading and following."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from chain.crypto import Ed25519Signer
from client.asynchronous import Call, TanlianClient
from client.errors import (
    NodeUnreachable,
    RpcProblem,
    TransactionExpired,
    TransactionFailed,
    TransactionRefused,
    TransactionUnresolved,
    WrongChain,
)
from client.events import ChainEvent
from client.outcome import Outcome, OutcomeState
from client.synchronous import SyncTanlianClient
from contracts.account import Role
from contracts.accounts import RegisterAccount, RevokeAccount
from node.rpc.service import Readiness
from tests.rpc_node import ADMIN, FakeNode, ServedNode, key

Run = Callable[[Awaitable[None]], None]
NOWHERE = "http://127.0.0.1:1"
"""Nothing listens on this port."""


def present_node() -> FakeNode:
    """A chain that was founded just now, because clients sign for the present."""
    node = FakeNode(time_ms=time.time_ns() // 1_000_000 - 60_000)
    node.commits_at_once = True
    return node


def account(number: int) -> RegisterAccount:
    return RegisterAccount(public_key=key(number), name=f"Account {number}", roles=(Role.OPERATOR,))


def client_of(*urls: str, **options: Any) -> TanlianClient:
    return TanlianClient(urls, **{"signer": ADMIN, "patience_s": 0.3, **options})


def test_a_transaction_is_signed_sent_and_committed(run: Run) -> None:
    async def body() -> None:
        async with ServedNode(node=present_node()) as served, client_of(served.url) as client:
            outcome = await client.submit_and_wait("account.register", account(1))

            assert outcome.state is OutcomeState.COMMITTED
            assert (outcome.height, outcome.position) == (1, 0)
            document = await client.transaction(outcome.transaction_id)
            assert document["state"] == "committed"
            assert (await client.account(key(1)))["name"] == "Account 1"
            assert (await client.status())["height"] == 1

    run(body())


def test_submitting_returns_when_a_pool_has_it(run: Run) -> None:
    async def body() -> None:
        node = present_node()
        node.commits_at_once = False
        async with ServedNode(node=node) as served, client_of(served.url) as client:
            outcome = await client.submit("account.register", account(1))

            assert outcome.state is OutcomeState.ACCEPTED
            assert node.pending(outcome.transaction_id)

    run(body())


def test_a_failed_receipt_is_an_error_with_its_code(run: Run) -> None:
    async def body() -> None:
        async with ServedNode(node=present_node()) as served, client_of(served.url) as client:
            with pytest.raises(TransactionFailed) as failed:
                await client.submit_and_wait(
                    "account.revoke", RevokeAccount(public_key=key(9), reason="gone")
                )

            assert failed.value.outcome.code == "UNKNOWN_ACCOUNT"
            assert failed.value.outcome.height == 1

    run(body())


def test_a_refusal_is_an_error_with_its_code(run: Run) -> None:
    async def body() -> None:
        stranger = Ed25519Signer(b"x" * 32)
        async with (
            ServedNode(node=present_node()) as served,
            client_of(served.url, signer=stranger) as client,
        ):
            with pytest.raises(TransactionRefused) as refused:
                await client.submit("account.register", account(1))

            assert refused.value.outcome.code == "UNKNOWN_ACCOUNT"
            assert "expected a registered key" in str(refused.value)

    run(body())


def test_a_dead_node_is_passed_over(run: Run) -> None:
    async def body() -> None:
        async with ServedNode(node=present_node()) as served:
            for _ in range(4):  # the first turn is drawn by lot
                async with client_of(NOWHERE, served.url) as client:
                    assert (await client.status())["name"] == "node-1"
                    number = served.node.height + 1
                    outcome = await client.submit_and_wait("account.register", account(number))
                    assert outcome.height == number

    run(body())


def test_a_node_that_takes_nothing_is_passed_over_with_the_same_bytes(run: Run) -> None:
    async def body() -> None:
        closed = present_node()
        closed.ready = Readiness(is_ready=False, reason="disk")
        full = present_node()
        full.refuses_all_with = "MEMPOOL_FULL"
        async with (
            ServedNode(node=closed) as first,
            ServedNode(node=full) as second,
            ServedNode(node=present_node()) as third,
            client_of(first.url, second.url, third.url, chain_id=third.node.chain_id) as client,
        ):
            transaction = third.node.transaction(1)

            (outcome,) = await client.send([transaction], until_final=True)

            assert outcome.state is OutcomeState.COMMITTED
            assert outcome.transaction_id == transaction.id
            assert closed.submissions == 0

    run(body())


def test_many_are_sent_in_batches_and_each_outcome_is_told_once(run: Run) -> None:
    async def body() -> None:
        async with ServedNode(node=present_node()) as served, client_of(served.url) as client:
            told: list[Outcome] = []
            calls = [
                Call(method="account.register", arguments=account(number))
                for number in range(1, 402)
            ]
            calls.append(Call(method="no.such", arguments=account(1)))

            outcomes = await client.submit_many(calls, until_final=True, on_outcome=told.append)

            states = [outcome.state for outcome in outcomes]
            assert states == [OutcomeState.COMMITTED] * 401 + [OutcomeState.REFUSED]
            assert outcomes[401].code == "UNKNOWN_METHOD"
            assert sorted(told, key=lambda each: each.transaction_id) == sorted(
                outcomes, key=lambda each: each.transaction_id
            )
            assert served.node.submissions == 3

    run(body())


def test_expired_means_that_block_time_has_passed_without_it(run: Run) -> None:
    async def body() -> None:
        async with ServedNode(node=present_node()) as served, client_of(served.url) as client:
            transaction = served.node.transaction(1, valid_for_ms=1_000)
            served.node.commits_at_once = False
            await served.node.commit()

            (outcome,) = await client.send([transaction], until_final=True)

            assert outcome.state is OutcomeState.EXPIRED
            assert outcome.code == "TRANSACTION_EXPIRED"

    run(body())


def test_expiry_of_a_new_transaction_is_an_error(run: Run) -> None:
    async def body() -> None:
        node = present_node()
        node.refuses_all_with = "TRANSACTION_EXPIRED"
        async with ServedNode(node=node) as served, client_of(served.url) as client:
            with pytest.raises(TransactionExpired):
                await client.submit("account.register", account(1))

    run(body())


def test_without_any_answer_the_outcome_stays_open_and_the_bytes_are_kept(run: Run) -> None:
    async def body() -> None:
        async with ServedNode(node=present_node()) as served:
            client = client_of(served.url)
            await client.status()
            transaction = await client.sign("account.register", account(1))
        async with client:
            (outcome,) = await client.send([transaction], until_final=True)

            assert outcome.state is OutcomeState.UNRESOLVED

    run(body())


def test_a_transaction_that_is_never_committed_is_unresolved(run: Run) -> None:
    async def body() -> None:
        node = present_node()
        node.refuses_all_with = "BUSY"
        async with ServedNode(node=node) as served, client_of(served.url) as client:
            with pytest.raises(TransactionUnresolved) as unresolved:
                await client.submit_and_wait("account.register", account(1))

            assert unresolved.value.transaction.payload.method == "account.register"

    run(body())


def test_a_node_of_another_network_is_noticed_before_anything_is_signed(run: Run) -> None:
    async def body() -> None:
        async with (
            ServedNode(node=present_node()) as served,
            client_of(served.url, chain_id=bytes(32)) as client,
        ):
            with pytest.raises(WrongChain):
                await client.submit("account.register", account(1))

            assert served.node.submissions == 0

    run(body())


def test_problems_carry_their_fields(run: Run) -> None:
    async def body() -> None:
        async with ServedNode() as served, client_of(served.url) as client:
            with pytest.raises(RpcProblem) as problem:
                await client.meter("steel-main")

            assert problem.value.code == "UNKNOWN_METER"
            assert problem.value.status == 404
            assert problem.value.type_urn == "urn:tanlian:problem:unknown-meter"
            assert problem.value.field == "id"

    run(body())


def test_reading_gives_up_when_no_node_answers(run: Run) -> None:
    async def body() -> None:
        async with client_of(NOWHERE, patience_s=0.05) as client:
            with pytest.raises(NodeUnreachable):
                await client.status()

    run(body())


def test_events_are_followed_over_the_end_of_a_node_without_gap_or_repeat(run: Run) -> None:
    async def body() -> None:
        node = present_node()
        node.commits_at_once = False

        async def register(number: int) -> None:
            await node.submit([node.transaction(number).wire])
            await node.commit()

        async with ServedNode(node=node) as second:
            first = ServedNode(node=node)
            await first.__aenter__()
            async with client_of(first.url, second.url) as client:
                await register(1)
                events = client.events(kind="account.")
                seen = [await anext(events)]
                await first.__aexit__()
                await register(2)
                await register(3)
                seen += [await anext(events), await anext(events)]
                await events.aclose()

        assert [event.cursor for event in seen] == ["1:0", "2:0", "3:0"]
        assert [event.subject for event in seen] == [key(n).hex() for n in (1, 2, 3)]

    run(body())


async def _first(events: AsyncIterator[ChainEvent]) -> ChainEvent:
    return await anext(events)


def test_latest_skips_what_has_been(run: Run) -> None:
    async def body() -> None:
        node = present_node()
        async with ServedNode(node=node) as served, client_of(served.url) as client:
            await node.submit([node.transaction(1).wire])
            events = client.events(after="latest")
            following = asyncio.create_task(_first(events))
            await served.counts.first.wait()
            await node.submit([node.transaction(2).wire])

            assert (await following).cursor == "2:0"

            await events.aclose()

    run(body())


def test_the_synchronous_client_does_the_same(run: Run) -> None:
    def use(url: str) -> list[str]:
        with SyncTanlianClient([url], signer=ADMIN, patience_s=0.3) as client:
            outcome = client.submit_and_wait("account.register", account(1))
            assert outcome.state is OutcomeState.COMMITTED
            assert client.transaction(outcome.transaction_id)["state"] == "committed"
            assert client.meters() == []
            events = client.events()
            found = next(events)
            events.close()
            client.close()
            return [found.kind, found.subject]

    async def body() -> None:
        async with ServedNode(node=present_node()) as served:
            found = await asyncio.to_thread(use, served.url)

            assert found == ["account.registered", key(1).hex()]

    run(body())
