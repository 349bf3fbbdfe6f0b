"""Meters as a contract: registered, taken live, and exchanged under two signatures.

Meters never change hands and never vanish: what a reading meant when it was committed is what its
meter means for ever. A meter's parent is registered before it and cannot change, so parents form
no cycle.
"""

from dataclasses import dataclass, replace
from typing import Final

from chain.codec import Record
from chain.state import State
from chain.types import Hash, Identifier
from contracts.account import Role
from contracts.accounts import check_active_account_of, check_owner
from contracts.calendars import require_calendar
from contracts.context import Context
from contracts.due_queue import DueKind, push
from contracts.emissions import counts_for_site
from contracts.exchange import (
    EXCHANGES_MAX,
    Exchange,
    ExchangeProposal,
    ProposeExchange,
    add_exchange,
    exchange_between,
    exchange_times,
    exchanges_between,
    proposal_key,
)
from contracts.factors import get_series
from contracts.meter import (
    Meter,
    MeterMode,
    MeterProperties,
    SiteMeter,
    ValueKind,
    base_unit_of,
    meter_key,
    site_meter_key,
    site_meters_prefix,
)
from contracts.meter_children import add_child, check_room
from contracts.meter_rules import check_properties, register_faults
from contracts.method import Method, method_of
from contracts.refusal import Code, refusal
from contracts.restatement import UserKind, note_user
from contracts.sites import require_site

__all__ = [
    "METHODS",
    "ApproveExchange",
    "GoLive",
    "ProposeExchange",
    "RegisterMeter",
    "exchange_between",
    "exchanges_between",
    "get_meter",
    "meters_at",
    "require_meter",
]

PARENTS_MAX: Final = 16
"""Meters above a meter, its parent included; bounds what balances have to climb."""
FIRST_DUE_INTERVALS: Final = 3
"""Intervals after going live at which it is first asked whether the meter has gone silent: check 4
tolerates two that are missing, so there is nothing to find before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterMeter(MeterProperties):
    """Arguments of ``meter.register``; the organisation is the sender's, the mode BACKFILL."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GoLive(Record):
    """Arguments of ``meter.go_live``."""

    meter_id: Identifier


@dataclass(frozen=True, slots=True, kw_only=True)
class ApproveExchange(Record):
    """Arguments of ``meter.approve_exchange``."""

    meter_id: Identifier
    proposal: Hash
    """Id of the transaction that proposed it, so that one approves what one has read."""


def get_meter(state: State, meter_id: str) -> Meter | None:
    """Returns a meter, or None where there is none of this id."""
    return state.get(Meter, meter_key(meter_id))


def meters_at(state: State, site_id: str) -> tuple[Meter, ...]:
    """Returns the meters of a site by id."""
    index = state.iterate(SiteMeter, site_meters_prefix(site_id))
    return tuple(require_meter(state, entry.meter_id) for _, entry in list(index))


def require_meter(state: State, meter_id: str, field: str = "meter_id") -> Meter:
    """Returns the meter that arguments name.

    Raises:
        ContractRefusal: ``UNKNOWN_METER``.
    """
    meter = get_meter(state, meter_id)
    if meter is None:
        raise refusal(
            Code.UNKNOWN_METER,
            field,
            expected="a registered meter; register it with meter.register",
            got=repr(meter_id),
        )
    return meter


def register(context: Context, arguments: RegisterMeter) -> bytes:
    """Registers a meter of the sender's organisation in BACKFILL; emits ``meter.registered``.

    Raises:
        ContractRefusal: ``ALREADY_EXISTS``; ``INVALID_ARGUMENTS`` for properties that contradict
            each other, the parent or the factor; ``UNKNOWN_SITE``, ``UNKNOWN_CALENDAR``,
            ``UNKNOWN_METER`` (parent), ``UNKNOWN_FACTOR``, ``UNKNOWN_ACCOUNT``,
            ``ACCOUNT_REVOKED``; ``NOT_PERMITTED`` for a site, parent or responsible account of
            another organisation; ``LIMIT_REACHED`` for too many parents above each other or
            too many meters below one.
    """
    state = context.state
    existing = get_meter(state, arguments.meter_id)
    if existing is not None:
        raise refusal(
            Code.ALREADY_EXISTS,
            "meter_id",
            expected="an id that no organisation uses",
            got=f"{arguments.meter_id!r} of {existing.organisation}",
        )
    check_properties(arguments)
    site = require_site(state, arguments.site)
    check_owner(context, site.organisation, f"site {site.site_id}")
    require_calendar(state, arguments.calendar)
    if arguments.parent is not None:
        _check_parent(context, arguments, arguments.parent)
    if arguments.factor is not None:
        _check_factor(state, arguments, arguments.factor)
    check_active_account_of(state, arguments.responsible, site.organisation, "responsible")
    meter = Meter.from_value(
        (*arguments.to_value(), site.organisation, int(MeterMode.BACKFILL), None)
    )
    state.put(meter_key(meter.meter_id), meter)
    state.put(site_meter_key(meter.site, meter.meter_id), SiteMeter(meter_id=meter.meter_id))
    if meter.factor is not None:
        note_user(state, meter.factor, UserKind.METER, meter.meter_id)
        if counts_for_site(meter):
            note_user(state, meter.factor, UserKind.SITE, meter.site)
    if meter.parent is not None:
        add_child(context, meter.parent, meter.meter_id)
    context.emit("meter.registered", meter.meter_id, meter)
    return b""


def go_live(context: Context, arguments: GoLive) -> bytes:
    """Takes a meter from BACKFILL to LIVE, for good; emits ``meter.live``.

    From now on lateness and silence are judged by block time; the first question whether it is
    silent falls due :data:`FIRST_DUE_INTERVALS` intervals later.

    Raises:
        ContractRefusal: ``UNKNOWN_METER``, ``NOT_PERMITTED``, ``WRONG_STATE``.
    """
    meter = require_meter(context.state, arguments.meter_id)
    check_owner(context, meter.organisation, f"meter {meter.meter_id}")
    if meter.mode is not MeterMode.BACKFILL:
        raise refusal(
            Code.WRONG_STATE,
            f"meter {meter.meter_id}",
            expected="mode BACKFILL",
            got=f"{meter.mode.name} since {meter.live_from_ms}",
        )
    if meter.installed_to_ms is not None and meter.installed_to_ms <= context.time_ms:
        raise refusal(
            Code.WRONG_STATE,
            f"meter {meter.meter_id}",
            expected=f"a meter that is installed at block time {context.time_ms}",
            got=f"one removed at {meter.installed_to_ms}",
        )
    live = replace(meter, mode=MeterMode.LIVE, live_from_ms=context.time_ms)
    context.state.put(meter_key(meter.meter_id), live)
    due_ms = context.time_ms + FIRST_DUE_INTERVALS * meter.interval_ms
    push(context.state, due_ms=due_ms, kind=DueKind.MISSING, subject=meter.meter_id)
    context.emit("meter.live", meter.meter_id, live)
    return b""


def propose_exchange(context: Context, arguments: ProposeExchange) -> bytes:
    """Proposes an exchange of the device; emits ``meter.exchange_proposed``.

    It replaces an earlier proposal that nobody has approved, so a mistake is put right by
    proposing again.

    Raises:
        ContractRefusal: ``UNKNOWN_METER``, ``NOT_PERMITTED``, ``LIMIT_REACHED``,
            ``INVALID_ARGUMENTS`` for a time or register value that cannot be.
    """
    meter = require_meter(context.state, arguments.meter_id)
    check_owner(context, meter.organisation, f"meter {meter.meter_id}")
    _check_exchange(context, meter, arguments)
    proposal = ExchangeProposal(
        proposal=context.transaction_id,
        arguments=arguments,
        proposed_by=context.sender,
        proposed_ms=context.time_ms,
    )
    context.state.put(proposal_key(meter.meter_id), proposal)
    context.emit("meter.exchange_proposed", meter.meter_id, proposal)
    return b""


def approve_exchange(context: Context, arguments: ApproveExchange) -> bytes:
    """Applies a proposed exchange with the second signature; emits ``meter.exchanged``.

    The meter takes the properties of the new device, and the hand-over stands in state for the
    register check, which restarts there without an alert.

    Raises:
        ContractRefusal: ``UNKNOWN_METER``, ``UNKNOWN_EXCHANGE``, ``NOT_PERMITTED`` for another
            organisation's account or the proposer itself.
    """
    meter = require_meter(context.state, arguments.meter_id)
    sender = check_owner(context, meter.organisation, f"meter {meter.meter_id}")
    proposal = context.state.get(ExchangeProposal, proposal_key(meter.meter_id))
    if proposal is None or proposal.proposal != arguments.proposal:
        raise refusal(
            Code.UNKNOWN_EXCHANGE,
            "proposal",
            expected="an open proposal; propose one with meter.exchange"
            if proposal is None
            else f"the open one, {proposal.proposal.hex()}",
            got=arguments.proposal.hex(),
        )
    if proposal.proposed_by == sender.public_key:
        raise refusal(
            Code.NOT_PERMITTED,
            f"exchange of {meter.meter_id}",
            expected="another ADMIN than the account that proposed it",
            got="the same",
        )
    exchange = _exchange_of(context, meter, proposal)
    add_exchange(context.state, exchange)
    context.state.delete(proposal_key(meter.meter_id))
    context.state.put(meter_key(meter.meter_id), _with_device(meter, proposal.arguments))
    context.emit("meter.exchanged", meter.meter_id, exchange)
    return b""


def _check_parent(context: Context, arguments: RegisterMeter, parent_id: str) -> None:
    parent = require_meter(context.state, parent_id, "parent")
    check_owner(context, parent.organisation, f"parent {parent_id}")
    if parent.quantity is not arguments.quantity:
        raise refusal(
            Code.INVALID_ARGUMENTS,
            "parent",
            expected=f"a meter of {arguments.quantity.name}",
            got=f"{parent_id!r}, which measures {parent.quantity.name}",
        )
    check_room(context.state, parent_id)
    count = 1
    while parent.parent is not None:
        count += 1
        if count > PARENTS_MAX:
            raise refusal(
                Code.LIMIT_REACHED,
                "parent",
                expected=f"at most {PARENTS_MAX} meters above each other",
                got=f"more, above {arguments.meter_id!r}",
            )
        parent = require_meter(context.state, parent.parent, "parent")


def _check_factor(state: State, arguments: RegisterMeter, factor_id: str) -> None:
    series = get_series(state, factor_id)
    if series is None:
        raise refusal(
            Code.UNKNOWN_FACTOR,
            "factor",
            expected="a series with a factor; set one with factor.set",
            got=repr(factor_id),
        )
    base_unit = base_unit_of(arguments.unit)
    if series.base_unit is not base_unit:
        raise refusal(
            Code.INVALID_ARGUMENTS,
            "factor",
            expected=f"a series per {base_unit.name}",
            got=f"{factor_id!r} per {series.base_unit.name}",
        )


def _check_exchange(context: Context, meter: Meter, arguments: ProposeExchange) -> None:
    times = exchange_times(context.state, meter.meter_id)
    if len(times) >= EXCHANGES_MAX:
        raise refusal(
            Code.LIMIT_REACHED,
            f"meter {meter.meter_id}",
            expected=f"at most {EXCHANGES_MAX} exchanges; register a new meter",
            got=f"{EXCHANGES_MAX} already",
        )
    earliest_ms = times[-1] + 1 if times else meter.installed_from_ms
    if not earliest_ms <= arguments.effective_ms <= context.time_ms:
        raise refusal(
            Code.INVALID_ARGUMENTS,
            "effective_ms",
            expected=f"{earliest_ms} (installation, or after the last exchange) to the block "
            f"time {context.time_ms}",
            got=str(arguments.effective_ms),
        )
    if not arguments.reason.strip():
        raise refusal(
            Code.INVALID_ARGUMENTS, "reason", expected="why it is exchanged", got="an empty text"
        )
    for field, expected, got in register_faults(meter.kind, arguments.register_modulus):
        raise refusal(Code.INVALID_ARGUMENTS, field, expected=expected, got=got)
    _check_register("last_register", arguments.last_register, meter.kind, meter.register_modulus)
    _check_register(
        "first_register", arguments.first_register, meter.kind, arguments.register_modulus
    )


def _check_register(field: str, value: int, kind: ValueKind, modulus: int | None) -> None:
    if kind is ValueKind.INTERVAL and value != 0:
        raise refusal(
            Code.INVALID_ARGUMENTS, field, expected="0, for INTERVAL meters", got=str(value)
        )
    if modulus is not None and value >= modulus:
        raise refusal(
            Code.INVALID_ARGUMENTS, field, expected=f"below the modulus {modulus}", got=str(value)
        )


def _exchange_of(context: Context, meter: Meter, proposal: ExchangeProposal) -> Exchange:
    arguments = proposal.arguments
    return Exchange(
        meter_id=meter.meter_id,
        effective_ms=arguments.effective_ms,
        last_register=arguments.last_register,
        first_register=arguments.first_register,
        old_serial=meter.serial,
        new_serial=arguments.serial,
        old_register_modulus=meter.register_modulus,
        new_register_modulus=arguments.register_modulus,
        reason=arguments.reason,
        proposed_by=proposal.proposed_by,
        proposed_ms=proposal.proposed_ms,
        approved_by=context.sender,
        approved_ms=context.time_ms,
    )


def _with_device(meter: Meter, arguments: ProposeExchange) -> Meter:
    return replace(
        meter,
        serial=arguments.serial,
        make=arguments.make,
        register_modulus=arguments.register_modulus,
        calibration_certificate=arguments.calibration_certificate,
        calibration_valid_until_ms=arguments.calibration_valid_until_ms,
    )


_ADMIN: Final = frozenset({Role.ADMIN})
_ADMIN_OR_OPERATOR: Final = frozenset({Role.ADMIN, Role.OPERATOR})

METHODS: Final[tuple[Method, ...]] = (
    method_of("meter.register", RegisterMeter, register, roles=_ADMIN),
    method_of("meter.go_live", GoLive, go_live, roles=_ADMIN_OR_OPERATOR),
    method_of("meter.exchange", ProposeExchange, propose_exchange, roles=_ADMIN_OR_OPERATOR),
    method_of("meter.approve_exchange", ApproveExchange, approve_exchange, roles=_ADMIN),
)
