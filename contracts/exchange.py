"""The exchange of a meter's device: last register of the old one, first of the new one.

One account proposes and another approves, because whoever can restart a register alone can hide
consumption between two devices. A meter keeps the times of its exchanges in one small record, so
that the register check, which asks at every reading, finds that there was none without a scan.
"""

from bisect import bisect_right
from dataclasses import dataclass
from typing import Annotated, Final

from chain.codec import Record
from chain.state import State
from chain.types import U64, Hash, Identifier, Length, Milliseconds, Name, PublicKey, Text

EXCHANGES_MAX: Final = 256
"""Exchanges of one meter; a device is replaced every few years."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposeExchange(Record):
    """Arguments of ``meter.exchange``: what the person at the meter has read and installed."""

    meter_id: Identifier
    effective_ms: Milliseconds
    """Moment of the exchange; not in the future of block time."""
    last_register: U64
    """Last value of the old device, in submitted units; 0 for INTERVAL meters."""
    first_register: U64
    """First value of the new device, in submitted units; 0 for INTERVAL meters."""
    serial: Name
    make: Name
    register_modulus: U64 | None
    """Of the new device; None for INTERVAL, or where it is unknown."""
    calibration_certificate: Hash
    """Of the new device; zeros where there is none."""
    calibration_valid_until_ms: Milliseconds
    reason: Text
    """Not empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeProposal(Record):
    """An exchange that waits for its second signature; one per meter."""

    proposal: Hash
    """Id of the proposing transaction, which the approval names."""
    arguments: ProposeExchange
    proposed_by: PublicKey
    proposed_ms: Milliseconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange(Record):
    """An approved exchange: the hand-over that the register check goes by."""

    meter_id: Identifier
    effective_ms: Milliseconds
    last_register: U64
    first_register: U64
    old_serial: Name
    new_serial: Name
    old_register_modulus: U64 | None
    new_register_modulus: U64 | None
    reason: Text
    proposed_by: PublicKey
    proposed_ms: Milliseconds
    approved_by: PublicKey
    approved_ms: Milliseconds


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeTimes(Record):
    """When the exchanges of one meter took effect."""

    effective_ms: Annotated[tuple[Milliseconds, ...], Length(1, EXCHANGES_MAX)]
    """Ascending."""


def exchange_prefix(meter_id: str) -> bytes:
    """Returns the prefix of the state keys of a meter's exchanges."""
    return f"exchange/{meter_id}/".encode()


def exchange_key(meter_id: str, effective_ms: Milliseconds) -> bytes:
    """Returns the state key of an exchange; those of a meter sort by time."""
    return exchange_prefix(meter_id) + b"%020d" % effective_ms


def times_key(meter_id: str) -> bytes:
    """Returns the state key of the times of a meter's exchanges."""
    return f"exchange-times/{meter_id}".encode()


def proposal_key(meter_id: str) -> bytes:
    """Returns the state key of a meter's open proposal."""
    return f"exchange-proposal/{meter_id}".encode()


def exchange_times(state: State, meter_id: str) -> tuple[Milliseconds, ...]:
    """Returns when the exchanges of a meter took effect, ascending."""
    times = state.get(ExchangeTimes, times_key(meter_id))
    return () if times is None else times.effective_ms


def exchanges_between(
    state: State, meter_id: str, after_ms: Milliseconds, until_ms: Milliseconds
) -> tuple[Exchange, ...]:
    """Returns the exchanges with ``after_ms < effective_ms <= until_ms``, ascending."""
    times = exchange_times(state, meter_id)
    found: list[Exchange] = []
    for effective_ms in times[bisect_right(times, after_ms) : bisect_right(times, until_ms)]:
        exchange = state.get(Exchange, exchange_key(meter_id, effective_ms))
        assert exchange is not None, "a listed exchange exists"
        found.append(exchange)
    return tuple(found)


def exchange_between(
    state: State, meter_id: str, after_ms: Milliseconds, until_ms: Milliseconds
) -> Exchange | None:
    """Returns the last exchange with ``after_ms < effective_ms <= until_ms``, or None."""
    found = exchanges_between(state, meter_id, after_ms, until_ms)
    return found[-1] if found else None


def add_exchange(state: State, exchange: Exchange) -> None:
    """Writes an exchange that is later than all others of its meter."""
    times = exchange_times(state, exchange.meter_id)
    assert not times or times[-1] < exchange.effective_ms, "exchanges follow one another"
    state.put(exchange_key(exchange.meter_id, exchange.effective_ms), exchange)
    state.put(
        times_key(exchange.meter_id),
        ExchangeTimes(effective_ms=(*times, exchange.effective_ms)),
    )
