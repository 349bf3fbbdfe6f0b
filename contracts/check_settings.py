"""Settings of checks: which of them a meter's readings are held against, and how strictly.

Without any state every check is on with its published default. ``check.configure`` writes a
version for one meter; it holds for readings that are committed later, and every version is kept,
so that whoever looks at an old mask finds what it was made with (carbon.md 4.1).

The table of parameters is the class :class:`Settings` itself: one line a parameter. Rules read its
fields as plain integers.
"""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Annotated, Final, NamedTuple

from chain.codec import Record
from chain.state import Records
from chain.types import I64, U32, Identifier, Length, Milliseconds, Pattern, PublicKey, Text
from contracts.check import CHECK_COUNT, Check, bit

PARAMETER_PATTERN: Final = Pattern(
    r"[a-z][a-z0-9_]{0,31}\.[a-z][a-z0-9_]{0,31}",
    "a check and one of its parameters such as stuck.equal_min",
)
ParameterName = Annotated[str, PARAMETER_PATTERN]
PARAMETERS_MAX: Final = 128
"""Parameters that one version can set."""
ALL_CHECKS: Final = (1 << CHECK_COUNT) - 1
"""Mask of every check."""
_MINUTE_MS: Final = 60_000
_HOUR_MS: Final = 60 * _MINUTE_MS
_DAY_MS: Final = 24 * _HOUR_MS


class Parameter(NamedTuple):
    """One number that a check uses."""

    name: str
    """Check and parameter, such as ``stuck.equal_min``."""
    check: Check
    default: int
    minimum: int
    maximum: int
    unit: str
    meaning: str

    @property
    def attribute(self) -> str:
        """Returns the name of the field of :class:`Settings`."""
        return self.name.replace(".", "_")


def _parameter(name: str, check: Check, bounds: tuple[int, int, int], text: str) -> int:
    """Declares a field of :class:`Settings`.

    Args:
        name: the field's own, with a dot after the check's word.
        check: that uses it.
        bounds: default, minimum and maximum.
        text: unit, a colon, and what it means.
    """
    unit, _, meaning = text.partition(": ")
    parameter = Parameter(name, check, *bounds, unit, meaning)
    number: int = field(default=parameter.default, metadata={"parameter": parameter})
    return number


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the rules read: one integer for each parameter, and which checks are on."""

    enabled: int = ALL_CHECKS
    """Mask of the checks that are on."""

    # 2 clock
    clock_skew_ms: int = _parameter(
        "clock.skew_ms",
        Check.CLOCK,
        (2 * _MINUTE_MS, 0, _HOUR_MS),
        "ms: how far an interval may end after block time",
    )
    clock_late_ms: int = _parameter(
        "clock.late_ms",
        Check.CLOCK,
        (48 * _HOUR_MS, _MINUTE_MS, 366 * _DAY_MS),
        "ms: how long after its end a reading of a LIVE meter may come",
    )
    # 4 missing
    missing_tolerated: int = _parameter(
        "missing.tolerated",
        Check.MISSING,
        (2, 0, 1_000),
        "intervals: that may be missing on end",
    )
    missing_grace: int = _parameter(
        "missing.grace",
        Check.MISSING,
        (8, 0, 1_000),
        "intervals: after a gap in which readings of it may still come",
    )
    # 5 register
    register_rollover_permille: int = _parameter(
        "register.rollover_permille",
        Check.REGISTER,
        (900, 500, 1_000),
        "permille of the modulus: above which a decrease is a rollover",
    )
    # 6 physical cap
    physical_cap_margin_percent: int = _parameter(
        "physical_cap.margin_percent",
        Check.PHYSICAL_CAP,
        (110, 100, 300),
        "percent of the nameplate: that an interval may hold",
    )
    # 7 unit slip
    unit_slip_tolerance_percent: int = _parameter(
        "unit_slip.tolerance_percent",
        Check.UNIT_SLIP,
        (2, 0, 5),
        "percent: within which a ratio is a power of ten or 3.6",
    )
    unit_slip_range_percent: int = _parameter(
        "unit_slip.range_percent",
        Check.UNIT_SLIP,
        (200, 110, 1_000),
        "percent: of the week's third highest hour, or its lowest the other way, outside of which "
        "an amount may have slipped",
    )
    # 8 stuck
    stuck_equal_min: int = _parameter(
        "stuck.equal_min", Check.STUCK, (7, 3, 17), "amounts: equal ones on end that are a fault"
    )
    stuck_history_min: int = _parameter(
        "stuck.history_min", Check.STUCK, (12, 2, 12), "pairs: before the run that must be known"
    )
    stuck_natural_percent: int = _parameter(
        "stuck.natural_percent",
        Check.STUCK,
        (20, 0, 100),
        "percent of those pairs: more equal ones than this, and a run says nothing",
    )
    # 9 zero or drop
    zero_drop_median_percent: int = _parameter(
        "zero_drop.median_percent",
        Check.ZERO_DROP,
        (30, 1, 100),
        "percent of the week's median: below which an amount is a drop",
    )
    zero_drop_lowest_percent: int = _parameter(
        "zero_drop.lowest_percent",
        Check.ZERO_DROP,
        (50, 1, 100),
        "percent of the week's lowest hour: below which an amount is a drop",
    )
    # 10 spike
    spike_change_factor: int = _parameter(
        "spike.change_factor",
        Check.SPIKE,
        (6, 2, 100),
        "times the median change: that is a jump",
    )
    spike_changes_min: int = _parameter(
        "spike.changes_min", Check.SPIKE, (12, 3, 29), "changes: that must be known"
    )
    spike_height_percent: int = _parameter(
        "spike.height_percent",
        Check.SPIKE,
        (280, 110, 10_000),
        "percent of the week's third highest hour: above which a jump is a spike",
    )
    # 11 baseline
    baseline_far_sigma_tenths: int = _parameter(
        "baseline.far_sigma_tenths",
        Check.BASELINE,
        (100, 20, 1_000),
        "tenths of sigma: that are far away",
    )
    baseline_far_ms: int = _parameter(
        "baseline.far_ms",
        Check.BASELINE,
        (_HOUR_MS, 1_000, 7 * _DAY_MS),
        "ms: that amounts must be far away on end",
    )
    baseline_leave_sigma_tenths: int = _parameter(
        "baseline.leave_sigma_tenths",
        Check.BASELINE,
        (25, 10, 1_000),
        "tenths of sigma: away for which a reading belongs to a run",
    )
    baseline_allowance_tenths: int = _parameter(
        "baseline.allowance_tenths",
        Check.BASELINE,
        (20, 0, 1_000),
        "tenths of sigma: of each reading that do not count for its run",
    )
    baseline_run_tenths: int = _parameter(
        "baseline.run_tenths",
        Check.BASELINE,
        (150, 10, 10_000),
        "tenths of sigma times hours: beyond the allowance, that make a run a deviation",
    )
    baseline_floor_percent: int = _parameter(
        "baseline.floor_percent",
        Check.BASELINE,
        (8, 0, 100),
        "percent of the level: least sigma",
    )
    baseline_level_floor_percent: int = _parameter(
        "baseline.level_floor_percent",
        Check.BASELINE,
        (5, 0, 100),
        "percent of the profile's mean: least sigma",
    )
    baseline_settled_weeks: int = _parameter(
        "baseline.settled_weeks",
        Check.BASELINE,
        (3, 1, 8),
        "weeks: in which the same hour has been flagged, after which it is how the building runs",
    )
    # 12 CUSUM
    drift_floor_permille: int = _parameter(
        "drift.floor_permille",
        Check.CUSUM,
        (100, 0, 1_000),
        "permille of the usual day: least sigma of days, also of check 13",
    )
    cusum_allowance_tenths: int = _parameter(
        "cusum.allowance_tenths",
        Check.CUSUM,
        (5, 0, 100),
        "tenths of sigma: that a day may be off without counting",
    )
    cusum_limit_tenths: int = _parameter(
        "cusum.limit_tenths",
        Check.CUSUM,
        (120, 10, 1_000),
        "tenths of sigma: that the sum of one side may reach",
    )
    # 13 EWMA
    ewma_limit_tenths: int = _parameter(
        "ewma.limit_tenths",
        Check.EWMA,
        (60, 5, 1_000),
        "tenths: L, thrice the sigma that the mean may reach",
    )
    # 14 weather
    weather_sigma_tenths: int = _parameter(
        "weather.sigma_tenths",
        Check.WEATHER,
        (40, 10, 1_000),
        "tenths of sigma: that a day may be away from its model",
    )
    weather_floor_percent: int = _parameter(
        "weather.floor_percent",
        Check.WEATHER,
        (5, 0, 100),
        "percent of what is expected: least sigma",
    )
    # 15 parent = sum of children
    parent_sum_k_tenths: int = _parameter(
        "parent_sum.k_tenths",
        Check.PARENT_SUM,
        (30, 10, 200),
        "tenths: times the combined uncertainty that parent and children may differ by",
    )
    parent_sum_loss_permille: int = _parameter(
        "parent_sum.loss_permille",
        Check.PARENT_SUM,
        (20, 0, 200),
        "permille of the parent: that may be lost on the way to the children",
    )
    # 16 register against demand
    register_demand_window_ms: int = _parameter(
        "register_demand.window_ms",
        Check.REGISTER_DEMAND,
        (22 * _HOUR_MS, _HOUR_MS, 31 * _DAY_MS),
        "ms: of intervals that are compared at once",
    )
    register_demand_tolerance_permille: int = _parameter(
        "register_demand.tolerance_permille",
        Check.REGISTER_DEMAND,
        (25, 1, 500),
        "permille of what the register counted: that the demand may differ by",
    )
    register_demand_resolution_units: int = _parameter(
        "register_demand.resolution_units",
        Check.REGISTER_DEMAND,
        (2, 0, 1_000),
        "submitted units: by which the ends of a window may be off",
    )
    # 17 volts and amperes
    volt_ampere_tolerance_percent: int = _parameter(
        "volt_ampere.tolerance_percent",
        Check.VOLT_AMPERE,
        (10, 1, 100),
        "percent of the demand: that the phases may differ by",
    )
    volt_ampere_count_min: int = _parameter(
        "volt_ampere.count_min",
        Check.VOLT_AMPERE,
        (4, 1, 1_000),
        "intervals: on end that must disagree",
    )
    # 18 energy against CO2
    energy_co2_tolerance_steps: int = _parameter(
        "energy_co2.tolerance_steps",
        Check.ENERGY_CO2,
        (0, 0, 10),
        "reporting steps: that reported CO2 may be off",
    )
    # 19 power factor
    power_factor_tolerance_e4: int = _parameter(
        "power_factor.tolerance_e4",
        Check.POWER_FACTOR,
        (0, 0, 5_000),
        "ten thousandths: that the reported power factor may be off beside its rounding",
    )
    # 20 bill and second source
    bill_tolerance_permille: int = _parameter(
        "bill.tolerance_permille",
        Check.BILL,
        (10, 0, 200),
        "permille of the bill: that the month's sum may differ by",
    )
    # 21 peers
    peer_mad_tenths: int = _parameter(
        "peer.mad_tenths",
        Check.PEER,
        (30, 10, 200),
        "tenths of the median absolute deviation: that a site may lie from the median of its peers",
    )
    peer_peers_min: int = _parameter(
        "peer.peers_min", Check.PEER, (5, 5, 100), "sites: of the same use that must be known"
    )


DEFAULTS: Final = Settings()
"""Settings of a meter that nobody has configured."""
PARAMETERS: Final[Mapping[str, Parameter]] = {
    each.metadata["parameter"].name: each.metadata["parameter"]
    for each in fields(Settings)
    if "parameter" in each.metadata
}
"""By name, in the order of the checks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckSettings(Record):
    """One version of a meter's settings; what it does not name has its default."""

    meter_id: Identifier
    version: U32
    """From 1; version 0 is the defaults."""
    enabled: U32
    """Mask of the checks that are on."""
    parameters: Annotated[tuple[tuple[ParameterName, I64], ...], Length(0, PARAMETERS_MAX)]
    """Those that are not the default, ascending by name."""
    reason: Text
    changed_by: PublicKey
    changed_ms: Milliseconds
    """Block time; readings of earlier blocks and calls were held against the version before."""


def settings_key(meter_id: str) -> bytes:
    """Returns the state key of a meter's settings in force."""
    return b"check-settings/" + meter_id.encode()


def version_prefix(meter_id: str) -> bytes:
    """Returns the prefix of the state keys of a meter's versions."""
    return b"check-settings-version/" + meter_id.encode() + b"/"


def version_key(meter_id: str, version: int) -> bytes:
    """Returns the state key of one version of a meter's settings."""
    return version_prefix(meter_id) + b"%06d" % version


def get_settings_record(state: Records, meter_id: str) -> CheckSettings | None:
    """Returns the version in force, or None where nobody has configured the meter's checks."""
    return state.get(CheckSettings, settings_key(meter_id))


def settings_record_at(state: Records, meter_id: str, at_ms: Milliseconds) -> CheckSettings | None:
    """Returns the version that was in force at a block time, or None where none was."""
    newest = get_settings_record(state, meter_id)
    if newest is None or newest.changed_ms <= at_ms:
        return newest

    def changed_ms(version: int) -> Milliseconds:
        record = state.get(CheckSettings, version_key(meter_id, version))
        assert record is not None, "versions are numbered without a gap"
        return record.changed_ms

    version = bisect_right(range(1, newest.version), at_ms, key=changed_ms)
    return state.get(CheckSettings, version_key(meter_id, version))


def settings_of(record: CheckSettings | None) -> Settings:
    """Returns what a version means."""
    if record is None:
        return DEFAULTS
    changed = {PARAMETERS[name].attribute: value for name, value in record.parameters}
    return replace(DEFAULTS, enabled=record.enabled, **changed)


def settings_at(state: Records, meter_id: str) -> Settings:
    """Returns a meter's settings in force; what is hot reads :mod:`contracts.meter_facts`."""
    return settings_of(get_settings_record(state, meter_id))


def is_on(settings: Settings, check: Check) -> bool:
    """Returns whether a check is on."""
    return settings.enabled & bit(check) != 0
