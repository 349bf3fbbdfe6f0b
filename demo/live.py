"""The live meter: sends every 10 s while the replay runs, then falls silent until it is missed."""

import asyncio
import time
from typing import Any, Final

from client.asynchronous import Call
from client.importers.raw import raw_reading
from contracts.check import Check
from contracts.meter import Unit
from contracts.meters import GoLive
from contracts.reading import SubmitReadings
from demo.cast import LIVE_INTERVAL_MS, LIVE_METER
from demo.stage import DemoFailed, Stage, commit_all

READINGS_MIN: Final = 3
_MARGIN_S: Final = 0.5
"""After the end of an interval, so that block time has passed it too."""
MISSED_WITHIN_S: Final = 90.0
"""Two intervals, the look at the due queue, a heartbeat, and a slow machine."""


async def send_live(stage: Stage, until: asyncio.Event) -> int:
    """Takes the meter LIVE and sends a reading for each interval until told to stop.

    Returns:
        Readings that were committed, at least :data:`READINGS_MIN`.

    Raises:
        DemoFailed: a transaction was refused.
    """
    operator = stage.operator("metering")
    await commit_all(
        operator, [Call(method="meter.go_live", arguments=GoLive(meter_id=LIVE_METER))]
    )
    sent = 0
    while sent < READINGS_MIN or not until.is_set():
        end_ms = await _next_interval_end()
        reading = raw_reading(stamp_ms=end_ms, amount=1_000 + 7 * sent)
        arguments = SubmitReadings(meter_id=LIVE_METER, unit=Unit.WATT_HOUR, readings=(reading,))
        await commit_all(operator, [Call(method="readings.submit", arguments=arguments)])
        sent += 1
    return sent


async def wait_missed(stage: Stage) -> dict[str, Any]:
    """Waits until the silent meter has its MISSING alert.

    Returns:
        The alert.

    Raises:
        DemoFailed: it did not come in time.
    """
    client = stage.operator("metering")
    deadline_s = time.monotonic() + MISSED_WITHIN_S
    while time.monotonic() < deadline_s:
        for alert in await client.alerts(meter=LIVE_METER):
            if alert["check"] == Check.MISSING.name:
                return alert
        await asyncio.sleep(0.5)
    raise DemoFailed(
        f"{LIVE_METER}: expected an alert for missing readings within {MISSED_WITHIN_S:.0f} s, "
        "got none"
    )


async def _next_interval_end() -> int:
    now_ms = time.time_ns() // 1_000_000
    end_ms = (now_ms // LIVE_INTERVAL_MS + 1) * LIVE_INTERVAL_MS
    await asyncio.sleep((end_ms - now_ms) / 1_000 + _MARGIN_S)
    return end_ms
