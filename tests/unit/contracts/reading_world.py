"""A registry with one meter and short ways to send it readings."""

from collections.abc import Sequence
from dataclasses import replace

from contracts import factors, meters
from contracts.alert import ALERT_PREFIX, Alert
from contracts.check import Check, checks_in
from contracts.emissions import MonthTotal, Scope, meter_month_key, numerator_of
from contracts.factor_content import CO2E_OF_VALUE
from contracts.meter import Meter, StampConvention, Unit
from contracts.meter_state import MeterState, get_meter_state
from contracts.meters import RegisterMeter
from contracts.reading import (
    Channel,
    Outcome,
    Quality,
    RawReading,
    SubmitReadings,
    SubmitResult,
)
from contracts.reading_page import ReadingPage, SlotView, page_prefix, slots_of
from contracts.readings import submit
from contracts.site_month import LineKind, SiteMonth, site_month_key, sums_of
from tests.unit.contracts.registry_world import (
    FACTOR,
    INTERVAL_METER,
    METER,
    OPERATOR,
    World,
)

NOW_MS = 1_700_006_400_000
"""2023-11-15 00:00 UTC: block time, and a boundary of days."""
DAY_MS = 86_400_000
HOUR_MS = 3_600_000
QUARTER_MS = 900_000
DAY = NOW_MS - 30 * DAY_MS
"""Start of the first interval in most tests; a month before block time."""
FACTOR_UNTIL_MS = 2**60

AMOUNTS = replace(
    INTERVAL_METER,
    unit=Unit.WATT_HOUR,
    scale=0,
    stamp=StampConvention.START,
    nameplate_w=None,
    co2_check=None,
)
"""A meter of amounts in Wh, stamped at START, without a cap."""
COUNTER = replace(
    METER,
    unit=Unit.WATT_HOUR,
    scale=0,
    stamp=StampConvention.START,
    nameplate_w=None,
    co2_check=None,
    register_modulus=None,
)
"""A meter of registers in Wh, stamped at START, without modulus and cap."""


def amount(
    interval: int,
    value: int | None,
    *,
    channels: dict[Channel, int] | None = None,
    quality: Quality = Quality.MEASURED,
    sequence: int | None = None,
    previous_leaf: bytes | None = None,
    off_ms: int = 0,
) -> RawReading:
    """An amount of the n-th quarter hour from DAY."""
    return RawReading(
        stamp_ms=DAY + interval * QUARTER_MS + off_ms,
        register=None,
        amount=value,
        quality=quality,
        sequence=sequence,
        previous_leaf=previous_leaf,
        channels=tuple(sorted((channels or {}).items())),
    )


def register(
    interval: int, value: int | None, *, channels: dict[Channel, int] | None = None, off_ms: int = 0
) -> RawReading:
    """A register at the n-th quarter hour from DAY."""
    reading = amount(interval, None, channels=channels, off_ms=off_ms)
    return replace(reading, register=value)


class ReadingWorld(World):
    """A world with the meter ``main`` and block time NOW_MS."""

    def __init__(
        self, meter: RegisterMeter = AMOUNTS, *, factor_until_ms: int = FACTOR_UNTIL_MS
    ) -> None:
        super().__init__()
        self.add_site()
        self.call(factors.set_factor, replace(FACTOR, valid_from_ms=0, valid_to_ms=factor_until_ms))
        self.call(meters.register, meter)
        self.next_block(after_ms=NOW_MS - self.time_ms)

    @property
    def main(self) -> Meter:
        return self.meter("main")

    def send(
        self, *readings: RawReading, unit: Unit | None = None, sender: bytes = OPERATOR
    ) -> list[Outcome]:
        """Submits readings in one call; returns what became of each."""
        return list(self.result(readings, unit=unit, sender=sender).outcomes)

    def flags(self, *readings: RawReading) -> list[tuple[Check, ...]]:
        """Submits readings in one call; returns the checks that each failed."""
        return [checks_in(failed) for failed in self.result(readings).failed]

    def result(
        self, readings: Sequence[RawReading], *, unit: Unit | None = None, sender: bytes = OPERATOR
    ) -> SubmitResult:
        arguments = SubmitReadings(
            meter_id="main", unit=unit or self.main.unit, readings=tuple(readings)
        )
        received = SubmitReadings.decode(arguments.encode())
        return SubmitResult.decode(submit(self.context(sender), received))

    def send_to(self, meter_id: str, *readings: RawReading) -> SubmitResult:
        """Submits readings of another meter in one call."""
        unit = self.meter(meter_id).unit
        arguments = SubmitReadings(meter_id=meter_id, unit=unit, readings=readings)
        received = SubmitReadings.decode(arguments.encode())
        return SubmitResult.decode(submit(self.context(OPERATOR), received))

    @property
    def memory(self) -> MeterState:
        state = get_meter_state(self.state, "main")
        assert state is not None
        return state

    @property
    def slots(self) -> dict[int, SlotView]:
        """All intervals with a value, by their number from DAY."""
        prefix = page_prefix("main")
        return {
            (slot.start_ms - DAY) // self.main.interval_ms: slot
            for key, page in self.state.iterate(ReadingPage, prefix)
            for slot in slots_of(self.main, int(key[len(prefix) :]), page)
        }

    @property
    def amounts(self) -> dict[int, int | None]:
        return {number: slot.amount for number, slot in self.slots.items()}

    @property
    def pages(self) -> list[ReadingPage]:
        return [page for _, page in self.state.iterate(ReadingPage, page_prefix("main"))]

    @property
    def alerts(self) -> list[Alert]:
        return [alert for _, alert in self.state.iterate(Alert, ALERT_PREFIX)]

    @property
    def alert_checks(self) -> list[Check]:
        return [alert.check for alert in self.alerts]

    def meter_total(self, month: int) -> tuple[int, int] | None:
        """Amount and co2e (1e-4 g) of the meter's month."""
        total = self.state.get(MonthTotal, meter_month_key("main", month))
        if total is None:
            return None
        return numerator_of(total.amount), in_values(numerator_of(total.co2e))

    def site_total(self, month: int, scope: Scope) -> int | None:
        """Co2e (1e-4 g) of the site's month in one scope."""
        record = self.state.get(SiteMonth, site_month_key("plant", month))
        if record is None:
            return None
        lines = sums_of(record).lines.items()
        return in_values(
            sum(
                co2e
                for (of_scope, _, _, _, kind), (_, co2e) in lines
                if of_scope is scope and kind is LineKind.EMISSION
            )
        )

    def all_totals(self) -> tuple[int, int]:
        """Amount and co2e (1e-4 g) of the meter over all months."""
        totals = [total for _, total in self.state.iterate(MonthTotal, b"meter-month/main/")]
        return (
            sum(numerator_of(total.amount) for total in totals),
            in_values(sum(numerator_of(total.co2e) for total in totals)),
        )


def in_values(co2e: int) -> int:
    """A numerator in the unit of a factor's value, 1e-4 g."""
    assert co2e % CO2E_OF_VALUE == 0
    return co2e // CO2E_OF_VALUE
