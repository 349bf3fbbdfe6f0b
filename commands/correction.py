"""Corrections of readings: proposed, computed, approved and listed, under ``tanlian reading``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from commands.input_file import hash_of_file
from commands.output import (
    fail,
    minute_text,
    print_fields,
    print_json,
    print_table,
    say,
    time_text,
)
from commands.session import Session, reads, signs
from commands.target import OPERATOR_ACCOUNT

if TYPE_CHECKING:
    from contracts.correction import Correction
    from contracts.meter import Meter

MeterArgument = Annotated[str, typer.Argument(help="Meter id.")]
ZoneOption = Annotated[str, typer.Option(help="IANA zone of stamps without offset.")]
ReasonOption = Annotated[str, typer.Option(help="Why; it stands on the chain for ever.")]
APPROVER_ACCOUNT: Final = "certifier"
_WITHDRAWN: Final = "raw"
"""Word for an amount: the meter's own reading is to count again."""


@signs(OPERATOR_ACCOUNT)
def correct(
    session: Session,
    meter_id: MeterArgument,
    intervals: Annotated[
        list[str],
        typer.Argument(
            metavar="TIME=AMOUNT...",
            help="A moment of each interval, ISO 8601, and what is to count for it; `raw` lets "
            "the reading count again.",
        ),
    ],
    reason: ReasonOption,
    method: Annotated[
        str, typer.Option(help="metered, manual, calculated, invoice or estimated.")
    ] = "manual",
    evidence: Annotated[
        Path | None, typer.Option(help="File that shows why; its SHA-256 goes on the chain.")
    ] = None,
    base: Annotated[
        bool,
        typer.Option("--base", help="Amounts in base units, such as watt hours, and not as sent."),
    ] = False,
    zone: ZoneOption = "UTC",
) -> None:
    """Propose what is to count for intervals; another account approves it."""
    from commands.choices import choice_of
    from commands.registry import meter_of
    from commands.submission import submit_and_print
    from contracts.correction import AmountUnit
    from contracts.corrections import CorrectReadings
    from contracts.reading import MethodCode

    method_code = choice_of(MethodCode, method, "--method")
    evidence_hash = hash_of_file(evidence)
    with session.connect() as client:
        meter = meter_of(client, meter_id)
        pairs = sorted(
            (interval_of(meter, text, zone, is_base=base) for text in intervals),
            key=lambda pair: pair[0],
        )
        arguments = CorrectReadings(
            meter_id=meter_id,
            unit=AmountUnit.BASE if base else AmountUnit.SUBMITTED,
            intervals=tuple(pairs),
            method_code=method_code,
            reason=reason,
            evidence=evidence_hash,
        )
        document = submit_and_print(client, "reading.correct", arguments, as_json=session.as_json)
    if not session.as_json:
        _say_number(meter_id, document)


@signs(OPERATOR_ACCOUNT)
def substitute(
    session: Session,
    meter_id: MeterArgument,
    from_time: Annotated[str, typer.Argument(metavar="FROM", help="Start, ISO 8601.")],
    to_time: Annotated[str, typer.Argument(metavar="TO", help="End, exclusive, ISO 8601.")],
    reason: ReasonOption,
    zone: ZoneOption = "UTC",
) -> None:
    """Propose substitutes for missing intervals; the chain computes them after 40 CFR 75."""
    from commands.reading_input import stamp_of
    from contracts.substitutes import SubstituteReadings

    arguments = SubstituteReadings(
        meter_id=meter_id,
        from_ms=stamp_of(from_time, zone),
        to_ms=stamp_of(to_time, zone),
        reason=reason,
    )
    document = session.submit("reading.substitute", arguments)
    if session.as_json:
        return
    print_table(
        ("!gap from (UTC)", "!to", ">assured", ">before", ">after", ">each", "method"),
        [
            (
                minute_text(gap["from_ms"]),
                minute_text(gap["to_ms"]),
                f"{gap['assured']}/{gap['operating']}",
                gap["before"],
                gap["after"],
                gap["amount"],
                gap["method_code"].lower(),
            )
            for gap in document["receipt"]["result"]["gaps"]
        ],
    )
    _say_number(meter_id, document)


@signs(APPROVER_ACCOUNT)
def approve(
    session: Session,
    meter_id: MeterArgument,
    number: Annotated[int, typer.Argument(help="Number of the correction.", min=1)],
) -> None:
    """Approve a correction or substitute as another account: from then on it counts."""
    from commands.registry import correction_of, meter_of
    from commands.submission import submit_and_print
    from contracts.corrections import ApproveCorrection

    with session.connect() as client:
        meter = meter_of(client, meter_id)
        found = correction_of(client, meter_id, number)
        if not session.as_json:
            print_fields(_fields_of(meter, found))
        arguments = ApproveCorrection(meter_id=meter_id, number=number, proposal=found.proposal)
        submit_and_print(client, "reading.approve_correction", arguments, as_json=session.as_json)


@signs(APPROVER_ACCOUNT)
def reject(
    session: Session,
    meter_id: MeterArgument,
    number: Annotated[int, typer.Argument(help="Number of the correction.", min=1)],
    reason: ReasonOption,
) -> None:
    """Reject a proposal as another account, or withdraw one's own: it never counts."""
    from commands.registry import correction_of, meter_of
    from commands.submission import submit_and_print
    from contracts.rejections import RejectCorrection

    with session.connect() as client:
        meter = meter_of(client, meter_id)
        found = correction_of(client, meter_id, number)
        if not session.as_json:
            print_fields(_fields_of(meter, found))
        arguments = RejectCorrection(
            meter_id=meter_id, number=number, proposal=found.proposal, reason=reason
        )
        submit_and_print(client, "reading.reject_correction", arguments, as_json=session.as_json)


@reads
def list_corrections(
    session: Session,
    meter_id: MeterArgument,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many.")] = 100,
) -> None:
    """List corrections and substitutes of a meter, the first proposed first."""
    from commands.registry import meter_of

    with session.connect() as client:
        meter_of(client, meter_id)
        found: list[dict[str, Any]] = client.corrections(meter_id, limit=limit)
    if session.as_json:
        print_json({"meter": meter_id, "corrections": found})
        return
    if not found:
        say("No corrections.")
        return
    print_table(
        ("!no.", "kind", "!from (UTC)", ">count", "state", "reason"),
        [
            (
                each["number"],
                each["kind"].lower(),
                minute_text(each["intervals"][0]["start_ms"]),
                len(each["intervals"]),
                state_of(each),
                each["reason"] if rejection is None else f"{each['reason']}; {rejection['reason']}",
            )
            for each in found
            for rejection in (each["rejection"],)
        ],
    )


def state_of(correction: dict[str, Any]) -> str:
    """Returns what has become of a proposal, in words, from its JSON."""
    rejection = correction["rejection"]
    if rejection is not None:
        is_own = rejection["rejected_by"] == correction["proposed_by"]
        word = "withdrawn" if is_own else "rejected"
        return f"{word} {minute_text(rejection['rejected_ms'])}"
    if correction["approved_ms"] is None:
        return "waits"
    return f"approved {minute_text(correction['approved_ms'])}"


def correction_document(correction: "Correction", start_ms: int) -> dict[str, Any]:
    """Returns what a correction says of one interval."""
    place = [each.start_ms for each in correction.intervals].index(start_ms)
    interval, replaced = correction.intervals[place], correction.replaced[place]
    return {
        "number": correction.number,
        "kind": correction.kind.name,
        "amount": interval.amount,
        "quality": interval.quality.name,
        "method_code": interval.method_code.name,
        "replaced_amount": replaced.amount,
        "replaced_number": replaced.number,
        "reason": correction.reason,
        "evidence": correction.evidence.hex(),
        "proposed_by": correction.proposed_by.hex(),
        "proposed_ms": correction.proposed_ms,
        "approved_by": None if correction.approved_by is None else correction.approved_by.hex(),
        "approved_ms": correction.approved_ms,
    }


def correction_field(correction: "Correction", start_ms: int, base_unit: str) -> tuple[str, str]:
    """Returns what a correction says of one interval, as a line for people."""
    said = correction_document(correction, start_ms)
    amount = "the reading again" if said["amount"] is None else f"{said['amount']} {base_unit}"
    return (
        f"{correction.kind.name.lower()} {correction.number}",
        (
            f"{amount} instead of {said['replaced_amount']}, {said['method_code'].lower()}, "
            f"proposed by {said['proposed_by'][:12]}, approved by "
            f"{str(said['approved_by'])[:12]} at {time_text(correction.approved_ms)}: "
            f"{correction.reason}"
        ),
    )


def _fields_of(meter: "Meter", correction: "Correction") -> list[tuple[str, object]]:
    from contracts.meter import base_unit_of

    first, last = correction.intervals[0], correction.intervals[-1]
    known = [each.amount for each in correction.intervals if each.amount is not None]
    return [
        (correction.kind.name.lower(), f"{correction.number} of {meter.meter_id}"),
        (
            "intervals",
            (
                f"{len(correction.intervals)}, {time_text(first.start_ms)} to "
                f"{time_text(last.start_ms + meter.interval_ms)}"
            ),
        ),
        ("sum", f"{sum(known)} {base_unit_of(meter.unit).name.lower()}"),
        ("method", first.method_code.name.lower()),
        ("reason", correction.reason),
        ("evidence", correction.evidence.hex() if any(correction.evidence) else "none"),
        ("proposed by", correction.proposed_by.hex()),
    ]


def interval_of(meter: "Meter", text: str, zone: str, *, is_base: bool) -> tuple[int, int | None]:
    """Returns start and amount of an interval that a person names."""
    from commands.reading_input import stamp_of, value_of

    moment, equals, amount = text.rpartition("=")
    if not equals:
        fail(f"interval: expected TIME=AMOUNT such as 2026-03-01T12:15Z=1350, got {text!a}")
    at_ms = stamp_of(moment, zone)
    start_ms = at_ms - at_ms % meter.interval_ms
    if amount == _WITHDRAWN:
        return start_ms, None
    if not is_base:
        return start_ms, value_of(meter, amount)
    try:
        return start_ms, int(amount)
    except ValueError:
        fail(f"amount: expected a whole number of base units, or `{_WITHDRAWN}`, got {amount!a}")


def _say_number(meter_id: str, document: dict[str, Any]) -> None:
    for event in document["receipt"]["events"]:
        if event["kind"] == "correction.proposed":
            number = event["content"]["number"]
            say(
                f"Proposed as number {number}; it counts once another account approves it: "
                f"`tanlian reading approve {meter_id} {number}`, or `reject`."
            )
