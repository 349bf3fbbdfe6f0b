"""What ``tanlian bench detection`` scores without a file: the labelled data of the repository.

Each source is replayed as the meter that it is: the steel plant with the CO2 that it reports, the
Forrestal sub-meters as counters with their channels, the machine as a temperature. Clean weeks of
the LBNL office carry the faults of :mod:`benchmarks.faults`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from benchmarks.detection import (
    NO_FLAG,
    WARMUP_WEEKS,
    WEEK_MS,
    Tally,
    judge,
    tally_of,
)
from benchmarks.detection_chain import electricity_meter
from benchmarks.faults import FAULTS, MISSING, with_faults
from benchmarks.labelled_file import LabelledMeter, LabelledReading, read_labelled
from client.importers.lbnl import AMOUNT_DECIMALS, read_lbnl
from client.importers.source_file import rows_of
from client.importers.steel import read_steel
from contracts.calendars import DAY_MS, HOUR_MS
from contracts.check import Check, bit
from contracts.meter import Quantity, Unit
from demo.cast import STEEL_CO2_CHECK

DATA: Final = Path(__file__).parent.parent / "examples" / "data"
_QUARTER_MS: Final = HOUR_MS // 4
_SEOUL_MS: Final = 9 * HOUR_MS
_CALIFORNIA_MS: Final = -7 * HOUR_MS
"""Summer time, in which all of the office's readings lie."""
_EVERYTHING: Final = (1 << 32) - 1


@dataclass(frozen=True, slots=True)
class Scored:
    """One meter with what was found on it."""

    name: str
    tally: Tally
    note: str = ""
    """What became of its rows, for people."""


def score_file(path: Path, warmup_weeks: int) -> Iterator[Scored]:
    """Yields the meters of a file of labelled readings.

    Raises:
        SourceError: names the line, what was expected and what came.
    """
    for meter in read_labelled(path):
        judged = judge(meter, warmup_ms=warmup_weeks * WEEK_MS)
        yield Scored(meter.name, tally_of(judged, meter.interval_ms), _note_of(meter, len(judged)))


def score_examples(warmup_weeks: int = WARMUP_WEEKS) -> Iterator[Scored]:
    """Yields the data sets of the repository and the faults injected into one of them.

    Raises:
        SourceError: the data is not what the repository holds.
    """
    yield _steel(warmup_weeks)
    yield _machine(warmup_weeks)
    clean = office()
    yield Scored(clean.name, _tally(clean, warmup_weeks))
    for kind in FAULTS:
        faulty = with_faults(clean, kind, first_day=7 * warmup_weeks)
        ignored = _EVERYTHING ^ bit(Check.MISSING) if kind == MISSING else NO_FLAG
        yield Scored(faulty.name, _tally(faulty, warmup_weeks, ignored))


def _note_of(meter: LabelledMeter, scored: int) -> str:
    note = f"{scored} readings scored, intervals of {meter.interval_ms // 1_000} s"
    if meter.repeated:
        note += f"; {meter.repeated} rows left out that repeat a stamp"
    if meter.off_grid:
        note += f"; {meter.off_grid} rows left out that lie between intervals"
    return note


def _tally(meter: LabelledMeter, warmup_weeks: int, ignored: int = NO_FLAG) -> Tally:
    judged = judge(meter, warmup_ms=warmup_weeks * WEEK_MS, ignored=ignored)
    return tally_of(judged, meter.interval_ms)


def _steel(warmup_weeks: int) -> Scored:
    """Scores the whole year: the labels lie in its first days, and check 18 needs no warm-up."""
    rows = rows_of(DATA / "steel" / "labels.csv.gz", ("row_index0",), has_header=True)
    labelled = {int(row["row_index0"]) for row in rows}
    raw = read_steel(DATA / "steel" / "readings.csv.gz")
    starts = [each.stamp_ms - _QUARTER_MS + _SEOUL_MS for each in raw]
    meter = LabelledMeter(
        name="steel",
        decimals=3,
        interval_ms=_QUARTER_MS,
        readings=tuple(
            LabelledReading(start_ms, each.amount, index in labelled)
            for index, (start_ms, each) in enumerate(zip(starts, raw, strict=True))
        ),
    )
    registered = electricity_meter(decimals=3, interval_ms=_QUARTER_MS)
    judged = judge(
        meter,
        warmup_ms=warmup_weeks * WEEK_MS,
        registered=replace(registered, co2_check=STEEL_CO2_CHECK),
        scored_after_ms=0,
        channels={start: each.channels for start, each in zip(starts, raw, strict=True)},
    )
    return Scored(meter.name, tally_of(judged, _QUARTER_MS))


def _machine(warmup_weeks: int) -> Scored:
    (meter,) = read_labelled(DATA / "nab" / "machine_temperature.csv.gz")
    registered = replace(
        electricity_meter(decimals=meter.decimals - 1, interval_ms=meter.interval_ms),
        quantity=Quantity.TEMPERATURE,
        unit=Unit.DECI_CELSIUS,
    )
    judged = judge(meter, warmup_ms=warmup_weeks * WEEK_MS, registered=registered)
    return Scored(meter.name, tally_of(judged, meter.interval_ms))


def office() -> LabelledMeter:
    """Returns the office on a whole grid: faults of an hour of the day are put in by place."""
    amounts = {
        each.stamp_ms + _CALIFORNIA_MS: each.amount
        for each in read_lbnl(DATA / "lbnl" / "kw.csv.gz")
    }
    first_ms = min(amounts) - min(amounts) % DAY_MS
    return LabelledMeter(
        name="office",
        decimals=AMOUNT_DECIMALS + 3,
        interval_ms=_QUARTER_MS,
        readings=tuple(
            LabelledReading(start_ms, amounts.get(start_ms), is_labelled=False)
            for start_ms in range(first_ms, max(amounts) + _QUARTER_MS, _QUARTER_MS)
        ),
    )
