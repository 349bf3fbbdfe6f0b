"""Transports over real TLS on loopback, each test under both event loops."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest
import uvloop

from p2p.frames import Lane
from p2p.gate import GateLimits
from p2p.identity import Role
from p2p.messages import Reason
from p2p.peer import LinkLimits
from p2p.queues import QUEUE_LIMITS, QueueLimit
from p2p.transport import TransportLimits
from tests.link_nodes import Node, Run, free_port, network, until


def test_two_nodes_exchange_messages_on_every_lane(run: Run) -> None:
    async def body() -> None:
        first, second = Node(1), Node(2)
        async with network(first, second):
            await until(lambda: bool(first.linked and second.linked))
            assert first.up.send(second.node_id, Lane.VOTES, b"vote")
            assert first.up.send(second.node_id, Lane.TRANSACTIONS, b"batch")
            assert second.up.send(first.node_id, Lane.SYNC, b"block" * 100_000)
            await until(lambda: len(second.messages) == 2 and len(first.messages) == 1)

            assert second.messages == [
                (first.node_id, Lane.VOTES, b"vote"),
                (first.node_id, Lane.TRANSACTIONS, b"batch"),
            ]
            assert first.messages == [(second.node_id, Lane.SYNC, b"block" * 100_000)]
            assert first.links == [(second.node_id, True)]
            assert second.up.snapshot().links[0].software == "test 1"

    run(body())


def test_four_validators_make_a_mesh_with_one_link_a_pair(run: Run) -> None:
    async def body() -> None:
        nodes = [Node(number) for number in (1, 2, 3, 4)]
        async with network(*nodes):
            await until(lambda: all(len(node.linked) == 3 for node in nodes))

            assert [node.up.broadcast(Lane.VOTES, node.node_id) for node in nodes] == [3] * 4
            await until(lambda: all(len(node.messages) == 3 for node in nodes))

            for node in nodes:
                others = {other.node_id for other in nodes} - {node.node_id}
                assert set(node.messages) == {(one, Lane.VOTES, one) for one in others}
                assert node.up.snapshot().connects == 3

    run(body())


def test_an_observer_dials_validators_and_gets_what_is_meant_for_it(run: Run) -> None:
    async def body() -> None:
        validator, other = Node(8), Node(9)
        observers = Node(1, Role.OBSERVER), Node(2, Role.OBSERVER)
        async with network(validator, other, *observers):
            await until(lambda: len(validator.linked) == 3 and len(other.linked) == 3)
            await until(lambda: all(len(observer.linked) == 2 for observer in observers))

            assert validator.up.broadcast(Lane.VOTES, b"vote", roles=[Role.VALIDATOR]) == 1
            assert validator.up.broadcast(Lane.SYNC, b"block", roles=[Role.OBSERVER]) == 2
            await until(lambda: all(observer.messages for observer in observers))

            assert other.messages == [(validator.node_id, Lane.VOTES, b"vote")]
            assert observers[0].messages == [(validator.node_id, Lane.SYNC, b"block")]

    run(body())


def test_a_certificate_that_is_not_registered_is_refused(run: Run) -> None:
    async def body() -> None:
        first, second = Node(1), Node(2)
        stranger = Node(1)
        stranger.record = replace(stranger.record, port=first.record.port)
        try:
            await second.start(first, second)
            await stranger.start(stranger, second)
            await until(lambda: second.up.snapshot().accept_failures >= 2)

            assert (second.links, stranger.links) == ([], [])
        finally:
            await second.up.stop()
            await stranger.up.stop()

    run(body())


def test_the_dialler_refuses_a_certificate_that_is_not_the_pinned_one(run: Run) -> None:
    async def body() -> None:
        first, second = Node(1), Node(2)
        impostor = Node(2)
        impostor.record = replace(impostor.record, port=second.record.port)
        try:
            await impostor.start(first, impostor)
            await first.start(first, second)
            await until(lambda: first.up.snapshot().dial_failures >= 2)

            assert (first.links, impostor.links) == ([], [])
        finally:
            await first.up.stop()
            await impostor.up.stop()

    run(body())


def test_a_registered_peer_at_the_address_of_another_is_not_taken_for_it(run: Run) -> None:
    async def body() -> None:
        first, second, third = Node(1), Node(2), Node(3)
        misplaced = replace(second.record, port=third.record.port)
        try:
            await third.start(first, second, third)
            second.record = misplaced
            third.record = replace(third.record, port=free_port())
            await first.start(first, second, third)
            await until(lambda: dict(first.up.snapshot().closed).get(Reason.WRONG_IDENTITY, 0) > 0)

            await until(lambda: Reason.WRONG_IDENTITY in dict(third.up.snapshot().closed))

            assert (first.links, third.links) == ([], [])
        finally:
            await first.up.stop()
            await third.up.stop()

    run(body())


def test_a_node_of_another_chain_is_refused_with_the_reason(run: Run) -> None:
    async def body() -> None:
        first, second = Node(1), Node(2, chain=b"\xcd" * 32)
        async with network(first, second):
            await until(lambda: Reason.WRONG_CHAIN in dict(first.up.snapshot().closed))
            await until(lambda: Reason.WRONG_CHAIN in dict(second.up.snapshot().closed))

            assert (first.links, second.links) == ([], [])

    run(body())


def test_a_hello_with_another_node_id_than_the_certificate_is_refused(run: Run) -> None:
    async def body() -> None:
        first, second = Node(1), Node(2)
        first.local = replace(first.local, node_id=b"\x00" * 32)
        try:
            await second.start(first, second)
            await first.start(second)
            await until(lambda: Reason.WRONG_IDENTITY in dict(second.up.snapshot().closed))
            await until(lambda: Reason.WRONG_IDENTITY in dict(first.up.snapshot().closed))

            assert (first.links, second.links) == ([], [])
        finally:
            await first.up.stop()
            await second.up.stop()

    run(body())


def test_a_removal_from_the_registry_cuts_the_live_link_and_keeps_it_cut(run: Run) -> None:
    async def body() -> None:
        first, second, third = Node(1), Node(2), Node(3)
        async with network(first, second, third):
            await until(lambda: len(third.linked) == len(second.linked) == 2)

            third.up.update_registry([second.record, third.record])
            assert third.up.send(first.node_id, Lane.VOTES, b"vote") is False
            await until(lambda: third.links[-1] == (first.node_id, False))
            await until(lambda: first.links[-1] == (third.node_id, False))
            assert dict(first.up.snapshot().closed) == {Reason.NOT_REGISTERED: 1}
            await until(lambda: dict(third.up.snapshot().closed)[Reason.NOT_REGISTERED] >= 3)

            assert third.linked == {second.node_id}
            assert third.links.count((first.node_id, True)) == 1

    run(body())


def test_an_addition_to_the_registry_needs_no_restart(run: Run) -> None:
    async def body() -> None:
        first, second, third = Node(1), Node(2), Node(3)
        try:
            await first.start(first, second)
            await second.start(first, second)
            await third.start(first, second, third)
            await until(lambda: bool(first.linked))

            for node in (first, second):
                node.up.update_registry([first.record, second.record, third.record])
            await until(lambda: len(third.linked) == 2)

            assert first.linked == {second.node_id, third.node_id}
        finally:
            for node in (first, second, third):
                await node.up.stop()

    run(body())


def test_a_new_certificate_replaces_the_old_one_on_the_live_link(run: Run) -> None:
    async def body() -> None:
        first, second = Node(1), Node(2)
        async with network(first, second):
            await until(lambda: bool(first.linked and second.linked))

            rotated = replace(second.record, certificate_der=Node(9).record.certificate_der)
            first.up.update_registry([first.record, rotated])

            await until(lambda: first.links == [(second.node_id, True), (second.node_id, False)])
            assert first.linked == set()
            await until(lambda: dict(first.up.snapshot().closed)[Reason.NOT_REGISTERED] >= 3)
            assert len(first.links) == 2

    run(body())


def test_a_changed_address_is_dialled_at_once(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "p2p.transport.reconnect_delay_s", lambda attempt, draw: 3600 + attempt + draw
    )

    async def body() -> None:
        first, second = Node(1), Node(2)
        try:
            await second.start(first, second)
            lost = replace(second.record, port=free_port())
            found = second.record
            second.record = lost
            await first.start(first, second)
            await until(lambda: first.up.snapshot().dial_failures == 1)

            first.up.update_registry([first.record, found])
            await until(lambda: bool(first.linked))
        finally:
            await first.up.stop()
            await second.up.stop()

    run(body())


def test_a_restarted_node_is_linked_again(run: Run) -> None:
    async def body() -> None:
        first, second = Node(1), Node(2)
        async with network(first, second):
            await until(lambda: bool(first.linked and second.linked))
            await second.up.stop()
            await until(lambda: first.links[-1] == (second.node_id, False))

            await second.start(first, second)
            await until(lambda: bool(first.linked and second.linked))

            assert first.up.send(second.node_id, Lane.VOTES, b"again")
            await until(lambda: second.messages == [(first.node_id, Lane.VOTES, b"again")])
            assert first.up.snapshot().reconnects == 1
            assert dict(first.up.snapshot().closed) == {Reason.SHUTDOWN: 1}

    run(body())


@pytest.mark.parametrize(("stable_after_s", "next_attempt"), [(0.0, 1), (1_000.0, 5)])
def test_only_a_link_that_was_stable_starts_the_back_off_afresh(
    run: Run, monkeypatch: pytest.MonkeyPatch, stable_after_s: float, next_attempt: int
) -> None:
    attempts: list[int] = []

    def delay_s(attempt: int, draw: float) -> float:
        assert 0 <= draw < 1
        attempts.append(attempt)
        return 0.01 if len(attempts) != 4 else 0.5

    async def body() -> None:
        first, second = Node(1), Node(2)
        await first.start(first, second, limits=TransportLimits(stable_after_s=stable_after_s))
        await until(lambda: len(attempts) == 4)
        await second.start(first, second)
        await until(lambda: bool(first.linked and second.linked))

        second.up._ready[first.node_id].abort()
        await until(lambda: first.up.snapshot().reconnects == 1)

        assert attempts == [1, 2, 3, 4, next_attempt]
        await first.up.stop()
        await second.up.stop()

    monkeypatch.setattr("p2p.transport.reconnect_delay_s", delay_s)
    run(body())


def test_a_peer_that_becomes_an_observer_keeps_its_link_and_will_dial_itself(run: Run) -> None:
    async def body() -> None:
        first, second = Node(1), Node(2)
        async with network(first, second):
            await until(lambda: bool(first.linked and second.linked))
            records = [first.record, replace(second.record, role=Role.OBSERVER)]
            for node in (first, second):
                node.up.update_registry(records)

            assert first.up.broadcast(Lane.VOTES, b"vote", roles=[Role.VALIDATOR]) == 0
            assert first.up.broadcast(Lane.SYNC, b"block", roles=[Role.OBSERVER]) == 1
            first.up._ready[second.node_id].abort()
            await until(lambda: first.up.snapshot().reconnects == 1)

            assert first.up._dialling == {}
            assert set(second.up._dialling) == {first.node_id}

    run(body())


def test_stopping_what_was_never_started_is_nothing(run: Run) -> None:
    async def body() -> None:
        node = Node(1)
        await node.start(node)
        await node.up.stop()
        assert node.up.snapshot().links == ()

        transport = node.new_transport(node)
        await transport.stop()

        assert transport.snapshot().connects == 0

    run(body())


def test_a_lost_connection_is_reported_at_once(run: Run) -> None:
    async def body() -> None:
        first, second = Node(1), Node(2)
        async with network(first, second):
            await until(lambda: bool(first.linked and second.linked))
            loop = asyncio.get_running_loop()

            cut_at_s = loop.time()
            second.up._ready[first.node_id].abort()
            await until(lambda: (second.node_id, False) in first.links)

            assert loop.time() - cut_at_s < 2  # Silence alone would take 5 s.
            assert Reason.CONNECTION_LOST in dict(first.up.snapshot().closed)

    run(body())


def test_a_newer_connection_replaces_one_that_is_dead_at_the_other_end(run: Run) -> None:
    async def body() -> None:
        first, second = Node(1), Node(2)
        async with network(first, second):
            await until(lambda: bool(first.linked and second.linked))
            # The first node lost its state without telling: it dials anew.
            half_open = first.up._ready.pop(second.node_id)
            again = Node(1)
            again.local, again.record = first.local, replace(first.record, port=free_port())
            await again.start(first, second)
            await until(lambda: len(second.links) == 3)

            assert [is_up for _, is_up in second.links] == [True, False, True]
            assert dict(second.up.snapshot().closed) == {Reason.REPLACED: 1}
            await again.up.stop()
            half_open.abort()

    run(body())


def test_a_slow_reader_is_bounded_and_then_cut(run: Run) -> None:
    limits = TransportLimits(
        link=LinkLimits(
            queues={
                **QUEUE_LIMITS,
                Lane.TRANSACTIONS: QueueLimit(messages_max=8, bytes_max=1_000_000),
                Lane.SYNC: QueueLimit(messages_max=4, bytes_max=1_000_000),
                Lane.VOTES: QueueLimit(messages_max=4, bytes_max=1_000_000),
            }
        )
    )

    async def body() -> None:
        first, second = Node(1), Node(2)
        async with network(first, second, limits=limits):
            await until(lambda: bool(first.linked and second.linked))
            wire = second.up._ready[first.node_id]._wire
            assert wire is not None
            wire.pause_reading()

            for _ in range(200):
                first.up.send(second.node_id, Lane.TRANSACTIONS, bytes(100_000))
                first.up.send(second.node_id, Lane.SYNC, bytes(100_000))
                await asyncio.sleep(0)
            (link,) = first.up.snapshot().links
            assert link.waiting_messages <= 12 + 2
            assert link.waiting_bytes <= 1_300_000
            dropped = {entry.lane: entry.dropped for entry in first.up.snapshot().traffic}
            assert dropped[Lane.TRANSACTIONS] > 0
            assert dropped[Lane.SYNC] > 0

            assert [first.up.send(second.node_id, Lane.VOTES, b"v") for _ in range(5)] == (
                [True] * 4 + [False]
            )
            assert first.links == [(second.node_id, True)]
            await until(lambda: first.links[-1] == (second.node_id, False))
            assert dict(first.up.snapshot().closed) == {Reason.OVERLOADED: 1}

    run(body())


def test_a_reader_that_pauses_gets_everything_when_it_reads_again(run: Run) -> None:
    async def body() -> None:
        first, second = Node(1), Node(2)
        async with network(first, second):
            await until(lambda: bool(first.linked and second.linked))
            wire = second.up._ready[first.node_id]._wire
            assert wire is not None
            wire.pause_reading()
            for number in range(100):
                assert first.up.send(second.node_id, Lane.SYNC, bytes([number]) * 200_000)
            await until(lambda: not first.up._ready[second.node_id]._is_writable)

            wire.resume_reading()
            await until(lambda: len(second.messages) == 100)

            assert [payload[0] for _, _, payload in second.messages] == list(range(100))
            assert first.links == [(second.node_id, True)]

    run(body())


def test_strangers_that_never_shake_hands_hold_few_connections_for_a_moment(run: Run) -> None:
    limits = TransportLimits(tls_timeout_s=0.5, gate=GateLimits(open_max=2))

    async def body() -> None:
        first, second = Node(1), Node(2)
        await second.start(first, second, limits=limits)
        strangers = [await asyncio.open_connection("127.0.0.1", second.up.port) for _ in range(3)]
        try:
            await until(lambda: second.up.snapshot().accept_refusals == 1)
            await until(lambda: second.up.snapshot().accept_failures == 2)
            await first.start(first, second)
            await until(lambda: bool(second.linked))
        finally:
            for _, writer in strangers:
                writer.close()
            await first.up.stop()
            await second.up.stop()

    run(body())


def test_one_host_cannot_hold_all_places_of_strangers(run: Run) -> None:
    limits = TransportLimits(tls_timeout_s=0.5, gate=GateLimits(open_per_host_max=1))

    async def body() -> None:
        node = Node(1)
        await node.start(node, limits=limits)
        strangers = [await asyncio.open_connection("127.0.0.1", node.up.port) for _ in range(2)]
        try:
            await until(lambda: node.up.snapshot().accept_refusals == 1)
            await until(lambda: node.up.snapshot().accept_failures == 1)
        finally:
            for _, writer in strangers:
                writer.close()
            await node.up.stop()

    run(body())


@pytest.mark.parametrize("loop_factory", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_a_bug_in_a_callback_or_a_task_reaches_the_handler_of_the_loop(
    loop_factory: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    class Bug(Exception):
        """Raised on purpose."""

    class BugOfTask(Bug):
        """Likewise."""

    def broken_callback(node_id: bytes, is_up: object) -> None:
        raise Bug(node_id, is_up)

    async def broken_task() -> None:
        raise BugOfTask

    async def body() -> None:
        found: list[object] = []
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: found.append(context.get("exception")))
        first, second = Node(1), Node(2)
        await first.start(first, second)
        second.transport = second.new_transport(first, second)
        second.up._on_link = broken_callback
        await second.up.start()
        await until(lambda: bool(found))
        assert isinstance(found[0], Bug)

        with pytest.raises(BugOfTask):
            await first.up._spawn(broken_task())
        assert BugOfTask in map(type, found)
        await first.up.stop()
        await second.up.stop()

    with asyncio.Runner(loop_factory=loop_factory) as runner:
        runner.run(body())
