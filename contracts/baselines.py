"""Baselines as a contract: fitted by every validator from the state, gated, and set in force.

``baseline.fit`` recomputes the model of a window and records what came of it, qualified or not:
that a plant has no qualifying baseline is worth knowing and worth proving. ``baseline.set`` brings
a qualified one into force from a time on. It takes a second role and another account: an operator
fits, and an admin of the owner or a certifier approves. Who could do both alone could hide a
deviation by moving what it is measured against.
"""

from dataclasses import dataclass, replace
from typing import Final

from chain.codec import Record
from chain.state import State
from chain.types import I64, U32, U64, Identifier, Milliseconds, Text
from contracts.account import Role
from contracts.accounts import check_owner, sender_of
from contracts.alert import Alert, AlertId, alert_key
from contracts.baseline import (
    CELLS_MAX,
    IN_FORCE_MAX,
    PROFILES,
    Approval,
    Baseline,
    BaselineLine,
    InForce,
    Model,
    Reason,
    Resolution,
    approval_key,
    baseline_key,
    line_key,
    pack_cells,
)
from contracts.baseline_fit import (
    WINDOW_DAYS_MAX,
    WINDOW_INTERVALS_MAX,
    Fitted,
    Window,
    fit_model,
)
from contracts.baseline_lookup import get_baseline, get_line
from contracts.calendars import DAY_MS
from contracts.context import Context
from contracts.meter import Meter, Quantity
from contracts.meters import require_meter
from contracts.method import Method, method_of
from contracts.refusal import Code, refusal
from contracts.statistics import divide_up

INTERVAL_MS_MIN: Final = 60_000
"""Shortest interval of a meter that a baseline can be fitted to: bounds the pages of a day."""
WORK_BASE: Final = 200
WORK_PER_DAY: Final = 160
"""Work units of a day of minutes, the most intervals that a day can have here."""
WORK_DAYS_MAX: Final = 31
"""Days from which on the limit of intervals bounds what is read."""
WORK_PER_POINT: Final = 2
"""Work units of one day in the search of a change point."""
WORK_OF_PAIRS: Final = 2_000
"""Work units of trying each pair of change points."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FitBaseline(Record):
    """Arguments of ``baseline.fit``."""

    meter_id: Identifier
    from_ms: Milliseconds
    """Start of the training window, UTC."""
    to_ms: Milliseconds
    """Its exclusive end."""
    model: Model = Model.DAY_TYPE_HOUR
    is_monthly: bool = False
    """Whether a day model is fitted to the mean days of months and not to days."""
    temperature: Identifier | None = None
    """Meter of the outdoor temperature; of models that need one, and of no others."""
    production: Identifier | None = None
    """Meter of what is produced; of PRODUCTION, and of no other model."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetBaseline(Record):
    """Arguments of ``baseline.set``."""

    meter_id: Identifier
    version: U32
    """A qualified one that another account fitted."""
    from_ms: Milliseconds
    """Start of the first interval that is held against it; not before the end of its window."""
    case: AlertId | None = None
    """Alert of this meter whose explanation is that its use has changed; None where none led to
    it."""
    reason: Text = ""
    """Why; needed where a baseline was in force before, or a case led to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FitResult(Record):
    """Result of ``baseline.fit``, and content of ``baseline.accepted`` and ``baseline.refused``."""

    meter_id: Identifier
    version: U32
    model: Model
    resolution: Resolution
    accepted: bool
    reason: Reason | None
    """Why it does not qualify; None where it does."""
    cv_rmse_permille: U64
    nmbe_permille: I64
    fsu_permille: U64
    """All three 0 where they are not defined."""
    interval_count: U32
    """Points that were fitted: intervals, days or months."""
    coverage_permille: U32


def fit(context: Context, arguments: FitBaseline) -> bytes:
    """Fits a baseline and records it; returns a :class:`FitResult`.

    Emits ``baseline.accepted`` or ``baseline.refused``; the call succeeds either way.

    Raises:
        ContractRefusal: ``UNKNOWN_METER``; ``NOT_PERMITTED`` for a meter of another organisation;
            ``INVALID_ARGUMENTS`` for an empty window or a meter that the model cannot use;
            ``LIMIT_REACHED`` for a window or a grid with too many intervals.
    """
    state = context.state
    meter = require_meter(state, arguments.meter_id)
    check_owner(context, meter.organisation, f"meter {meter.meter_id}")
    _check_window(meter, arguments)
    driver = _driver_of(context, meter, arguments)
    line = get_line(state, meter.meter_id) or BaselineLine(last_version=0)
    window = Window(
        meter=meter,
        driver=driver,
        from_ms=arguments.from_ms,
        to_ms=arguments.to_ms,
        model=arguments.model,
        is_monthly=arguments.is_monthly,
    )
    baseline = _baseline_of(context, window, line.last_version + 1, fit_model(state, window))
    state.put(baseline_key(meter.meter_id, baseline.version), baseline)
    state.put(line_key(meter.meter_id), replace(line, last_version=baseline.version))
    result = _result_of(baseline)
    kind = "baseline.accepted" if result.accepted else "baseline.refused"
    context.emit(kind, meter.meter_id, result)
    return result.encode()


def set_in_force(context: Context, arguments: SetBaseline) -> bytes:
    """Brings a qualified baseline into force from a time on; emits ``baseline.set``.

    Raises:
        ContractRefusal: ``UNKNOWN_METER``, ``NOT_PERMITTED`` for another organisation's admin
            or the account that fitted it, ``UNKNOWN_BASELINE``, ``WRONG_STATE`` for one that did
            not qualify, ``INVALID_ARGUMENTS`` for a time within its window or not after the last
            one's, for a missing reason or another meter's case, ``UNKNOWN_ALERT``,
            ``LIMIT_REACHED``.
    """
    state = context.state
    meter = require_meter(state, arguments.meter_id)
    if Role.CERTIFIER not in sender_of(context).roles:
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
    is_profile = baseline.model in PROFILES
    in_force = line.in_force if is_profile else line.days_in_force
    _check_approvable(context, baseline)
    _check_place(arguments, baseline, in_force)
    _check_reason(state, arguments, in_force)
    added = (*in_force, (arguments.from_ms, arguments.version))
    number = line.approval_count + 1
    line = replace(line, approval_count=number)
    line = replace(line, in_force=added) if is_profile else replace(line, days_in_force=added)
    approval = Approval(
        meter_id=meter.meter_id,
        number=number,
        version=baseline.version,
        from_ms=arguments.from_ms,
        case=arguments.case,
        reason=arguments.reason,
        approved_by=context.sender,
        approved_ms=context.time_ms,
    )
    state.put(line_key(meter.meter_id), line)
    state.put(approval_key(meter.meter_id, number), approval)
    context.emit("baseline.set", meter.meter_id, approval)
    return b""


def work_of(arguments: FitBaseline) -> int:
    """Returns the work units of a fit: the readings that its window can hold, and its search."""
    days = min(divide_up(max(arguments.to_ms - arguments.from_ms, 0), DAY_MS), WINDOW_DAYS_MAX)
    work = WORK_BASE + WORK_PER_DAY * min(days, WORK_DAYS_MAX)
    if arguments.model not in PROFILES:
        work += WORK_PER_POINT * days
    return work + WORK_OF_PAIRS if arguments.model is Model.CHANGE_POINT_5P else work


def _check_window(meter: Meter, arguments: FitBaseline) -> None:
    if arguments.to_ms - arguments.from_ms < meter.interval_ms:
        raise refusal(
            Code.INVALID_ARGUMENTS,
            "to_ms",
            expected=f"at least one interval of {meter.interval_ms} ms after from_ms "
            f"{arguments.from_ms}",
            got=str(arguments.to_ms),
        )
    _check_count(meter, "to_ms", arguments)
    if arguments.to_ms - arguments.from_ms > WINDOW_DAYS_MAX * DAY_MS:
        raise refusal(
            Code.LIMIT_REACHED,
            "to_ms",
            expected=f"at most {WINDOW_DAYS_MAX} days after from_ms {arguments.from_ms}",
            got=str(arguments.to_ms),
        )
    if arguments.is_monthly and arguments.model in PROFILES:
        raise refusal(
            Code.INVALID_ARGUMENTS,
            "is_monthly",
            expected=f"no, for {arguments.model.name} expects amounts of intervals",
            got="yes",
        )


def _check_count(meter: Meter, field: str, arguments: FitBaseline) -> None:
    if meter.interval_ms < INTERVAL_MS_MIN:
        raise refusal(
            Code.LIMIT_REACHED,
            f"interval of meter {meter.meter_id}",
            expected=f"at least {INTERVAL_MS_MIN} ms, for a baseline",
            got=f"{meter.interval_ms} ms",
        )
    count = (arguments.to_ms - arguments.from_ms) // meter.interval_ms
    if count > WINDOW_INTERVALS_MAX:
        raise refusal(
            Code.LIMIT_REACHED,
            field,
            expected=f"at most {WINDOW_INTERVALS_MAX} intervals of {meter.interval_ms} ms",
            got=str(count),
        )


def _driver_of(context: Context, meter: Meter, arguments: FitBaseline) -> Meter | None:
    """Returns the meter of what drives the model; None for a profile."""
    model = arguments.model
    needed = None
    if model not in PROFILES:
        needed = Quantity.PRODUCTION if model is Model.PRODUCTION else Quantity.TEMPERATURE
    found: Meter | None = None
    for field, meter_id, quantity in (
        ("temperature", arguments.temperature, Quantity.TEMPERATURE),
        ("production", arguments.production, Quantity.PRODUCTION),
    ):
        if quantity is not needed and meter_id is not None:
            raise _unfit(field, f"none, for {model.name} does not use it", meter_id)
        if quantity is needed:
            if meter_id is None:
                raise _unfit(
                    field, f"a meter of {quantity.name}, for {model.name} needs it", "none"
                )
            found = require_meter(context.state, meter_id, field)
            check_owner(context, found.organisation, f"meter {meter_id}")
            if found.quantity is not quantity:
                raise _unfit(field, f"a meter of {quantity.name}", found.quantity.name)
            _check_count(found, field, arguments)
    if found is not None and meter.quantity is Quantity.TEMPERATURE:
        raise _unfit("meter_id", "a meter of amounts", meter.quantity.name)
    return found


def _unfit(field: str, expected: str, got: str) -> Exception:
    return refusal(Code.INVALID_ARGUMENTS, field, expected=expected, got=got)


def _baseline_of(context: Context, window: Window, version: int, fitted: Fitted) -> Baseline:
    quality = fitted.quality
    profile = fitted.profile
    known = profile.known_cells if profile else 0
    return Baseline(
        meter_id=window.meter.meter_id,
        version=version,
        model=window.model,
        resolution=window.resolution,
        driver=None if window.driver is None else window.driver.meter_id,
        from_ms=window.from_ms,
        to_ms=window.to_ms,
        interval_count=fitted.point_count,
        parameter_count=fitted.parameter_count,
        coverage_permille=fitted.coverage_permille,
        cv_rmse_permille=min(quality.cv_rmse, 2**64 - 1) if quality else 0,
        nmbe_permille=min(max(quality.nmbe, -(2**63)), 2**63 - 1) if quality else 0,
        fsu_permille=min(quality.fsu, 2**64 - 1) if quality else 0,
        reason=fitted.reason,
        medians=pack_cells(profile.medians) if profile else b"",
        sigmas=pack_cells(profile.sigmas) if profile else b"",
        known_cells=known.to_bytes(CELLS_MAX // 8, "big") if profile else b"",
        day_model=fitted.day_model,
        fitted_ms=context.time_ms,
        fitted_by=context.sender,
    )


def _result_of(baseline: Baseline) -> FitResult:
    return FitResult(
        meter_id=baseline.meter_id,
        version=baseline.version,
        model=baseline.model,
        resolution=baseline.resolution,
        accepted=baseline.qualifies,
        reason=baseline.reason,
        cv_rmse_permille=baseline.cv_rmse_permille,
        nmbe_permille=baseline.nmbe_permille,
        fsu_permille=baseline.fsu_permille,
        interval_count=baseline.interval_count,
        coverage_permille=baseline.coverage_permille,
    )


def _check_approvable(context: Context, baseline: Baseline) -> None:
    name = f"baseline {baseline.version} of {baseline.meter_id}"
    if baseline.reason is not None:
        raise refusal(
            Code.WRONG_STATE,
            name,
            expected="one that qualified",
            got=f"one refused for {baseline.reason.name}",
        )
    if baseline.fitted_by == context.sender:
        raise refusal(
            Code.NOT_PERMITTED,
            name,
            expected="another account than the one that fitted it",
            got="the same",
        )


def _check_place(arguments: SetBaseline, baseline: Baseline, in_force: InForce) -> None:
    earliest_ms = max(baseline.to_ms, in_force[-1][0] + 1 if in_force else 0)
    if arguments.from_ms < earliest_ms:
        raise refusal(
            Code.INVALID_ARGUMENTS,
            "from_ms",
            expected=f"at least {earliest_ms}: after its window, and after the baseline before it",
            got=str(arguments.from_ms),
        )
    if len(in_force) >= IN_FORCE_MAX:
        raise refusal(
            Code.LIMIT_REACHED,
            f"baselines of {baseline.meter_id}",
            expected=f"at most {IN_FORCE_MAX} in force one after the other",
            got=f"{IN_FORCE_MAX} already",
        )


def _check_reason(state: State, arguments: SetBaseline, in_force: InForce) -> None:
    case = arguments.case
    if (in_force or case is not None) and not arguments.reason.strip():
        raise _unfit(
            "reason", "why the baseline that was in force no longer holds", "an empty text"
        )
    if case is None:
        return
    alert = state.get(Alert, alert_key(case))
    if alert is None:
        raise refusal(Code.UNKNOWN_ALERT, "case", expected="an alert of the meter", got=repr(case))
    if alert.meter != arguments.meter_id:
        raise _unfit("case", f"an alert of {arguments.meter_id}", f"one of {alert.meter}")


METHODS: Final[tuple[Method, ...]] = (
    method_of(
        "baseline.fit",
        FitBaseline,
        fit,
        roles=frozenset({Role.OPERATOR}),
        work=work_of,
    ),
    method_of(
        "baseline.set",
        SetBaseline,
        set_in_force,
        roles=frozenset({Role.ADMIN, Role.CERTIFIER}),
    ),
)
