"""The activity: emissions that no meter counts, from a document that somebody signs for.

Fuel by invoice, refrigerant by refill, travel, goods and waste of the value chain, and removals:
an amount, its unit, the months that it belongs to, a factor series and a hash of the evidence.
"""

from dataclasses import dataclass
from typing import Annotated, Final

from chain.codec import Record
from chain.state import State
from chain.types import U64, Hash, Identifier, Length, Milliseconds, Name, PublicKey, Range, Text
from contracts.meter import Unit
from contracts.month import Month
from contracts.reading import Quality
from contracts.site_month import Booking

MONTHS_MAX: Final = 36
"""Months that one activity is spread over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityProperties(Record):
    """What whoever submits an activity says of it."""

    site: Identifier
    activity_id: Identifier
    """Unique at the site, such as the number of an invoice."""
    name: Name
    booking: Booking
    amount: Annotated[int, Range(1, 2**63 - 1)]
    """In ``unit`` times ten to the power of ``scale``."""
    unit: Unit
    scale: Annotated[int, Range(-6, 6)]
    factor: Identifier
    """Series that turns its base units into emissions."""
    from_month: Month
    to_month: Month
    """Inclusive; the amount is spread evenly over whole months."""
    quality: Quality
    uncertainty_permille: Annotated[int, Range(0, 10_000)]
    """Of the amount, half of a 95 % interval; 0 where it is not stated."""
    source: Text
    """Document that it is taken from; not empty."""
    evidence_hash: Hash
    """SHA-256 of that document; zeros where there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityShare(Record):
    """What of an activity counts in one month."""

    month: Month
    amount: U64
    """Base units."""
    valid_from_ms: Milliseconds
    """Names the period of the factor: the one that holds when the month begins at the site."""
    is_late: bool
    """Whether the month was closed: counted apart until a restatement of the month."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity(ActivityProperties):
    """A submitted activity."""

    organisation: Identifier
    shares: Annotated[tuple[ActivityShare, ...], Length(1, MONTHS_MAX)]
    submitted_by: PublicKey
    submitted_ms: Milliseconds
    withdrawn_by: PublicKey | None
    withdrawn_ms: Milliseconds | None
    withdrawal_reason: Text


ACTIVITY_PREFIX: Final = b"activity/"


def activity_prefix(site_id: str) -> bytes:
    """Returns the prefix of the state keys of a site's activities."""
    return ACTIVITY_PREFIX + site_id.encode() + b"/"


def activity_key(site_id: str, activity_id: str) -> bytes:
    """Returns the state key of an activity."""
    return activity_prefix(site_id) + activity_id.encode()


def get_activity(state: State, site_id: str, activity_id: str) -> Activity | None:
    """Returns an activity, withdrawn or not, or None."""
    return state.get(Activity, activity_key(site_id, activity_id))
