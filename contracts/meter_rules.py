"""Whether the properties of a meter agree with each other; what needs no look at the state.

A meter's record decides how each of its readings is understood, and it never changes but by an
exchange. So whatever cannot be meant is refused here, and no later code has to ask again.
"""

from collections.abc import Iterator

from contracts.calendars import DAY_MS
from contracts.meter import UNITS_OF, MeterProperties, Quantity, ValueKind
from contracts.refusal import Code, refusal

Fault = tuple[str, str, str]
"""Field, what was expected, what came."""


def check_properties(properties: MeterProperties) -> None:
    """Checks the properties against each other.

    Raises:
        ContractRefusal: ``INVALID_ARGUMENTS``, for the first fault found.
    """
    for field, expected, got in _faults_of(properties):
        raise refusal(Code.INVALID_ARGUMENTS, field, expected=expected, got=got)


def _faults_of(properties: MeterProperties) -> Iterator[Fault]:
    yield from _unit_faults(properties)
    yield from _grid_faults(properties)
    yield from _ratio_faults(properties)
    yield from register_faults(properties.kind, properties.register_modulus)
    yield from _quantity_faults(properties)


def _unit_faults(properties: MeterProperties) -> Iterator[Fault]:
    allowed = UNITS_OF[properties.quantity]
    if properties.unit not in allowed:
        words = ", ".join(unit.name for unit in allowed)
        yield "unit", f"for {properties.quantity.name} one of {words}", properties.unit.name


def _grid_faults(properties: MeterProperties) -> Iterator[Fault]:
    if DAY_MS % properties.interval_ms:
        got = f"{properties.interval_ms} ms"
        yield "interval_ms", "a divisor of the 86400000 ms of a UTC day", got
    start_ms, end_ms = properties.installed_from_ms, properties.installed_to_ms
    if end_ms is not None and end_ms <= start_ms:
        yield "installed_to_ms", f"a moment after installed_from_ms {start_ms}", str(end_ms)


def _ratio_faults(properties: MeterProperties) -> Iterator[Fault]:
    pairs = {
        "transformer_ratio": properties.transformer_ratio,
        "multiplier": properties.multiplier,
        "co2_check": properties.co2_check,
    }
    for field, pair in pairs.items():
        if pair is not None and 0 in pair:
            yield field, "two numbers above 0", f"{pair[0]} and {pair[1]}"
    if properties.nameplate_w == 0:
        yield "nameplate_w", "more than 0, or none where it is unknown", "0"


def register_faults(kind: ValueKind, modulus: int | None) -> Iterator[Fault]:
    """Yields what is wrong with a register modulus at a meter of this kind."""
    if modulus is not None and kind is not ValueKind.REGISTER:
        yield "register_modulus", f"none, for values of kind {kind.name}", str(modulus)
    if modulus is not None and modulus < 2:
        yield "register_modulus", "at least 2, or none where it is unknown", str(modulus)


def _quantity_faults(properties: MeterProperties) -> Iterator[Fault]:
    quantity = properties.quantity
    if properties.co2_check is not None and quantity is not Quantity.ELECTRICITY:
        yield "co2_check", "none, for it is per kWh of ELECTRICITY", f"one for {quantity.name}"
    if quantity is Quantity.PRODUCTION and properties.factor is not None:
        yield "factor", "none, for what is produced emits nothing here", repr(properties.factor)
    if quantity is not Quantity.TEMPERATURE:
        return
    if properties.kind is not ValueKind.INTERVAL:
        yield "kind", "INTERVAL, for a temperature does not count up", properties.kind.name
    if properties.factor is not None:
        yield "factor", "none, for a temperature emits nothing", repr(properties.factor)
    if properties.parent is not None:
        yield "parent", "none, for temperatures do not add up", repr(properties.parent)
