"""Certificates as a contract: issued, suspended, reinstated, revoked.

A revision that touches the sites and period of a certificate suspends it by itself
(:func:`suspend_covering`), whoever brought it about. Only the body that issued it can reinstate it,
and must name how many revisions it has looked at: one that arrived in the meantime is not passed
over in silence.
"""

from dataclasses import dataclass, replace
from typing import Final

from chain.codec import Record
from chain.state import State
from chain.types import U32, Hash, Identifier, Milliseconds, Text
from contracts.account import Role
from contracts.accounts import sender_of
from contracts.certificate import (
    TRANSITIONS,
    CertificateBinding,
    CertificateReference,
    CertificateState,
    CertificateStatus,
    Change,
    by_site_key,
    by_site_prefix,
    certificate_key,
    change_key,
    revoked_key,
    status_key,
    suspended_key,
)
from contracts.certification import Certification, CertificationId, Opinion, Stage
from contracts.certifications import check_stage, check_words, keep, require_own
from contracts.certified_content import certified_factors, check_report, statistics_of
from contracts.certified_period import check_unrevised, open_cases
from contracts.context import Context
from contracts.due_queue import DueKind, push
from contracts.method import Method, method_of
from contracts.refusal import Code, refusal
from contracts.revision import RecordedRevision

VALIDITY_MS_MAX: Final = 5 * 366 * 86_400_000
"""Longest validity: five years; a longer one would outlive its evidence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueCertificate(Record):
    """Arguments of ``certificate.issue``."""

    certification_id: CertificationId
    report: Hash
    """SHA-256 of the certified report's canonical JSON."""
    valid_until_ms: Milliseconds
    """Later than block time, by at most :data:`VALIDITY_MS_MAX`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeCertificate(Record):
    """Arguments of ``certificate.suspend`` and ``certificate.revoke``."""

    certificate_id: CertificationId
    reason: Text
    """Not empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReinstateCertificate(Record):
    """Arguments of ``certificate.reinstate``."""

    certificate_id: CertificationId
    reason: Text
    """Not empty: why what happened does not stand against the certificate."""
    revision_count: U32
    """Revisions that were looked at: all that the certificate counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateChanged(Record):
    """Content of the events ``certificate.suspended``, ``.reinstated`` and ``.revoked``."""

    certificate_id: CertificationId
    organisation: Identifier
    change: Change


def get_certificate(state: State, certificate_id: CertificationId) -> CertificateBinding | None:
    """Returns what a certificate says, or None where there is none of this id."""
    return state.get(CertificateBinding, certificate_key(certificate_id))


def status_of(state: State, certificate_id: CertificationId) -> CertificateStatus:
    """Returns how a certificate that exists stands."""
    status = state.get(CertificateStatus, status_key(certificate_id))
    assert status is not None, "a certificate has its status from the issue on"
    return status


def issue(context: Context, arguments: IssueCertificate) -> bytes:
    """Issues the certificate of a concluded engagement; emits ``certificate.issued``.

    Raises:
        ContractRefusal: as :func:`require_own`; ``WRONG_STATE`` before the statement, for an
            opinion that certifies nothing, for a case that was opened or a revision that came
            since; ``INVALID_ARGUMENTS`` for a validity that is over or too long, or a report
            that is not anchored, not current, or of other sites, months or totals;
            ``LIMIT_REACHED`` for too many meters or factors.
    """
    certification = require_own(context, arguments.certification_id)
    state = context.state
    check_stage(certification, Stage.CONCLUDED)
    statement = certification.statement
    assert statement is not None, "a concluded engagement has its statement"
    if statement.opinion not in _CERTIFYING:
        raise refusal(
            Code.WRONG_STATE,
            "opinion",
            expected="UNMODIFIED or MODIFIED",
            got=f"{statement.opinion.name}, on which no certificate can rest",
        )
    _check_validity(context.time_ms, arguments.valid_until_ms)
    check_unrevised(state, certification, statement.reexecution.height)
    check_report(state, certification, arguments.report)
    opened = [each for each in open_cases(state, certification) if each not in statement.exceptions]
    if opened:
        raise refusal(
            Code.WRONG_STATE,
            "open cases",
            expected="those that the statement lists; call certification.conclude again",
            got=f"{opened[0]} since",
        )
    binding = _binding(context, certification, arguments)
    state.put(certificate_key(binding.certificate_id), binding)
    state.put(status_key(binding.certificate_id), _ISSUED)
    reference = CertificateReference(
        certificate_id=binding.certificate_id, from_ms=binding.from_ms, to_ms=binding.to_ms
    )
    for site_id in binding.sites:
        state.put(by_site_key(site_id, binding.certificate_id), reference)
    push(
        state,
        due_ms=binding.valid_until_ms,
        kind=DueKind.CERTIFICATE,
        subject=binding.certificate_id,
    )
    keep(context, replace(certification, stage=Stage.CERTIFIED), "certification.certified")
    context.emit("certificate.issued", binding.certificate_id, binding)
    return b""


def suspend(context: Context, arguments: ChangeCertificate) -> bytes:
    """Suspends a certificate until its body reinstates it; emits ``certificate.suspended``.

    Raises:
        ContractRefusal: ``UNKNOWN_CERTIFICATE``, ``NOT_PERMITTED`` for another body's,
            ``INVALID_ARGUMENTS`` for no reason, ``WRONG_STATE``.
    """
    certificate = _require_own(context, arguments.certificate_id)
    check_words("reason", arguments.reason)
    _change_by_person(context, certificate, CertificateState.SUSPENDED, arguments.reason)
    return b""


def reinstate(context: Context, arguments: ReinstateCertificate) -> bytes:
    """Makes a suspended certificate valid again; emits ``certificate.reinstated``.

    Raises:
        ContractRefusal: as :func:`suspend`; ``INVALID_ARGUMENTS`` for another number of
            revisions than have touched the certificate.
    """
    certificate = _require_own(context, arguments.certificate_id)
    check_words("reason", arguments.reason)
    status = status_of(context.state, certificate.certificate_id)
    if status.revision_count != arguments.revision_count:
        raise refusal(
            Code.INVALID_ARGUMENTS,
            "revision_count",
            expected=f"{status.revision_count}, all that have touched the certificate",
            got=str(arguments.revision_count),
        )
    _change_by_person(context, certificate, CertificateState.VALID, arguments.reason)
    return b""


def revoke(context: Context, arguments: ChangeCertificate) -> bytes:
    """Ends a certificate for good; emits ``certificate.revoked``.

    Raises:
        ContractRefusal: as :func:`suspend`.
    """
    certificate = _require_own(context, arguments.certificate_id)
    check_words("reason", arguments.reason)
    _change_by_person(context, certificate, CertificateState.REVOKED, arguments.reason)
    for site_id in certificate.sites:
        context.state.delete(by_site_key(site_id, certificate.certificate_id))
    return b""


def suspend_covering(context: Context, recorded: RecordedRevision) -> None:
    """Suspends the certificates whose site and period a revision touches.

    One that is suspended already stays so and counts the revision.
    """
    state, revision = context.state, recorded.revision
    index = state.iterate(CertificateReference, by_site_prefix(revision.site))
    touched = [
        reference.certificate_id
        for _, reference in index
        if revision.from_ms < reference.to_ms and revision.to_ms > reference.from_ms
    ]
    for certificate_id in touched:
        certificate = get_certificate(state, certificate_id)
        assert certificate is not None, "an index names certificates that exist"
        status = status_of(state, certificate_id)
        counted = replace(status, revision_count=status.revision_count + 1)
        state.put(status_key(certificate_id), counted)
        if status.state is CertificateState.VALID:
            change = _change(
                context,
                counted,
                CertificateState.SUSPENDED,
                f"{revision.kind.name} of {revision.subject}",
            )
            change = replace(change, revision=(revision.site, recorded.number))
            _apply(context, certificate, counted, change)


def on_due(context: Context, certificate_id: str) -> Milliseconds | None:
    """Tells that a certificate's validity is over; emits ``certificate.expired``.

    Nothing else changes: the dates stand in the certificate, and whoever relies on it has a clock.
    """
    certificate = get_certificate(context.state, certificate_id)
    assert certificate is not None, "what is due was issued"
    if status_of(context.state, certificate_id).state is not CertificateState.REVOKED:
        context.emit("certificate.expired", certificate_id, certificate)
    return None


def _require_own(context: Context, certificate_id: CertificationId) -> CertificateBinding:
    certificate = get_certificate(context.state, certificate_id)
    if certificate is None:
        raise refusal(
            Code.UNKNOWN_CERTIFICATE,
            "certificate_id",
            expected="the id of a certificate that was issued",
            got=repr(certificate_id),
        )
    sender = sender_of(context)
    if sender.organisation != certificate.body:
        raise refusal(
            Code.NOT_PERMITTED,
            f"certificate {certificate_id}",
            expected=f"a certifier of {certificate.body}",
            got=f"one of {sender.organisation}",
        )
    return certificate


def _check_validity(time_ms: Milliseconds, valid_until_ms: Milliseconds) -> None:
    if not time_ms < valid_until_ms <= time_ms + VALIDITY_MS_MAX:
        raise refusal(
            Code.INVALID_ARGUMENTS,
            "valid_until_ms",
            expected=f"above {time_ms} and at most {time_ms + VALIDITY_MS_MAX}",
            got=str(valid_until_ms),
        )


def _binding(
    context: Context, certification: Certification, arguments: IssueCertificate
) -> CertificateBinding:
    assert certification.statement is not None, "the caller has looked at it"
    return CertificateBinding(
        organisation=certification.organisation,
        sites=certification.sites,
        from_month=certification.from_month,
        to_month=certification.to_month,
        scopes=certification.scopes,
        certificate_id=certification.certification_id,
        body=certification.body,
        number=certification.number,
        from_ms=certification.from_ms,
        to_ms=certification.to_ms,
        criteria=certification.criteria,
        statement=certification.statement,
        report=arguments.report,
        factors=certified_factors(context.state, certification),
        checks=statistics_of(context.state, certification, context.time_ms),
        issued_by=context.sender,
        issued_ms=context.time_ms,
        issued_height=context.height,
        valid_until_ms=arguments.valid_until_ms,
    )


def _change_by_person(
    context: Context, certificate: CertificateBinding, after: CertificateState, reason: Text
) -> None:
    status = status_of(context.state, certificate.certificate_id)
    if after not in TRANSITIONS[status.state]:
        sources = [each.name for each in CertificateState if after in TRANSITIONS[each]]
        raise refusal(
            Code.WRONG_STATE,
            f"certificate {certificate.certificate_id}",
            expected="state " + " or ".join(sources),
            got=status.state.name,
        )
    _apply(context, certificate, status, _change(context, status, after, reason))


def _change(
    context: Context, status: CertificateStatus, after: CertificateState, reason: Text
) -> Change:
    return Change(
        number=status.change_count + 1,
        before=status.state,
        after=after,
        reason=reason,
        revision=None,
        changed_by=context.sender,
        changed_ms=context.time_ms,
        height=context.height,
    )


def _apply(
    context: Context, certificate: CertificateBinding, status: CertificateStatus, change: Change
) -> None:
    """Writes a change that is allowed: history, state, and the keys that stand for it."""
    state, certificate_id = context.state, certificate.certificate_id
    state.put(change_key(certificate_id, change.number), change)
    state.put(
        status_key(certificate_id),
        replace(status, state=change.after, change_count=change.number),
    )
    for standing, key in _KEYS:
        if change.after is standing:
            state.put(key(certificate_id), change)
        elif change.before is standing:
            state.delete(key(certificate_id))
    content = CertificateChanged(
        certificate_id=certificate_id, organisation=certificate.organisation, change=change
    )
    context.emit(_EVENTS[change.after], certificate_id, content)


_KEYS: Final = (
    (CertificateState.SUSPENDED, suspended_key),
    (CertificateState.REVOKED, revoked_key),
)
"""State keys that exist only while a certificate is in the state."""
_EVENTS: Final = {
    CertificateState.VALID: "certificate.reinstated",
    CertificateState.SUSPENDED: "certificate.suspended",
    CertificateState.REVOKED: "certificate.revoked",
}
_ISSUED: Final = CertificateStatus(state=CertificateState.VALID, change_count=0, revision_count=0)
_CERTIFYING: Final = (Opinion.UNMODIFIED, Opinion.MODIFIED)
_CERTIFIER: Final = frozenset({Role.CERTIFIER})
_WORK_OF_ISSUE: Final = 1_000
"""It adds up the months of all meters and looks through the open cases of the consortium."""

METHODS: Final[tuple[Method, ...]] = (
    method_of(
        "certificate.issue",
        IssueCertificate,
        issue,
        roles=_CERTIFIER,
        work=lambda _: _WORK_OF_ISSUE,
    ),
    method_of("certificate.suspend", ChangeCertificate, suspend, roles=_CERTIFIER),
    method_of("certificate.reinstate", ReinstateCertificate, reinstate, roles=_CERTIFIER),
    method_of("certificate.revoke", ChangeCertificate, revoke, roles=_CERTIFIER),
)
