"""Baselines as a contract: fitted by every validator from the state, gated, and set in force.

``baseline.fit`` recomputes the profile of a window and records what came of it, qualified or not:
that a plant has no qualifying baseline is worth knowing and worth proving. ``baseline.set`` brings
a qualified one into force from a time on, and takes another account than the one that fitted it:
who could do both alone could hide a deviation by moving what it is measured against.
"""

from bisect import bisect_right
from dataclasses import dataclass, replace
from typing import Final

from chain.codec import Record
from chain.state import State
from chain.types import I64, U32, U64, Identifier, Milliseconds
from contracts.account import Role
from contracts.accounts import check_owner
from contracts.baseline import (
    CELLS,
    IN_FORCE_MAX,
    Baseline,
    BaselineLine,
    Reason,
    baseline_key,
    cell_of,
    line_key,
    pack_profile,
    profile_of,
)
from contracts.calendars import DAY_MS, DayType, require_calendar
from contracts.check import Check, bit
from contracts.context import Context
from contracts.conversion import conversion_of
from contracts.deviation.observation import BaselineCell
from contracts.local_clock import LocalClock
from contracts.meter import Meter, ValueKind
from contracts.meters import require_meter
from contracts.method import Method, method_of
from contracts.profile_fit import ProfileFit, fit_profile
from contracts.reading import Quality
from contracts.reading_page import MutablePage, ReadingPage, page_key, page_prefix, page_start
from contracts.refusal import Code, refusal

WINDOW_DAYS_MIN: Final = 14
"""Two of each day of the week."""
WINDOW_INTERVALS_MAX: Final = 44_640
"""A year of quarter hours, or 31 days of minutes."""
COVERAGE_PERMILLE_MIN: Final = 800
CV_RMSE_PERMILLE_MAX: Final = 300
"""ASHRAE Guideline 14, hourly."""
NMBE_PERMILLE_MAX: Final = 100
FIT_WORK: Final = 2_000
"""Work units of a fit: the largest window takes as long as two thousand readings."""

_NOT_FOR_TRAINING: Final = (
    bit(Check.REGISTER) | bit(Check.PHYSICAL_CAP) | bit(Check.UNIT_SLIP) | bit(Check.STUCK)
)
"""An amount that failed one of these is no measurement of the meter's consumption."""
_MEASURED: Final = frozenset({Quality.MEASURED, Quality.CALCULATED})


@dataclass(frozen=True, slots=True, kw_only=True)
class FitBaseline(Record):
    """Arguments of ``baseline.fit``."""

    meter_id: Identifier
    from_ms: Milliseconds
    """Start of the training window, UTC."""
    to_ms: Milliseconds
    """Its exclusive end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetBaseline(Record):
    """Arguments of ``baseline.set``."""

    meter_id: Identifier
    version: U32
    """A qualified one that another account fitted."""
    from_ms: Milliseconds
    """Start of the first interval that is held against it; not before the end of its window."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FitResult(Record):
    """Result of ``baseline.fit``, and content of ``baseline.accepted`` and ``baseline.refused``."""

    meter_id: Identifier
    version: U32
    accepted: bool
    reason: Reason | None
    """Why it does not qualify; None where it does."""
    cv_rmse_permille: U64
    nmbe_permille: I64
    """Both 0 where they are not defined."""
    interval_count: U32
    coverage_permille: U32


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineSet(Record):
    """Content of the event ``baseline.set``."""

    meter_id: Identifier
    version: U32
    from_ms: Milliseconds


def get_baseline(state: State, meter_id: str, version: int) -> Baseline | None:
    """Returns a version of a meter's baseline, qualified or refused, or None."""
    return state.get(Baseline, baseline_key(meter_id, version))


def get_line(state: State, meter_id: str) -> BaselineLine | None:
    """Returns the line of a meter's baselines, or None where none was fitted."""
    return state.get(BaselineLine, line_key(meter_id))


def fit(context: Context, arguments: FitBaseline) -> bytes:
    """Fits a baseline and records it; returns a :class:`FitResult`.

    Emits ``baseline.accepted`` or ``baseline.refused``; the call succeeds either way.

    Raises:
        ContractRefusal: ``UNKNOWN_METER``, ``NOT_PERMITTED``, ``INVALID_ARGUMENTS`` for an empty
            window, ``LIMIT_REACHED`` for one with too many intervals or too many versions.
    """
    state = context.state
    meter = require_meter(state, arguments.meter_id)
    check_owner(context, meter.organisation, f"meter {meter.meter_id}")
    interval_count = _check_window(meter, arguments)
    line = get_line(state, meter.meter_id) or BaselineLine(last_version=0, in_force=())
    fitted = _fit_window(state, meter, arguments)
    coverage = fitted.value_count * 1_000 // interval_count
    cv_rmse, nmbe = fitted.measures or (0, 0)
    baseline = Baseline(
        meter_id=meter.meter_id,
        version=line.last_version + 1,
        from_ms=arguments.from_ms,
        to_ms=arguments.to_ms,
        interval_count=fitted.value_count,
        coverage_permille=coverage,
        cv_rmse_permille=min(cv_rmse, 2**64 - 1),
        nmbe_permille=min(max(nmbe, -(2**63)), 2**63 - 1),
        reason=_reason_of(arguments, coverage, fitted),
        medians=pack_profile(fitted.medians),
        sigmas=pack_profile(fitted.sigmas),
        known_cells=fitted.known_cells.to_bytes(CELLS // 8, "big"),
        fitted_ms=context.time_ms,
        fitted_by=context.sender,
    )
    state.put(baseline_key(meter.meter_id, baseline.version), baseline)
    state.put(line_key(meter.meter_id), replace(line, last_version=baseline.version))
    result = _result_of(baseline)
    kind = "baseline.accepted" if result.accepted else "baseline.refused"
    context.emit(kind, meter.meter_id, result)
    return result.encode()


def set_in_force(context: Context, arguments: SetBaseline) -> bytes:
    """Brings a qualified baseline into force from a time on; emits ``baseline.set``.

    Raises:
        ContractRefusal: ``UNKNOWN_METER``, ``NOT_PERMITTED`` for another organisation's account
            or the one that fitted it, ``UNKNOWN_BASELINE``, ``WRONG_STATE`` for one that did not
            qualify, ``INVALID_ARGUMENTS`` for a time within its window or not after the last
            one's, ``LIMIT_REACHED``.
    """
    state = context.state
    meter = require_meter(state, arguments.meter_id)
    check_owner(context, meter.organisation, f"meter {meter.meter_id}")
    baseline = get_baseline(state, meter.meter_id, arguments.version)
    line = get_line(state, meter.meter_id)
    if baseline is None or line is None:
        raise refusal(
            Code.UNKNOWN_BASELINE,
            "version",
            expected="a fitted one; fit it with baseline.fit",
            got=str(arguments.version),
        )
    _check_settable(context, arguments, baseline, line)
    in_force = (*line.in_force, (arguments.from_ms, arguments.version))
    state.put(line_key(meter.meter_id), replace(line, in_force=in_force))
    content = BaselineSet(
        meter_id=meter.meter_id, version=baseline.version, from_ms=arguments.from_ms
    )
    context.emit("baseline.set", meter.meter_id, content)
    return b""


class BaselineLookup:
    """Tells what the baseline in force says of intervals of one meter, within one block."""

    __slots__ = (
        "_in_force",
        "_known",
        "_line_key",
        "_medians",
        "_meter_id",
        "_sigmas",
        "_state",
        "_version",
    )

    def __init__(self, state: State, meter_id: str) -> None:
        self._state = state
        self._meter_id = meter_id
        self._line_key = line_key(meter_id)
        self._in_force: tuple[tuple[Milliseconds, int], ...] = ()
        self._version = 0
        self._known = 0
        self._medians: tuple[int, ...] = ()
        self._sigmas: tuple[int, ...] = ()

    def begin(self) -> None:
        """Begins a call: finds out which versions are in force."""
        line = self._state.get(BaselineLine, self._line_key)
        self._in_force = () if line is None else line.in_force

    @property
    def is_any(self) -> bool:
        """Returns whether the meter has a baseline in force at any time."""
        return bool(self._in_force)

    def cell_at(self, start_ms: int, clock: LocalClock) -> BaselineCell | None:
        """Returns what is expected of an interval, or None where no baseline says anything."""
        # No version is as high, so what starts with the interval itself comes before.
        position = bisect_right(self._in_force, (start_ms, 2**32))
        if not position:
            return None
        version = self._in_force[position - 1][1]
        if version != self._version:
            self._load(version)
        hour = clock.hour_at(start_ms)
        cell = cell_of(clock.day_type, hour)
        if not self._known >> cell & 1:
            return None
        return BaselineCell(self._medians[cell], self._sigmas[cell])

    def _load(self, version: int) -> None:
        baseline = get_baseline(self._state, self._meter_id, version)
        assert baseline is not None, "what is in force exists"
        self._version = version
        self._known = int.from_bytes(baseline.known_cells, "big")
        self._medians = profile_of(baseline.medians)
        self._sigmas = profile_of(baseline.sigmas)


def _check_window(meter: Meter, arguments: FitBaseline) -> int:
    """Returns how many intervals the window has."""
    if arguments.to_ms - arguments.from_ms < meter.interval_ms:
        raise refusal(
            Code.INVALID_ARGUMENTS,
            "to_ms",
            expected=f"at least one interval of {meter.interval_ms} ms after from_ms "
            f"{arguments.from_ms}",
            got=str(arguments.to_ms),
        )
    count = (arguments.to_ms - arguments.from_ms) // meter.interval_ms
    if count > WINDOW_INTERVALS_MAX:
        raise refusal(
            Code.LIMIT_REACHED,
            "to_ms",
            expected=f"at most {WINDOW_INTERVALS_MAX} intervals of {meter.interval_ms} ms",
            got=str(count),
        )
    return count


def _fit_window(state: State, meter: Meter, arguments: FitBaseline) -> ProfileFit:
    """Fits the profile to what the pages of the window hold."""
    clock = LocalClock(require_calendar(state, meter.calendar))
    values_by_cell: dict[int, list[int]] = {}
    holidays: dict[int, None] = {}
    for start_ms, amount in _amounts_in(state, meter, arguments.from_ms, arguments.to_ms):
        hour = clock.hour_at(start_ms)
        if clock.day_type is DayType.HOLIDAY:
            holidays[clock.day] = None
        values_by_cell.setdefault(cell_of(clock.day_type, hour), []).append(amount)
    return fit_profile(values_by_cell, len(holidays))


def _amounts_in(
    state: State, meter: Meter, from_ms: Milliseconds, to_ms: Milliseconds
) -> list[tuple[Milliseconds, int]]:
    """Returns starts and amounts of the window's intervals that a profile may be fitted to."""
    conversion = conversion_of(meter)
    prefix = page_prefix(meter.meter_id)
    first = page_key(meter.meter_id, page_start(meter.interval_ms, from_ms))
    amounts: list[tuple[Milliseconds, int]] = []
    before_ms: Milliseconds | None = None
    for key, record in state.iterate(ReadingPage, prefix, first):
        page_ms = int(key[len(prefix) :])
        if page_ms >= to_ms:
            break
        page = MutablePage(meter, conversion, page_ms, record)
        for slot in range(page.present.bit_length()):
            if not page.has_value(slot):
                continue
            start_ms = page_ms + slot * meter.interval_ms
            # A register after a gap counts more than its own interval.
            is_own = meter.kind is ValueKind.INTERVAL or before_ms == start_ms - meter.interval_ms
            before_ms = start_ms
            if is_own and from_ms <= start_ms < to_ms and _may_train(page, slot):
                amount = page.amount_at(slot)
                if amount is not None:
                    amounts.append((start_ms, amount))
    return amounts


def _may_train(page: MutablePage, slot: int) -> bool:
    return not page.failed[slot] & _NOT_FOR_TRAINING and page.qualities[slot] in _MEASURED


def _reason_of(arguments: FitBaseline, coverage: int, fitted: ProfileFit) -> Reason | None:
    """Returns the first part of the gate that a fit does not pass, or None."""
    if arguments.to_ms - arguments.from_ms < WINDOW_DAYS_MIN * DAY_MS:
        return Reason.WINDOW_TOO_SHORT
    if coverage < COVERAGE_PERMILLE_MIN:
        return Reason.COVERAGE_TOO_LOW
    if fitted.measures is None:
        return Reason.NO_CONSUMPTION
    cv_rmse, nmbe = fitted.measures
    if cv_rmse > CV_RMSE_PERMILLE_MAX:
        return Reason.SCATTER_TOO_HIGH
    return Reason.BIAS_TOO_HIGH if abs(nmbe) > NMBE_PERMILLE_MAX else None


def _result_of(baseline: Baseline) -> FitResult:
    return FitResult(
        meter_id=baseline.meter_id,
        version=baseline.version,
        accepted=baseline.qualifies,
        reason=baseline.reason,
        cv_rmse_permille=baseline.cv_rmse_permille,
        nmbe_permille=baseline.nmbe_permille,
        interval_count=baseline.interval_count,
        coverage_permille=baseline.coverage_permille,
    )


def _check_settable(
    context: Context, arguments: SetBaseline, baseline: Baseline, line: BaselineLine
) -> None:
    if baseline.reason is not None:
        raise refusal(
            Code.WRONG_STATE,
            f"baseline {baseline.version} of {baseline.meter_id}",
            expected="one that qualified",
            got=f"one refused for {baseline.reason.name}",
        )
    if baseline.fitted_by == context.sender:
        raise refusal(
            Code.NOT_PERMITTED,
            f"baseline {baseline.version} of {baseline.meter_id}",
            expected="another account than the one that fitted it",
            got="the same",
        )
    earliest_ms = max(baseline.to_ms, line.in_force[-1][0] + 1 if line.in_force else 0)
    if arguments.from_ms < earliest_ms:
        raise refusal(
            Code.INVALID_ARGUMENTS,
            "from_ms",
            expected=f"at least {earliest_ms}: after its window, and after the baseline before it",
            got=str(arguments.from_ms),
        )
    if len(line.in_force) >= IN_FORCE_MAX:
        raise refusal(
            Code.LIMIT_REACHED,
            f"baselines of {baseline.meter_id}",
            expected=f"at most {IN_FORCE_MAX} in force one after the other",
            got=f"{IN_FORCE_MAX} already",
        )


_KEEPERS: Final = frozenset({Role.ADMIN, Role.OPERATOR})

METHODS: Final[tuple[Method, ...]] = (
    method_of("baseline.fit", FitBaseline, fit, roles=_KEEPERS, work=lambda _: FIT_WORK),
    method_of("baseline.set", SetBaseline, set_in_force, roles=_KEEPERS),
)
