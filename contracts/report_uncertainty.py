"""The uncertainty section of an inventory: amounts and factors, and what nobody declared.

Each meter that counts for a site is a source; the plan's uncertainty of it is taken, else its
accuracy class. So is each activity that states one. Factors add what they declare.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from chain.state import State
from contracts.activity import Activity, activity_prefix
from contracts.consolidation import part_of
from contracts.emissions import MonthTotal, Scope, counts_for_site, meter_month_key, numerator_of
from contracts.factor import Factor, factor_key
from contracts.meter import Meter
from contracts.meters import meters_at
from contracts.monitoring_plan import newest_plan
from contracts.month_restatement import late_site
from contracts.reading import emits
from contracts.report import FactorUse
from contracts.report_sections import Document, Period, require_factor
from contracts.report_totals import emission_of
from contracts.site_month import Sums
from contracts.uncertainty import FactorShare, Source, combined_uncertainty

_FORMULA = (
    "sqrt(sum((u_i*E_i)^2) + sum((sum(v_f*E_if))^2)) / sum(E_i), u_i of amounts, v_f of factors "
    "by series, rounded up to 1e-4"
)
_LEAVES_OUT = (
    "activities that state none (not_covered_1e10_g); factors that declare none "
    "(factor_not_declared_1e10_g: only their amounts' is in); instruments, for scope 2 is "
    "location-based here"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Amount:
    """A meter or an activity with what it emitted by factor."""

    name: Document
    permille: int | None
    """Of the amount; None where nobody stated it."""
    origin: str
    """Where ``permille`` is from."""
    emissions: dict[Factor, int]
    """1e-10 g CO2e, at least 0, by version of a factor's period."""

    @property
    def source(self) -> Source:
        """Returns it as a source of error; an amount that states none is taken as exact."""
        return Source(
            uncertainty_permille=self.permille or 0,
            shares=tuple(
                FactorShare(
                    series=factor.factor_id,
                    emission=emission,
                    uncertainty_permille=None
                    if factor.uncertainty is None
                    else factor.uncertainty.permille,
                )
                for factor, emission in self.emissions.items()
            ),
        )


def uncertainty_section(state: State, period: Period, sums: Sums) -> Document:
    """Returns the combined uncertainty of the amounts and their factors, and what it leaves out."""
    amounts = [
        amount
        for site_id in period.sites
        for amount in (*_meters(state, site_id, period), *_activities(state, site_id, period))
    ]
    stated = [amount for amount in amounts if amount.permille is not None]
    sources = [amount.source for amount in stated]
    covered = sum(source.emission for source in sources)
    total = emission_of(sums, Scope.DIRECT) + sums.location + emission_of(sums, Scope.VALUE_CHAIN)
    factors = _factors(stated)
    not_declared = sum(emission for factor, emission in factors if factor.uncertainty is None)
    return {
        "combined_1e4": combined_uncertainty(sources),
        "formula": _FORMULA,
        "covered_1e10_g": str(covered),
        "not_covered_1e10_g": str(total - covered),
        "factor_not_declared_1e10_g": str(not_declared),
        "leaves_out": _LEAVES_OUT,
        "sources": [_present_amount(amount) for amount in amounts],
        "factors": [_present_factor(factor, emission) for factor, emission in factors],
    }


def _present_amount(amount: _Amount) -> Document:
    source = amount.source
    return {
        **amount.name,
        "emission_1e10_g": str(source.emission),
        "uncertainty_permille": amount.permille,
        "from": amount.origin,
        "with_factors_1e4": None if amount.permille is None else combined_uncertainty([source]),
    }


def _present_factor(factor: Factor, emission: int) -> Document:
    declared = factor.uncertainty
    return {
        "factor": factor.factor_id,
        "valid_from_ms": factor.valid_from_ms,
        "version": factor.version,
        "emission_1e10_g": str(emission),
        "uncertainty_permille": None if declared is None else declared.permille,
        "source": None if declared is None else declared.source,
    }


def _factors(amounts: list[_Amount]) -> list[tuple[Factor, int]]:
    """Returns each version of a factor with what counts by it, in the order of their keys."""
    found: dict[Factor, int] = {}
    for amount in amounts:
        for factor, emission in amount.emissions.items():
            found[factor] = found.get(factor, 0) + emission
    return sorted(
        found.items(), key=lambda each: (each[0].factor_id, each[0].valid_from_ms, each[0].version)
    )


def _meters(state: State, site_id: str, period: Period) -> Iterator[_Amount]:
    plan = newest_plan(state, site_id)
    planned = {
        each.meter: each.uncertainty_permille
        for each in (() if plan is None else plan.parameters)
        if each.uncertainty_permille is not None
    }
    for meter in meters_at(state, site_id):
        if not emits(meter) or not counts_for_site(meter):
            continue
        yield _Amount(
            name={"meter": meter.meter_id},
            permille=planned.get(meter.meter_id, meter.accuracy_class_permille),
            origin="monitoring plan" if meter.meter_id in planned else "accuracy class",
            emissions=_emissions_of_meter(state, meter, period),
        )


def _emissions_of_meter(state: State, meter: Meter, period: Period) -> dict[Factor, int]:
    assert meter.factor is not None, "what emits names a factor"
    emissions: dict[Factor, int] = {}
    for month in period.months:
        total = state.get(MonthTotal, meter_month_key(meter.meter_id, month))
        part = part_of(state, period.design, meter.site, month)
        for share in () if total is None else total.shares:
            use = FactorUse(
                factor_id=meter.factor, valid_from_ms=share.valid_from_ms, version=share.version
            )
            factor = require_factor(state, use)
            emission = part.of(max(numerator_of(share.amount), 0) * share.co2e_per_unit)
            emissions[factor] = emissions.get(factor, 0) + emission
    return emissions


def _activities(state: State, site_id: str, period: Period) -> Iterator[_Amount]:
    """Yields the activities that count in the site's totals."""
    for _, activity in state.iterate(Activity, activity_prefix(site_id)):
        if activity.withdrawn_ms is not None or activity.booking.is_removal:
            continue
        emissions: dict[Factor, int] = {}
        for share in activity.shares:
            is_apart = share.is_late and late_site(state, site_id, share.month) is not None
            if share.month not in period.months or is_apart:
                continue
            factor = state.get(Factor, factor_key(activity.factor, share.valid_from_ms))
            assert factor is not None, "what was counted by a factor keeps it"
            part = part_of(state, period.design, site_id, share.month)
            emission = part.of(share.amount * factor.co2e_per_unit)
            emissions[factor] = emissions.get(factor, 0) + emission
        if any(emissions.values()):
            yield _Amount(
                name={"activity": f"{site_id}/{activity.activity_id}"},
                permille=activity.uncertainty_permille or None,
                origin="activity" if activity.uncertainty_permille else "not stated",
                emissions=emissions,
            )
