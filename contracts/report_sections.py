"""Sections that every report has: totals, sites, months, factors, quality, restatements."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from chain.state import State
from contracts.check import Check, checks_in
from contracts.consolidation import part_of
from contracts.emissions import Scope, numerator_of
from contracts.factor import Factor, FuelBasis, factor_key, factor_version_key
from contracts.gas import GasFactor
from contracts.inventory_design import InventoryDesign
from contracts.market import Allocation
from contracts.monitoring_plan import MonitoringPlan, newest_plan
from contracts.month import month_name
from contracts.month_restatement import MonthRestatement, late_meters, late_site, restatement_prefix
from contracts.period import get_closed, span_of
from contracts.report import FactorUse
from contracts.report_totals import (
    emission_of,
    factors_of,
    grams,
    of_kind,
    sum_of,
    tonnes,
    whole_tonnes,
)
from contracts.restatement import RESTATED_PREFIX, RestatedMonth
from contracts.revision import RecordedRevision, RevisionKind, revision_prefix
from contracts.site_month import LineKind, SiteMonth, Sums, sums_of
from contracts.site_quality import NO_QUALITY, SiteQuality, added, site_quality
from contracts.sites import require_site

Document: TypeAlias = dict[str, object]
"""A JSON object of text, integers, booleans, null, lists and objects."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """What a report adds up."""

    design: InventoryDesign
    from_month: int
    to_month: int
    """Inclusive."""

    @property
    def sites(self) -> tuple[str, ...]:
        """Returns the sites that the design names."""
        return self.design.sites

    @property
    def months(self) -> range:
        """Returns the months, ascending."""
        return range(self.from_month, self.to_month + 1)


def amount(numerator: int, *, is_whole: bool = False) -> Document:
    """Returns a quantity of CO2e: undivided, and each rounded form made of it alone."""
    shown: Document = {
        "numerator_1e10_g": str(numerator),
        "grams": grams(numerator),
        "tonnes": whole_tonnes(numerator) if is_whole else tonnes(numerator),
    }
    return shown


def totals_section(sums: Sums, *, is_whole: bool) -> Document:
    """Returns the headline totals, and what is added up of them."""
    direct, chain = emission_of(sums, Scope.DIRECT), emission_of(sums, Scope.VALUE_CHAIN)
    numerators = {
        "direct": direct,
        "scope2_location_based": sums.location,
        "scope2_market_based": sums.market,
        "value_chain": chain,
        "biogenic": of_kind(sums, LineKind.BIOGENIC),
        "removals": of_kind(sums, LineKind.REMOVAL),
        "direct_and_scope2_location_based": direct + sums.location,
        "direct_and_scope2_market_based": direct + sums.market,
        "all_location_based": direct + sums.location + chain,
        "all_market_based": direct + sums.market + chain,
    }
    section: Document = {
        name: amount(numerator, is_whole=is_whole) for name, numerator in numerators.items()
    }
    section["electricity_wh"] = str(sums.electricity)
    section["electricity_covered_wh"] = str(sums.covered)
    section["intervals_without_factor"] = sums.without_factor
    return section


def site_section(
    state: State, period: Period, site_id: str, months: Sequence[SiteMonth], *, is_whole: bool
) -> Document:
    """Returns a site's totals and each of its months."""
    site = require_site(state, site_id)
    by_month = {month.month: month for month in months}
    return {
        "site": site_id,
        "name": site.name,
        "operator": site.organisation,
        "country": site.country,
        "calendar": f"{site.calendar[0]} version {site.calendar[1]}",
        "totals": totals_section(sum_of(months), is_whole=is_whole),
        "months": [
            _month_section(state, period, site_id, month, by_month.get(month))
            for month in period.months
        ],
    }


def _month_section(
    state: State, period: Period, site_id: str, month: int, totals: SiteMonth | None
) -> Document:
    sums = Sums() if totals is None else sums_of(totals)
    closed = get_closed(state, site_id, month)
    apart = list(late_meters(state, site_id, month))
    return {
        "month": month_name(month),
        "share_ppm": part_of(state, period.design, site_id, month).share_ppm,
        "state": "OPEN" if closed is None else "CLOSED",
        "closed_ms": None if closed is None else closed.closed_ms,
        "restatements": 0 if closed is None else closed.restatement_count,
        "intervals_after_close": sum(total.interval_count for _, total in apart),
        "meters_after_close": len(apart),
        "is_restatement_due": bool(apart) or late_site(state, site_id, month) is not None,
        "direct_1e10_g": str(emission_of(sums, Scope.DIRECT)),
        "scope2_location_based_1e10_g": str(sums.location),
        "scope2_market_based_1e10_g": str(sums.market),
        "value_chain_1e10_g": str(emission_of(sums, Scope.VALUE_CHAIN)),
        "intervals": sums.intervals,
        "intervals_flagged": sums.flagged,
        "intervals_without_factor": sums.without_factor,
    }


def factor_section(state: State, months: Sequence[SiteMonth]) -> list[Document]:
    """Returns each version of a factor that the totals were computed with, and its amount."""
    amounts: dict[FactorUse, int] = {}
    for month in months:
        for stream in month.streams:
            use = FactorUse(
                factor_id=stream.factor_id,
                valid_from_ms=stream.valid_from_ms,
                version=stream.version,
            )
            amounts[use] = amounts.get(use, 0) + numerator_of(stream.amount)
    return [
        _present_factor(require_factor(state, use), amounts.get(use, 0))
        for use in factors_of(months)
    ]


def require_factor(state: State, use: FactorUse) -> Factor:
    """Returns a version of a factor's period, in force or older."""
    factor = state.get(Factor, factor_key(use.factor_id, use.valid_from_ms))
    if factor is None or factor.version != use.version:
        older = factor_version_key(use.factor_id, use.valid_from_ms, use.version)
        factor = state.get(Factor, older)
    assert factor is not None, "totals name versions of factors that are kept"
    return factor


def _present_factor(factor: Factor, used: int) -> Document:
    return {
        "factor": factor.factor_id,
        "name": factor.name,
        "version": factor.version,
        "basis": factor.basis.name,
        "valid_from_ms": factor.valid_from_ms,
        "valid_to_ms": str(factor.valid_to_ms),
        "base_unit": factor.base_unit.name,
        "co2e_per_unit_1e10_g": str(factor.co2e_per_unit),
        "gases": [_present_gas(gas) for gas in factor.gases],
        "fuel": None if factor.fuel is None else _present_fuel(factor.fuel),
        "gwp_set": factor.gwp_set,
        "factor_set": factor.factor_set,
        "source": factor.source,
        "evidence": factor.evidence.name,
        "evidence_note": factor.evidence_note,
        "uncertainty": None
        if factor.uncertainty is None
        else {"permille": factor.uncertainty.permille, "source": factor.uncertainty.source},
        "amount": str(used),
    }


def _present_gas(gas: GasFactor) -> Document:
    return {
        "species": gas.species,
        "gas": gas.gas.name,
        "is_biogenic": gas.is_biogenic,
        "mass_per_unit_1e9_g": str(gas.mass),
        "potential_tenths": gas.potential,
    }


def _present_fuel(fuel: FuelBasis) -> Document:
    return {
        "heating_value_1e2_gj": fuel.heating_value,
        "carbon_1e2_t_per_tj": fuel.carbon,
        "oxidation_1e4": fuel.oxidation,
        "per_base_units": fuel.base_units,
    }


def allocation_section(months: Iterable[SiteMonth]) -> list[Document]:
    """Returns the instruments that cover electricity of months, by site and month."""
    return [
        {"site": month.site, "month": month_name(month.month), **_present_allocation(allocation)}
        for month in months
        for allocation in month.allocations
    ]


def _present_allocation(allocation: Allocation) -> Document:
    return {
        "instrument": allocation.instrument_id,
        "rank": allocation.rank.name,
        "amount_wh": str(allocation.amount_wh),
        "co2e_per_wh_1e10_g": str(allocation.co2e_per_unit),
        "evidence": allocation.evidence.name,
    }


def plan_section(state: State, sites: Sequence[str]) -> list[Document]:
    """Returns the newest monitoring plan of each site; null where none is filed."""
    return [
        {"site": site_id, "plan": _present_plan(newest_plan(state, site_id))} for site_id in sites
    ]


def _present_plan(plan: MonitoringPlan | None) -> Document | None:
    if plan is None:
        return None
    return {
        "version": plan.version,
        "document": plan.document.hex(),
        "valid_from_ms": plan.valid_from_ms,
        "parameters": [
            {
                "parameter": each.parameter,
                "meter": each.meter,
                "unit": each.unit,
                "determination": each.determination.name,
                "instrument": each.instrument,
                "frequency": each.frequency,
                "calibration": each.calibration,
                "substitute": each.substitute,
                "uncertainty_permille": each.uncertainty_permille,
                "tier": each.tier,
            }
            for each in plan.parameters
        ],
    }


def quality_section(state: State, period: Period) -> Document:
    """Returns counts of the period: of closed months as the close froze them."""
    total = NO_QUALITY
    meters = 0
    for site_id in period.sites:
        most = 0
        for month in period.months:
            quality = _quality_of(state, site_id, month)
            most = max(most, quality.meter_count)
            total = added(total, quality)
        meters += most
    return {
        "meters": meters,
        "intervals_expected": total.expected,
        "intervals_present": total.present,
        "intervals_substituted": total.substituted,
        "intervals_flagged": total.flagged,
        "availability_permille": total.availability_permille,
        "substituted_permille": total.substituted_permille,
        "score_permille": total.score_permille,
        "checks": [
            {
                "check": check.name,
                "number": int(check),
                "applied": total.applied[check - 1],
                "failed": total.failed[check - 1],
            }
            for check in Check
            if check <= len(total.applied) and total.applied[check - 1]
        ],
        "checks_off": [check.name for check in checks_in(total.off)],
    }


def _quality_of(state: State, site_id: str, month: int) -> SiteQuality:
    closed = get_closed(state, site_id, month)
    if closed is not None:
        return closed.quality
    _, end_ms = span_of(state, require_site(state, site_id), month)
    return site_quality(state, site_id, month, end_ms)


def restatement_section(state: State, period: Period) -> Document:
    """Returns what has moved totals of the period after they stood."""
    months: list[Document] = []
    factors: list[Document] = []
    counts = dict.fromkeys(RevisionKind, 0)
    for site_id in period.sites:
        months += _month_restatements(state, site_id, period)
        factors += _factor_restatements(state, site_id, period)
        for kind in _revisions(state, site_id, period):
            counts[kind] += 1
    return {
        "closed_months": months,
        "factors": factors,
        "revisions": {kind.name: count for kind, count in counts.items()},
    }


def _month_restatements(state: State, site_id: str, period: Period) -> list[Document]:
    found: list[Document] = []
    for _, each in state.iterate(MonthRestatement, restatement_prefix(site_id)):
        if each.month not in period.months:
            continue
        old = Sums() if each.old is None else sums_of(each.old)
        new = Sums() if each.new is None else sums_of(each.new)
        found.append(
            {
                "site": site_id,
                "month": month_name(each.month),
                "number": each.number,
                "reason": each.reason,
                "approved_ms": each.approved_ms,
                "old_location_based_1e10_g": str(old.location + emission_of(old, Scope.DIRECT)),
                "new_location_based_1e10_g": str(new.location + emission_of(new, Scope.DIRECT)),
            }
        )
    return found


def _factor_restatements(state: State, site_id: str, period: Period) -> list[Document]:
    prefix = RESTATED_PREFIX + site_id.encode() + b"/"
    return [
        {
            "site": site_id,
            "month": month_name(each.month),
            "factor": each.factor_id,
            "number": each.number,
            "old_scope2_location_based_1e10_g": str(
                numerator_of(each.before.scope2.location_based)
            ),
            "new_scope2_location_based_1e10_g": str(numerator_of(each.after.scope2.location_based)),
            "applied_ms": each.applied_ms,
        }
        for _, each in state.iterate(RestatedMonth, prefix)
        if each.month in period.months
    ]


def _revisions(state: State, site_id: str, period: Period) -> list[RevisionKind]:
    site = require_site(state, site_id)
    from_ms, _ = span_of(state, site, period.from_month)
    _, to_ms = span_of(state, site, period.to_month)
    return [
        recorded.revision.kind
        for _, recorded in state.iterate(RecordedRevision, revision_prefix(site_id))
        if recorded.revision.from_ms < to_ms and from_ms < recorded.revision.to_ms
    ]
