"""Check sources: who bills a meter, and which other meter measures the same supply.

The owner's ADMIN names them. A bill of anybody would be no evidence and could be used against a
competitor; so only the utility that the owner has named may file one, or a certifier who has seen
it. The second meter may be another organisation's: readings are seen by all members.
"""

from dataclasses import dataclass
from typing import Final

from chain.codec import Record
from chain.state import State
from chain.types import U32, Identifier, Milliseconds, PublicKey
from contracts.account import Role
from contracts.accounts import check_owner
from contracts.calendars import DAY_MS
from contracts.context import Context
from contracts.due_queue import DueKind, push
from contracts.meter import Meter, base_unit_of
from contracts.meters import require_meter
from contracts.method import Method, method_of
from contracts.organisations import get_organisation
from contracts.refusal import Code, refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class NameSources(Record):
    """Arguments of ``check.name_sources``: the whole, not what changes."""

    meter_id: Identifier
    utility: Identifier | None
    """Another organisation, whose ADMIN or OPERATOR may file bills; None for none."""
    second_meter: Identifier | None
    """Of the same quantity and base unit, and with the same calendar; None for none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckSources(Record):
    """What a meter's months are held against."""

    meter_id: Identifier
    utility: Identifier | None
    second_meter: Identifier | None
    next_month: U32 | None
    """First month that was not compared with the second meter; None until there is a reading."""
    named_by: PublicKey
    named_ms: Milliseconds
    """Block time."""


def sources_key(meter_id: str) -> bytes:
    """Returns the state key of a meter's check sources."""
    return b"check-sources/" + meter_id.encode()


def get_sources(state: State, meter_id: str) -> CheckSources | None:
    """Returns what a meter's months are held against, or None where nothing was named."""
    return state.get(CheckSources, sources_key(meter_id))


def name_sources(context: Context, arguments: NameSources) -> bytes:
    """Names utility and second meter of a meter; emits ``check.sources_named``.

    Raises:
        ContractRefusal: ``UNKNOWN_METER``, ``NOT_PERMITTED``, ``INVALID_ARGUMENTS`` for an
            organisation or a meter that cannot be a source.
    """
    state = context.state
    meter = require_meter(state, arguments.meter_id)
    check_owner(context, meter.organisation, f"meter {meter.meter_id}")
    if arguments.utility is not None:
        _check_utility(state, meter, arguments.utility)
    if arguments.second_meter is not None:
        _check_second(state, meter, arguments.second_meter)
    before = get_sources(state, meter.meter_id)
    is_same = before is not None and before.second_meter == arguments.second_meter
    sources = CheckSources(
        meter_id=meter.meter_id,
        utility=arguments.utility,
        second_meter=arguments.second_meter,
        next_month=before.next_month if before is not None and is_same else None,
        named_by=context.sender,
        named_ms=context.time_ms,
    )
    state.put(sources_key(meter.meter_id), sources)
    if sources.second_meter is not None and not is_same:
        due_ms = context.time_ms + DAY_MS
        push(state, due_ms=due_ms, kind=DueKind.SECOND_METER, subject=meter.meter_id)
    context.emit("check.sources_named", meter.meter_id, sources)
    return b""


def _check_utility(state: State, meter: Meter, utility: str) -> None:
    if get_organisation(state, utility) is None or utility == meter.organisation:
        raise refusal(
            Code.INVALID_ARGUMENTS,
            "utility",
            expected=f"an organisation other than {meter.organisation}",
            got=repr(utility),
        )


def _check_second(state: State, meter: Meter, second_id: str) -> None:
    second = require_meter(state, second_id, "second_meter")
    faults = (
        ("another meter", second_id, second_id == meter.meter_id),
        (
            f"a meter of {meter.quantity.name} in {base_unit_of(meter.unit).name}",
            f"{second.quantity.name} in {base_unit_of(second.unit).name}",
            (second.quantity, base_unit_of(second.unit))
            != (meter.quantity, base_unit_of(meter.unit)),
        ),
        (
            f"one with the calendar {meter.calendar[0]} version {meter.calendar[1]}",
            f"{second.calendar[0]} version {second.calendar[1]}",
            second.calendar != meter.calendar,
        ),
    )
    for expected, got, is_fault in faults:
        if is_fault:
            raise refusal(Code.INVALID_ARGUMENTS, "second_meter", expected=expected, got=got)


METHODS: Final[tuple[Method, ...]] = (
    method_of("check.name_sources", NameSources, name_sources, roles=frozenset({Role.ADMIN})),
)
