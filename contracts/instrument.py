"""The instrument: a certificate or contract for electricity of known origin, used once.

It is known by the serial numbers of its registry, so that the same megawatt hour cannot be brought
twice, and it is retired whole: allocated to months of one site, for good (carbon.md 3.2: tracked,
retired, no double count, same market, vintage). Until then its holder may hand it on, whole too: it
has one holder at any time, and its volume never changes.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated, Final

from chain.codec import Record
from chain.state import State
from chain.types import (
    U32,
    U64,
    Hash,
    Identifier,
    Length,
    Milliseconds,
    Name,
    PublicKey,
    Range,
    Text,
)
from contracts.factor import EvidenceGrade
from contracts.market import MarketRank
from contracts.month import Month

MONTHS_MAX: Final = 36
"""Months that one instrument is allocated to."""
VOLUME_MAX: Final = 2**46 - 1
"""Wh of one instrument, 70 TWh."""

Volume = Annotated[int, Range(1, VOLUME_MAX)]
"""Wh."""


class InstrumentState(IntEnum):
    """Whether an instrument was used."""

    REGISTERED = 1
    RETIRED = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class InstrumentProperties(Record):
    """What whoever registers an instrument says of it."""

    instrument_id: Identifier
    name: Name
    rank: MarketRank
    """CERTIFICATE or CONTRACT."""
    registry: Identifier
    """Who tracks it, such as ``i-rec`` or ``cn-gec``; serial numbers are unique there."""
    serial_first: U64
    serial_last: U64
    """Inclusive."""
    market: Identifier
    volume_wh: Volume
    vintage_from_month: Month
    """Months in which the electricity was made."""
    vintage_to_month: Month
    """Inclusive."""
    value: Annotated[int, Range(0, 10**13)]
    """1e-4 g CO2e per Wh."""
    source: Text
    evidence: EvidenceGrade
    document_hash: Hash
    """SHA-256 of certificate or contract; zeros where there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrument(InstrumentProperties):
    """A registered instrument."""

    organisation: Identifier
    """Who holds it: may transfer and retire it."""
    state: InstrumentState
    registered_ms: Milliseconds
    site: Identifier | None
    """Where it was retired."""
    months: Annotated[tuple[tuple[Month, Volume], ...], Length(0, MONTHS_MAX)]
    """What it covers: Wh by month, ascending; together its volume."""
    retired_ms: Milliseconds | None
    retired_by: PublicKey | None
    transfer_count: U32


@dataclass(frozen=True, slots=True, kw_only=True)
class SerialSpan(Record):
    """Serial numbers of a registry that are taken."""

    first: U64
    last: U64
    instrument_id: Identifier


@dataclass(frozen=True, slots=True, kw_only=True)
class InstrumentTransfer(Record):
    """That an instrument went from one holder to another."""

    instrument_id: Identifier
    number: U32
    """Of the instrument, from 1."""
    giver: Identifier
    """Organisation that held it."""
    receiver: Identifier
    """Organisation that holds it from then on."""
    reference: Text
    """What it rests on, such as a contract or the registry's own number of the transfer."""
    signed_by: PublicKey
    transferred_ms: Milliseconds


INSTRUMENT_PREFIX: Final = b"instrument/"


def instrument_key(instrument_id: str) -> bytes:
    """Returns the state key of an instrument."""
    return INSTRUMENT_PREFIX + instrument_id.encode()


def transfer_prefix(instrument_id: str) -> bytes:
    """Returns the prefix of the state keys of an instrument's transfers."""
    return f"instrument-transfer/{instrument_id}/".encode()


def transfer_key(instrument_id: str, number: int) -> bytes:
    """Returns the state key of a transfer; those of an instrument sort by number."""
    return transfer_prefix(instrument_id) + b"%010d" % number


def serial_prefix(registry: str) -> bytes:
    """Returns the prefix of the state keys of a registry's serial numbers."""
    return f"instrument-serial/{registry}/".encode()


def serial_key(registry: str, last: int) -> bytes:
    """Returns the state key of a span of serial numbers, by its last one."""
    return serial_prefix(registry) + b"%020d" % last


def get_instrument(state: State, instrument_id: str) -> Instrument | None:
    """Returns an instrument, or None."""
    return state.get(Instrument, instrument_key(instrument_id))
