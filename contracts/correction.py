"""The correction: what counts for an interval instead of what its meter sent, under two signatures.

The raw reading stays where it is for ever, and so does every correction: one that is approved later
counts from then on, and says which one it took the place of. What counts now of a page's intervals
stands beside the page, so that most pages, of which nothing was corrected, cost no look at it.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated, Final

from chain.codec import Record
from chain.state import Records
from chain.types import I64, U8, U32, Hash, Identifier, Length, Milliseconds, PublicKey, Text
from contracts.meter import Meter
from contracts.reading import MethodCode, Quality
from contracts.reading_page import SLOTS_MAX, MutablePage

INTERVALS_MAX: Final = 500
"""Intervals of one correction."""
PAGES_MAX: Final = 40
"""Pages that the intervals of one correction may lie in: what an approval costs is known before."""


class CorrectionKind(IntEnum):
    """Where the amounts of a correction come from."""

    CORRECTION = 1
    """A person found them out."""
    SUBSTITUTE = 2
    """The contract computed them, for intervals that are missing (:mod:`contracts.part75`)."""


class AmountUnit(IntEnum):
    """What the amounts of a proposal are counted in."""

    BASE = 1
    """Base units of the meter's quantity, such as watt hours."""
    SUBMITTED = 2
    """As the meter's readings are sent: its unit, scale and ratios apply."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectedInterval(Record):
    """What is to count for one interval."""

    start_ms: Milliseconds
    amount: I64 | None
    """Base units; None where the meter's own reading is to count again."""
    quality: Quality
    method_code: MethodCode


@dataclass(frozen=True, slots=True, kw_only=True)
class Replaced(Record):
    """What counted for an interval until a correction was approved."""

    amount: I64 | None
    """Base units; None where nothing did."""
    number: U32 | None
    """Correction that it was of; None for the meter's own reading, or nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection(Record):
    """That a proposal does not count and never will, and why."""

    rejected_by: PublicKey
    """The proposer itself where it withdrew."""
    rejected_ms: Milliseconds
    reason: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction(Record):
    """A correction of intervals of one meter: proposed, then approved or rejected, for good."""

    meter: Identifier
    number: U32
    """Of the meter, from 1, in the order of the proposals."""
    organisation: Identifier
    site: Identifier
    kind: CorrectionKind
    intervals: Annotated[tuple[CorrectedInterval, ...], Length(1, INTERVALS_MAX)]
    """Ascending by start, each once."""
    reason: Text
    evidence: Hash
    """SHA-256 of the file that shows why; zeros where there is none."""
    proposal: Hash
    """Id of the transaction that proposed it, which the approval names."""
    proposed_by: PublicKey
    proposed_ms: Milliseconds
    approved_by: PublicKey | None
    """None until it is approved; until then it counts for nothing."""
    approved_ms: Milliseconds | None
    replaced: Annotated[tuple[Replaced, ...], Length(0, INTERVALS_MAX)]
    """For each interval what it took the place of; none until it is approved."""
    rejection: Rejection | None
    """None unless it was rejected; its number stays taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectionCount(Record):
    """How many corrections were proposed for a meter."""

    count: U32


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectedSlot(Record):
    """The newest approved correction of one slot of a page."""

    slot: U8
    number: U32
    amount: I64 | None
    """Base units; None where it says that the meter's own reading counts again."""
    quality: Quality
    method_code: MethodCode
    has_factor: bool
    """Whether a factor was valid when it was counted, or none is needed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectedPage(Record):
    """What was approved for slots of one page."""

    slots: Annotated[tuple[CorrectedSlot, ...], Length(1, SLOTS_MAX)]
    """Ascending, each once."""


CORRECTION_PREFIX: Final = b"correction/"


def correction_prefix(meter_id: str) -> bytes:
    """Returns the prefix of the state keys of a meter's corrections."""
    return CORRECTION_PREFIX + meter_id.encode() + b"/"


def correction_key(meter_id: str, number: int) -> bytes:
    """Returns the state key of a correction; those of a meter sort by number."""
    return correction_prefix(meter_id) + b"%010d" % number


def count_key(meter_id: str) -> bytes:
    """Returns the state key of the count of a meter's corrections."""
    return b"correction-count/" + meter_id.encode()


def corrected_page_key(meter_id: str, page_ms: Milliseconds) -> bytes:
    """Returns the state key of what was approved for a page."""
    return b"corrected-page/%s/%020d" % (meter_id.encode(), page_ms)


def correction_count(state: Records, meter_id: str) -> int:
    """Returns how many corrections were proposed for a meter; they are numbered from 1."""
    counted = state.get(CorrectionCount, count_key(meter_id))
    return 0 if counted is None else counted.count


def get_correction(state: Records, meter_id: str, number: int) -> Correction | None:
    """Returns a correction, or None where the meter has none of this number."""
    return state.get(Correction, correction_key(meter_id, number))


def corrected_slots(
    state: Records, meter_id: str, page_ms: Milliseconds
) -> dict[int, CorrectedSlot]:
    """Returns the newest approved correction of each slot of a page that has one."""
    page = state.get(CorrectedPage, corrected_page_key(meter_id, page_ms))
    return {} if page is None else {each.slot: each for each in page.slots}


def effective_amount(state: Records, meter: Meter, page: MutablePage, slot: int) -> int | None:
    """Returns what counts for an interval: the newest approved amount, else its reading's.

    Args:
        state: for the corrections; not looked at where the slot has none.
        meter: whose page it is.
        page: of the interval.
        slot: place of the interval in the page.

    Returns:
        Base units; None where nothing is known.
    """
    if not page.is_corrected(slot):
        return page.amount_at(slot)
    return corrected_slots(state, meter.meter_id, page.start_ms)[slot].amount
