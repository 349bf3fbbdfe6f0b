"""The months of a site and its organisation while a block adds to them.

Amounts are added as readings come; everything that follows from them is computed when the block is
done. The organisation's month costs nothing until then: it follows the drafts of its sites.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from chain.state import State
from contracts.emissions import IsoCategory, Scope, numerator_of, pack_numerator
from contracts.factor import Factor
from contracts.gas import co2e_per_unit
from contracts.market import Allocation, MarketFactor, market_factor_of, market_of
from contracts.meter import Unit
from contracts.site_month import (
    ZERO,
    Booking,
    LineKind,
    OrganisationMonth,
    SiteMonth,
    Stream,
    Sums,
    empty_organisation_month,
    empty_site_month,
    organisation_month_key,
    site_month_key,
    sums_of,
)

StreamKey = tuple[Scope, IsoCategory, int, bool, str, int, int]


class MutableStream:
    """A :class:`Stream` while a block adds to it."""

    __slots__ = ("amount", "stream")

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        """Everything but the amount."""
        self.amount = numerator_of(stream.amount)

    @property
    def is_electricity(self) -> bool:
        """Returns whether instruments can cover it."""
        booking = self.stream.booking
        is_bought = booking.scope is Scope.PURCHASED_ENERGY and not booking.is_removal
        return is_bought and self.stream.base_unit is Unit.WATT_HOUR

    @property
    def co2e_per_unit(self) -> int:
        """Returns 1e-10 g CO2e per base unit."""
        return co2e_per_unit(self.stream.gases)


class MutableSiteMonth:
    """A :class:`SiteMonth` while a block adds to it."""

    __slots__ = (
        "_empty",
        "_streams",
        "allocations",
        "flagged_count",
        "interval_count",
        "is_followed",
        "market",
        "without_factor_count",
    )

    def __init__(self, record: SiteMonth) -> None:
        self._empty = record
        self.allocations = list(record.allocations)
        self.market = record.market
        self.interval_count = record.interval_count
        self.flagged_count = record.flagged_count
        self.without_factor_count = record.without_factor_count
        self.is_followed = False
        """Whether the organisation's month adds up this one already."""
        self._streams = {
            _key_of(each.booking, each): MutableStream(each) for each in record.streams
        }

    def stream_of(self, booking: Booking, factor: Factor) -> MutableStream:
        """Returns where amounts under a factor are added up."""
        key = _key_of(booking, factor)
        stream = self._streams.get(key)
        if stream is None:
            stream = self._streams[key] = MutableStream(_stream_under(booking, factor))
        return stream

    def absorb(self, record: SiteMonth) -> None:
        """Adds what was counted apart; its market and instruments are this month's."""
        self.interval_count += record.interval_count
        self.flagged_count += record.flagged_count
        self.without_factor_count += record.without_factor_count
        for each in record.streams:
            nothing = replace(each, amount=ZERO)
            key = _key_of(each.booking, each)
            stream = self._streams.setdefault(key, MutableStream(nothing))
            stream.amount += numerator_of(each.amount)

    def rebook(self, factor: Factor) -> bool:
        """Moves amounts under older versions to a factor's; returns whether anything changed."""
        older = [
            key
            for key, each in self._streams.items()
            if each.stream.factor_id == factor.factor_id
            and each.stream.valid_from_ms == factor.valid_from_ms
            and each.stream.version < factor.version
        ]
        moved = [self._streams.pop(key) for key in older]
        for each in moved:
            self.stream_of(each.stream.booking, factor).amount += each.amount
        market = self.market
        is_market = market is not None and (market.factor_id, market.valid_from_ms) == (
            factor.factor_id,
            factor.valid_from_ms,
        )
        if market is not None and is_market and market.version < factor.version:
            self.market = market_factor_of(factor, market.rank)
            return True
        return any(each.amount for each in moved)

    def streams(self) -> Iterator[MutableStream]:
        """Yields the streams in their order."""
        for _, stream in sorted(self._streams.items()):
            yield stream

    def count(self, *, is_flagged: bool, has_factor: bool) -> None:
        """Counts an interval."""
        self.interval_count += 1
        if is_flagged:
            self.flagged_count += 1
        if not has_factor:
            self.without_factor_count += 1

    def sums(self) -> Sums:
        """Returns the totals as they stand."""
        sums = Sums(
            intervals=self.interval_count,
            flagged=self.flagged_count,
            without_factor=self.without_factor_count,
        )
        streams = tuple(self.streams())
        for stream in streams:
            _add_stream(sums, stream)
        _add_market(sums, streams, self.allocations, self.market)
        return sums

    def record(self) -> SiteMonth:
        """Returns the month as it stands."""
        sums = self.sums()
        return replace(
            self._empty,
            lines=sums.line_records(),
            scope2=sums.scope2_record(),
            interval_count=self.interval_count,
            flagged_count=self.flagged_count,
            without_factor_count=self.without_factor_count,
            streams=tuple(
                replace(each.stream, amount=pack_numerator(each.amount))
                for each in self.streams()
                if each.amount
            ),
            allocations=tuple(sorted(self.allocations, key=_order_of)),
            market=self.market,
        )


class MutableOrganisationMonth:
    """An :class:`OrganisationMonth` that follows the months of sites until the block is done."""

    __slots__ = ("_empty", "_followed", "_start")

    def __init__(self, record: OrganisationMonth) -> None:
        self._empty = record
        self._start = sums_of(record)
        self._followed: list[MutableSiteMonth] = []

    def follow(self, site_month: MutableSiteMonth) -> None:
        """Adds from now on what a site's month adds."""
        self._start.add(site_month.sums(), -1)
        self._followed.append(site_month)

    def record(self) -> OrganisationMonth:
        """Returns the month as it stands."""
        sums = Sums()
        sums.add(self._start)
        for each in self._followed:
            sums.add(each.sums())
        return replace(
            self._empty,
            lines=sums.line_records(),
            scope2=sums.scope2_record(),
            interval_count=sums.intervals,
            flagged_count=sums.flagged,
            without_factor_count=sums.without_factor,
        )


def edit_site_month(
    state: State, organisation: str, site_id: str, month: int, prefix: bytes = b""
) -> MutableSiteMonth:
    """Returns the draft of a site's month; the organisation's follows it.

    Args:
        state: of the block.
        organisation: owner of the site.
        site_id: the site.
        month: months since 1970-01.
        prefix: goes before both keys where a month is counted apart
            (:func:`contracts.period.late_prefix`).
    """

    def begin(record: SiteMonth | None) -> MutableSiteMonth:
        if record is None:
            market = market_of(state, site_id, month)
            record = replace(empty_site_month(organisation, site_id, month), market=market)
        return MutableSiteMonth(record)

    draft = state.edit(SiteMonth, prefix + site_month_key(site_id, month), begin)
    if not draft.is_followed:
        key = prefix + organisation_month_key(organisation, month)
        state.edit(
            OrganisationMonth,
            key,
            lambda record: MutableOrganisationMonth(
                record or empty_organisation_month(organisation, month)
            ),
        ).follow(draft)
        draft.is_followed = True
    return draft


def _key_of(booking: Booking, factor: Factor | Stream) -> StreamKey:
    return (
        booking.scope,
        booking.category,
        booking.s3_category,
        booking.is_removal,
        factor.factor_id,
        factor.valid_from_ms,
        factor.version,
    )


def _stream_under(booking: Booking, factor: Factor) -> Stream:
    return Stream(
        booking=booking,
        factor_id=factor.factor_id,
        valid_from_ms=factor.valid_from_ms,
        version=factor.version,
        base_unit=factor.base_unit,
        evidence=factor.evidence,
        gases=factor.gases,
        amount=ZERO,
    )


def _order_of(allocation: Allocation) -> tuple[int, str]:
    return (allocation.rank, allocation.instrument_id)


def _add_stream(sums: Sums, stream: MutableStream) -> None:
    booking, amount = stream.stream.booking, stream.amount
    for gas in stream.stream.gases:
        kind = LineKind.EMISSION
        if booking.is_removal:
            kind = LineKind.REMOVAL
        elif gas.is_apart:
            kind = LineKind.BIOGENIC
        mass, co2e = amount * gas.mass, amount * gas.co2e
        key = (booking.scope, booking.category, booking.s3_category, gas.gas, kind)
        sums.add_line(key, mass, co2e)
        if booking.scope is Scope.PURCHASED_ENERGY and kind is LineKind.EMISSION:
            sums.location += co2e


def _add_market(
    sums: Sums,
    streams: Iterable[MutableStream],
    allocations: Iterable[Allocation],
    market: MarketFactor | None,
) -> None:
    electricity = [each for each in streams if each.is_electricity]
    sums.electricity = sum(each.amount for each in electricity)
    sums.market = sums.location
    uncovered = max(sums.electricity, 0)
    for allocation in sorted(allocations, key=_order_of):
        used = min(allocation.amount_wh, uncovered)
        uncovered -= used
        sums.covered += used
        sums.market += used * allocation.co2e_per_unit
    left = sums.covered
    for stream in electricity:
        taken = min(max(stream.amount, 0), left)
        left -= taken
        by_grid = stream.co2e_per_unit
        by_market = by_grid if market is None else market.co2e_per_unit
        sums.market += (stream.amount - taken) * by_market - stream.amount * by_grid
