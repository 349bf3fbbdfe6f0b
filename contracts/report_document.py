"""The document of a report, as a value of canonical JSON: a pure function of the state.

Two nodes with the same state build the same document, byte for byte (:mod:`chain.jcs`). It holds
integers and text only: quantities are digits with their unit in the name, undivided beside rounded,
and each is rounded once, from its own numerator. docs/reports.md describes every member.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from chain.state import State
from chain.types import Hash, Height, Milliseconds
from contracts.consolidation import counted_months
from contracts.inventory_design import InventoryDesign
from contracts.month import month_name
from contracts.organisations import get_organisation
from contracts.refusal import Code, refusal
from contracts.report import ReportKind
from contracts.report_china import annual_section, monthly_section
from contracts.report_inventory import inventory_section
from contracts.report_sections import (
    Document,
    Period,
    factor_section,
    plan_section,
    quality_section,
    restatement_section,
    site_section,
    totals_section,
)
from contracts.report_totals import sum_of
from contracts.reports import check_period, require_design
from contracts.site_month import SiteMonth

SCHEMA: Final = "tanlian/report/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportRequest:
    """Which report is wanted."""

    kind: ReportKind
    organisation: str
    from_month: int
    to_month: int
    """Inclusive."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ComputedAt:
    """The block whose state a document is built from."""

    chain_id: Hash
    height: Height
    state_root: Hash
    time_ms: Milliseconds
    """Block time."""


def build_document(state: State, request: ReportRequest, at: ComputedAt) -> Document:
    """Builds the document of a report.

    Args:
        state: after the block that ``at`` names; only read.
        request: what is wanted.
        at: stands in the document as it is.

    Raises:
        ContractRefusal: ``INVALID_ARGUMENTS`` for a period that is none of the kind or an unknown
            organisation, ``WRONG_STATE`` where no design says what the report covers.
    """
    check_period(request.kind, request.from_month, request.to_month)
    organisation = get_organisation(state, request.organisation)
    if organisation is None:
        raise refusal(
            Code.INVALID_ARGUMENTS,
            "organisation",
            expected="an organisation of this chain",
            got=repr(request.organisation),
        )
    design = require_design(state, request.organisation, request.kind)
    period = Period(
        design=design,
        from_month=request.from_month,
        to_month=request.to_month,
    )
    by_site = {
        site_id: counted_months(state, design, site_id, period.from_month, period.to_month)
        for site_id in period.sites
    }
    months = [month for site_id in period.sites for month in by_site[site_id]]
    is_whole = request.kind is not ReportKind.GHG_INVENTORY
    document: Document = {
        "schema": SCHEMA,
        "kind": request.kind.name,
        "organisation": {"id": request.organisation, "name": organisation.name},
        "period": {"from": month_name(period.from_month), "to": month_name(period.to_month)},
        "computed_at": _place_section(at),
        "design": _design_section(design),
        "totals": totals_section(sum_of(months), is_whole=is_whole),
        "sites": [
            site_section(state, period, site_id, by_site[site_id], is_whole=is_whole)
            for site_id in period.sites
        ],
        "factors": factor_section(state, months),
        "monitoring_plans": plan_section(state, period.sites),
        "data_quality": quality_section(state, period),
        "restatements": restatement_section(state, period),
        "verification": {
            "statement": None,
            "note": "A statement names this document by its SHA-256 and so cannot stand in it.",
        },
    }
    document.update(_kind_section(state, request.kind, period, months))
    return document


def _kind_section(
    state: State,
    kind: ReportKind,
    period: Period,
    months: Sequence[SiteMonth],
) -> Document:
    match kind:
        case ReportKind.GHG_INVENTORY:
            return inventory_section(state, period, months)
        case ReportKind.CN_MONTHLY_DEPOSIT:
            return monthly_section(state, period, months)
        case ReportKind.CN_ANNUAL:
            return annual_section(state, period, months)


def _place_section(at: ComputedAt) -> Document:
    return {
        "chain_id": at.chain_id.hex(),
        "height": at.height,
        "state_root": at.state_root.hex(),
        "time_ms": at.time_ms,
    }


def _design_section(design: InventoryDesign) -> Document:
    return {
        "version": design.version,
        "sites": list(design.sites),
        "consolidation": design.consolidation.name,
        "boundary": design.boundary,
        "significance": design.significance,
        "recalculation": design.recalculation,
        "responsible": design.responsible,
        "gwp": design.gwp,
        "exclusions": [
            {
                "subject": exclusion.subject,
                "iso_category": exclusion.category,
                "reason": exclusion.reason,
                "estimate_permille": exclusion.estimate_permille,
            }
            for exclusion in design.exclusions
        ],
    }
