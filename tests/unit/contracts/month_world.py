"""Meters that report once a day, so that months are quickly there."""

from dataclasses import replace

from contracts import meters
from contracts.alert import ALERT_PREFIX, Alert
from contracts.bills import SubmitBill
from contracts.check import Check
from contracts.comparison import Comparison, comparison_prefix
from contracts.meter_quality import MeterQuality, quality_prefix
from contracts.meters import RegisterMeter
from contracts.reading import SubmitReadings
from contracts.readings import submit
from tests.unit.contracts.reading_world import AMOUNTS, DAY_MS, ReadingWorld, amount
from tests.unit.contracts.registry_world import OPERATOR

SEPTEMBER = 644
"""2023-09, in which September 1st is day -45 of the world's first day, October 16th."""
OCTOBER = 645
DAILY = replace(AMOUNTS, interval_ms=DAY_MS)
BILLED = SubmitBill(
    meter_id="main", month=SEPTEMBER, amount=30_000, document=bytes([7]) * 32, note="2023-09"
)


class MonthWorld(ReadingWorld):
    """``main`` and others, each with one reading a UTC day."""

    def __init__(self, *others: RegisterMeter) -> None:
        super().__init__(DAILY)
        for other in others:
            self.call(meters.register, other)

    def report_month(self, meter_id: str, daily: int, *, days: int = 31) -> None:
        """Sends the days from September 1st on; 31 of them go beyond the month."""
        readings = tuple(amount(96 * (day - 45), daily) for day in range(days))
        arguments = SubmitReadings(
            meter_id=meter_id, unit=self.meter(meter_id).unit, readings=readings
        )
        submit(self.context(OPERATOR), arguments)

    def comparisons(self, meter_id: str = "main") -> list[Comparison]:
        prefix = comparison_prefix(meter_id)
        return [each for _, each in self.state.iterate(Comparison, prefix)]

    def counts(self, check: Check, meter_id: str = "main") -> tuple[int, int]:
        """How often a check applied and failed, over all months."""
        months = [each for _, each in self.state.iterate(MeterQuality, quality_prefix(meter_id))]
        return (
            sum(each.applied[check - 1] for each in months),
            sum(each.failed[check - 1] for each in months),
        )

    def alerts_of(self, check: Check) -> list[Alert]:
        return [
            alert for _, alert in self.state.iterate(Alert, ALERT_PREFIX) if alert.check is check
        ]
