"""Taking care of alerts: from OPEN to CLOSED, each step signed by who may take it."""

import asyncio
import time
from collections.abc import Mapping
from typing import Any, Final

from chain.codec import Record
from chain.types import HASH_BYTES
from client.asynchronous import Call, TanlianClient
from contracts.alert import AlertState, Cause
from contracts.cases import ExplainCase, TakeStep
from contracts.check import Check
from contracts.correction import AmountUnit
from contracts.corrections import ApproveCorrection, CorrectReadings
from contracts.reading import MethodCode, RawReading
from contracts.remedies import CorrectCase
from demo.cast import MARKED_METER
from demo.marked_copy import STUCK_FROM_MS, STUCK_TO_MS
from demo.receipts import BEHIND_MAX_S, committed_transaction
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


async def take_care(stage: Stage, office: tuple[RawReading, ...]) -> list[str]:
    """Takes one alert of each fault that was put in to CLOSED.

    The stuck value is corrected by what the real meter sent, and the chain checks the same window
    again; the night load was real as far as the meter knows, and a second person dismisses it.

    Args:
        stage: accounts and clients of the network.
        office: readings of the real meter, of which the marked one is a copy.

    Returns:
        Id of each alert, and how it ended.

    Raises:
        DemoFailed: an alert that was expected was not raised, a step was refused, or the window
            still failed.
    """
    operator = stage.operator("office")
    certifier = stage.client(CERTIFIER)
    taken: list[str] = []
    for check, (cause, words) in _EXPLANATIONS.items():
        alert_id = await _open_alert(operator, check)
        quiet, accepted = (TakeStep(alert_id=alert_id, note=note) for note in ("", "As marked."))
        explained = ExplainCase(alert_id=alert_id, cause=cause, explanation=words)
        await _take(operator, "case.acknowledge", quiet)
        await _take(operator, "case.investigate", quiet)
        await _take(operator, "case.explain", explained)
        if check is Check.STUCK:
            number = await _correct_stuck(stage, office)
            remedy = CorrectCase(
                alert_id=alert_id, meter=None, number=number, note="What the meter sent."
            )
            rechecked = await _take(operator, "case.correct", remedy)
            end = "corrected, and the same window passes now"
            if "case.verified" not in [event["kind"] for event in rechecked["receipt"]["events"]]:
                raise DemoFailed(f"{alert_id}: expected the corrected window to pass, it does not")
        else:
            end = "dismissed by a second person"
            await _take(certifier, "case.dismiss", accepted)
        await _take(certifier, "case.close", accepted)
        taken.append(f"{alert_id} ({end})")
    return taken


async def _correct_stuck(stage: Stage, office: tuple[RawReading, ...]) -> int:
    """Puts what the real meter sent in the place of the stuck value; returns the correction."""
    intervals = tuple(
        (reading.stamp_ms, reading.amount)
        for reading in office
        if STUCK_FROM_MS <= reading.stamp_ms < STUCK_TO_MS
    )
    proposed = await _take(
        stage.operator("office"),
        "reading.correct",
        CorrectReadings(
            meter_id=MARKED_METER,
            unit=AmountUnit.SUBMITTED,
            intervals=intervals,
            method_code=MethodCode.METERED,
            reason="The copy was marked; this is what the meter sent.",
            evidence=bytes(HASH_BYTES),
        ),
    )
    number = int(proposed["receipt"]["events"][0]["content"]["number"])
    approval = ApproveCorrection(
        meter_id=MARKED_METER, number=number, proposal=bytes.fromhex(proposed["id"])
    )
    await _take(stage.admin("office"), "reading.approve_correction", approval)
    return number


async def _take(client: TanlianClient, method: str, arguments: Record) -> dict[str, Any]:
    """Takes one step; returns the committed transaction."""
    (outcome,) = await commit_all(client, [Call(method=method, arguments=arguments)])
    return await committed_transaction(client, outcome.transaction_id)


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
