"""The annual filing of China's rules: a site's yearly report and its check, and their two dates.

The enterprise reports a year by 1 February of the next one, the city checks by 1 March (carbon.md
3.4 [C], from a secondary source). As with the monthly deposit the days are those of the site's
calendar and the clock is block time: a step is in time in a block before the local day after its
date begins.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated, Final

from chain.codec import Record
from chain.types import U32, Hash, Identifier, Length, Milliseconds
from contracts.calendars import Calendar
from contracts.deposit import DepositStep
from contracts.month import Year, day_start_ms, first_day_of, january_of


class AnnualStage(IntEnum):
    """Steps of an annual filing, in order; a number is never reused."""

    SUBMIT = 1
    CHECK = 2


_MONTH_OF: Final[dict[AnnualStage, int]] = {AnnualStage.SUBMIT: 1, AnnualStage.CHECK: 2}
"""Months after January of the next year on whose first day each step is due."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnualFiling(Record):
    """How far the filing of a site's year is."""

    site: Identifier
    organisation: Identifier
    year: Year
    report: U32
    """Number of the newest anchored annual report that was submitted; 0 before the first."""
    document: Hash
    """Of that report; zeros before the first."""
    submitted: DepositStep | None
    """The first submission: a later one does not make it late."""
    checked: DepositStep | None
    missed: Annotated[tuple[AnnualStage, ...], Length(0, len(AnnualStage))]
    """Steps that were not there when their time was over, in order."""

    @property
    def is_overdue(self) -> bool:
        """Returns whether a step that was missed has still not been taken."""
        return any(step_at(self, stage) is None for stage in self.missed)


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnualClock(Record):
    """What the annual clock of an enrolled site looks at next."""

    site: Identifier
    organisation: Identifier
    from_year: Year
    """First year that is filed."""
    year: Year
    stage: AnnualStage


def filing_prefix(site_id: str) -> bytes:
    """Returns the prefix of the state keys of a site's annual filings."""
    return f"annual-filing/{site_id}/".encode()


def filing_key(site_id: str, year: int) -> bytes:
    """Returns the state key of an annual filing; those of a site sort by year."""
    return filing_prefix(site_id) + b"%04d" % year


def annual_clock_key(site_id: str) -> bytes:
    """Returns the state key of a site's annual clock."""
    return b"annual-clock/" + site_id.encode()


def annual_deadline_ms(calendar: Calendar, year: int, stage: AnnualStage) -> Milliseconds:
    """Returns the moment from which a step of a year is late, milliseconds UTC."""
    return day_start_ms(calendar, first_day_of(january_of(year + 1)) + days_of(year, stage))


def days_of(year: int, stage: AnnualStage) -> int:
    """Returns the natural days after a year's end in which a step is due: 32, and 60 or 61."""
    next_january = january_of(year + 1)
    return first_day_of(next_january + _MONTH_OF[stage]) + 1 - first_day_of(next_january)


def step_at(filing: AnnualFiling, stage: AnnualStage) -> DepositStep | None:
    """Returns a step of a filing, or None where it was not taken."""
    return filing.submitted if stage is AnnualStage.SUBMIT else filing.checked


def next_stage(year: int, stage: AnnualStage) -> tuple[int, AnnualStage]:
    """Returns year and step whose deadline follows another one."""
    if stage is AnnualStage.CHECK:
        return year + 1, AnnualStage.SUBMIT
    return year, AnnualStage.CHECK
