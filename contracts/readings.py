"""The readings contract: many readings of one meter in one signed call.

A call is refused as a whole where it cannot be meant: another unit, another organisation's
meter, a register for a meter without one. What is merely wrong with a reading is kept and
flagged; the result says for each reading what became of it.
"""

from typing import Final

from chain.errors import ContractRefusal
from chain.types import Milliseconds
from contracts.account import Role
from contracts.accounts import sender_of
from contracts.calendars import DAY_MS
from contracts.context import Context
from contracts.intake import begin_intake
from contracts.meter import Meter
from contracts.meters import require_meter
from contracts.method import Method, method_of
from contracts.reading import SubmitReadings, SubmitResult, check_reading, encode_result
from contracts.refusal import Code, refusal

__all__ = ["METHODS", "SubmitReadings", "SubmitResult", "submit"]


def submit(context: Context, arguments: SubmitReadings) -> bytes:
    """Takes readings of one meter; returns a :class:`SubmitResult`.

    Raises:
        ContractRefusal: ``UNKNOWN_METER``, ``NOT_PERMITTED``, ``WRONG_UNIT``, ``LIMIT_REACHED``
            for more readings than the chain allows, ``INVALID_ARGUMENTS`` for a reading that
            cannot be meant for the meter.
    """
    meter = require_meter(context.state, arguments.meter_id)
    _check_sender(context, meter)
    _check_call(context, meter, arguments)
    for index, reading in enumerate(arguments.readings):
        check_reading(meter, index, reading)
    take = begin_intake(context, meter).take
    try:
        return encode_result([take(reading) for reading in arguments.readings])
    except ContractRefusal as refused:
        # A refusal would leave what the readings before it have changed.
        raise AssertionError("nothing is refused once readings are taken") from refused


def _check_sender(context: Context, meter: Meter) -> None:
    if context.sender == meter.responsible:
        return
    sender = sender_of(context)
    if sender.organisation != meter.organisation:
        raise refusal(
            Code.NOT_PERMITTED,
            f"meter {meter.meter_id}",
            expected=f"a sender of its organisation {meter.organisation}",
            got=f"one of {sender.organisation}",
        )


def _check_call(context: Context, meter: Meter, arguments: SubmitReadings) -> None:
    if arguments.unit is not meter.unit:
        raise refusal(Code.WRONG_UNIT, "unit", expected=meter.unit.name, got=arguments.unit.name)
    limit = context.block.parameters.readings_per_transaction_max
    if len(arguments.readings) > limit:
        raise refusal(
            Code.LIMIT_REACHED,
            "readings",
            expected=f"at most {limit} in one transaction; send several",
            got=str(len(arguments.readings)),
        )


def _work_of(arguments: SubmitReadings) -> int:
    """Returns one unit for the transaction and one for each reading."""
    return 1 + len(arguments.readings)


def index_keys(arguments: SubmitReadings) -> tuple[bytes, ...]:
    """Returns the keys under which a node finds the transaction again, ascending.

    One for each UTC day of the stamps. They are not the starts of pages, because arguments alone
    do not tell a meter's interval; :mod:`contracts.reading_query` knows which days to ask for.
    """
    days = {reading.stamp_ms // DAY_MS: None for reading in arguments.readings}
    return tuple(index_key(arguments.meter_id, day * DAY_MS) for day in sorted(days))


def index_key(meter_id: str, day_ms: Milliseconds) -> bytes:
    """Returns the key of a meter's transactions with stamps of one UTC day: its start, 8 bytes."""
    return meter_id.encode() + b"\x00" + day_ms.to_bytes(8, "big")


METHODS: Final[tuple[Method, ...]] = (
    method_of(
        "readings.submit",
        SubmitReadings,
        submit,
        roles=frozenset({Role.ADMIN, Role.OPERATOR, Role.GATEWAY}),
        work=_work_of,
        index_keys=index_keys,
    ),
)
