"""The monthly deposit (月度存证) of China's rules: records, and the clock of its three deadlines.

The enterprise submits within 20 natural days of the month's end, the district checks within 25, the
city completes within 40 (carbon.md 3.4 [C]). The days are those of the site's calendar, the clock
is block time: a step is in time in a block before the local day after the last one begins.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated, Final

from chain.codec import Record
from chain.types import (
    I64,
    U32,
    Hash,
    Identifier,
    Length,
    Milliseconds,
    Name,
    PublicKey,
    Range,
    Text,
)
from contracts.calendars import Calendar
from contracts.month import Month, day_start_ms, first_day_of

FIGURES_MAX: Final = 64
"""Figures of one submission."""


class DepositStage(IntEnum):
    """Steps of a deposit, in order; a number is never reused."""

    SUBMIT = 1
    CHECK = 2
    COMPLETE = 3


DAYS: Final[dict[DepositStage, int]] = {
    DepositStage.SUBMIT: 20,
    DepositStage.CHECK: 25,
    DepositStage.COMPLETE: 40,
}
"""Natural days after the month's end in which each step is due. All of one month end before the
first of the next: 40 < 28 + 20."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure(Record):
    """One parameter of the month that no total of this chain holds, such as output or NCV."""

    parameter: Identifier
    """Of the site's monitoring plan."""
    unit: Name
    """For people; the plan's."""
    value: I64
    scale: Annotated[int, Range(-9, 9)]
    """The figure is value * 10**scale: 26.7 GJ/t is 267 with -1."""
    evidence: Hash
    """SHA-256 of the file that shows it, such as a laboratory's sheet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission(Record):
    """What an enterprise submitted; a later one stands beside it."""

    site: Identifier
    month: Month
    number: U32
    """From 1."""
    report: U32
    """Number of the anchored monthly report, whose totals it deposits."""
    document: Hash
    """Of that report."""
    figures: Annotated[tuple[Figure, ...], Length(0, FIGURES_MAX)]
    note: Text
    submitted_by: PublicKey
    submitted_ms: Milliseconds
    """Block time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DepositStep(Record):
    """One signed step."""

    account: PublicKey
    time_ms: Milliseconds
    """Block time."""
    is_late: bool
    note: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Deposit(Record):
    """How far the deposit of a site's month is."""

    site: Identifier
    organisation: Identifier
    month: Month
    submission: U32
    """Number of the newest submission; 0 before the first."""
    submitted: DepositStep | None
    """The first submission: a later one does not make it late."""
    checked: DepositStep | None
    completed: DepositStep | None
    missed: Annotated[tuple[DepositStage, ...], Length(0, len(DepositStage))]
    """Steps that were not there when their time was over, in order."""

    @property
    def is_overdue(self) -> bool:
        """Returns whether a step that was missed has still not been taken."""
        return any(step_at(self, stage) is None for stage in self.missed)


@dataclass(frozen=True, slots=True, kw_only=True)
class DepositClock(Record):
    """What the clock of an enrolled site looks at next."""

    site: Identifier
    organisation: Identifier
    from_month: Month
    """First month that is deposited."""
    month: Month
    stage: DepositStage


def deposit_prefix(site_id: str) -> bytes:
    """Returns the prefix of the state keys of a site's deposits."""
    return f"deposit/{site_id}/".encode()


def deposit_key(site_id: str, month: int) -> bytes:
    """Returns the state key of a deposit; those of a site sort by month."""
    return deposit_prefix(site_id) + b"%06d" % month


def submission_prefix(site_id: str) -> bytes:
    """Returns the prefix of the state keys of a site's submissions."""
    return f"deposit-submission/{site_id}/".encode()


def submission_key(site_id: str, month: int, number: int) -> bytes:
    """Returns the state key of a submission."""
    return submission_prefix(site_id) + b"%06d/%06d" % (month, number)


def clock_key(site_id: str) -> bytes:
    """Returns the state key of a site's clock."""
    return b"deposit-clock/" + site_id.encode()


def deadline_ms(calendar: Calendar, month: int, stage: DepositStage) -> Milliseconds:
    """Returns the moment from which a step of a month is late, milliseconds UTC."""
    return day_start_ms(calendar, first_day_of(month + 1) + DAYS[stage])


def step_at(deposit: Deposit, stage: DepositStage) -> DepositStep | None:
    """Returns a step of a deposit, or None where it was not taken."""
    match stage:
        case DepositStage.SUBMIT:
            return deposit.submitted
        case DepositStage.CHECK:
            return deposit.checked
        case DepositStage.COMPLETE:
            return deposit.completed


def next_stage(month: int, stage: DepositStage) -> tuple[int, DepositStage]:
    """Returns month and step whose deadline follows another one."""
    if stage is DepositStage.COMPLETE:
        return month + 1, DepositStage.SUBMIT
    return month, DepositStage(stage + 1)
