"""Which record class an event's content or a method's arguments hold, for showing them by name."""

from collections.abc import Mapping
from typing import Final

from chain.codec import Record
from contracts.account import Account
from contracts.accounts import AccountRevoked
from contracts.activity import Activity
from contracts.alert import Alert
from contracts.annual_filing import AnnualFiling
from contracts.baseline import Approval
from contracts.baselines import FitResult
from contracts.bills import Bill
from contracts.calendars import Calendar
from contracts.case import EVENTS, NOTES, CaseEntry, CaseSettings, Escalation
from contracts.certificate import CertificateBinding
from contracts.certificates import CertificateChanged
from contracts.certification import Certification, Misstatement
from contracts.check_settings import CheckSettings
from contracts.check_source import CheckSources
from contracts.comparison import Comparison
from contracts.correction import Correction
from contracts.deposit import Deposit, DepositClock, Submission
from contracts.due_queue import QuarantinedEntry
from contracts.equity import EquityDeclaration
from contracts.evidence import RecordedEvidence
from contracts.exchange import Exchange, ExchangeProposal
from contracts.factor import Factor
from contracts.instrument import Instrument, InstrumentTransfer
from contracts.inventory_design import InventoryDesign
from contracts.market import MarketSpan
from contracts.meter import Meter
from contracts.monitoring_plan import MonitoringPlan
from contracts.month_restatement import MonthRestatement, RestatementProposal
from contracts.period import ClosedMonth
from contracts.potentials import FactorSet, GwpSet
from contracts.reading import SubmitResult
from contracts.recounts import Recounted
from contracts.report import Report
from contracts.restatement import Restatement
from contracts.revisions import RecordedRevision
from contracts.runtime import METHODS
from contracts.site_profile import SiteProfile
from contracts.sites import Site
from contracts.substitutes import SubstituteResult
from contracts.target import Progress, Target

CONTENT_BY_KIND: Final[Mapping[str, type[Record]]] = {
    "account.registered": Account,
    "account.revoked": AccountRevoked,
    "annual.checked": AnnualFiling,
    "annual.overdue": AnnualFiling,
    "annual.submitted": AnnualFiling,
    "baseline.accepted": FitResult,
    "baseline.refused": FitResult,
    "baseline.set": Approval,
    "calendar.registered": Calendar,
    "certificate.expired": CertificateBinding,
    "certificate.issued": CertificateBinding,
    "certificate.reinstated": CertificateChanged,
    "certificate.revoked": CertificateChanged,
    "certificate.suspended": CertificateChanged,
    "certification.certified": Certification,
    "certification.concluded": Certification,
    "certification.misstatement": Misstatement,
    "certification.opened": Certification,
    "certification.planned": Certification,
    "bill.submitted": Bill,
    "check.configured": CheckSettings,
    "check.sources_named": CheckSources,
    "comparison.judged": Comparison,
    "correction.approved": Correction,
    "correction.proposed": Correction,
    "correction.rejected": Correction,
    "deposit.checked": Deposit,
    "deposit.completed": Deposit,
    "deposit.enrolled": DepositClock,
    "deposit.overdue": Deposit,
    "deposit.submitted": Submission,
    "due.quarantined": QuarantinedEntry,
    "evidence.recorded": RecordedEvidence,
    "factor.set": Factor,
    "factor.set_registered": FactorSet,
    "factor.restated": Factor,
    "gwp.registered": GwpSet,
    "instrument.registered": Instrument,
    "reading.recounted": Recounted,
    "target.set": Target,
    "target.judged": Progress,
    "instrument.retired": Instrument,
    "instrument.transferred": InstrumentTransfer,
    "market.set": MarketSpan,
    "activity.submitted": Activity,
    "activity.withdrawn": Activity,
    **{
        f"restatement.{step}": Restatement
        for step in ("proposed", "approved", "rejected", "advanced", "applied")
    },
    "equity.declared": EquityDeclaration,
    "meter.exchange_proposed": ExchangeProposal,
    "meter.exchanged": Exchange,
    "meter.live": Meter,
    "meter.registered": Meter,
    "period.closed": ClosedMonth,
    "period.restated": MonthRestatement,
    "period.restatement_proposed": RestatementProposal,
    "plan.filed": MonitoringPlan,
    "report.anchored": Report,
    "report.superseded": Report,
    "report.defined": InventoryDesign,
    "revision.recorded": RecordedRevision,
    "site.described": SiteProfile,
    "site.registered": Site,
    "alert.opened": Alert,
    "alert.updated": Alert,
    "alert.cleared": Alert,
    "case.configured": CaseSettings,
    "case.escalated": Escalation,
    **dict.fromkeys(EVENTS.values(), Alert),
    **dict.fromkeys(NOTES.values(), CaseEntry),
}

RESULT_BY_METHOD: Final[Mapping[str, type[Record]]] = {
    "reading.recount": Recounted,
    "baseline.fit": FitResult,
    "reading.substitute": SubstituteResult,
    "readings.submit": SubmitResult,
}


def argument_record_of(method: str) -> type[Record] | None:
    """Returns the class of a method's arguments, or None for a method that is not known."""
    known = METHODS.get(method)
    return None if known is None else known.arguments


def result_record_of(method: str) -> type[Record] | None:
    """Returns the class of a method's result, or None where it returns none that is known."""
    return RESULT_BY_METHOD.get(method)


def event_record_of(kind: str) -> type[Record] | None:
    """Returns the class of an event's content, or None for a kind that is not known."""
    return CONTENT_BY_KIND.get(kind)
