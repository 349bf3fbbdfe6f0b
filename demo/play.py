"""The play: who does what, side by side, from an empty chain to the summary."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Final

from client.asynchronous import TanlianClient
from client.results import submit_result_of
from contracts.meter import Unit
from contracts.reading import RawReading
from demo import cast
from demo.care import take_care
from demo.findings import (
    Answer,
    answers_of,
    duplicates,
    fallback_intervals,
    live_missing,
    negative_deltas,
    steel_faults,
)
from demo.fitting import FittedBaseline, fit_baseline
from demo.live import send_live, wait_missed
from demo.marked_copy import DAY_MS, TRAINING_FROM_MS, TRAINING_TO_MS
from demo.receipts import committed_transaction
from demo.replay import SentBatch, Stream, Tally, batches_of, replay
from demo.report import Document, Report
from demo.screen import Screen
from demo.setting import register_meters, set_stage
from demo.sources import Sources, load_sources
from demo.stage import Stage
from node.provisioning import NodeAddress

STEEL: Final = "Steel plant, a year"
FORRESTAL: Final = "Forrestal, 25 meters"
OFFICE: Final = "Office building"
MARKED: Final = "Marked copy"
LIVE_AFTER_PERCENT: Final = 50
"""Of the replay, when the live meter begins, so that it can fall silent at the end of it."""
STEEL_WINDOW_FROM_MS: Final = 1_514_732_400_000
"""2018-01-01 00:00 in Korea."""
STEEL_WINDOW_TO_MS: Final = STEEL_WINDOW_FROM_MS + 365 * DAY_MS
AGREE_WITHIN_S: Final = 30.0
READS_AT_ONCE: Final = 4
_NIGHT_MS: Final = range(1_414_900_800_000, 1_414_990_800_000)
"""2014-11-02 in Washington: 25 hours from 04:00 UTC."""


@dataclass(slots=True)
class Play:
    """One run over a network whose nodes are ready."""

    stage: Stage
    screen: Screen
    started_s: float
    """Monotonic clock at the start of the command."""
    sources: Sources
    tally: Tally = field(init=False)
    baselines: list[FittedBaseline] = field(default_factory=list)
    setup_s: float = 0.0
    first_reading_s: float = 0.0
    replay_s: float = 0.0
    _half_done: asyncio.Event = field(default_factory=asyncio.Event)
    _replayed: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        """Counts what is sent from now on."""
        self.tally = Tally(on_progress=self.on_progress)

    def on_progress(self, source: str, count: int) -> None:
        """Takes note of readings that are final."""
        if not self.first_reading_s:
            self.first_reading_s = time.monotonic() - self.started_s
            self.screen.say(f"First reading committed after {self.first_reading_s:.1f} s.")
        self.screen.advance(source, count)
        if self.tally.submitted * 100 >= self.sources.count * LIVE_AFTER_PERCENT:
            self._half_done.set()

    async def run(self) -> Report:
        """Plays everything and returns the outcome."""
        self._announce()
        await set_stage(self.stage)
        await register_meters(self.stage, self.sources)
        self.setup_s = time.monotonic() - self.started_s
        self.screen.say(f"Registered sites, factors and meters after {self.setup_s:.1f} s.")
        async with asyncio.TaskGroup() as tasks:
            live = tasks.create_task(self._live())
            await self._replay()
            self.screen.say(f"Replayed {self.tally.submitted:,} readings; waiting for silence.")
        self.screen.say(f"{cast.LIVE_METER} fell silent and was missed: {live.result()}.")
        return await self._report()

    def _announce(self) -> None:
        self.screen.expect(STEEL, len(self.sources.steel))
        self.screen.expect(FORRESTAL, self.sources.forrestal_count)
        self.screen.expect(OFFICE, len(self.sources.office))
        self.screen.expect(MARKED, len(self.sources.marked))

    async def _replay(self) -> None:
        began_s = time.monotonic()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._steel())
            tasks.create_task(self._office(OFFICE, cast.OFFICE_METER, self.sources.office))
            tasks.create_task(self._marked())
            tasks.create_task(self._forrestal())
        self.replay_s = time.monotonic() - began_s
        self._half_done.set()
        self._replayed.set()

    async def _steel(self) -> None:
        await self._send(STEEL, cast.STEEL_METER, self.sources.steel)
        await self._fit(cast.STEEL_METER, STEEL_WINDOW_FROM_MS, STEEL_WINDOW_TO_MS)

    async def _office(self, source: str, meter_id: str, readings: tuple[RawReading, ...]) -> None:
        training = tuple(reading for reading in readings if reading.stamp_ms < TRAINING_TO_MS)
        await self._send(source, meter_id, training)
        await self._fit(meter_id, TRAINING_FROM_MS, TRAINING_TO_MS)
        await self._send(source, meter_id, readings[len(training) :])

    async def _marked(self) -> None:
        await self._office(MARKED, cast.MARKED_METER, self.sources.marked)
        alerts = await take_care(self.stage, self.sources.office)
        self.screen.say(f"From OPEN to CLOSED: {', '.join(alerts)}.")

    async def _forrestal(self) -> None:
        operator = self.stage.operator("forrestal")
        streams = [
            Stream(
                source=FORRESTAL,
                meter_id=cast.forrestal_meter_id(name),
                unit=Unit.KILOWATT_HOUR,
                # A transaction for each day, so that its receipt is that of the day.
                batches=tuple(day for day in days if day),
                client=operator,
            )
            for name, days in self.sources.forrestal.items()
        ]
        await replay(streams, self.tally)

    async def _send(self, source: str, meter_id: str, readings: tuple[RawReading, ...]) -> None:
        owner = "steelworks" if meter_id == cast.STEEL_METER else "office"
        stream = Stream(
            source=source,
            meter_id=meter_id,
            unit=Unit.WATT_HOUR,
            batches=batches_of(readings),
            client=self.stage.operator(owner),
        )
        await replay([stream], self.tally)

    async def _fit(self, meter_id: str, from_ms: int, to_ms: int) -> None:
        owner = "steelworks" if meter_id == cast.STEEL_METER else "office"
        fitted = await fit_baseline(
            self.stage.operator(owner),
            self.stage.admin(owner),
            meter_id=meter_id,
            from_ms=from_ms,
            to_ms=to_ms,
        )
        self.baselines.append(fitted)
        self.screen.say(fitted.sentence())

    async def _live(self) -> str:
        await self._half_done.wait()
        sent = await send_live(self.stage, self._replayed)
        alert = await wait_missed(self.stage)
        return f"{alert['alert_id']} after {sent} readings"

    async def _report(self) -> Report:
        # First, so that whichever node is asked for the rest has all of it.
        nodes = await self._agreed_nodes()
        alerts = await self._reader().alerts(limit=10_000)
        steel = await self._answers(cast.STEEL_METER)
        forrestal = [
            answer
            for name in self.sources.forrestal
            for answer in await self._answers(cast.forrestal_meter_id(name))
        ]
        night = [answer for answer in forrestal if answer.reading.stamp_ms in _NIGHT_MS]
        known_faults = {
            "steel_zero_co2": steel_faults(steel, self.sources.zero_co2),
            "forrestal_duplicates": duplicates(night, self.sources.repeats),
            "forrestal_fallback_hour": fallback_intervals(night),
            "forrestal_negative_deltas": negative_deltas(night),
            "live_missing": live_missing(alerts, cast.LIVE_METER),
        }
        return Report(
            nodes=nodes,
            submitted=self.tally.submitted,
            committed=self.tally.committed,
            refused=self.tally.refused,
            reasons=self.tally.reasons,
            alerts=alerts,
            accepted=[each.to_json() for each in self.baselines if each.qualifies],
            turned_down=[each.to_json() for each in self.baselines if not each.qualifies],
            known_faults=known_faults,
            setup_s=self.setup_s,
            first_reading_s=self.first_reading_s,
            replay_s=self.replay_s,
        )

    async def _answers(self, meter_id: str) -> list[Answer]:
        """Returns what the chain said of a meter's readings, in the order of sending."""
        batches = [batch for batch in self.tally.batches if batch.meter_id == meter_id]
        answers: list[Answer] = []
        for start in range(0, len(batches), READS_AT_ONCE):
            group = batches[start : start + READS_AT_ONCE]
            for of_batch in await asyncio.gather(*(self._answers_of(each) for each in group)):
                answers += of_batch
        return answers

    async def _answers_of(self, batch: SentBatch) -> list[Answer]:
        document = await committed_transaction(self._reader(), batch.transaction_id)
        return answers_of(batch.meter_id, batch.readings, submit_result_of(document))

    async def _agreed_nodes(self) -> list[Document]:
        """Returns the nodes at a moment when all have the same head; the last look if none is."""
        deadline_s = time.monotonic() + AGREE_WITHIN_S
        while True:
            nodes = await asyncio.gather(*(_node(each) for each in self.stage.network.nodes))
            if len({node["head"] for node in nodes}) == 1 or time.monotonic() > deadline_s:
                return list(nodes)
            await asyncio.sleep(0.2)

    def _reader(self) -> TanlianClient:
        return self.stage.operator("office")


async def play(stage: Stage, screen: Screen, started_s: float) -> Report:
    """Plays the demonstration over a network whose nodes are ready.

    Args:
        stage: accounts and clients of the network.
        screen: shows what happens.
        started_s: monotonic clock at the start of the command.

    Raises:
        DemoFailed: something that it rests on did not happen.
        ClientError: the nodes do not answer.
    """
    sources = await asyncio.to_thread(load_sources)
    running = Play(stage=stage, screen=screen, started_s=started_s, sources=sources)
    async with _followed_alerts(stage, screen):
        return await running.run()


@asynccontextmanager
async def _followed_alerts(stage: Stage, screen: Screen) -> AsyncIterator[None]:
    """Shows alerts as they are raised, as long as the block runs."""

    async def follow() -> None:
        async for event in stage.admin("certifier").events(kind="alert.,case."):
            if isinstance(event.content, dict):
                screen.show_alert(event.content)

    following = asyncio.create_task(follow())
    try:
        yield
    finally:
        following.cancel()
        with suppress(asyncio.CancelledError):
            await following


async def _node(address: NodeAddress) -> Document:
    async with TanlianClient([address.rpc_url]) as client:
        status: Document = await client.status()
    return {
        "name": address.node_id,
        "role": address.role,
        "height": status["height"],
        "head": status["head_hash"],
        "state_root": status["state_root"],
    }
