"""Certificates: bound when issued, and every change of state that there is."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from contracts import certificates, certifications, sites, statements
from contracts.certificate import (
    TRANSITIONS,
    CertificateBinding,
    CertificateReference,
    CertificateState,
    Change,
    by_site_key,
    change_key,
    change_prefix,
    revoked_key,
    standing_prefix,
    suspended_key,
)
from contracts.certificates import VALIDITY_MS_MAX, get_certificate, on_due, status_of
from contracts.certification import Opinion, Stage
from contracts.check import CHECK_COUNT, Check
from contracts.due_queue import DUE_PREFIX, DueEntry, DueKind
from contracts.emissions import Scope, numerator_of, pack_numerator
from contracts.report import Headline, ReportStatus, report_key
from contracts.reports import get_report
from contracts.revisions import RevisionKind
from tests.unit.contracts.certification_world import (
    CHANGE,
    ID,
    MONTH,
    OTHER_CERTIFIER,
    REPORT,
    CertificationWorld,
)
from tests.unit.contracts.reading_world import DAY_MS, amount
from tests.unit.contracts.registry_world import CERTIFIER, SITE

VALID, SUSPENDED, REVOKED = CertificateState


@pytest.fixture
def world() -> CertificationWorld:
    made = CertificationWorld()
    made.issue()
    return made


def issued(world: CertificationWorld) -> CertificateBinding:
    found = get_certificate(world.state, ID)
    assert found is not None
    return found


def test_a_certificate_is_bound_to_what_was_looked_at(world: CertificationWorld) -> None:
    certificate = issued(world)

    assert certificate.statement.reexecution.state_root == b"\x0a" * 32
    assert certificate.report == REPORT
    assert [use.factor_id for use in certificate.factors] == ["kr-grid"]
    assert certificate.checks.meter_count == 1
    assert certificate.checks.expected == 31 * 96
    assert certificate.checks.present == 2
    assert certificate.checks.availability_permille == 0
    assert certificate.checks.applied[Check.DUPLICATE - 1] == 2
    assert certificate.checks.failed == (0,) * CHECK_COUNT
    assert certificate.issued_by == CERTIFIER
    assert world.certification.stage is Stage.CERTIFIED
    assert world.standing is VALID


def test_a_valid_certificate_has_neither_key(world: CertificationWorld) -> None:
    assert world.state.get(Change, revoked_key(ID)) is None
    assert world.state.get(Change, suspended_key(ID)) is None


def test_issuing_tells_of_certification_and_certificate() -> None:
    world = CertificationWorld()
    world.conclude_reported()
    world.call(certificates.issue, world.issuance(), sender=CERTIFIER)

    assert world.event_kinds[-2:] == ["certification.certified", "certificate.issued"]
    assert CertificateBinding.decode(world.events[-1].content) == issued(world)


def test_a_certificate_is_issued_once(world: CertificationWorld) -> None:
    code, detail = world.refusal_of(certificates.issue, world.issuance(), sender=CERTIFIER)

    assert code == "WRONG_STATE"
    assert "it is certified" in detail


@pytest.mark.parametrize("opinion", [Opinion.ADVERSE, Opinion.DISCLAIMER])
def test_no_certificate_rests_on_such_an_opinion(opinion: Opinion) -> None:
    world = CertificationWorld()
    world.conclude_reported(opinion=opinion)

    code, detail = world.refusal_of(certificates.issue, world.issuance(), sender=CERTIFIER)

    assert code == "WRONG_STATE"
    assert detail.startswith(f"opinion: expected UNMODIFIED or MODIFIED, got {opinion.name}")


def test_a_modified_opinion_certifies() -> None:
    world = CertificationWorld()
    world.conclude_reported(opinion=Opinion.MODIFIED)
    world.call(certificates.issue, world.issuance(), sender=CERTIFIER)

    assert issued(world).statement.opinion is Opinion.MODIFIED


def test_validity_has_an_end_and_not_too_late_a_one() -> None:
    world = CertificationWorld()
    world.conclude_reported()
    now = world.time_ms

    for valid_until_ms in (now, now + VALIDITY_MS_MAX + 1):
        refused = world.refusal_of(
            certificates.issue, world.issuance(valid_until_ms=valid_until_ms), sender=CERTIFIER
        )
        assert refused[0] == "INVALID_ARGUMENTS"
        assert refused[1].startswith(f"valid_until_ms: expected above {now} and at most")
    world.call(
        certificates.issue,
        world.issuance(valid_until_ms=now + VALIDITY_MS_MAX),
        sender=CERTIFIER,
    )


def test_a_revision_between_statement_and_issue_stands_in_the_way() -> None:
    world = CertificationWorld()
    world.conclude_reported()
    world.next_block()
    world.revise()

    code, detail = world.refusal_of(certificates.issue, world.issuance(), sender=CERTIFIER)

    assert code == "WRONG_STATE"
    assert "call certification.conclude anew" in detail


def test_a_case_opened_between_statement_and_issue_stands_in_the_way() -> None:
    world = CertificationWorld()
    world.conclude_reported()
    world.next_block()
    world.send(amount(60, -5))

    code, detail = world.refusal_of(certificates.issue, world.issuance(), sender=CERTIFIER)

    assert code == "WRONG_STATE"
    assert detail.startswith("open cases: expected those that the statement lists")


@pytest.mark.parametrize("kind", [kind for kind in RevisionKind if kind is not RevisionKind.EQUITY])
def test_a_revision_of_totals_suspends(world: CertificationWorld, kind: RevisionKind) -> None:
    recorded = world.revise(kind=kind)

    assert world.standing is SUSPENDED
    change = world.state.get(Change, suspended_key(ID))
    assert change is not None
    assert (change.before, change.after) == (VALID, SUSPENDED)
    assert change.revision == ("plant", recorded.number)
    assert change.reason == f"{kind.name} of correction/main/000001"
    assert world.event_kinds == [
        "revision.recorded",
        "certificate.suspended",
        "report.superseded",
    ]


def test_other_shares_leave_a_certificate_of_whole_sites_alone(world: CertificationWorld) -> None:
    world.revise(kind=RevisionKind.EQUITY)
    assert world.standing is VALID


def test_only_what_touches_site_and_period_suspends(world: CertificationWorld) -> None:
    certificate = issued(world)
    world.revise(from_ms=certificate.from_ms - DAY_MS, to_ms=certificate.from_ms)
    world.revise(from_ms=certificate.to_ms, to_ms=certificate.to_ms + 1)
    world.call(sites.register, replace(SITE, site_id="plant-2"))
    world.revise(site="plant-2")
    assert world.standing is VALID

    world.revise(from_ms=certificate.to_ms - 1, to_ms=certificate.to_ms + DAY_MS)
    assert world.standing is SUSPENDED


def test_the_first_moment_of_the_period_is_covered(world: CertificationWorld) -> None:
    certificate = issued(world)
    world.revise(from_ms=certificate.from_ms - DAY_MS, to_ms=certificate.from_ms + 1)

    assert world.standing is SUSPENDED


def test_further_revisions_are_counted_and_reinstating_names_them_all(
    world: CertificationWorld,
) -> None:
    world.revise()
    world.revise()
    status = status_of(world.state, ID)
    assert (status.change_count, status.revision_count) == (1, 2)

    refused = world.refusal_of(certificates.reinstate, world.reinstatement(1), sender=CERTIFIER)
    assert refused == (
        "INVALID_ARGUMENTS",
        "revision_count: expected 2, all that have touched the certificate, got 1",
    )
    world.call(certificates.reinstate, world.reinstatement(2), sender=CERTIFIER)
    assert world.standing is VALID
    assert world.state.get(Change, suspended_key(ID)) is None
    assert world.event_kinds[-1] == "certificate.reinstated"


def test_a_reinstated_certificate_is_suspended_again(world: CertificationWorld) -> None:
    world.revise()
    world.call(certificates.reinstate, world.reinstatement(1), sender=CERTIFIER)
    world.revise()

    numbers = [
        (change.number, change.after)
        for _, change in world.state.iterate(Change, change_prefix(ID))
    ]
    assert numbers == [(1, SUSPENDED), (2, VALID), (3, SUSPENDED)]


def suspend(world: CertificationWorld) -> None:
    world.call(certificates.suspend, CHANGE, sender=CERTIFIER)


def revoke(world: CertificationWorld) -> None:
    world.call(certificates.revoke, CHANGE, sender=CERTIFIER)


PATHS: dict[CertificateState, tuple[Callable[[CertificationWorld], None], ...]] = {
    VALID: (),
    SUSPENDED: (suspend,),
    REVOKED: (revoke,),
}


@pytest.mark.parametrize("before", list(CertificateState))
@pytest.mark.parametrize(
    ("method", "arguments", "after"),
    [
        (certificates.suspend, CHANGE, SUSPENDED),
        (certificates.revoke, CHANGE, REVOKED),
        (certificates.reinstate, certificates.ReinstateCertificate(
            certificate_id=ID, reason="looked into", revision_count=0), VALID),
    ],
)  # fmt: skip
def test_every_change_from_every_state(
    world: CertificationWorld,
    before: CertificateState,
    method: Callable[..., bytes],
    arguments: Any,
    after: CertificateState,
) -> None:
    for step in PATHS[before]:
        step(world)

    if after in TRANSITIONS[before]:
        world.call(method, arguments, sender=CERTIFIER)
        assert world.standing is after
    else:
        code, detail = world.refusal_of(method, arguments, sender=CERTIFIER)
        assert code == "WRONG_STATE"
        assert detail.endswith(f"got {before.name}")
        assert world.standing is before
    keys = (suspended_key, revoked_key)
    held = [world.state.get(Change, key(ID)) is not None for key in keys]
    assert held == [world.standing is SUSPENDED, world.standing is REVOKED]


def test_no_state_but_a_suspended_one_becomes_valid_and_nothing_follows_a_revocation() -> None:
    assert TRANSITIONS == {
        VALID: (SUSPENDED, REVOKED),
        SUSPENDED: (VALID, REVOKED),
        REVOKED: (),
    }


def test_a_revoked_certificate_is_left_alone_by_revisions(world: CertificationWorld) -> None:
    revoke(world)
    world.revise()

    assert world.standing is REVOKED
    assert status_of(world.state, ID).revision_count == 0
    assert world.state.get(CertificateReference, by_site_key("plant", ID)) is None


def test_the_standing_of_a_body_is_listed_under_one_prefix(world: CertificationWorld) -> None:
    revoke(world)

    keys = [key for key, _ in world.state.iterate(Change, standing_prefix("body", REVOKED))]
    assert keys == [revoked_key(ID)]
    assert list(world.state.iterate(Change, standing_prefix("body", SUSPENDED))) == []


@pytest.mark.parametrize("method", [certificates.suspend, certificates.revoke])
@pytest.mark.parametrize(
    ("changes", "sender", "code"),
    [
        ({}, OTHER_CERTIFIER, "NOT_PERMITTED"),
        ({"certificate_id": "body.000002"}, CERTIFIER, "UNKNOWN_CERTIFICATE"),
        ({"reason": "\n"}, CERTIFIER, "INVALID_ARGUMENTS"),
    ],
)
def test_a_change_needs_its_body_a_certificate_and_a_reason(
    world: CertificationWorld,
    method: Callable[..., bytes],
    changes: dict[str, Any],
    sender: bytes,
    code: str,
) -> None:
    refused = world.refusal_of(method, replace(CHANGE, **changes), sender=sender)

    assert refused[0] == code


def test_a_change_is_kept_with_who_and_when(world: CertificationWorld) -> None:
    suspend(world)

    assert world.state.get(Change, change_key(ID, 1)) == Change(
        number=1,
        before=VALID,
        after=SUSPENDED,
        reason="a complaint",
        revision=None,
        changed_by=CERTIFIER,
        changed_ms=world.time_ms,
        height=world.height,
    )


def test_the_end_of_validity_is_told_unless_it_is_revoked(world: CertificationWorld) -> None:
    certificate = issued(world)
    due = [entry for _, entry in world.state.iterate(DueEntry, DUE_PREFIX)]
    assert [entry.due_ms for entry in due if entry.kind is DueKind.CERTIFICATE] == [
        certificate.valid_until_ms
    ]

    assert on_due(world.context(), ID) is None
    assert world.event_kinds == ["certificate.expired"]
    revoke(world)
    on_due(world.context(), ID)
    assert world.event_kinds == ["certificate.expired", "certificate.revoked"]


def test_a_certificate_needs_the_anchored_report() -> None:
    world = CertificationWorld()
    world.conclude()

    code, detail = world.refusal_of(certificates.issue, world.issuance(), sender=CERTIFIER)

    assert code == "INVALID_ARGUMENTS"
    assert detail == (
        "report: expected a report that its organisation has anchored with report.anchor, got "
        + "05" * 32
    )


@pytest.mark.parametrize(
    ("changes", "detail"),
    [
        ({"organisation": "grid"}, "report 1: organisation: expected steel, as the engagement"),
        ({"status": ReportStatus.SUPERSEDED_DATA}, "report 1: status: expected CURRENT"),
        ({"from_month": MONTH - 1}, "report 1: from_month: expected 645, as the engagement"),
        ({"to_month": MONTH + 1}, "report 1: to_month: expected 645, as the engagement, got 646"),
        ({"sites": ("plant", "plant-2")}, "report 1: sites: expected plant, as the engagement"),
        ({"direct": 1}, "report 1: direct: expected 0, as the engagement, got 1"),
        ({"location_based": 1}, "report 1: location_based: expected 1291800000000000, as the"),
        ({"market_based": 1}, "report 1: market_based: expected 1291800000000000, as the"),
        ({"value_chain": 1}, "report 1: value_chain: expected 0, as the engagement, got 1"),
    ],
)
def test_a_report_that_says_something_else_is_not_certified(
    changes: dict[str, Any], detail: str
) -> None:
    world = CertificationWorld()
    world.conclude_reported()
    report = get_report(world.state, "steel", 1)
    assert report is not None
    headline = {
        name: pack_numerator(value)
        for name, value in changes.items()
        if name in Headline.__dataclass_fields__
    }
    if headline:
        changes = {"headline": replace(report.headline, **headline)}
    world.state.put(report_key("steel", 1), replace(report, **changes))

    refused = world.refusal_of(certificates.issue, world.issuance(), sender=CERTIFIER)

    assert refused[0] == "INVALID_ARGUMENTS"
    assert refused[1].startswith(detail)


def test_totals_out_of_scope_are_not_looked_at() -> None:
    world = CertificationWorld()
    world.close()
    world.open(scopes=(Scope.DIRECT,))
    for _ in range(3):
        world.next_block()
    world.call(certifications.plan, world.plan_of(), sender=CERTIFIER)
    world.call(statements.conclude, world.conclusion(), sender=CERTIFIER)
    world.anchor()
    world.call(certificates.issue, world.issuance(), sender=CERTIFIER)

    certificate = issued(world)
    assert numerator_of(certificate.statement.totals.location_based) == 0
    assert certificate.factors == ()
