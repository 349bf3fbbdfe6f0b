"""What people ask of the cases: how many wait, for how long, and how long people took."""

from dataclasses import dataclass
from itertools import islice
from typing import Final

from chain.state import StateReader
from chain.types import Milliseconds
from contracts.alert import LIVE_STATES, AlertReference, Cause, state_prefix
from contracts.case_figures import (
    COUNTS_PREFIX,
    TIMES_PREFIX,
    CaseCounts,
    CaseTimes,
    counts_prefix,
    times_prefix,
)

HOUR_MS: Final = 3_600_000
AGE_BOUNDS_HOURS: Final = (8, 24, 72, 168, 720)
"""Exclusive upper ends of the buckets of age; the last bucket has none."""
AGE_BUCKETS: Final = len(AGE_BOUNDS_HOURS) + 1
OPEN_SCANNED_MAX: Final = 20_000
"""Cases that are not closed of which the age is found; about 0.3 s."""
RECORDS_SCANNED_MAX: Final = 5_000
"""Counts, and as many times, that one answer holds at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAges:
    """Cases of one site and cause that are not CLOSED, by age."""

    site: str
    cause: Cause | None
    """None for those that were not explained yet."""
    by_age: tuple[int, ...]
    """By :data:`AGE_BOUNDS_HOURS`, the youngest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFigures:
    """Figures of one site, or of all."""

    counts: tuple[CaseCounts, ...]
    """By site and cause."""
    times: tuple[CaseTimes, ...]
    """By site, month and cause; those of all causes first."""
    ages: tuple[OpenAges, ...]
    """By site and cause."""
    is_complete: bool
    """Whether nothing was left out because there is too much of it."""


def find_figures(reader: StateReader, at_ms: Milliseconds, site: str | None = None) -> CaseFigures:
    """Returns the figures of a site, or of all.

    Args:
        reader: the committed state.
        at_ms: moment up to which the age of a case counts.
        site: the site; None for all.
    """
    prefix = COUNTS_PREFIX if site is None else counts_prefix(site)
    counts = _some(reader, prefix)
    prefix = TIMES_PREFIX if site is None else times_prefix(site)
    times = _some(reader, prefix)
    ages, are_all = _ages_of(reader, at_ms, site)
    is_cut = max(len(counts), len(times)) > RECORDS_SCANNED_MAX
    return CaseFigures(
        counts=tuple(CaseCounts.decode(each) for each in counts[:RECORDS_SCANNED_MAX]),
        times=tuple(CaseTimes.decode(each) for each in times[:RECORDS_SCANNED_MAX]),
        ages=ages,
        is_complete=are_all and not is_cut,
    )


def age_bucket(age_ms: int) -> int:
    """Returns the place of an age among the buckets."""
    return sum(age_ms >= hours * HOUR_MS for hours in AGE_BOUNDS_HOURS)


def _some(reader: StateReader, prefix: bytes) -> list[bytes]:
    """Returns the records under a prefix, one more than an answer holds at most."""
    return [stored for _, stored in islice(reader.iterate(prefix), RECORDS_SCANNED_MAX + 1)]


def _ages_of(
    reader: StateReader, at_ms: Milliseconds, site: str | None
) -> tuple[tuple[OpenAges, ...], bool]:
    found: dict[tuple[str, int], list[int]] = {}
    left = OPEN_SCANNED_MAX
    for state in LIVE_STATES:
        for _, stored in reader.iterate(state_prefix(state)):
            if not left:
                break
            left -= 1
            reference = AlertReference.decode(stored)
            if site in {None, reference.site}:
                row = found.setdefault((reference.site, reference.cause or 0), [0] * AGE_BUCKETS)
                row[age_bucket(at_ms - reference.opened_ms)] += 1
    ages = tuple(
        OpenAges(site=of_site, cause=Cause(cause) if cause else None, by_age=tuple(row))
        for (of_site, cause), row in sorted(found.items())
    )
    return ages, left > 0
