"""The alert: one episode of one check at one meter or site, and how far people have taken it.

An alert says that a condition held, not that somebody is at fault. Two things happen to it
independently: the *condition* goes away when readings pass again (``cleared_ms``), and *people*
take it as a case from OPEN to CLOSED, each step signed (:mod:`contracts.case`). Neither implies the
other, because a condition that went away by itself still wants a cause.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated, Final

from chain.codec import Record
from chain.types import U8, U32, Hash, Identifier, Milliseconds, Pattern, PublicKey
from contracts.check import Check

ALERT_ID_PATTERN: Final = Pattern(
    r"[a-z0-9][a-z0-9._-]{0,63}\.[0-9]{2}\.[0-9]{6,10}",
    "a meter or site, check number and counter such as steel-main.18.000001",
)
AlertId = Annotated[str, ALERT_ID_PATTERN]


class AlertState(IntEnum):
    """How far people have taken an alert (carbon.md 1)."""

    OPEN = 1
    ACKNOWLEDGED = 2
    """Somebody has seen it and takes care."""
    INVESTIGATING = 3
    """The cause is being looked for."""
    EXPLAINED = 4
    """A cause is stated."""
    REBASELINED = 5
    """A baseline or target version that was set since is to show that the window is as expected."""
    CORRECTED = 6
    """An approved correction or substitute, or what arrived since, is to show it."""
    DISMISSED = 7
    """A second pair of eyes accepts that nothing has to change."""
    VERIFIED = 8
    """The same window passes the same check now, or the dismissal stands."""
    CLOSED = 9
    """Nothing is left to do; a repeat opens another alert."""


LIVE_STATES: Final = tuple(state for state in AlertState if state is not AlertState.CLOSED)
"""States in which something is left to do."""


class Severity(IntEnum):
    """How soon people have to act: the deadlines of a case follow from it."""

    LOW = 1
    MEDIUM = 2
    HIGH = 3
    CRITICAL = 4


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
class Occurrence:
    """One interval at which a condition held."""

    check: Check
    """The check that failed."""
    interval_start_ms: int
    """Start of the failing interval, UTC."""
    observed: int
    """What was found, in the check's own unit; kept within what a record can hold."""
    expected: int
    """What it was held against, in the same unit."""
    leaf: bytes
    """Leaf hash of the failing reading; 32 zero bytes where there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert(Record):
    """One episode; repeats within the grouping window belong to it."""

    alert_id: AlertId
    meter: Identifier | None
    """None where the condition is one of the site."""
    organisation: Identifier
    site: Identifier
    check: Check
    severity: Severity
    """Of the check, and a step higher after each escalation."""
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
    cleared_ms: Milliseconds | None
    """When the condition was gone, in the time of the readings; None while it holds."""
    cleared_at_ms: Milliseconds | None
    """Block time of the last clearing, kept when the condition returns; None before the first."""
    responsible: PublicKey | None
    """Who is to take the next step: the account it was assigned to, else the one responsible for
    the meter when it was opened; None of a site until it is assigned."""
    deadline_ms: Milliseconds | None
    """Block time by which the next step is due; None once CLOSED."""
    escalation: U8
    """How often that deadline has passed."""
    cause: Cause | None
    """None until EXPLAINED."""
    acknowledged_ms: Milliseconds | None
    """Block time of the first acknowledgement, kept when the case is reopened."""
    explained_ms: Milliseconds | None
    """Block time of the first explanation."""
    explained_by: PublicKey | None
    """Who explained it last."""
    remedy: AlertState | None
    """REBASELINED, CORRECTED or DISMISSED, whichever was claimed last."""
    remedy_meter: Identifier | None
    """Meter whose baseline or correction was named; None where none was."""
    remedy_number: U32 | None
    """Baseline version, target version or correction that was named; None for DISMISSED, and for
    CORRECTED by what arrived since."""
    rechecked_to_ms: Milliseconds | None
    """Up to where the window has passed the re-check that is under way; None where none is."""
    entry_count: U32
    """Entries of the case's story."""
    comment_count: U8
    file_count: U8


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertTrack(Record):
    """What is known of the alerts of one meter or site and check."""

    counter: U32
    """Number of the last alert."""
    unclosed: tuple[U32, ...]
    """Numbers of the latest alerts that are not CLOSED, ascending; those that repeats may join."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertReference(Record):
    """Entry of the index by state: what lists filter by."""

    alert_id: AlertId
    organisation: Identifier
    site: Identifier
    severity: Severity
    escalation: U8
    cause: Cause | None
    opened_ms: Milliseconds


ALERT_PREFIX: Final = b"alert/"
_STATE_PREFIX: Final = "alert-by-state/"


def alert_id_of(subject: str, check: Check, number: int) -> AlertId:
    """Returns the id of the n-th alert of a meter or site and check."""
    return f"{subject}.{check:02d}.{number:06d}"


def alert_key(alert_id: AlertId) -> bytes:
    """Returns the state key of an alert; those of a meter share a prefix."""
    return ALERT_PREFIX + key_part_of(alert_id)


def key_part_of(alert_id: AlertId) -> bytes:
    """Returns an alert's id as parts of a state key: meter or site, check and number."""
    subject, check, number = alert_id.rsplit(".", 2)
    return f"{subject}/{check}/{number}".encode()


def subject_of(alert: Alert) -> str:
    """Returns the meter, or the site where the condition is one of the site."""
    return alert.site if alert.meter is None else alert.meter


def number_of(alert: Alert) -> int:
    """Returns the alert's number within its track."""
    return int(alert.alert_id.rsplit(".", 1)[1])


def alert_subject_prefix(subject: str) -> bytes:
    """Returns the prefix of the state keys of the alerts of a meter, and of a site so called."""
    return ALERT_PREFIX + subject.encode() + b"/"


def track_key(subject: str, check: Check) -> bytes:
    """Returns the state key of the track of a meter or site and check."""
    return f"alert-track/{subject}/{check:02d}".encode()


def state_prefix(state: AlertState) -> bytes:
    """Returns the prefix of the index of alerts in a state."""
    return f"{_STATE_PREFIX}{state:d}/".encode()


def state_key(alert: Alert) -> bytes:
    """Returns the index key of an alert in its present state; keys sort by time of opening."""
    return state_prefix(alert.state) + f"{alert.opened_ms:020d}/{alert.alert_id}".encode()


def reference_to(alert: Alert) -> AlertReference:
    """Returns the index entry of an alert."""
    return AlertReference(
        alert_id=alert.alert_id,
        organisation=alert.organisation,
        site=alert.site,
        severity=alert.severity,
        escalation=alert.escalation,
        cause=alert.cause,
        opened_ms=alert.opened_ms,
    )
