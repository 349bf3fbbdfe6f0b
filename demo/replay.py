"""The replay: readings of each meter in order, meters side by side, over all nodes.

A meter's readings must arrive in order, or the contract rightly sees gaps that close later. So each
meter sends one request at a time, with several transactions of up to 500 readings in it, and the
next when all of them are in blocks; many meters do so at once.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from chain.types import Hash
from client.asynchronous import Call, TanlianClient
from client.outcome import Outcome, OutcomeState
from contracts.meter import Unit
from contracts.reading import RawReading, SubmitReadings

READINGS_PER_TRANSACTION: Final = 500
TRANSACTIONS_PER_REQUEST: Final = 4
METERS_AT_ONCE: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """What one meter has to send."""

    source: str
    """Whose progress it is shown under."""
    meter_id: str
    unit: Unit
    batches: tuple[tuple[RawReading, ...], ...]
    """Readings of one transaction each, in order."""
    client: TanlianClient
    """Of the account that signs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SentBatch:
    """One transaction of readings and what became of it."""

    meter_id: str
    readings: tuple[RawReading, ...]
    transaction_id: Hash


@dataclass(slots=True)
class Tally:
    """What was sent and what became of it."""

    on_progress: Callable[[str, int], None]
    """Told source and readings after each transaction that is final."""
    submitted: int = 0
    committed: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    """Readings that were not committed, by code."""
    batches: list[SentBatch] = field(default_factory=list)
    """Committed ones, those of one meter in order."""

    @property
    def refused(self) -> int:
        """Returns the readings that were not committed."""
        return sum(self.reasons.values())

    def count(self, stream: Stream, readings: tuple[RawReading, ...], outcome: Outcome) -> None:
        """Takes note of one transaction that is final."""
        self.submitted += len(readings)
        if outcome.state is OutcomeState.COMMITTED:
            self.committed += len(readings)
            self.batches.append(
                SentBatch(
                    meter_id=stream.meter_id,
                    readings=readings,
                    transaction_id=outcome.transaction_id,
                )
            )
        else:
            reason = outcome.code or outcome.state.name
            self.reasons[reason] = self.reasons.get(reason, 0) + len(readings)
        self.on_progress(stream.source, len(readings))


async def replay(streams: Sequence[Stream], tally: Tally) -> None:
    """Sends all streams; those that stand first begin first."""
    at_once = asyncio.Semaphore(METERS_AT_ONCE)

    async def send(stream: Stream) -> None:
        async with at_once:
            await _send_stream(stream, tally)

    async with asyncio.TaskGroup() as tasks:
        for stream in streams:
            tasks.create_task(send(stream))


async def _send_stream(stream: Stream, tally: Tally) -> None:
    for start in range(0, len(stream.batches), TRANSACTIONS_PER_REQUEST):
        group = stream.batches[start : start + TRANSACTIONS_PER_REQUEST]
        calls = [
            Call(
                method="readings.submit",
                arguments=SubmitReadings(
                    meter_id=stream.meter_id, unit=stream.unit, readings=readings
                ),
            )
            for readings in group
        ]
        outcomes = await stream.client.submit_many(calls, until_final=True)
        for readings, outcome in zip(group, outcomes, strict=True):
            tally.count(stream, readings, outcome)


def batches_of(readings: tuple[RawReading, ...]) -> tuple[tuple[RawReading, ...], ...]:
    """Returns readings in order, in groups that fit a transaction."""
    return tuple(
        readings[start : start + READINGS_PER_TRANSACTION]
        for start in range(0, len(readings), READINGS_PER_TRANSACTION)
    )
