"""The alert: one episode of one check at one meter, and who did what about it.

An alert says that a condition held, not that somebody is at fault. Two things happen to it
independently: the *condition* goes away when readings pass again (``cleared_ms``), and *people*
take it from OPEN over ACKNOWLEDGED and EXPLAINED to RESOLVED, each step signed. Neither implies
the other, because a condition that went away by itself still wants a cause.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated, Final

from chain.codec import Record
from chain.types import U32, Hash, Identifier, Milliseconds, Pattern, PublicKey, Text
from contracts.check import Check

ALERT_ID_PATTERN: Final = Pattern(
    r"[a-z0-9][a-z0-9._-]{0,63}\.[0-9]{2}\.[0-9]{6,10}",
    "a meter, check number and counter such as steel-main.18.000001",
)
AlertId = Annotated[str, ALERT_ID_PATTERN]


class AlertState(IntEnum):
    """How far people have taken an alert."""

    OPEN = 1
    ACKNOWLEDGED = 2
    """Somebody has seen it and takes care."""
    EXPLAINED = 3
    """A cause is stated."""
    RESOLVED = 4
    """A second pair of eyes accepts the explanation; nothing follows."""


class Cause(IntEnum):
    """Why the readings deviated (carbon.md 1)."""

    METER_FAULT = 1
    COMMS = 2
    CLOCK = 3
    SCHEDULE = 4
    EQUIPMENT = 5
    OCCUPANCY = 6
    WEATHER = 7
    DATA_ENTRY = 8
    FRAUD = 9
    BOUNDARY_CHANGE = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Step(Record):
    """One signed step of a person."""

    account: PublicKey
    time_ms: Milliseconds
    """Block time."""
    note: Text
    """What the person wrote; for the step to EXPLAINED, the explanation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert(Record):
    """One episode; repeats within the grouping window belong to it."""

    alert_id: AlertId
    meter: Identifier
    organisation: Identifier
    site: Identifier
    check: Check
    state: AlertState
    opened_ms: Milliseconds
    """Block time at which it was opened."""
    updated_ms: Milliseconds
    """Block time of the last repeat; first the same as ``opened_ms``."""
    first_interval_ms: Milliseconds
    """Start of the earliest interval that failed."""
    last_interval_ms: Milliseconds
    """Start of the latest interval that failed."""
    occurrences: U32
    """Failed intervals, at least 1."""
    observed: int
    """What the first failing reading showed, in the check's own unit."""
    expected: int
    """What it was held against, in the same unit."""
    leaf: Hash
    """Leaf hash of the first failing reading; zeros where there is none, as for MISSING."""
    cause: Cause | None
    """None until EXPLAINED."""
    acknowledged: Step | None
    explained: Step | None
    resolved: Step | None
    cleared_ms: Milliseconds | None
    """When the condition was gone, in the time of the readings; None while it holds."""
    cleared_at_ms: Milliseconds | None
    """Block time of the last clearing, kept when the condition returns; None before the first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertTrack(Record):
    """What is known of the alerts of one meter and check."""

    counter: U32
    """Number of the last alert."""
    unresolved: tuple[U32, ...]
    """Numbers of the latest unresolved alerts, ascending; those that repeats may join."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertReference(Record):
    """Entry of the index by state."""

    alert_id: AlertId
    organisation: Identifier


ALERT_PREFIX: Final = b"alert/"
_STATE_PREFIX: Final = "alert-by-state/"


def alert_id_of(meter_id: str, check: Check, number: int) -> AlertId:
    """Returns the id of the n-th alert of a meter and check."""
    return f"{meter_id}.{check:02d}.{number:06d}"


def alert_key(alert_id: AlertId) -> bytes:
    """Returns the state key of an alert; those of a meter share a prefix."""
    meter_id, check, number = alert_id.rsplit(".", 2)
    return b"%s%s/%s" % (alert_meter_prefix(meter_id), check.encode(), number.encode())


def alert_meter_prefix(meter_id: str) -> bytes:
    """Returns the prefix of the state keys of a meter's alerts."""
    return ALERT_PREFIX + meter_id.encode() + b"/"


def track_key(meter_id: str, check: Check) -> bytes:
    """Returns the state key of the track of a meter and check."""
    return f"alert-track/{meter_id}/{check:02d}".encode()


def state_prefix(state: AlertState) -> bytes:
    """Returns the prefix of the index of alerts in a state."""
    return f"{_STATE_PREFIX}{state:d}/".encode()


def state_key(alert: Alert) -> bytes:
    """Returns the index key of an alert in its present state; keys sort by time of opening."""
    return state_prefix(alert.state) + f"{alert.opened_ms:020d}/{alert.alert_id}".encode()
