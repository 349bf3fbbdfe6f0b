"""Baselines in words for people: model, parameters with their units, and the gate's verdict."""

from typing import TYPE_CHECKING, Any, Final

from commands.output import minute_text
from contracts.baseline import SLOPE_SCALE, Model, Reason, Resolution
from contracts.fit_quality import LIMITS_PERMILLE
from contracts.meter import Quantity, Unit, base_unit_of
from demo.fitting import percent

if TYPE_CHECKING:
    from contracts.meter import Meter

MODELS: Final = {
    Model.DAY_TYPE_HOUR: "day type x hour",
    Model.HOUR_OF_WEEK: "hour of week",
    Model.DEGREE_DAY: "degree days",
    Model.HEATING_3P: "3P heating",
    Model.COOLING_3P: "3P cooling",
    Model.CHANGE_POINT_4P: "4P change point",
    Model.CHANGE_POINT_5P: "5P change points",
    Model.PRODUCTION: "production",
}
"""Short names of models."""
POINTS: Final = {
    Resolution.INTERVAL: "intervals",
    Resolution.DAY: "days",
    Resolution.MONTH: "months",
}
_LARGER: Final = {
    Unit.WATT_HOUR: "kWh",
    Unit.KILOJOULE: "MJ",
    Unit.CUBIC_DECIMETRE: "m3",
    Unit.GRAM: "kg",
}
"""Units of a thousand base units, which people read."""
_LEVELS: Final = ("workday", "Saturday", "Sunday")


def reason_words(reason: Reason, resolution: Resolution) -> str:
    """Returns why a baseline was refused."""
    cv_rmse, nmbe = LIMITS_PERMILLE[resolution]
    match reason:
        case Reason.SCATTER_TOO_HIGH:
            return f"CV(RMSE) above {percent(cv_rmse)}"
        case Reason.BIAS_TOO_HIGH:
            return f"NMBE beyond {percent(nmbe)}"
        case _:
            return reason.name.lower().replace("_", " ")


def verdict_words(baseline: dict[str, Any]) -> str:
    """Returns what the gate made of a baseline.

    Args:
        baseline: as the RPC shows it.
    """
    if baseline["reason"] is not None:
        reason = reason_words(Reason[baseline["reason"]], Resolution[baseline["resolution"]])
        return f"refused: {reason}"
    return "in force" if baseline["approvals"] else "qualifies"


def since_words(baseline: dict[str, Any]) -> str:
    """Returns since when a baseline is in force; empty where it is not."""
    since = ", ".join(minute_text(each["from_ms"]) for each in baseline["approvals"])
    return f"in force from {since}" if since else ""


def measure_words(baseline: dict[str, Any]) -> tuple[str, str, str]:
    """Returns CV(RMSE), NMBE and uncertainty; dashes where they are not defined."""
    cv_rmse, nmbe, fsu = (baseline[f"{name}_permille"] for name in ("cv_rmse", "nmbe", "fsu"))
    if baseline["reason"] is not None and not cv_rmse:
        return "-", "-", "-"
    return percent(int(cv_rmse)), percent(int(nmbe)), percent(int(fsu))


def parameter_words(baseline: dict[str, Any], meter: "Meter", driver: "Meter | None") -> str:
    """Returns what a baseline expects, such as ``14.5 degC, above it 7.747 kWh/degC-day``.

    Args:
        baseline: as the RPC shows it.
        meter: whose baseline it is.
        driver: meter of the temperature or production; None of profiles.
    """
    model = baseline["day_model"]
    if model is None or driver is None:
        return f"{baseline['parameter_count']} medians" if baseline["medians"] else "none found"
    words: list[str] = []
    for name, side in (("heating", "below"), ("cooling", "above")):
        slope, point = int(model[f"{name}_slope"]), model[f"{name}_point"]
        if point is None:
            continue
        if driver.quantity is Quantity.TEMPERATURE:
            amount = amount_words(10 * slope, meter)
            words.append(f"{side} {_tenths(int(point))} degC {amount}/degC-day")
        else:
            per = base_unit_of(driver.unit)
            thousands = 1_000 if per in _LARGER else 1
            amount = amount_words(thousands * slope, meter)
            words.append(f"{amount} per {_LARGER.get(per, 'piece')}")
    levels = [
        f"{name} {amount_words(int(level) * SLOPE_SCALE, meter)}"
        for name, level in zip(_LEVELS, model["levels"], strict=True)
        if level is not None
    ]
    if baseline["resolution"] == Resolution.MONTH.name:
        levels = [levels[0].replace("workday", "day")]
    return "; ".join([*words, *levels])


def amount_words(millionths: int, meter: "Meter") -> str:
    """Returns an amount of a meter in the unit that people read, to three decimals.

    Args:
        millionths: of the meter's base unit.
        meter: whose amount it is.
    """
    unit = base_unit_of(meter.unit)
    larger = _LARGER.get(unit)
    divisor = SLOPE_SCALE if larger else SLOPE_SCALE // 1_000
    sign = "-" if millionths < 0 else ""
    thousandths = (abs(millionths) + divisor // 2) // divisor
    name = larger or unit.name.lower()
    return f"{sign}{thousandths // 1_000}.{thousandths % 1_000:03d} {name}"


def _tenths(tenths: int) -> str:
    return f"{'-' if tenths < 0 else ''}{abs(tenths) // 10}.{abs(tenths) % 10}"
