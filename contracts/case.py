"""The case: what people make of an alert, by one table of steps, and the story that it leaves.

    OPEN -> ACKNOWLEDGED -> INVESTIGATING -> EXPLAINED -> REBASELINED | CORRECTED | DISMISSED
         -> VERIFIED -> CLOSED

Whoever takes a step signs it. PASS and FAIL are taken by the contract itself, which checks the
same window again, and REOPEN when the condition returns; nobody can sign those. Each step, comment
and file is an entry beside the alert and is never changed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated, Final

from chain.codec import Record
from chain.types import (
    U8,
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
from contracts.alert import Alert, AlertId, AlertState, Cause, Severity, key_part_of
from contracts.check import Check

HOUR_MS: Final = 3_600_000
_DAY_MS: Final = 24 * HOUR_MS


class Action(IntEnum):
    """What an entry of a case's story is; a number is never reused."""

    ACKNOWLEDGE = 1
    INVESTIGATE = 2
    EXPLAIN = 3
    REBASELINE = 4
    CORRECT = 5
    DISMISS = 6
    PASS = 7
    """The contract: the window passes now."""
    FAIL = 8
    """The contract: it does not."""
    RETURN = 9
    """A second pair of eyes does not accept what was said or done."""
    CLOSE = 10
    REOPEN = 11
    """The contract: the condition is back."""
    COMMENT = 12
    ATTACH = 13
    ASSIGN = 14
    ESCALATE = 15
    """The contract: a deadline has passed."""


class Party(IntEnum):
    """Who may take a step."""

    CARETAKER = 1
    """The account responsible, or an OPERATOR or ADMIN of the alert's organisation."""
    REVIEWER = 2
    """A CERTIFIER or an ADMIN of the organisation, but not who explained it."""
    CLOSER = 3
    """A CERTIFIER, OPERATOR or ADMIN of the organisation, but not who explained it."""
    CONTRACT = 4
    """No account: the contract does it by itself."""


TRANSITIONS: Final[Mapping[tuple[AlertState, Action], AlertState]] = {
    (AlertState.OPEN, Action.ACKNOWLEDGE): AlertState.ACKNOWLEDGED,
    (AlertState.ACKNOWLEDGED, Action.INVESTIGATE): AlertState.INVESTIGATING,
    (AlertState.INVESTIGATING, Action.EXPLAIN): AlertState.EXPLAINED,
    (AlertState.EXPLAINED, Action.REBASELINE): AlertState.REBASELINED,
    (AlertState.EXPLAINED, Action.CORRECT): AlertState.CORRECTED,
    (AlertState.EXPLAINED, Action.DISMISS): AlertState.DISMISSED,
    (AlertState.EXPLAINED, Action.RETURN): AlertState.INVESTIGATING,
    (AlertState.REBASELINED, Action.PASS): AlertState.VERIFIED,
    (AlertState.REBASELINED, Action.FAIL): AlertState.INVESTIGATING,
    (AlertState.CORRECTED, Action.PASS): AlertState.VERIFIED,
    (AlertState.CORRECTED, Action.FAIL): AlertState.INVESTIGATING,
    (AlertState.DISMISSED, Action.PASS): AlertState.VERIFIED,
    (AlertState.VERIFIED, Action.CLOSE): AlertState.CLOSED,
    (AlertState.VERIFIED, Action.RETURN): AlertState.INVESTIGATING,
    (AlertState.VERIFIED, Action.REOPEN): AlertState.OPEN,
}
"""The only steps that there are."""

PARTIES: Final[Mapping[Action, Party]] = {
    Action.ACKNOWLEDGE: Party.CARETAKER,
    Action.INVESTIGATE: Party.CARETAKER,
    Action.EXPLAIN: Party.CARETAKER,
    Action.REBASELINE: Party.CARETAKER,
    Action.CORRECT: Party.CARETAKER,
    Action.DISMISS: Party.REVIEWER,
    Action.PASS: Party.CONTRACT,
    Action.FAIL: Party.CONTRACT,
    Action.RETURN: Party.REVIEWER,
    Action.CLOSE: Party.CLOSER,
    Action.REOPEN: Party.CONTRACT,
}
"""Who may take each step of :data:`TRANSITIONS`."""

EVENTS: Final[Mapping[AlertState, str]] = {
    AlertState.OPEN: "case.reopened",
    **{state: f"case.{state.name.lower()}" for state in AlertState if state is not AlertState.OPEN},
}
"""Event of each step, by the state that it leads to."""


NOTES: Final[Mapping[Action, str]] = {
    Action.COMMENT: "case.commented",
    Action.ATTACH: "case.attached",
    Action.ASSIGN: "case.assigned",
}
"""Event of what changes no state."""


class Stage(IntEnum):
    """What the deadline of a case is for."""

    ACKNOWLEDGE = 0
    EXPLAIN = 1
    RESOLVE = 2


STAGES: Final[Mapping[AlertState, Stage | None]] = {
    AlertState.OPEN: Stage.ACKNOWLEDGE,
    AlertState.ACKNOWLEDGED: Stage.EXPLAIN,
    AlertState.INVESTIGATING: Stage.EXPLAIN,
    AlertState.EXPLAINED: Stage.RESOLVE,
    AlertState.REBASELINED: Stage.RESOLVE,
    AlertState.CORRECTED: Stage.RESOLVE,
    AlertState.DISMISSED: Stage.RESOLVE,
    AlertState.VERIFIED: Stage.RESOLVE,
    AlertState.CLOSED: None,
}
"""What a case in a state is waited for; the deadline begins anew where this changes."""

SEVERITIES: Final[Mapping[Check, Severity]] = {
    Check.SIGNATURE_SEQUENCE: Severity.LOW,
    Check.CLOCK: Severity.LOW,
    Check.DUPLICATE: Severity.HIGH,
    Check.MISSING: Severity.HIGH,
    Check.REGISTER: Severity.HIGH,
    Check.PHYSICAL_CAP: Severity.HIGH,
    Check.UNIT_SLIP: Severity.HIGH,
    Check.STUCK: Severity.MEDIUM,
    Check.ZERO_DROP: Severity.MEDIUM,
    Check.SPIKE: Severity.MEDIUM,
    Check.BASELINE: Severity.MEDIUM,
    Check.CUSUM: Severity.LOW,
    Check.EWMA: Severity.LOW,
    Check.WEATHER: Severity.MEDIUM,
    Check.PARENT_SUM: Severity.HIGH,
    Check.REGISTER_DEMAND: Severity.HIGH,
    Check.VOLT_AMPERE: Severity.HIGH,
    Check.ENERGY_CO2: Severity.HIGH,
    Check.POWER_FACTOR: Severity.MEDIUM,
    Check.BILL: Severity.HIGH,
    Check.PEER: Severity.LOW,
    Check.TARGET: Severity.MEDIUM,
    Check.DEPOSIT: Severity.CRITICAL,
    Check.ANNUAL: Severity.CRITICAL,
}
"""Severity at which an alert of a check opens: LOW says that something may be on its way, MEDIUM
that consumption is not as expected, HIGH that the number itself is in doubt."""


class Escalee(IntEnum):
    """Whose turn it is, by how often the deadline of a case has passed."""

    RESPONSIBLE = 0
    ADMIN = 1
    """The admins of the alert's organisation."""
    CERTIFIER = 2
    """The certification bodies' officers."""
    CONSORTIUM = 3
    """Every member."""


Span = Annotated[int, Range(1_000, 366 * _DAY_MS)]
"""Time that is allowed for a stage of a case, ms."""
Spans = Annotated[tuple[Span, ...], Length(len(Stage), len(Stage))]
"""By :class:`Stage`."""
SpanTable = Annotated[tuple[Spans, ...], Length(len(Severity), len(Severity))]
"""By :class:`Severity`, LOW first."""
ESCALATIONS_MAX: Final = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseTerms(Record):
    """What an organisation allows for the stages of its cases."""

    spans: SpanTable
    escalations_max: Annotated[int, Range(1, ESCALATIONS_MAX)]
    """How often one deadline is repeated at most."""


DEFAULT_TERMS: Final = CaseTerms(
    spans=(
        (72 * HOUR_MS, 14 * _DAY_MS, 30 * _DAY_MS),
        (24 * HOUR_MS, 7 * _DAY_MS, 14 * _DAY_MS),
        (8 * HOUR_MS, 3 * _DAY_MS, 7 * _DAY_MS),
        (2 * HOUR_MS, 1 * _DAY_MS, 3 * _DAY_MS),
    ),
    escalations_max=3,
)
"""Ours, from no standard: two shifts to see what puts a number in doubt, a week to correct it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseSettings(CaseTerms):
    """The terms of an organisation in force, with who set them."""

    organisation: Identifier
    version: U32
    """From 1; every version is kept."""
    reason: Text
    set_by: PublicKey
    set_ms: Milliseconds


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceFile(Record):
    """A file that shows what a case says; the file itself stays with its owner."""

    sha256: Hash
    name: Name
    media_type: Annotated[str, Length(1, 127)]
    """As in RFC 6838, such as ``application/pdf``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recheck(Record):
    """What the re-check of a window found."""

    from_ms: Milliseconds
    to_ms: Milliseconds
    """Start of the last interval that was looked at."""
    is_complete: bool
    """Whether that is the last of the window."""
    checked: U32
    """Intervals to which the check applied."""
    failed: U32
    """Those that still fail."""
    first_failed_ms: Milliseconds | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseEntry(Record):
    """One line of a case's story."""

    alert_id: AlertId
    number: U32
    """From 1."""
    action: Action
    state: AlertState
    """After it."""
    time_ms: Milliseconds
    """Block time."""
    account: PublicKey | None
    """Who signed; None for the contract."""
    note: Text
    cause: Cause | None
    """Of EXPLAIN."""
    remedy_meter: Identifier | None
    """Meter whose baseline or correction REBASELINE or CORRECT names."""
    remedy_number: U32 | None
    """Baseline version, target version or correction that it names; None for what arrived."""
    assignee: PublicKey | None
    """Of ASSIGN."""
    file: EvidenceFile | None
    """Of ATTACH."""
    recheck: Recheck | None
    """Of PASS and FAIL, where the contract looked at the window."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Escalation(Record):
    """Content of ``case.escalated``."""

    alert_id: AlertId
    organisation: Identifier
    site: Identifier
    stage: Stage
    """What was not done in time."""
    level: U8
    """How often its deadline has passed."""
    severity: Severity
    """From now on."""
    next: Escalee
    """Whose turn it is."""
    responsible: PublicKey | None
    deadline_ms: Milliseconds | None
    """When it is looked at again; None for never."""


def escalee_of(level: int) -> Escalee:
    """Returns whose turn it is after so many passed deadlines."""
    return Escalee(min(level, Escalee.CONSORTIUM))


def span_of(terms: CaseTerms, severity: Severity, stage: Stage) -> int:
    """Returns the time that is allowed for a stage, ms."""
    return terms.spans[severity - 1][stage]


def entry_prefix(alert_id: AlertId) -> bytes:
    """Returns the prefix of the state keys of a case's story."""
    return b"case-entry/" + key_part_of(alert_id) + b"/"


def entry_key(alert_id: AlertId, number: int) -> bytes:
    """Returns the state key of an entry; those of a case sort by number."""
    return entry_prefix(alert_id) + b"%06d" % number


def settings_key(organisation: str) -> bytes:
    """Returns the state key of an organisation's terms in force."""
    return b"case-settings/" + organisation.encode()


def settings_version_key(organisation: str, version: int) -> bytes:
    """Returns the state key of one version of an organisation's terms."""
    return f"case-settings-version/{organisation}/{version:06d}".encode()


def next_steps(alert: Alert) -> str:
    """Returns the methods that a case waits for, for a refusal."""
    methods = [
        f"case.{action.name.lower()}"
        for state, action in TRANSITIONS
        if state is alert.state and PARTIES[action] is not Party.CONTRACT
    ]
    if methods:
        return "call " + " or ".join(methods)
    if alert.state is AlertState.CLOSED:
        return "nothing is left to do"
    return "call case.recheck"
