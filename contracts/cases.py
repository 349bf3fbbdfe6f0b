"""Cases as a contract: each step a signed call by the role that may take it.

What may follow on what stands in one table (:data:`contracts.case.TRANSITIONS`), who may do it in
another; this module asks both and takes the step.
"""

from dataclasses import dataclass, replace
from typing import Final

from chain.codec import Record
from chain.state import State
from chain.types import PublicKey, Text
from contracts.account import Account, Role
from contracts.accounts import check_active_account_of, sender_of
from contracts.alert import Alert, AlertId, AlertState, Cause, alert_key
from contracts.case import (
    PARTIES,
    TRANSITIONS,
    Action,
    CaseSettings,
    CaseTerms,
    EvidenceFile,
    Party,
    next_steps,
    settings_key,
    settings_version_key,
)
from contracts.case_steps import Told, advance, note_down
from contracts.context import Context
from contracts.method import Method, method_of
from contracts.refusal import Code, refusal

COMMENTS_MAX: Final = 100
"""Comments of one case."""
FILES_MAX: Final = 20
"""Files of one case."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeStep(Record):
    """Arguments of ``case.acknowledge``, ``investigate``, ``dismiss``, ``return`` and ``close``."""

    alert_id: AlertId
    note: Text
    """What is being done, or why; DISMISS and RETURN need one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainCase(Record):
    """Arguments of ``case.explain``."""

    alert_id: AlertId
    cause: Cause
    explanation: Text
    """Not empty: what happened and how one knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommentCase(Record):
    """Arguments of ``case.comment``."""

    alert_id: AlertId
    comment: Text
    """Not empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachFile(Record):
    """Arguments of ``case.attach``."""

    alert_id: AlertId
    file: EvidenceFile
    note: Text
    """What it shows; may be empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignCase(Record):
    """Arguments of ``case.assign``."""

    alert_id: AlertId
    assignee: PublicKey
    """An active OPERATOR or ADMIN of the alert's organisation."""
    note: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigureCases(CaseTerms):
    """Arguments of ``case.configure``; the organisation is the sender's."""

    reason: Text
    """Not empty."""


def acknowledge(context: Context, arguments: TakeStep) -> bytes:
    """Takes a case from OPEN to ACKNOWLEDGED; emits ``case.acknowledged``.

    Raises:
        ContractRefusal: ``UNKNOWN_ALERT``, ``WRONG_STATE``, ``NOT_PERMITTED``.
    """
    alert = require_step(context, arguments.alert_id, Action.ACKNOWLEDGE)
    first_ms = context.time_ms if alert.acknowledged_ms is None else alert.acknowledged_ms
    after = replace(alert, acknowledged_ms=first_ms)
    advance(context, alert, after, Action.ACKNOWLEDGE, Told(note=arguments.note))
    return b""


def investigate(context: Context, arguments: TakeStep) -> bytes:
    """Takes a case from ACKNOWLEDGED to INVESTIGATING; emits ``case.investigating``.

    Raises:
        ContractRefusal: as :func:`acknowledge`.
    """
    alert = require_step(context, arguments.alert_id, Action.INVESTIGATE)
    advance(context, alert, alert, Action.INVESTIGATE, Told(note=arguments.note))
    return b""


def explain(context: Context, arguments: ExplainCase) -> bytes:
    """Takes a case from INVESTIGATING to EXPLAINED with a cause; emits ``case.explained``.

    Raises:
        ContractRefusal: as :func:`acknowledge`; ``INVALID_ARGUMENTS`` for an empty explanation.
    """
    alert = require_step(context, arguments.alert_id, Action.EXPLAIN)
    check_said("explanation", arguments.explanation, "what happened and how one knows")
    first_ms = context.time_ms if alert.explained_ms is None else alert.explained_ms
    after = replace(
        alert,
        cause=arguments.cause,
        explained_ms=first_ms,
        explained_by=context.sender,
        remedy=None,
        remedy_meter=None,
        remedy_number=None,
    )
    told = Told(note=arguments.explanation, cause=arguments.cause)
    advance(context, alert, after, Action.EXPLAIN, told)
    return b""


def dismiss(context: Context, arguments: TakeStep) -> bytes:
    """Takes a case from EXPLAINED over DISMISSED to VERIFIED: a second person accepts it as it is.

    Emits ``case.dismissed`` and ``case.verified``; the verification is that person's.

    Raises:
        ContractRefusal: as :func:`acknowledge`; ``INVALID_ARGUMENTS`` for an empty note.
    """
    alert = require_step(context, arguments.alert_id, Action.DISMISS)
    check_said("note", arguments.note, "why nothing has to change")
    after = replace(alert, remedy=AlertState.DISMISSED)
    dismissed = advance(context, alert, after, Action.DISMISS, Told(note=arguments.note))
    advance(context, dismissed, dismissed, Action.PASS)
    return b""


def send_back(context: Context, arguments: TakeStep) -> bytes:
    """Takes a case from EXPLAINED or VERIFIED back to INVESTIGATING; emits ``case.investigating``.

    Raises:
        ContractRefusal: as :func:`dismiss`.
    """
    alert = require_step(context, arguments.alert_id, Action.RETURN)
    check_said("note", arguments.note, "what is not accepted")
    advance(context, alert, alert, Action.RETURN, Told(note=arguments.note))
    return b""


def close(context: Context, arguments: TakeStep) -> bytes:
    """Takes a case from VERIFIED to CLOSED; emits ``case.closed``.

    Raises:
        ContractRefusal: as :func:`acknowledge`.
    """
    alert = require_step(context, arguments.alert_id, Action.CLOSE)
    advance(context, alert, alert, Action.CLOSE, Told(note=arguments.note))
    return b""


def comment(context: Context, arguments: CommentCase) -> bytes:
    """Adds a comment to a case that is not CLOSED; emits ``case.commented``.

    Any account of the organisation may, and any CERTIFIER.

    Raises:
        ContractRefusal: ``UNKNOWN_ALERT``, ``WRONG_STATE``, ``NOT_PERMITTED``,
            ``INVALID_ARGUMENTS`` for an empty comment, ``LIMIT_REACHED``.
    """
    alert = _require_unclosed(context.state, arguments.alert_id)
    check_speaker(context, alert)
    check_said("comment", arguments.comment, "something to say")
    _check_room(alert, "comments", alert.comment_count, COMMENTS_MAX)
    after = replace(alert, comment_count=alert.comment_count + 1)
    note_down(context, after, Action.COMMENT, Told(note=arguments.comment))
    return b""


def attach(context: Context, arguments: AttachFile) -> bytes:
    """Adds the hash of a file to a case that is not CLOSED; emits ``case.attached``.

    Raises:
        ContractRefusal: as :func:`comment`.
    """
    alert = _require_unclosed(context.state, arguments.alert_id)
    check_speaker(context, alert)
    _check_room(alert, "files", alert.file_count, FILES_MAX)
    after = replace(alert, file_count=alert.file_count + 1)
    note_down(context, after, Action.ATTACH, Told(note=arguments.note, file=arguments.file))
    return b""


def assign(context: Context, arguments: AssignCase) -> bytes:
    """Makes an account the one responsible for a case; emits ``case.assigned``.

    Raises:
        ContractRefusal: ``UNKNOWN_ALERT``, ``WRONG_STATE``, ``NOT_PERMITTED``, and for the
            assignee ``UNKNOWN_ACCOUNT``, ``ACCOUNT_REVOKED`` or ``NOT_PERMITTED``.
    """
    alert = _require_unclosed(context.state, arguments.alert_id)
    _check_party(context, alert, Party.CARETAKER)
    assignee = check_active_account_of(
        context.state, arguments.assignee, alert.organisation, "assignee"
    )
    if not _runs_meters(assignee):
        raise refusal(
            Code.NOT_PERMITTED,
            "assignee",
            expected="an OPERATOR or ADMIN",
            got=" or ".join(role.name for role in assignee.roles),
        )
    after = replace(alert, responsible=assignee.public_key)
    told = Told(note=arguments.note, assignee=assignee.public_key)
    note_down(context, after, Action.ASSIGN, told)
    return b""


def configure(context: Context, arguments: ConfigureCases) -> bytes:
    """Sets how long the sender's organisation allows for each stage; emits ``case.configured``.

    It holds for stages that begin from now on.

    Raises:
        ContractRefusal: ``INVALID_ARGUMENTS`` for an empty reason.
    """
    check_said("reason", arguments.reason, "why the terms change")
    organisation = sender_of(context).organisation
    before = context.state.get(CaseSettings, settings_key(organisation))
    settings = CaseSettings(
        spans=arguments.spans,
        escalations_max=arguments.escalations_max,
        organisation=organisation,
        version=1 if before is None else before.version + 1,
        reason=arguments.reason,
        set_by=context.sender,
        set_ms=context.time_ms,
    )
    context.state.put(settings_key(organisation), settings)
    context.state.put(settings_version_key(organisation, settings.version), settings)
    context.emit("case.configured", organisation, settings)
    return b""


def require_step(context: Context, alert_id: AlertId, action: Action) -> Alert:
    """Returns the alert of a step that its state allows and its sender may take.

    Raises:
        ContractRefusal: ``UNKNOWN_ALERT``, ``WRONG_STATE``, ``NOT_PERMITTED``.
    """
    alert = require_alert(context.state, alert_id)
    if (alert.state, action) not in TRANSITIONS:
        states = [state.name for state, taken in TRANSITIONS if taken is action]
        raise refusal(
            Code.WRONG_STATE,
            f"alert {alert.alert_id}",
            expected=f"state {' or '.join(states)}",
            got=f"{alert.state.name}; {next_steps(alert)}",
        )
    _check_party(context, alert, PARTIES[action])
    return alert


def check_said(field: str, text: str, expected: str) -> None:
    """Checks that a text says something.

    Raises:
        ContractRefusal: ``INVALID_ARGUMENTS``.
    """
    if not text.strip():
        raise refusal(Code.INVALID_ARGUMENTS, field, expected=expected, got="an empty text")


def require_alert(state: State, alert_id: AlertId) -> Alert:
    """Returns an alert.

    Raises:
        ContractRefusal: ``UNKNOWN_ALERT``.
    """
    alert = state.get(Alert, alert_key(alert_id))
    if alert is None:
        raise refusal(
            Code.UNKNOWN_ALERT, "alert_id", expected="the id of an alert", got=repr(alert_id)
        )
    return alert


def _require_unclosed(state: State, alert_id: AlertId) -> Alert:
    alert = require_alert(state, alert_id)
    if alert.state is AlertState.CLOSED:
        raise refusal(
            Code.WRONG_STATE,
            f"alert {alert.alert_id}",
            expected="one that is not CLOSED",
            got="CLOSED; nothing is left to do",
        )
    return alert


def _check_party(context: Context, alert: Alert, party: Party) -> None:
    assert party is not Party.CONTRACT, "no account takes the contract's steps"
    sender = sender_of(context)
    is_own = sender.organisation == alert.organisation
    is_certifier = Role.CERTIFIER in sender.roles
    match party:
        case Party.CARETAKER:
            may = sender.public_key == alert.responsible or (is_own and _runs_meters(sender))
            who = f"the account responsible, or an OPERATOR or ADMIN of {alert.organisation}"
        case Party.REVIEWER:
            may = is_certifier or (is_own and Role.ADMIN in sender.roles)
            who = f"a CERTIFIER, or an ADMIN of {alert.organisation}"
        case _:
            may = is_certifier or (is_own and _runs_meters(sender))
            who = f"a CERTIFIER, or an OPERATOR or ADMIN of {alert.organisation}"
    if not may:
        raise _not_permitted(alert, who, f"an account of {sender.organisation}")
    if party is not Party.CARETAKER and sender.public_key == alert.explained_by:
        raise _not_permitted(alert, "another account than the one that explained it", "the same")


def check_speaker(context: Context, alert: Alert) -> None:
    """Checks that the sender is of the alert's organisation, or a CERTIFIER.

    Raises:
        ContractRefusal: ``NOT_PERMITTED``.
    """
    sender = sender_of(context)
    if sender.organisation != alert.organisation and Role.CERTIFIER not in sender.roles:
        raise _not_permitted(
            alert,
            f"an account of {alert.organisation}, or a CERTIFIER",
            f"an account of {sender.organisation}",
        )


def _not_permitted(alert: Alert, expected: str, got: str) -> Exception:
    return refusal(Code.NOT_PERMITTED, f"alert {alert.alert_id}", expected=expected, got=got)


def _check_room(alert: Alert, what: str, count: int, limit: int) -> None:
    if count >= limit:
        raise refusal(
            Code.LIMIT_REACHED,
            f"{what} of alert {alert.alert_id}",
            expected=f"at most {limit}",
            got=f"{limit} already",
        )


def _runs_meters(account: Account) -> bool:
    return Role.OPERATOR in account.roles or Role.ADMIN in account.roles


CARETAKERS: Final = frozenset({Role.ADMIN, Role.OPERATOR, Role.GATEWAY})
"""A responsible account may be of any of these; who else is told by the alert's organisation."""
_REVIEWERS: Final = frozenset({Role.ADMIN, Role.CERTIFIER})
_CLOSERS: Final = frozenset({Role.ADMIN, Role.OPERATOR, Role.CERTIFIER})
SPEAKERS: Final = frozenset({Role.ADMIN, Role.OPERATOR, Role.GATEWAY, Role.CERTIFIER})

METHODS: Final[tuple[Method, ...]] = (
    method_of("case.acknowledge", TakeStep, acknowledge, roles=CARETAKERS),
    method_of("case.investigate", TakeStep, investigate, roles=CARETAKERS),
    method_of("case.explain", ExplainCase, explain, roles=CARETAKERS),
    method_of("case.dismiss", TakeStep, dismiss, roles=_REVIEWERS),
    method_of("case.return", TakeStep, send_back, roles=_REVIEWERS),
    method_of("case.close", TakeStep, close, roles=_CLOSERS),
    method_of("case.comment", CommentCase, comment, roles=SPEAKERS),
    method_of("case.attach", AttachFile, attach, roles=SPEAKERS),
    method_of("case.assign", AssignCase, assign, roles=CARETAKERS),
    method_of("case.configure", ConfigureCases, configure, roles=frozenset({Role.ADMIN})),
)
