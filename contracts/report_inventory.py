"""Sections of a GHG inventory: by gas and category, base year, methods, uncertainty.

After ISO 14064-1:2018 and the GHG Protocol as carbon.md 3.2 lists them [K]: the standards' own
texts were not read, and docs/reports.md says so for each member.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from chain.state import State
from contracts.activity import Activity, activity_prefix
from contracts.consolidation import counted_months, part_of
from contracts.emissions import MonthTotal, Scope, counts_for_site, meter_month_key, numerator_of
from contracts.factor import Factor, factor_key
from contracts.inventory_design import InventoryDesign
from contracts.meter import Meter
from contracts.meters import meters_at
from contracts.monitoring_plan import newest_plan
from contracts.month import month_name
from contracts.month_restatement import late_site
from contracts.period import closed_at
from contracts.reading import emits
from contracts.report_sections import Document, Period, allocation_section, amount, totals_section
from contracts.report_totals import emission_of, sum_of
from contracts.site_month import LineKind, SiteMonth, Sums
from contracts.uncertainty import Source, combined_uncertainty

_METHODS: Final = (
    "Metered energy: base units of an interval times the factor valid at its start, undivided.",
    "Fuels: activity data x NCV x CC x OF x 44/12, folded into the factor once.",
    "Scope 2 location-based: by the grid's factors.",
    "Scope 2 market-based: retired instruments first, then the market factor, else the grid's.",
    "Rounding: once, from each quantity's own numerator, half to even.",
    "CO2 of biomass and removals stand apart and are in no total.",
)


def inventory_section(state: State, period: Period, months: Sequence[SiteMonth]) -> Document:
    """Returns what an inventory has beside the sections of every report."""
    sums = sum_of(months)
    return {
        "lines": line_section(sums),
        "direct_by_gas": gas_section(sums),
        "base_year": _base_year_section(state, period.design),
        "methods": list(_METHODS),
        "instruments": allocation_section(months),
        "open_months": _open_months(state, period),
        "uncertainty": uncertainty_section(state, period, sums),
    }


def line_section(sums: Sums) -> list[Document]:
    """Returns emissions by scope, category, gas and kind; they add up to the totals."""
    return [
        {
            "scope": int(scope),
            "iso_category": int(category),
            "scope3_category": s3_category or None,
            "gas": gas.name,
            "kind": kind.name,
            "mass_1e9_g": str(mass),
            "co2e": amount(co2e),
        }
        for (scope, category, s3_category, gas, kind), (mass, co2e) in sorted(sums.lines.items())
        if mass or co2e
    ]


def gas_section(sums: Sums) -> list[Document]:
    """Returns direct emissions by gas."""
    by_gas: dict[str, tuple[int, int]] = {}
    for (scope, _, _, gas, kind), (mass, co2e) in sorted(sums.lines.items()):
        if scope is Scope.DIRECT and kind is LineKind.EMISSION:
            before = by_gas.get(gas.name, (0, 0))
            by_gas[gas.name] = (before[0] + mass, before[1] + co2e)
    return [
        {"gas": gas, "mass_1e9_g": str(mass), "co2e": amount(co2e)}
        for gas, (mass, co2e) in by_gas.items()
    ]


def uncertainty_section(state: State, period: Period, sums: Sums) -> Document:
    """Returns the combined uncertainty of meters and activities, and what it leaves out.

    Each meter that counts for a site is a source; the plan's uncertainty of it is taken, else its
    accuracy class. So is each activity that states one. Sources are taken as independent.
    """
    rows: list[Document] = []
    sources: list[Source] = []
    for site_id in period.sites:
        planned = _planned(state, site_id)
        for meter in meters_at(state, site_id):
            if not emits(meter) or not counts_for_site(meter):
                continue
            emission = _emission_of(state, meter, period)
            permille = planned.get(meter.meter_id, meter.accuracy_class_permille)
            sources.append(Source(emission=max(emission, 0), uncertainty_permille=permille))
            rows.append(
                {
                    "meter": meter.meter_id,
                    "emission_1e10_g": str(emission),
                    "uncertainty_permille": permille,
                    "from": "monitoring plan" if meter.meter_id in planned else "accuracy class",
                }
            )
        for activity, emission in _activities(state, site_id, period):
            permille = activity.uncertainty_permille
            rows.append(
                {
                    "activity": f"{site_id}/{activity.activity_id}",
                    "emission_1e10_g": str(emission),
                    "uncertainty_permille": permille or None,
                    "from": "activity" if permille else "not stated",
                }
            )
            if permille:
                sources.append(Source(emission=emission, uncertainty_permille=permille))
    covered = sum(source.emission for source in sources)
    total = emission_of(sums, Scope.DIRECT) + sums.location + emission_of(sums, Scope.VALUE_CHAIN)
    return {
        "combined_1e4": combined_uncertainty(sources),
        "formula": "sqrt(sum((u_i*E_i)^2)) / sum(E_i), rounded up to 1e-4",
        "covered_1e10_g": str(covered),
        "not_covered_1e10_g": str(total - covered),
        "leaves_out": "uncertainty of factors, and activities that state none",
        "sources": rows,
    }


def _activities(state: State, site_id: str, period: Period) -> Iterator[tuple[Activity, int]]:
    """Yields (activity, its emissions in the period) of what counts in the site's totals."""
    for _, activity in state.iterate(Activity, activity_prefix(site_id)):
        if activity.withdrawn_ms is not None or activity.booking.is_removal:
            continue
        emission = 0
        for share in activity.shares:
            is_apart = share.is_late and late_site(state, site_id, share.month) is not None
            if share.month not in period.months or is_apart:
                continue
            factor = state.get(Factor, factor_key(activity.factor, share.valid_from_ms))
            assert factor is not None, "what was counted by a factor keeps it"
            part = part_of(state, period.design, site_id, share.month)
            emission += part.of(share.amount * factor.co2e_per_unit)
        if emission:
            yield activity, emission


def _planned(state: State, site_id: str) -> dict[str, int]:
    plan = newest_plan(state, site_id)
    if plan is None:
        return {}
    return {
        each.meter: each.uncertainty_permille
        for each in plan.parameters
        if each.meter is not None and each.uncertainty_permille is not None
    }


def _emission_of(state: State, meter: Meter, period: Period) -> int:
    emission = 0
    for month in period.months:
        total = state.get(MonthTotal, meter_month_key(meter.meter_id, month))
        if total is not None:
            part = part_of(state, period.design, meter.site, month)
            emission += part.of(numerator_of(total.co2e))
    return emission


def _base_year_section(state: State, design: InventoryDesign) -> Document:
    first = (design.base_year - 1970) * 12
    months = [
        month
        for site_id in design.sites
        for month in counted_months(state, design, site_id, first, first + 11)
    ]
    return {
        "year": design.base_year,
        "reason": design.base_year_reason,
        "months_with_data": len({month.month for month in months}),
        "totals": totals_section(sum_of(months), is_whole=False),
    }


def _open_months(state: State, period: Period) -> list[str]:
    return [
        f"{site_id} {month_name(month)}"
        for site_id in period.sites
        for month in period.months
        if closed_at(state, site_id, month) is None
    ]
