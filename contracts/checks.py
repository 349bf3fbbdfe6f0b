"""Checks as a contract: who configures them for a meter, and that everybody sees it."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, Final

from chain.codec import Record
from chain.types import I64, U32, Identifier, Length, Text
from contracts.account import Role
from contracts.accounts import check_owner
from contracts.check import CHECK_COUNT, Check
from contracts.check_settings import (
    ALL_CHECKS,
    PARAMETERS,
    PARAMETERS_MAX,
    CheckSettings,
    ParameterName,
    get_settings_record,
    settings_key,
    version_key,
)
from contracts.context import Context
from contracts.meters import require_meter
from contracts.method import Method, method_of
from contracts.refusal import Code, refusal

VERSION_MAX: Final = 999_999
"""Versions of one meter's settings; a key has six digits for them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigureChecks(Record):
    """Arguments of ``check.configure``: the whole of the new version, not what changes."""

    meter_id: Identifier
    replaces: U32
    """Version that the sender has seen, 0 for the defaults, so that nobody undoes another's
    change unseen."""
    off: Annotated[tuple[Check, ...], Length(0, CHECK_COUNT)]
    """Checks that are off, ascending; all others are on."""
    parameters: Annotated[tuple[tuple[ParameterName, I64], ...], Length(0, PARAMETERS_MAX)]
    """Name and value, ascending by name; all others have their defaults."""
    reason: Text
    """Not empty: why these readings are held against something else than the published values."""


def configure(context: Context, arguments: ConfigureChecks) -> bytes:
    """Sets a meter's settings for readings that are committed later; emits ``check.configured``.

    Raises:
        ContractRefusal: ``UNKNOWN_METER``, ``NOT_PERMITTED``, ``WRONG_STATE`` for a version that
            is not the one in force, ``INVALID_ARGUMENTS`` for an unknown parameter, one beyond
            its bounds, an order, or an empty reason, ``LIMIT_REACHED``.
    """
    meter = require_meter(context.state, arguments.meter_id)
    check_owner(context, meter.organisation, f"meter {meter.meter_id}")
    record = get_settings_record(context.state, meter.meter_id)
    version = 0 if record is None else record.version
    if arguments.replaces != version:
        raise refusal(
            Code.WRONG_STATE,
            "replaces",
            expected=f"the version in force, {version}; look at it and configure again",
            got=str(arguments.replaces),
        )
    if version >= VERSION_MAX:
        raise refusal(
            Code.LIMIT_REACHED,
            f"meter {meter.meter_id}",
            expected=f"at most {VERSION_MAX} versions of its settings",
            got=str(version),
        )
    if not arguments.reason.strip():
        raise refusal(
            Code.INVALID_ARGUMENTS,
            "reason",
            expected="why the checks of this meter differ from what is published",
            got="an empty text",
        )
    _check_off(arguments)
    _check_parameters(arguments)
    settings = CheckSettings(
        meter_id=meter.meter_id,
        version=version + 1,
        enabled=ALL_CHECKS & ~sum(1 << (check - 1) for check in arguments.off),
        parameters=tuple(
            (name, value)
            for name, value in arguments.parameters
            if value != PARAMETERS[name].default
        ),
        reason=arguments.reason,
        changed_by=context.sender,
        changed_ms=context.time_ms,
    )
    context.state.put(settings_key(meter.meter_id), settings)
    context.state.put(version_key(meter.meter_id, settings.version), settings)
    context.emit("check.configured", meter.meter_id, settings)
    return b""


def _check_off(arguments: ConfigureChecks) -> None:
    for check in arguments.off:
        if check > CHECK_COUNT:
            raise refusal(
                Code.INVALID_ARGUMENTS,
                "off",
                expected="checks of readings; those of sites cannot be switched off",
                got=check.name,
            )
    for earlier, later in pairwise(arguments.off):
        if later <= earlier:
            raise refusal(
                Code.INVALID_ARGUMENTS,
                "off",
                expected="each check once, ascending",
                got=f"{later.name} after {earlier.name}",
            )


def _check_parameters(arguments: ConfigureChecks) -> None:
    for (earlier, _), (later, _) in pairwise(arguments.parameters):
        if later <= earlier:
            raise refusal(
                Code.INVALID_ARGUMENTS,
                "parameters",
                expected="each name once, ascending",
                got=f"{later} after {earlier}",
            )
    for name, value in arguments.parameters:
        parameter = PARAMETERS.get(name)
        if parameter is None:
            word = name.partition(".")[0]
            alike = [known for known in PARAMETERS if known.startswith(f"{word}.")]
            raise refusal(
                Code.INVALID_ARGUMENTS,
                "parameters",
                expected="one of " + ", ".join(alike or PARAMETERS),
                got=repr(name),
            )
        if not parameter.minimum <= value <= parameter.maximum:
            raise refusal(
                Code.INVALID_ARGUMENTS,
                name,
                expected=f"{parameter.minimum} to {parameter.maximum} {parameter.unit}",
                got=str(value),
            )


METHODS: Final[tuple[Method, ...]] = (
    method_of("check.configure", ConfigureChecks, configure, roles=frozenset({Role.ADMIN})),
)
