"""A closed month of one plant, a certification body with an observer, and final blocks to show."""

from dataclasses import replace
from typing import Any

from chain.execution import BlockContext
from chain.member import MemberRole, member_key
from chain.validator_set import VALIDATORS_KEY
from contracts import certificates, certifications, inventory_design, period, reports, statements
from contracts.account import Account, Role, account_key
from contracts.certificate import CertificateState
from contracts.certificates import (
    ChangeCertificate,
    IssueCertificate,
    ReinstateCertificate,
    status_of,
)
from contracts.certification import (
    AssuranceLevel,
    Certification,
    MisstatementKind,
    Opinion,
)
from contracts.certifications import OpenCertification, PlanSampling, get_certification
from contracts.emissions import Scope
from contracts.final_block import FinalBlock
from contracts.organisations import Organisation, OrganisationKind, organisation_key
from contracts.period import ClosePeriod
from contracts.report import AnchorReport, ReportKind
from contracts.report_totals import headline_of, months_of, sum_of
from contracts.revisions import RecordedRevision, Revision, RevisionKind, record_revision
from contracts.statements import Conclude, RecordMisstatement
from tests import chain_samples as samples
from tests.unit.contracts.reading_world import DAY, DAY_MS, ReadingWorld, amount
from tests.unit.contracts.registry_world import CERTIFIER, key_of
from tests.unit.contracts.test_inventory_design import DESIGN

MONTH = 645
"""2023-10, over at NOW_MS at the plant."""
ID = "body.000001"
OTHER_CERTIFIER = key_of(20)
OPEN = OpenCertification(
    organisation="steel",
    sites=("plant",),
    from_month=MONTH,
    to_month=MONTH,
    scopes=(Scope.DIRECT, Scope.PURCHASED_ENERGY, Scope.VALUE_CHAIN),
    criteria="ISO 14064-1:2018",
)
MISSTATEMENT = RecordMisstatement(
    certification_id=ID,
    amount_g=-7,
    kind=MisstatementKind.OMISSION,
    is_material=False,
    words="a forklift",
    evidence=bytes(32),
)
REVISION = Revision(
    organisation="steel",
    site="plant",
    from_ms=DAY,
    to_ms=DAY + DAY_MS,
    subject="correction/main/000001",
    kind=RevisionKind.CORRECTION,
)
CHANGE = ChangeCertificate(certificate_id=ID, reason="a complaint")
REPORT = b"\x05" * 32


class CertificationWorld(ReadingWorld):
    """Readings of 300,000 Wh in a month that is closed; block heights count."""

    def __init__(self) -> None:
        self.height = 9
        super().__init__()
        self.state.put(VALIDATORS_KEY, samples.VALIDATORS)
        observer = samples.member(
            6, node_id="observer-1", organisation="body", role=MemberRole.OBSERVER
        )
        self.state.put(member_key("observer-1"), observer)
        self.state.put(
            organisation_key("rival"),
            Organisation(
                organisation_id="rival",
                name="Rival",
                kind=OrganisationKind.CERTIFICATION_BODY,
                registered_ms=1,
            ),
        )
        self.state.put(
            account_key(OTHER_CERTIFIER),
            Account(
                public_key=OTHER_CERTIFIER,
                name="a rival",
                organisation="rival",
                roles=(Role.CERTIFIER,),
                registered_ms=1,
                revoked_ms=None,
            ),
        )
        self.send(amount(0, 100_000), amount(1, 200_000))
        self.next_block()

    @property
    def block(self) -> BlockContext:
        return replace(super().block, height=self.height)

    def next_block(self, after_ms: int = 1_000) -> None:
        super().next_block(after_ms)
        self.height += 1

    def shown(self, height: int, **changes: Any) -> FinalBlock:
        """A final block of this chain."""
        fields = {"chain_id": bytes(32), "height": height, "state_root": b"\x0a" * 32}
        header = samples.header(**{**fields, **changes})
        return FinalBlock(header=header, certificate=samples.certificate(header))

    def close(self) -> None:
        self.call(period.close, ClosePeriod(sites=("plant",), month=MONTH, note=""))
        self.next_block()

    def open(self, **changes: Any) -> Certification:
        self.call(certifications.open_certification, replace(OPEN, **changes), sender=CERTIFIER)
        return self.certification

    def plan_of(self, **changes: Any) -> PlanSampling:
        fields: dict[str, Any] = {
            "certification_id": ID,
            "document": b"\x09" * 32,
            "meters": ("main",),
            "intervals_per_meter": 5,
            "block": self.shown(self.certification.opened_height + 1),
        }
        return PlanSampling(**{**fields, **changes})

    def plan(self) -> None:
        """Opens and plans."""
        self.open()
        for _ in range(3):
            self.next_block()
        self.call(certifications.plan, self.plan_of(), sender=CERTIFIER)

    def conclusion(self, **changes: Any) -> Conclude:
        fields: dict[str, Any] = {
            "certification_id": ID,
            "level": AssuranceLevel.REASONABLE,
            "opinion": Opinion.UNMODIFIED,
            "materiality_permille": 50,
            "basis": "ISO 14064-3:2019",
            "exceptions": (),
            "node_id": "observer-1",
            "block": self.shown(self.height - 1),
        }
        return Conclude(**{**fields, **changes})

    def conclude(self, **changes: Any) -> None:
        """Closes, opens, plans and concludes."""
        self.close()
        self.plan()
        self.call(statements.conclude, self.conclusion(**changes), sender=CERTIFIER)

    def issuance(self, **changes: Any) -> IssueCertificate:
        fields: dict[str, Any] = {
            "certification_id": ID,
            "report": REPORT,
            "valid_until_ms": self.time_ms + 1_000_000,
        }
        return IssueCertificate(**{**fields, **changes})

    def anchor(self, **changes: Any) -> None:
        """Anchors the report of the month."""
        months = months_of(self.state, "plant", MONTH, MONTH)
        fields: dict[str, Any] = {
            "kind": ReportKind.CN_MONTHLY_DEPOSIT,
            "from_month": MONTH,
            "to_month": MONTH,
            "document": REPORT,
            "computed_height": 0,
            "state_root": bytes(32),
            "headline": headline_of(sum_of(months)),
        }
        self.call(inventory_design.define, DESIGN)
        self.call(reports.anchor, AnchorReport(**{**fields, **changes}))

    def conclude_reported(self, **changes: Any) -> None:
        """Closes, reports, opens, plans and concludes."""
        self.conclude(**changes)
        self.anchor()

    def issue(self) -> None:
        """All steps up to a valid certificate."""
        self.conclude_reported()
        self.next_block()
        self.call(certificates.issue, self.issuance(), sender=CERTIFIER)
        self.next_block()

    def revise(self, **changes: Any) -> RecordedRevision:
        return record_revision(self.context(), replace(REVISION, **changes))

    def reinstatement(self, revision_count: int) -> ReinstateCertificate:
        return ReinstateCertificate(
            certificate_id=ID, reason="looked into", revision_count=revision_count
        )

    @property
    def certification(self) -> Certification:
        found = get_certification(self.state, ID)
        assert found is not None
        return found

    @property
    def standing(self) -> CertificateState:
        return status_of(self.state, ID).state
