"""Taking care of alerts: from OPEN to CLOSED, each step signed by who may take it."""

import asyncio
import time
from collections.abc import Mapping
from typing import Final

from client.asynchronous import Call, TanlianClient
from contracts.alert import AlertState, Cause
from contracts.cases import ExplainCase, TakeStep
from contracts.check import Check
from demo.cast import MARKED_METER
from demo.receipts import BEHIND_MAX_S
from demo.stage import CERTIFIER, DemoFailed, Stage, commit_all

_EXPLANATIONS: Final[Mapping[Check, tuple[Cause, str]]] = {
    Check.STUCK: (
        Cause.METER_FAULT,
        "Put in by the demonstration: twelve equal quarter hours on Wednesday from 13:00.",
    ),
    Check.BASELINE: (
        Cause.SCHEDULE,
        "Put in by the demonstration: 30 kW more from Friday 00:00 to 05:00.",
    ),
}


async def take_care(stage: Stage) -> list[str]:
    """Takes one alert of each fault that was put in to CLOSED.

    Returns:
        Ids of the alerts.

    Raises:
        DemoFailed: an alert that was expected was not raised, or a step was refused.
    """
    operator = stage.operator("office")
    certifier = stage.client(CERTIFIER)
    taken: list[str] = []
    for check, (cause, words) in _EXPLANATIONS.items():
        alert_id = await _open_alert(operator, check)
        quiet, accepted = (TakeStep(alert_id=alert_id, note=note) for note in ("", "As marked."))
        steps = (
            (operator, "case.acknowledge", quiet),
            (operator, "case.investigate", quiet),
            (
                operator,
                "case.explain",
                ExplainCase(alert_id=alert_id, cause=cause, explanation=words),
            ),
            (certifier, "case.dismiss", accepted),
            (certifier, "case.close", accepted),
        )
        for client, method, arguments in steps:
            await commit_all(client, [Call(method=method, arguments=arguments)])
        taken.append(alert_id)
    return taken


async def _open_alert(client: TanlianClient, check: Check) -> str:
    """Returns the first open alert of a check at the copy's meter.

    The node that is asked may be a moment behind the one that committed the readings.
    """
    deadline_s = time.monotonic() + BEHIND_MAX_S
    while True:
        for alert in await client.alerts(meter=MARKED_METER, state=AlertState.OPEN.name):
            if alert["check"] == check.name:
                return str(alert["alert_id"])
        if time.monotonic() > deadline_s:
            raise DemoFailed(
                f"{MARKED_METER}: expected an open alert of check {check:d} ({check.name}), got "
                "none"
            )
        await asyncio.sleep(0.1)
