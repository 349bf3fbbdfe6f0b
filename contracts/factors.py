"""Emission factors as a contract: series of dated values, each with its source.

A *series* is owned by the organisation that set its first period; only it adds further ones, and
all of them share basis and base unit, so a meter that names the series never changes meaning. What
is set is never overwritten: a restatement adds a version (:mod:`contracts.restatements`).
"""

from bisect import bisect_right
from dataclasses import dataclass, replace
from typing import Annotated, Final

from chain.codec import Record
from chain.state import State
from chain.types import Identifier, Length, Milliseconds, Name
from contracts.account import Role
from contracts.accounts import check_owner, sender_of
from contracts.context import Context
from contracts.emissions import rounded_half_even
from contracts.factor import Factor, FactorBasis, factor_key
from contracts.factor_content import CO2E_OF_VALUE, FactorContent, gases_of
from contracts.gas import co2e_per_unit
from contracts.meter import BASE_UNITS, Unit
from contracts.method import Method, method_of
from contracts.refusal import Code, refusal

PERIODS_MAX: Final = 1_024
"""Periods of one series; monthly ones for 85 years."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FactorSeries(Record):
    """What the periods of a series share, and where they lie."""

    factor_id: Identifier
    organisation: Identifier
    """Owner: the organisation that set the first period."""
    basis: FactorBasis
    base_unit: Unit
    periods: Annotated[tuple[tuple[Milliseconds, Milliseconds], ...], Length(1, PERIODS_MAX)]
    """(valid_from_ms, valid_to_ms), ascending, without overlap; the second is exclusive."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetFactor(FactorContent):
    """Arguments of ``factor.set``: one period of a series."""

    factor_id: Identifier
    name: Name
    basis: FactorBasis
    base_unit: Unit
    """A base unit; see :data:`contracts.meter.BASE_UNITS`."""
    valid_from_ms: Milliseconds
    valid_to_ms: Milliseconds
    """Exclusive."""


SERIES_PREFIX: Final = b"factor-series/"


def series_key(factor_id: str) -> bytes:
    """Returns the state key of a series."""
    return SERIES_PREFIX + factor_id.encode()


def get_series(state: State, factor_id: str) -> FactorSeries | None:
    """Returns a series, or None where no period of it was set."""
    return state.get(FactorSeries, series_key(factor_id))


def factor_at(state: State, factor_id: str, at_ms: Milliseconds) -> Factor | None:
    """Returns the factor of a series that holds at a moment, or None where there is none.

    Two look-ups of cached records and no scan, because it is asked for every reading.
    """
    series = get_series(state, factor_id)
    if series is None:
        return None
    # No period ends after this one, so what starts at the moment itself comes before.
    position = bisect_right(series.periods, (at_ms, 2**64)) - 1
    if position < 0 or at_ms >= series.periods[position][1]:
        return None
    return state.get(Factor, factor_key(factor_id, series.periods[position][0]))


def add_period(state: State, factor: Factor, organisation: str) -> None:
    """Writes a factor whose period is free, and its place in the series."""
    series = get_series(state, factor.factor_id)
    period = (factor.valid_from_ms, factor.valid_to_ms)
    if series is None:
        series = FactorSeries(
            factor_id=factor.factor_id,
            organisation=organisation,
            basis=factor.basis,
            base_unit=factor.base_unit,
            periods=(period,),
        )
    else:
        series = replace(series, periods=tuple(sorted((*series.periods, period))))
    state.put(series_key(factor.factor_id), series)
    state.put(factor_key(factor.factor_id, factor.valid_from_ms), factor)


def set_factor(context: Context, arguments: SetFactor) -> bytes:
    """Sets one period of a series; emits ``factor.set``.

    Raises:
        ContractRefusal: ``INVALID_ARGUMENTS`` for an empty period, a unit that is no base unit or
            differs from the series', and what :func:`gases_of` refuses; ``NOT_PERMITTED`` for a
            series of another organisation, ``PERIOD_OVERLAP``, ``LIMIT_REACHED``.
    """
    _check_arguments(arguments)
    series = get_series(context.state, arguments.factor_id)
    if series is not None:
        _check_fits(context, arguments, series)
    factor = _first_version(context, arguments)
    add_period(context.state, factor, sender_of(context).organisation)
    context.emit("factor.set", factor.factor_id, factor)
    return b""


def factor_of(state: State, before: Factor, content: FactorContent, set_ms: Milliseconds) -> Factor:
    """Returns the next version of a factor, which says something else.

    Raises:
        ContractRefusal: as :func:`contracts.factor_content.gases_of` does.
    """
    gases = gases_of(state, content)
    per_unit = co2e_per_unit(gases)
    return replace(
        before,
        version=before.version + 1,
        value=rounded_half_even(per_unit, CO2E_OF_VALUE),
        gases=gases,
        co2e_per_unit=per_unit,
        fuel=content.fuel,
        gwp_set=content.gwp_set,
        source=content.source,
        evidence=content.evidence,
        evidence_note=content.evidence_note,
        factor_set=content.factor_set,
        uncertainty=content.uncertainty,
        set_ms=set_ms,
    )


def _first_version(context: Context, arguments: SetFactor) -> Factor:
    gases = gases_of(context.state, arguments)
    per_unit = co2e_per_unit(gases)
    return Factor(
        factor_id=arguments.factor_id,
        version=1,
        name=arguments.name,
        basis=arguments.basis,
        base_unit=arguments.base_unit,
        value=rounded_half_even(per_unit, CO2E_OF_VALUE),
        gases=gases,
        co2e_per_unit=per_unit,
        fuel=arguments.fuel,
        gwp_set=arguments.gwp_set,
        valid_from_ms=arguments.valid_from_ms,
        valid_to_ms=arguments.valid_to_ms,
        source=arguments.source,
        evidence=arguments.evidence,
        evidence_note=arguments.evidence_note,
        factor_set=arguments.factor_set,
        uncertainty=arguments.uncertainty,
        set_ms=context.time_ms,
    )


def _check_arguments(arguments: SetFactor) -> None:
    if arguments.valid_to_ms <= arguments.valid_from_ms:
        raise refusal(
            Code.INVALID_ARGUMENTS,
            "valid_to_ms",
            expected=f"a moment after valid_from_ms {arguments.valid_from_ms}",
            got=str(arguments.valid_to_ms),
        )
    if arguments.base_unit not in BASE_UNITS:
        raise refusal(
            Code.INVALID_ARGUMENTS,
            "base_unit",
            expected="one of " + ", ".join(unit.name for unit in BASE_UNITS),
            got=arguments.base_unit.name,
        )


def _check_fits(context: Context, arguments: SetFactor, series: FactorSeries) -> None:
    check_owner(context, series.organisation, f"factor series {series.factor_id}")
    if (arguments.basis, arguments.base_unit) != (series.basis, series.base_unit):
        raise refusal(
            Code.INVALID_ARGUMENTS,
            f"factor series {series.factor_id}",
            expected=f"{series.basis.name} per {series.base_unit.name} as in its other periods",
            got=f"{arguments.basis.name} per {arguments.base_unit.name}",
        )
    for start_ms, end_ms in series.periods:
        if arguments.valid_from_ms < end_ms and start_ms < arguments.valid_to_ms:
            raise refusal(
                Code.PERIOD_OVERLAP,
                f"factor series {series.factor_id}",
                expected=f"a period outside {start_ms} to {end_ms}; what is set never changes",
                got=f"{arguments.valid_from_ms} to {arguments.valid_to_ms}",
            )
    if len(series.periods) >= PERIODS_MAX:
        raise refusal(
            Code.LIMIT_REACHED,
            f"factor series {series.factor_id}",
            expected=f"at most {PERIODS_MAX} periods; begin a new series",
            got=f"{PERIODS_MAX} already",
        )


METHODS: Final[tuple[Method, ...]] = (
    method_of("factor.set", SetFactor, set_factor, roles=frozenset({Role.ADMIN, Role.CERTIFIER})),
)
