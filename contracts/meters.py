"""Meters as a contract: registered, taken live, and exchanged under two signatures."""

from typing import Final

from chain.state import State
from contracts.exchange import exchange_between, exchanges_between
from contracts.meter import Meter, meter_key
from contracts.method import Method
from contracts.refusal import Code, refusal

__all__ = ["METHODS", "exchange_between", "exchanges_between", "get_meter", "require_meter"]


def get_meter(state: State, meter_id: str) -> Meter | None:
    """Returns a meter, or None where there is none of this id."""
    return state.get(Meter, meter_key(meter_id))


def require_meter(state: State, meter_id: str, field: str = "meter_id") -> Meter:
    """Returns a meter that arguments name.

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


METHODS: Final[tuple[Method, ...]] = ()
