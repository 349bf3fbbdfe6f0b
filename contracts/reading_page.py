"""The page: what the state keeps of one meter and UTC day, or of a part of the day.

A page has one slot for each interval. Its running hash goes over the leaves of *all* readings that
were committed for it, in order of commit, also over those that fill no slot; so a list of readings
that replays to the hash is complete (architecture.md, State). What later checks need of each slot
is packed into byte strings, because a page is rewritten in each block that touches it.

Pages of a meter form a line in the order in which they were begun, so that a reader who has nothing
but single keys can go through all of them; of readings that come in order it is their order.
"""

import sys
from array import array
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Final, cast

from chain.codec import Record, decode, encode
from chain.crypto import Domain, hasher_of
from chain.types import HASH_BYTES, U32, Hash, Length, Milliseconds
from contracts.calendars import DAY_MS
from contracts.conversion import Conversion, conversion_of
from contracts.meter import Meter, ValueKind
from contracts.reading import Quality

SLOTS_MAX: Final = 96
"""Slots of a page; a UTC day of quarter hours."""
_BITMAP_BYTES: Final = SLOTS_MAX // 8


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingPage(Record):
    """What is known of the readings of one meter and page.

    Packed fields hold one big-endian element per slot up to the last one in use.
    """

    previous_ms: Milliseconds | None
    """Start of the meter's page that was begun before this one; None for its first."""
    running_hash: Hash
    """Over the leaves of all readings of the page, in order of commit."""
    leaf_count: U32
    """Readings of the page, whatever became of them."""
    duplicate_count: U32
    supplement_count: U32
    conflict_count: U32
    off_grid_count: U32
    """Readings that belong to no slot: off the grid, of the future, or without a value."""
    present: Annotated[bytes, Length(_BITMAP_BYTES, _BITMAP_BYTES)]
    """Slots with a value; the first is the lowest bit of the last byte."""
    amount_known: Annotated[bytes, Length(_BITMAP_BYTES, _BITMAP_BYTES)]
    """Slots whose amount is known; a first register has none before it."""
    linked: Annotated[bytes, Length(_BITMAP_BYTES, _BITMAP_BYTES)]
    """Slots whose register the next one is compared with; an outlier is not."""
    corrected: Annotated[bytes, Length(_BITMAP_BYTES, _BITMAP_BYTES)]
    """Slots for which an approved correction counts and not the reading
    (:mod:`contracts.correction`)."""
    submitted: Annotated[bytes, Length(0, 8 * SLOTS_MAX)]
    """Signed 64 bits: register or amount as it was sent."""
    amounts: Annotated[bytes, Length(0, 8 * SLOTS_MAX)]
    """Signed 64 bits: amount in base units; empty for INTERVAL meters, whose own value it is."""
    applied: Annotated[bytes, Length(0, 4 * SLOTS_MAX)]
    """Unsigned 32 bits: mask of the checks that applied."""
    failed: Annotated[bytes, Length(0, 4 * SLOTS_MAX)]
    """Unsigned 32 bits: mask of the checks that failed, NO_FACTOR and AFTER_CLOSE."""
    qualities: Annotated[bytes, Length(0, SLOTS_MAX)]
    """One byte a slot; 0 where there is no value."""
    channels: Annotated[tuple[Annotated[bytes, Length(0, 512)], ...], Length(0, SLOTS_MAX)]
    """Canonical bytes of the (channel, value) pairs of a slot; none of a slot without channels."""


PAGE_PREFIX: Final = b"reading-page/"
_hash_day: Final = hasher_of(Domain.READING_DAY)
_VALUE: Final = "q"
"""Type code of signed 64 bits."""
_MASK: Final = "I"
"""Type code of unsigned 32 bits."""
_IS_SWAPPED: Final = sys.byteorder == "little"
_SIZES: Final = {_VALUE: 8, _MASK: 4}
assert all(array(code).itemsize == size for code, size in _SIZES.items()), "the packed sizes"


def page_prefix(meter_id: str) -> bytes:
    """Returns the prefix of the state keys of a meter's pages."""
    return PAGE_PREFIX + meter_id.encode() + b"/"


def page_key(meter_id: str, page_ms: Milliseconds) -> bytes:
    """Returns the state key of a page; those of a meter sort by time."""
    return b"%s%s/%020d" % (PAGE_PREFIX, meter_id.encode(), page_ms)


@lru_cache(maxsize=256)
def slots_per_page(interval_ms: int) -> int:
    """Returns how many intervals a page holds: a UTC day's, or the most that divide one.

    Args:
        interval_ms: divides a UTC day.
    """
    count = DAY_MS // interval_ms
    return next(slots for slots in range(min(count, SLOTS_MAX), 0, -1) if count % slots == 0)


def page_start(interval_ms: int, start_ms: Milliseconds) -> Milliseconds:
    """Returns the start of the page that a moment belongs to."""
    return start_ms - start_ms % (interval_ms * slots_per_page(interval_ms))


class MutablePage:
    """A page while readings are added to it; :meth:`record` gives what goes into the state."""

    __slots__ = (
        "_conversion",
        "amount_known",
        "amounts",
        "applied",
        "channels",
        "conflict_count",
        "corrected",
        "duplicate_count",
        "failed",
        "leaf_count",
        "linked",
        "off_grid_count",
        "present",
        "previous_ms",
        "qualities",
        "running_hash",
        "start_ms",
        "submitted",
        "supplement_count",
    )

    def __init__(
        self,
        meter: Meter,
        conversion: Conversion,
        start_ms: Milliseconds,
        record: ReadingPage | None,
    ) -> None:
        slots = slots_per_page(meter.interval_ms)
        self._conversion = conversion
        self.start_ms = start_ms
        self.channels = [b""] * slots
        has_amounts = meter.kind is ValueKind.REGISTER
        if record is None:
            self.submitted = _unpacked(_VALUE, b"", slots)
            self.amounts = _unpacked(_VALUE, b"", slots if has_amounts else 0)
            self.applied = _unpacked(_MASK, b"", slots)
            self.failed = _unpacked(_MASK, b"", slots)
            self.qualities = bytearray(slots)
            self.previous_ms: Milliseconds | None = None
            self.running_hash = bytes(HASH_BYTES)
            self.leaf_count = self.duplicate_count = self.supplement_count = 0
            self.conflict_count = self.off_grid_count = 0
            self.present = self.amount_known = self.linked = self.corrected = 0
        else:
            self._load(record, slots, has_amounts=has_amounts)

    def _load(self, record: ReadingPage, slots: int, *, has_amounts: bool) -> None:
        self.previous_ms = record.previous_ms
        self.running_hash = record.running_hash
        self.leaf_count = record.leaf_count
        self.duplicate_count = record.duplicate_count
        self.supplement_count = record.supplement_count
        self.conflict_count = record.conflict_count
        self.off_grid_count = record.off_grid_count
        self.present = int.from_bytes(record.present, "big")
        self.amount_known = int.from_bytes(record.amount_known, "big")
        self.linked = int.from_bytes(record.linked, "big")
        self.corrected = int.from_bytes(record.corrected, "big")
        self.submitted = _unpacked(_VALUE, record.submitted, slots)
        self.amounts = _unpacked(_VALUE, record.amounts, slots if has_amounts else 0)
        self.applied = _unpacked(_MASK, record.applied, slots)
        self.failed = _unpacked(_MASK, record.failed, slots)
        self.qualities = bytearray(record.qualities.ljust(slots, b"\0"))
        self.channels[: len(record.channels)] = record.channels

    def record(self) -> ReadingPage:
        """Returns the page as it stands."""
        used = self.present.bit_length()
        described = len(self.channels) if any(self.channels) else 0
        while described and not self.channels[described - 1]:
            described -= 1
        return ReadingPage(
            previous_ms=self.previous_ms,
            running_hash=self.running_hash,
            leaf_count=self.leaf_count,
            duplicate_count=self.duplicate_count,
            supplement_count=self.supplement_count,
            conflict_count=self.conflict_count,
            off_grid_count=self.off_grid_count,
            present=self.present.to_bytes(_BITMAP_BYTES, "big"),
            amount_known=self.amount_known.to_bytes(_BITMAP_BYTES, "big"),
            linked=self.linked.to_bytes(_BITMAP_BYTES, "big"),
            corrected=self.corrected.to_bytes(_BITMAP_BYTES, "big"),
            submitted=_packed(self.submitted, used),
            amounts=_packed(self.amounts, used),
            applied=_packed(self.applied, used),
            failed=_packed(self.failed, used),
            qualities=bytes(self.qualities[:used]),
            channels=tuple(self.channels[:described]),
        )

    def append_leaf(self, leaf: Hash) -> None:
        """Takes one more reading into the running hash, whatever becomes of it."""
        self.running_hash = _hash_day(self.running_hash + leaf)
        self.leaf_count += 1

    def has_value(self, slot: int) -> bool:
        """Returns whether a slot has a value."""
        return self.present >> slot & 1 == 1

    def is_corrected(self, slot: int) -> bool:
        """Returns whether an approved correction counts for a slot, and not its reading."""
        return self.corrected >> slot & 1 == 1

    def amount_at(self, slot: int) -> int | None:
        """Returns the amount of a slot's reading in base units, or None where it is unknown."""
        if not self.amount_known >> slot & 1:
            return None
        return self.amounts[slot] if self.amounts else self._conversion.amount(self.submitted[slot])

    def set_amount(self, slot: int, amount: int | None) -> None:
        """Sets the amount of a slot; of an INTERVAL meter, the one that its value converts to."""
        if amount is None:
            self.amount_known &= ~(1 << slot)
        else:
            self.amount_known |= 1 << slot
        if self.amounts:
            self.amounts[slot] = amount or 0

    def channels_at(self, slot: int) -> dict[int, int]:
        """Returns the channels of a slot."""
        packed = self.channels[slot]
        if not packed:
            return {}
        return dict(cast("tuple[tuple[int, int], ...]", decode(packed)))

    def set_channels(self, slot: int, channels: dict[int, int]) -> None:
        """Sets the channels of a slot."""
        self.channels[slot] = encode(tuple(sorted(channels.items()))) if channels else b""

    def last_linked_before(self, slot: int) -> int | None:
        """Returns the last slot below this one whose register counts, or None."""
        below = self.linked & ((1 << slot) - 1)
        return below.bit_length() - 1 if below else None

    def first_linked_from(self, slot: int) -> int | None:
        """Returns the first slot from this one on whose register counts, or None."""
        above = self.linked >> slot
        return slot + (above & -above).bit_length() - 1 if above else None


def _unpacked(code: str, packed: bytes, slots: int) -> "array[int]":
    """Returns the elements of a packed field, and zeros for the slots after them."""
    elements = array(code, packed.ljust(_SIZES[code] * slots, b"\0"))
    if _IS_SWAPPED:
        elements.byteswap()
    return elements


def _packed(elements: "array[int]", used: int) -> bytes:
    """Returns the first elements as a record holds them."""
    first = elements[:used]
    if _IS_SWAPPED:
        first.byteswap()
    return first.tobytes()


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotView:
    """One slot of a page, for readers."""

    start_ms: Milliseconds
    submitted: int
    """Register or amount as it was sent."""
    amount: int | None
    """Base units; None where it is unknown."""
    quality: Quality
    applied: int
    failed: int
    channels: dict[int, int]


def slots_of(meter: Meter, start_ms: Milliseconds, record: ReadingPage) -> tuple[SlotView, ...]:
    """Returns the slots of a page that have a value, by time."""
    page = MutablePage(meter, conversion_of(meter), start_ms, record)
    return tuple(
        SlotView(
            start_ms=start_ms + slot * meter.interval_ms,
            submitted=page.submitted[slot],
            amount=page.amount_at(slot),
            quality=Quality(page.qualities[slot]),
            applied=page.applied[slot],
            failed=page.failed[slot],
            channels=page.channels_at(slot),
        )
        for slot in range(page.present.bit_length())
        if page.has_value(slot)
    )
