"""Sections of a GHG inventory: by gas and category, base year, methods.

After ISO 14064-1:2018 and the GHG Protocol as carbon.md 3.2 lists them [K]: the standards' own
texts were not read, and docs/reports.md says so for each member.
"""

from collections.abc import Sequence
from typing import Final

from chain.state import State
from contracts.consolidation import counted_months
from contracts.emissions import Scope
from contracts.inventory_design import InventoryDesign
from contracts.month import january_of, month_name
from contracts.period import closed_at
from contracts.report_sections import Document, Period, allocation_section, amount, totals_section
from contracts.report_totals import sum_of
from contracts.report_uncertainty import uncertainty_section
from contracts.site_month import LineKind, SiteMonth, Sums

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


def _base_year_section(state: State, design: InventoryDesign) -> Document:
    first = january_of(design.base_year)
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
