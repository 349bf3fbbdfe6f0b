"""The shell performs effects in order, and nothing after a write before the write is done."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from chain.evidence import Equivocation
from chain.genesis import Genesis
from chain.mempool import MempoolLimits
from chain.parameters import Parameters
from chain.types import PublicKey
from consensus.events import Now, TimerKind
from consensus.messages import MESSAGES, Bodies
from node.kernel.effects import StoreBlock
from node.kernel.events import Ticked
from node.metrics import NodeMetrics
from node.ports import StoredBlock, Traffic
from node.runtime import SUBMISSIONS_MAX, Runtime
from node.storage import ChainStore, KeyValue
from node.telemetry import Telemetry
from tests import chain_samples as samples
from tests.kernel_samples import GENESIS_TIME_MS, LoneNode, lone_genesis, note

PEER = samples.SIGNERS[1].public_key


@dataclass
class Recorder:
    """Journal, links and clock that write down what happens, in order."""

    happened: list[str] = field(default_factory=list)
    is_disk_broken: bool = False
    wall_ms: int = GENESIS_TIME_MS + 1_000
    on_recycle: Callable[[], None] = lambda: None

    def load_journal(self) -> Sequence[bytes]:
        return ()

    def load_guard(self) -> bytes | None:
        return None

    def persist(self, records: Sequence[bytes], guard: bytes | None) -> None:
        del records, guard
        if self.is_disk_broken:
            raise OSError("No space left on device")
        self.happened.append("persist")

    def recycle(self) -> None:
        self.happened.append("recycle")
        self.on_recycle()

    def keep_evidence(self, evidence: Equivocation) -> None:
        del evidence
        self.happened.append("evidence")

    def send(self, peer: PublicKey, traffic: Traffic, payload: bytes) -> None:
        del peer, traffic
        self.happened.append(f"send {type(MESSAGES.decode(payload)).__name__}")

    def broadcast(self, traffic: Traffic, payload: bytes) -> None:
        del traffic
        self.happened.append(f"broadcast {type(MESSAGES.decode(payload)).__name__}")

    def push(self, traffic: Traffic, payload: bytes) -> None:
        del traffic
        self.happened.append(f"push {type(MESSAGES.decode(payload)).__name__}")

    def report(self, peer: PublicKey, reason: str) -> None:
        del peer
        self.happened.append(f"report {reason}")

    def now(self) -> Now:
        self.wall_ms += 1
        return Now(wall_ms=self.wall_ms, monotonic_ms=self.wall_ms - GENESIS_TIME_MS)


class RecordingStore(ChainStore):
    """A store that writes its commits down."""

    def __init__(self, database: KeyValue, happened: list[str]) -> None:
        super().__init__(database)
        self.happened = happened

    def commit(self, stored: StoredBlock) -> None:
        super().commit(stored)
        self.happened.append(f"commit {stored.block.header.height}")


async def until(condition: Callable[[], bool]) -> None:
    """Lets other tasks run until something has happened."""
    happened = True
    async with asyncio.timeout(5):
        for _ in iter(condition, happened):
            await asyncio.sleep(0)


@dataclass
class Running:
    """A runtime with its recorder and the task that runs it."""

    node: LoneNode
    recorder: Recorder
    runtime: Runtime
    task: asyncio.Task[None]


@asynccontextmanager
async def running(
    prepare: Callable[[Recorder], None] = lambda _: None, *, genesis: Genesis | None = None
) -> AsyncIterator[Running]:
    node = LoneNode(
        genesis=lone_genesis() if genesis is None else genesis,
        limits=MempoolLimits(
            transactions_max=10_000,
            bytes_max=10_000_000,
            per_sender_max=10_000,
            per_sender_own_max=10_000,
        ),
    )
    recorder = Recorder()
    prepare(recorder)
    # The lone node's own shell is not used; the runtime takes its place.
    node.store = RecordingStore(node.store._database, recorder.happened)
    node.kernel = node.build()
    runtime = Runtime(
        kernel=node.kernel,
        store=node.store,
        journal=recorder,
        links=recorder,
        clock=recorder,
        telemetry=Telemetry(
            metrics=NodeMetrics(version="0", node="node-1", role="validator"),
            genesis=node.genesis,
        ),
    )
    task = asyncio.create_task(runtime.run())
    try:
        yield Running(node, recorder, runtime, task)
    finally:
        runtime.stop()
        await asyncio.wait([task], timeout=5)


@pytest.mark.asyncio
async def test_a_submission_is_answered_and_its_block_stored() -> None:
    async with running() as run:
        sent = note(run.node.genesis, 1)

        (admission,) = await run.runtime.submit([sent.wire])

        assert admission.is_accepted
        await until(lambda: run.node.store.head() is not None)
        assert run.node.store.holds(sent.id)


@pytest.mark.asyncio
async def test_the_vote_is_on_disk_before_the_block_and_the_journal_is_recycled_after() -> None:
    async with running() as run:
        await run.runtime.submit([note(run.node.genesis, 1).wire])
        await until(lambda: "recycle" in run.recorder.happened)

        writes = [each for each in run.recorder.happened if not each.startswith("broadcast")]
        assert writes[0] == "persist"
        assert writes.index("persist") < writes.index("commit 1") < writes.index("recycle")


@pytest.mark.asyncio
async def test_listeners_hear_of_a_block_after_it_is_durable() -> None:
    async with running() as run:
        heard: list[tuple[int, int]] = []
        run.runtime.on_stored(
            lambda stored: heard.append((stored.block.header.height, run.node.store.head_height()))
        )

        await run.runtime.submit([note(run.node.genesis, 1).wire])
        await until(lambda: bool(heard))

        assert heard == [(1, 1)]


@pytest.mark.asyncio
async def test_a_failed_write_ends_the_runtime_and_answers_nobody_falsely() -> None:
    def break_disk(recorder: Recorder) -> None:
        recorder.is_disk_broken = True

    async with running(break_disk) as run:
        submission = asyncio.create_task(run.runtime.submit([note(run.node.genesis, 1).wire]))

        with pytest.raises(OSError, match="No space left"):
            await run.task
        await asyncio.wait([submission], timeout=5)

        assert run.node.store.head() is None


@pytest.mark.asyncio
async def test_agreement_goes_before_gossip() -> None:
    async with running() as run:
        gossip = MESSAGES.encode(Bodies(transactions=(b"no transaction",)))
        run.runtime.receive(PEER, Traffic.TRANSACTIONS, gossip)
        run.runtime.receive(PEER, Traffic.VOTES, b"\xc1")
        await until(lambda: sum(each.startswith("report") for each in run.recorder.happened) == 2)

        first, second = (each for each in run.recorder.happened if each.startswith("report"))
        assert "malformed message" in first
        assert "malformed message" not in second


@pytest.mark.asyncio
async def test_submissions_beyond_the_limit_are_refused_at_once() -> None:
    async with running() as run:
        waiting = [
            asyncio.create_task(run.runtime.submit([note(run.node.genesis, number).wire]))
            for number in range(SUBMISSIONS_MAX)
        ]
        await asyncio.sleep(0)

        (busy,) = await run.runtime.submit([note(run.node.genesis, SUBMISSIONS_MAX).wire])
        answers = await asyncio.gather(*waiting)

        assert busy.code == "BUSY"
        assert all(admission.is_accepted for (admission,) in answers)


@pytest.mark.asyncio
async def test_timers_of_one_kind_replace_each_other_and_end_with_the_runtime() -> None:
    async with running() as run:
        await run.runtime.submit([note(run.node.genesis, 1).wire])
        timers = run.runtime._timers

        assert set(timers) <= set(TimerKind)
        assert TimerKind.STATUS in timers
    assert run.task.done()
    assert all(timer.cancelled() for timer in timers.values())


def block_by_block() -> Genesis:
    """A chain of one validator whose blocks hold one transaction each."""
    return samples.genesis(
        members=(samples.member(1),), parameters=Parameters(block_transactions_max=1)
    )


@pytest.mark.asyncio
async def test_a_long_row_of_blocks_without_a_pause_does_not_pile_up_on_the_stack() -> None:
    count = 500
    async with running(genesis=block_by_block()) as run:
        wires = [note(run.node.genesis, number).wire for number in range(count)]
        await run.runtime.submit(wires)

        await until(lambda: run.node.store.head_height() == count or run.task.done())

        assert run.node.store.head_height() == count
        assert not run.task.done()


@pytest.mark.asyncio
async def test_a_stop_waits_for_the_block_under_way_and_not_for_the_row_behind_it() -> None:
    async with running(genesis=block_by_block()) as run:
        run.recorder.on_recycle = run.runtime.stop
        await run.runtime.submit([note(run.node.genesis, number).wire for number in range(9)])

        await run.task

        assert run.node.store.head_height() == 1
        assert run.recorder.happened[-1] == "recycle"


@pytest.mark.asyncio
async def test_who_submits_to_a_runtime_that_has_ended_is_told_and_does_not_wait_for_ever() -> None:
    async with running() as run:
        run.runtime.stop()
        await run.task

        (refused,) = await asyncio.wait_for(
            run.runtime.submit([note(run.node.genesis, 1).wire]), timeout=1
        )

        assert refused.code == "BUSY"
        assert "stops" in refused.detail


@pytest.mark.asyncio
async def test_ticks_do_not_pile_up_while_the_task_is_held_up() -> None:
    async with running() as run:
        await until(lambda: "broadcast Status" in run.recorder.happened)
        # No turn of the loop in between: the task cannot take anything meanwhile.
        for _ in range(50):
            run.runtime._tick()

        assert sum(isinstance(each, Ticked) for each in run.runtime._urgent) == 1


@pytest.mark.asyncio
async def test_the_operator_hears_of_a_transaction_that_hits_a_bug_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    broken = note(lone_genesis(), 1, method="note.break")
    async with running() as run:
        await run.runtime.submit([broken.wire, note(lone_genesis(), 2).wire])
        await until(lambda: run.node.store.head_height() == 1)

    (bug,) = (each for each in caplog.records if each.message == "execution bug")
    assert bug.levelname == "ERROR"
    assert vars(bug)["transaction"] == broken.id.hex()
    assert vars(bug)["reason"] == f"transaction {broken.id.hex()}: KeyError: 'note.break'"


def test_the_effect_that_stores_names_its_block() -> None:
    node = LoneNode()
    node.submit(note(node.genesis, 1))

    (stored,) = (each.stored for each in node.effects if isinstance(each, StoreBlock))

    assert stored.block.header.height == 1
