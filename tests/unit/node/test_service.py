"""The node as its RPC sees it: status, waiting, readiness, and why no block comes."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from chain.genesis import Genesis
from chain.member import MemberRole
from consensus.events import Timer, TimerFired, TimerKind
from node.config import NodeConfig, load
from node.journals import NoJournal
from node.kernel.effects import StoreBlock
from node.metrics import NodeMetrics
from node.ports import Location, StoredBlock
from node.rpc.service import Readiness
from node.runtime import Runtime
from node.service import DISK_CHECK_INTERVAL_S, Service, Surroundings
from node.telemetry import Telemetry
from tests import chain_samples as samples
from tests.kernel_samples import FixedClock, LoneNode, note

KEYS = [signer.public_key for signer in samples.SIGNERS]


class NoLinks:
    """Links to nobody."""

    def send(self, peer: bytes, traffic: object, payload: bytes) -> None:
        """Drops it."""

    def broadcast(self, traffic: object, payload: bytes) -> None:
        """Drops it."""

    def push(self, traffic: object, payload: bytes) -> None:
        """Drops it."""

    def report(self, peer: bytes, reason: str) -> None:
        """Drops it."""


class Served:
    """A service over a lone node, whose blocks the test tells it of."""

    def __init__(self, config: NodeConfig, genesis: Genesis, member_index: int = 0) -> None:
        self.node = LoneNode(genesis=genesis)
        self.runtime = Runtime(
            kernel=self.node.kernel,
            store=self.node.store,
            journal=NoJournal(),
            links=NoLinks(),
            clock=FixedClock(0),
            telemetry=Telemetry(
                metrics=NodeMetrics(version="0", node="node-1", role="validator"), genesis=genesis
            ),
        )
        self.surroundings = Surroundings(
            config=config, genesis=genesis, member=genesis.members[member_index], version="0.1.0"
        )
        self.service = self.restart()

    def restart(self) -> Service:
        """A service on what is stored now."""
        return Service(
            self.surroundings,
            store=self.node.store,
            kernel=self.node.kernel,
            runtime=self.runtime,
        )

    def commit(self, number: int) -> StoredBlock:
        """Commits a note and tells the service, as the runtime does."""
        self.node.submit(note(self.node.genesis, number))
        stored = [each.stored for each in self.node.effects if isinstance(each, StoreBlock)][-1]
        for listener in self.runtime._stored_listeners:
            listener(stored)
        return stored


@pytest.fixture
def config(tmp_path: Path) -> NodeConfig:
    path = tmp_path / "config.toml"
    path.write_text(
        'role = "validator"\nname = "node-1"\nconsensus_key_path = "a"\ntls_key_path = "b"\n'
        "p2p_port = 1\nrpc_port = 2\nmetrics_port = 3\ndisk_free_bytes_min = 1000\n"
    )
    return load(path)


@pytest.fixture(autouse=True)
def free_space(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Free bytes of every disk, in the first element."""
    free = [1_000]
    monkeypatch.setattr("node.service.free_bytes", lambda _home: free[0])
    return free


@pytest.fixture
def lone(config: NodeConfig) -> Served:
    return Served(config, samples.genesis(members=(samples.member(1),)))


@pytest.fixture
def first_of_four(config: NodeConfig) -> Served:
    observer = samples.member(5, role=MemberRole.OBSERVER, organisation="steel")
    return Served(
        config, samples.genesis(members=(*(samples.member(n) for n in range(1, 5)), observer))
    )


def why_no_block(served: Served) -> str | None:
    return served.service._why_no_block()


@pytest.mark.asyncio
async def test_the_status_of_a_lone_validator_after_a_block(lone: Served) -> None:
    stored = lone.commit(1)

    status = lone.service.status()

    header = stored.block.header
    assert (status.name, status.organisation, status.version) == ("node-1", "steel", "0.1.0")
    assert (status.height, status.head_hash, status.state_root) == (
        1,
        header.hash,
        header.state_root,
    )
    assert (status.view, status.primary, status.is_validator) == (0, "node-1", True)
    assert (status.mempool_transactions, status.mempool_bytes) == (0, 0)
    assert (status.is_syncing, status.observing_reason, status.peers) == (False, None, ())
    assert status.why_no_block is None
    assert status.readiness == Readiness(is_ready=True, reason="")
    (validator,) = status.validators
    assert (validator.name, validator.last_vote_height, validator.is_missing) == (
        "node-1",
        1,
        False,
    )


@pytest.mark.asyncio
async def test_before_the_first_block_nobody_is_missing(first_of_four: Served) -> None:
    status = first_of_four.service.status()

    assert [each.last_vote_height for each in status.validators] == [None] * 4
    assert not any(each.is_missing for each in status.validators)


def test_a_validator_that_is_in_no_certificate_and_was_not_heard_is_missing(lone: Served) -> None:
    stored = lone.commit(1)
    lone.service._note_votes(replace(stored.block.certificate, signatures=()))
    assert [each.is_missing for each in lone.service._validators()] == [False]

    lone.node.kernel.replica._state.last_vote_heights.clear()

    assert [each.is_missing for each in lone.service._validators()] == [True]


def test_nobody_is_missing_to_an_observer_for_it_hears_no_votes(lone: Served) -> None:
    stored = lone.commit(1)
    lone.node.signer = None
    lone.node.kernel = lone.node.build()
    observing = lone.restart()
    observing._note_votes(replace(stored.block.certificate, signatures=()))

    assert [each.is_missing for each in observing._validators()] == [False]


def test_votes_are_known_after_a_restart(lone: Served) -> None:
    lone.commit(1)
    lone.commit(2)

    (validator,) = lone.restart()._validators()

    assert (validator.last_vote_height, validator.is_missing) == (2, False)


def test_peers_are_all_others_and_connected_while_their_link_is_up(first_of_four: Served) -> None:
    service = first_of_four.service
    service.link_changed(KEYS[1], is_up=True)
    service.link_changed(KEYS[4], is_up=True)
    service.link_changed(KEYS[4], is_up=False)

    assert [(each.name, each.is_connected) for each in service._peers()] == [
        ("node-2", True),
        ("node-3", False),
        ("node-4", False),
        ("node-5", False),
    ]


def test_the_missing_validators_are_named_while_a_quorum_is_not_reached(
    first_of_four: Served,
) -> None:
    first_of_four.service.link_changed(KEYS[2], is_up=True)

    assert why_no_block(first_of_four) == (
        "3 of 4 validators are needed and this node reaches 2, itself included; missing: "
        "node-2, node-4"
    )


def test_nothing_is_amiss_with_a_quorum_in_view_0(first_of_four: Served) -> None:
    for key in KEYS[1:3]:
        first_of_four.service.link_changed(key, is_up=True)

    assert why_no_block(first_of_four) is None


def test_a_change_of_the_primary_is_told(first_of_four: Served) -> None:
    for key in KEYS[1:4]:
        first_of_four.service.link_changed(key, is_up=True)
    node = first_of_four.node
    node.submit(note(node.genesis, 1))
    node.step(TimerFired(timer=Timer(kind=TimerKind.VIEW, height=1, view=0)))

    assert why_no_block(first_of_four) == "changing the primary: view 1, now node-3"


def test_an_observer_needs_one_validator(config: NodeConfig, first_of_four: Served) -> None:
    served = Served(config, first_of_four.node.genesis, member_index=4)
    assert why_no_block(served) == "no link to any validator"

    served.service.link_changed(KEYS[3], is_up=True)

    assert why_no_block(served) is None


@pytest.mark.asyncio
async def test_a_halted_node_is_not_ready_and_says_why(lone: Served) -> None:
    lone.node.kernel.halt_reason = "roots differ"

    assert lone.service.readiness() == Readiness(is_ready=False, reason="halted: roots differ")
    assert why_no_block(lone) == "this node halted: roots differ"


@pytest.mark.asyncio
async def test_a_node_is_ready_at_the_limit_of_its_disk_and_not_below(
    lone: Served, free_space: list[int], config: NodeConfig
) -> None:
    assert lone.service.readiness().is_ready

    free_space[0] = 999

    # It was asked a moment ago and is not asked again at each submission.
    assert lone.service.readiness().is_ready
    lone.service._disk_checked_at -= DISK_CHECK_INTERVAL_S
    assert lone.service.readiness() == Readiness(
        is_ready=False,
        reason=f"disk: expected 1000 free bytes under {config.home}, got 999; free some space",
    )


@pytest.mark.asyncio
async def test_waiting_for_a_transaction_ends_with_its_block(lone: Served) -> None:
    sent = note(lone.node.genesis, 1)
    waiting = [
        asyncio.create_task(lone.service.wait_committed([sent.id], timeout_s=60)) for _ in range(2)
    ]
    await asyncio.sleep(0)

    lone.commit(1)

    for committed in await asyncio.gather(*waiting):
        assert list(committed) == [sent.id]
        assert committed[sent.id].location == Location(height=1, position=0)
        assert committed[sent.id].encoded_receipt == lone.node.store.encoded_receipts(1)[0]
        assert committed[sent.id].time_ms == lone.node.kernel.workshop.parent.time_ms
    assert lone.service._waiting == {}


@pytest.mark.asyncio
async def test_waiting_for_many_ends_with_the_last_of_them(lone: Served) -> None:
    ids = [note(lone.node.genesis, number).id for number in (1, 2)]
    waiting = asyncio.create_task(lone.service.wait_committed(ids, timeout_s=60))
    await asyncio.sleep(0)

    lone.commit(1)
    await asyncio.sleep(0)

    assert not waiting.done()
    lone.commit(2)
    assert [each.location.height for each in (await waiting).values()] == [1, 2]


@pytest.mark.asyncio
async def test_what_is_committed_already_is_not_waited_for(lone: Served) -> None:
    lone.commit(1)

    sent = note(lone.node.genesis, 1)
    assert await lone.service.wait_committed([sent.id], timeout_s=60) == {}


@pytest.mark.asyncio
async def test_waiting_ends_at_the_time_limit_and_leaves_nothing_behind(lone: Served) -> None:
    assert await lone.service.wait_committed([b"i" * 32], timeout_s=0) == {}
    assert lone.service._waiting == {}


@pytest.mark.asyncio
async def test_waiting_that_is_given_up_leaves_the_other_waiters(lone: Served) -> None:
    sent = note(lone.node.genesis, 1)
    first = asyncio.create_task(lone.service.wait_committed([sent.id], timeout_s=60))
    second = asyncio.create_task(lone.service.wait_committed([sent.id], timeout_s=60))
    await asyncio.sleep(0)

    first.cancel()
    await asyncio.wait([first])
    lone.commit(1)

    assert await second


@pytest.mark.asyncio
async def test_the_next_block_is_the_head_above_a_height(lone: Served) -> None:
    waiting = asyncio.create_task(lone.service.next_block(0, timeout_s=60))
    await asyncio.sleep(0)
    lone.commit(1)
    assert await waiting == 1
    lone.commit(2)

    assert await lone.service.next_block(0, timeout_s=60) == 2
    assert await lone.service.next_block(2, timeout_s=0) is None


@pytest.mark.asyncio
async def test_a_restarted_service_begins_at_the_head(lone: Served) -> None:
    lone.commit(1)

    service = lone.restart()

    assert await service.next_block(0, timeout_s=0) == 1
    assert await service.next_block(1, timeout_s=0) is None


def test_what_waits_is_pending(first_of_four: Served) -> None:
    sent = note(first_of_four.node.genesis, 1)
    first_of_four.node.submit(sent)

    assert first_of_four.service.pending(sent.id)
    assert not first_of_four.service.pending(b"i" * 32)


def test_chain_genesis_and_store_are_those_of_the_node(lone: Served) -> None:
    assert lone.service.chain_id == lone.node.genesis.chain_id
    assert lone.service.genesis is lone.node.genesis
    assert lone.service.store is lone.node.store
