"""Sending readings in order and showing what became of each."""

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from client.errors import TransactionError
from client.results import submit_result_of
from commands.failures import sentence_of
from commands.output import fail, print_fields, print_json, time_text
from commands.submission import committed_transaction, print_receipt, submit
from contracts.check import LABELS, checks_in
from contracts.meter import Meter
from contracts.reading import AFTER_CLOSE, NO_FACTOR, RawReading, SubmitReadings, SubmitResult

if TYPE_CHECKING:
    from client.synchronous import SyncTanlianClient

READINGS_PER_TRANSACTION: Final = 500


def submit_readings(
    client: "SyncTanlianClient",
    meter: Meter,
    readings: tuple[RawReading, ...],
    *,
    as_json: bool,
) -> None:
    """Submits readings of a meter in order, one transaction after the other, and prints receipts.

    Raises:
        CommandFailed: there are none, or a transaction was refused; says what was committed.
    """
    if not readings:
        fail(f"{meter.meter_id}: expected at least one reading, got none")
    documents: list[dict[str, Any]] = []
    for start in range(0, len(readings), READINGS_PER_TRANSACTION):
        batch = readings[start : start + READINGS_PER_TRANSACTION]
        arguments = SubmitReadings(meter_id=meter.meter_id, unit=meter.unit, readings=batch)
        try:
            outcome = submit(client, "readings.submit", arguments)
        except TransactionError as error:
            before = f"; the {start} before them are committed" if start else ""
            fail(
                f"readings {start + 1} to {start + len(batch)} of {len(readings)}: expected them "
                f"committed, got {sentence_of(error)}{before}"
            )
        documents.append(committed_transaction(client, outcome.transaction_id))
    if as_json:
        print_json({"transactions": documents} if len(documents) > 1 else documents[0])
        return
    print_receipt(documents[-1])
    results = [submit_result_of(document) for document in documents]
    _print_outcomes(meter, readings, results)


def _print_outcomes(
    meter: Meter, readings: tuple[RawReading, ...], results: list[SubmitResult]
) -> None:
    outcomes = Counter(outcome.name.lower() for result in results for outcome in result.outcomes)
    failed = Counter(name for result in results for mask in result.failed for name in _names(mask))
    first, last = readings[0].stamp_ms, readings[-1].stamp_ms
    span = time_text(first) if first == last else f"{time_text(first)} to {time_text(last)}"
    print_fields(
        [
            ("meter", f"{meter.meter_id}, stamped {span}"),
            ("outcome", ", ".join(f"{count} {name}" for name, count in outcomes.items())),
            ("failed checks", ", ".join(f"{name}: {count}" for name, count in failed.items())
                              or "none"),
        ]
    )  # fmt: skip


def _names(mask: int) -> list[str]:
    names = [LABELS[check] for check in checks_in(mask)]
    if mask & NO_FACTOR:
        names.append("no valid factor")
    if mask & AFTER_CLOSE:
        names.append("after the close")
    return names
