"""The raw reading: what a source sent, kept as it came, and what became of it.

A reading is never changed and never dropped: it stands in its block for ever, and its leaf hash
stands in the running hash of its meter's page. What is wrong with it is said beside it
(carbon.md, What decides the design, 2).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import pairwise
from typing import Annotated, Final

from chain.codec import Record, encode
from chain.crypto import Domain, hasher_of
from chain.merkle import root_of_hashes
from chain.types import I64, U32, U64, Hash, Identifier, Length, Milliseconds, Range
from contracts.meter import Meter, Quantity, Unit, ValueKind
from contracts.refusal import Code, refusal

CHANNELS_MAX: Final = 16
"""Further quantities beside the value of one reading."""
READINGS_MAX: Final = 10_000
"""Readings of one call that any chain can allow; its parameters allow fewer."""
STAMP_MS_END: Final = 253_402_300_800_000
"""Start of the year 10000; later stamps are no moments but mistakes of unit."""
NO_FACTOR: Final = 1 << 24
"""Bit of a mask of failures, above those of the checks: no emission factor is valid then."""
AFTER_CLOSE: Final = 1 << 25
"""Bit of a mask of failures: its month was closed, and it changes totals by restatement only."""
NO_CHECKS: Final = NO_FACTOR | AFTER_CLOSE
"""Bits of a mask of failures that are of no check."""


class Quality(IntEnum):
    """How the source came by the value (carbon.md 3.1)."""

    MEASURED = 1
    CALCULATED = 2
    ESTIMATED = 3
    SUBSTITUTE = 4
    MISSING = 5
    """The source says that it has no value."""


class MethodCode(IntEnum):
    """How an amount was determined (carbon.md 3.1); numbers of this chain, not those of 40 CFR 75.

    The last five are computed by the contract itself (:mod:`contracts.part75`) and by nobody else.
    """

    METERED = 1
    """Taken from the meter by its gateway."""
    MANUAL = 2
    """Read off the meter by a person."""
    CALCULATED = 3
    """From other measured quantities."""
    INVOICE = 4
    """From a supplier's invoice."""
    ESTIMATED = 5
    """From a profile, a baseline or a similar day."""
    MEAN_BEFORE_AFTER = 6
    """Mean of the intervals before and after a gap."""
    PERCENTILE_90 = 7
    PERCENTILE_95 = 8
    MAXIMUM = 9
    """Largest of the quality-assured intervals that are looked back on."""
    MAXIMUM_POTENTIAL = 10
    """What the nameplate allows."""


class Channel(IntEnum):
    """A further quantity of the same moment or interval; a number is never reused."""

    DEMAND_W = 1
    """Mean power of the interval."""
    POWER_FACTOR_PERMILLE = 2
    CURRENT_A_MA = 3
    CURRENT_B_MA = 4
    CURRENT_C_MA = 5
    VOLTAGE_AN_CV = 6
    """Phase A to neutral, hundredths of a volt."""
    VOLTAGE_BN_CV = 7
    VOLTAGE_CN_CV = 8
    REACTIVE_LAGGING_VARH = 9
    REACTIVE_LEADING_VARH = 10
    REPORTED_CO2_G = 11
    """What the source itself reports for the interval; held against check 18, never added up."""
    REGISTER_HIGH = 12
    REGISTER_LOW = 13
    """Halves of a split register in submitted units, where the source sends them apart."""
    POWER_FACTOR_LAGGING_E4 = 14
    """Of active and lagging reactive energy, ten thousandths; held against check 19."""
    POWER_FACTOR_LEADING_E4 = 15
    """Of active and leading reactive energy, ten thousandths."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RawReading(Record):
    """One reading as the source sent it."""

    stamp_ms: Milliseconds
    """The source's stamp, UTC; kept as sent, on the grid or not."""
    register: Annotated[int, Range(0, 2**63 - 1)] | None
    """Counter at the end of the interval, in submitted units; only of REGISTER meters."""
    amount: I64 | None
    """Amount of the interval in submitted units; only of INTERVAL meters."""
    quality: Quality
    sequence: U64 | None
    """Number that the source counts its readings of this meter with."""
    previous_leaf: Hash | None
    """Leaf hash of the source's reading before this one."""
    channels: Annotated[tuple[tuple[Channel, I64], ...], Length(0, CHANNELS_MAX)]
    """Ascending, each once."""
    method_code: MethodCode | None = None
    """How the source determined the value; None where it does not say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitReadings(Record):
    """Arguments of ``readings.submit``."""

    meter_id: Identifier
    unit: Unit
    """Unit of the values; must be the meter's, so that nobody sends Wh where kWh is meant."""
    readings: Annotated[tuple[RawReading, ...], Length(1, READINGS_MAX)]


class Outcome(IntEnum):
    """What became of a reading; every one of them is kept."""

    ACCEPTED = 1
    """It is the value of its interval."""
    DUPLICATE = 2
    """The same content as the interval already has."""
    SUPPLEMENT = 3
    """No other value than the interval already has; it may add channels."""
    CONFLICT = 4
    """Another value than the interval already has; the first stays."""
    OFF_GRID = 5
    """Its stamp belongs to no interval of the meter's grid."""
    FUTURE = 6
    """Its interval ends after the block's time."""
    LATE = 7
    """It is the value of its interval, later than a LIVE meter may send it."""
    NO_VALUE = 8
    """The source says that it has no value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitResult(Record):
    """Result of ``readings.submit``: one element for each reading, in order."""

    outcomes: tuple[Outcome, ...]
    failed: tuple[U32, ...]
    """Masks of the checks that it failed, with :data:`NO_FACTOR` and :data:`AFTER_CLOSE`."""
    root: Hash
    """Root of the tree over the leaf hashes of the readings (:func:`leaf_of`) in order, by
    :func:`chain.merkle.root_of_hashes`: one reading of a hundred is proved with seven hashes."""


# Members of an enumeration cost a call each time they are looked up by name.
_hash_reading: Final = hasher_of(Domain.READING)
_INTERVAL: Final = ValueKind.INTERVAL
_REGISTER: Final = ValueKind.REGISTER
_MISSING: Final = Quality.MISSING


def leaf_of(meter_id: str, unit: Unit, reading: RawReading) -> Hash:
    """Returns the hash that stands for a reading: meter, unit and everything that was sent."""
    # The fields one by one, for this is done for every reading: a record's own way to a plain
    # value costs twice as much. A test holds that the two are the same.
    fields = (
        meter_id,
        unit,
        reading.stamp_ms,
        reading.register,
        reading.amount,
        reading.quality,
        reading.sequence,
        reading.previous_leaf,
        reading.channels,
        reading.method_code,
    )
    return _hash_reading(encode(fields))


def encode_result(taken: Sequence[tuple[Outcome, int, Hash]]) -> bytes:
    """Returns the canonical bytes of a :class:`SubmitResult`.

    Args:
        taken: outcome, mask of failures and leaf hash of each reading.
    """
    outcomes, failed, leaves = zip(*taken, strict=True)
    return encode((outcomes, failed, root_of_hashes(leaves)))


def value_of(reading: RawReading) -> int | None:
    """Returns register or amount in submitted units, whichever the reading has."""
    return reading.amount if reading.register is None else reading.register


def check_reading(meter: Meter, index: int, reading: RawReading) -> None:
    """Checks that a reading can be meant for a meter; everything else is kept and flagged.

    Args:
        meter: its kind and interval decide.
        index: place of the reading in its call, for the refusal.
        reading: as it came.

    Raises:
        ContractRefusal: ``INVALID_ARGUMENTS``, names reading and field.
    """
    kind = meter.kind
    if kind is _INTERVAL and reading.register is not None:
        raise _fault(index, "register", "none, for the meter is of kind INTERVAL", reading.register)
    if kind is _REGISTER and reading.amount is not None:
        raise _fault(index, "amount", "none, for the meter is of kind REGISTER", reading.amount)
    value = reading.amount if reading.register is None else reading.register
    if reading.quality is _MISSING:
        if value is not None:
            raise _fault(index, "quality", "another than MISSING, for there is a value", "MISSING")
    elif value is None and not reading.channels:
        raise _fault(index, "quality", "a value or a channel, or else MISSING", "neither")
    if not meter.interval_ms <= reading.stamp_ms < STAMP_MS_END:
        expected = f"milliseconds since 1970, {meter.interval_ms} to {STAMP_MS_END - 1}"
        raise _fault(index, "stamp_ms", expected, reading.stamp_ms)
    if reading.channels:
        _check_channels(index, reading)


def _check_channels(index: int, reading: RawReading) -> None:
    for (earlier, _), (later, _) in pairwise(reading.channels):
        if later <= earlier:
            raise _fault(
                index, "channels", "each channel once, ascending", f"{later.name} twice or late"
            )


def emits(meter: Meter) -> bool:
    """Returns whether what the meter measures is turned into emissions."""
    return meter.factor is not None and meter.quantity is not Quantity.TEMPERATURE


def merged(held: Mapping[int, int], reading: RawReading) -> dict[int, int]:
    """Returns channels of an interval with those that a reading adds; what is held stays."""
    return {**dict(reading.channels), **held}


def _fault(index: int, field: str, expected: str, got: object) -> Exception:
    return refusal(
        Code.INVALID_ARGUMENTS, f"readings[{index}].{field}", expected=expected, got=str(got)
    )
