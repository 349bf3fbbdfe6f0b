"""How well the checks find what people have labelled: readings replayed, flags compared.

A reading is flagged when a check failed it as it came. A run that a check confirms later also marks
its own beginning, in the masks of the pages; nothing else is marked afterwards. So what counts is
what the state says of each interval, and for the delay when the first flag of an event was raised.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from statistics import median
from types import MappingProxyType
from typing import Final

from benchmarks.detection_chain import DetectionChain, electricity_meter
from benchmarks.labelled_file import LabelledMeter, LabelledReading
from chain.types import Milliseconds
from contracts.calendars import DAY_MS
from contracts.check import Check, bit
from contracts.meters import RegisterMeter
from contracts.reading import AFTER_CLOSE, NO_FACTOR, Channel, Quality, RawReading

WARMUP_WEEKS: Final = 4
REFIT_DAYS: Final = 7
"""An operator renews the baseline each week ..."""
WINDOW_DAYS: Final = 42
"""... on the readings of this long before."""
BATCH_READINGS: Final = 500
NO_FLAG: Final = NO_FACTOR | AFTER_CLOSE | bit(Check.MISSING) | bit(Check.SIGNATURE_SEQUENCE)
"""What says nothing of the reading itself: check 4 speaks of readings that are not there."""
WEEK_MS: Final = 7 * DAY_MS


@dataclass(frozen=True, slots=True)
class Judged:
    """One reading after the warm-up."""

    start_ms: Milliseconds
    is_labelled: bool
    raised: int
    """Mask of what it failed as it came."""
    failed: int
    """Mask that its interval has in the end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Counts of one meter or of several."""

    hits: int = 0
    """Flagged and labelled readings."""
    flagged: int = 0
    labelled: int = 0
    events: int = 0
    events_found: int = 0
    false_episodes: int = 0
    span_ms: int = 0
    """Time that the readings cover."""
    delays: tuple[int, ...] = ()
    """Of the events found, in intervals."""

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(
            hits=self.hits + other.hits,
            flagged=self.flagged + other.flagged,
            labelled=self.labelled + other.labelled,
            events=self.events + other.events,
            events_found=self.events_found + other.events_found,
            false_episodes=self.false_episodes + other.false_episodes,
            span_ms=self.span_ms + other.span_ms,
            delays=self.delays + other.delays,
        )

    @property
    def figures(self) -> dict[str, object]:
        """Returns what is published; None where there is nothing to divide by."""
        precision = _ratio(self.hits, self.flagged)
        recall = _ratio(self.hits, self.labelled)
        return {
            "precision": precision,
            "recall": recall,
            "f1": _ratio(2 * self.hits, self.flagged + self.labelled),
            "events": self.events,
            "events_found": self.events_found,
            "false_episodes_per_meter_week": _ratio(self.false_episodes * WEEK_MS, self.span_ms),
            "median_delay_intervals": median(self.delays) if self.delays else None,
        }


def _ratio(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


Channels = Mapping[Milliseconds, tuple[tuple[Channel, int], ...]]


def judge(
    meter: LabelledMeter,
    *,
    warmup_ms: int,
    registered: RegisterMeter | None = None,
    scored_after_ms: int | None = None,
    channels: Channels = MappingProxyType({}),
    ignored: int = NO_FLAG,
) -> list[Judged]:
    """Replays a meter's readings; returns those that are scored with what the chain says of them.

    Args:
        meter: its readings.
        warmup_ms: from the first day to the first baseline.
        registered: as the chain knows it; an electricity meter of amounts unless given.
        scored_after_ms: from the first day to the first reading that is scored; the warm-up
            unless given.
        channels: of intervals whose source reports more than the value.
        ignored: mask of what is no flag of the reading itself.
    """
    present = [reading for reading in meter.readings if reading.value is not None]
    if not present:
        return []
    first_ms = present[0].start_ms - present[0].start_ms % DAY_MS
    known = registered or electricity_meter(decimals=meter.decimals, interval_ms=meter.interval_ms)
    chain = DetectionChain(known, max(first_ms - DAY_MS, 0))
    raised: dict[Milliseconds, int] = {}
    for renew_ms, batch in _batches(present, first_ms + warmup_ms):
        if renew_ms is not None:
            chain.renew_baseline(max(first_ms, renew_ms - WINDOW_DAYS * DAY_MS), renew_ms)
        masks = chain.submit([_raw(each, channels) for each in batch])
        raised |= {each.start_ms: mask for each, mask in zip(batch, masks, strict=True)}
    final = chain.masks()
    scored_ms = first_ms + (warmup_ms if scored_after_ms is None else scored_after_ms)
    return [
        Judged(
            start_ms=each.start_ms,
            is_labelled=each.is_labelled,
            raised=raised[each.start_ms] & ~ignored,
            failed=final[each.start_ms] & ~ignored,
        )
        for each in present
        if each.start_ms >= scored_ms
    ]


def tally_of(judged: Sequence[Judged], interval_ms: int) -> Tally:
    """Counts what was found of what is labelled; readings ascending."""
    if not judged:
        return Tally()
    events = list(_runs(judged, lambda each: each.is_labelled))
    found = [run for run in events if any(each.failed for each in run)]
    false_runs = _runs(judged, lambda each: bool(each.failed) and not each.is_labelled)
    return Tally(
        hits=sum(1 for each in judged if each.failed and each.is_labelled),
        flagged=sum(1 for each in judged if each.failed),
        labelled=sum(1 for each in judged if each.is_labelled),
        events=len(events),
        events_found=len(found),
        false_episodes=sum(1 for _ in false_runs),
        span_ms=judged[-1].start_ms + interval_ms - judged[0].start_ms,
        delays=tuple(_delay(judged, run[0].start_ms) // interval_ms for run in found),
    )


def _delay(judged: Sequence[Judged], event_ms: Milliseconds) -> int:
    """Returns how long after an event began the flag was raised that is first from then on."""
    return next(
        (each.start_ms - event_ms for each in judged if each.start_ms >= event_ms and each.raised),
        judged[-1].start_ms - event_ms,
    )


def _runs(judged: Sequence[Judged], belongs: Callable[[Judged], bool]) -> Iterator[list[Judged]]:
    for is_in, run in groupby(judged, belongs):
        if is_in:
            yield list(run)


def _batches(
    readings: Sequence[LabelledReading], renew_ms: Milliseconds
) -> Iterator[tuple[Milliseconds | None, list[LabelledReading]]]:
    """Yields readings in the order of time, with the moment of a renewal that comes before them."""
    batch: list[LabelledReading] = []
    renewal: Milliseconds | None = None
    for reading in readings:
        is_due = reading.start_ms >= renew_ms
        if batch and (is_due or len(batch) == BATCH_READINGS):
            yield renewal, batch
            batch, renewal = [], None
        if is_due:
            renewal = renew_ms
            while renew_ms <= reading.start_ms:
                renewal, renew_ms = renew_ms, renew_ms + REFIT_DAYS * DAY_MS
        batch.append(reading)
    if batch:
        yield renewal, batch


def _raw(reading: LabelledReading, channels: Channels) -> RawReading:
    return RawReading(
        stamp_ms=reading.start_ms,
        register=None,
        amount=reading.value,
        quality=Quality.MEASURED,
        sequence=None,
        previous_leaf=None,
        channels=channels.get(reading.start_ms, ()),
    )
