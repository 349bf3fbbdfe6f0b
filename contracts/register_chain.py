"""The register chain of a meter: each register between its neighbours in time.

A register is compared with the one before and, where it comes late, also with the one after. The
newest that went back is a reset, and the chain starts again from it. A late one that does not fit
between two that fit each other is an outlier: it is flagged and left out of the chain.
"""

from bisect import bisect_right
from typing import NamedTuple

from chain.state import State
from contracts.check_settings import Settings
from contracts.conversion import Conversion
from contracts.deviation.observation import Deviation, Verdict
from contracts.deviation.physical_cap import cap_of
from contracts.deviation.register import advance_across
from contracts.exchange import Exchange, exchange_times, exchanges_between
from contracts.meter import Meter


class Mark(NamedTuple):
    """A register at the end of an interval."""

    start_ms: int
    register: int


class Link(NamedTuple):
    """How a register follows on from one before."""

    verdict: Verdict
    amount: int | None
    span_ms: int


class RegisterChain:
    """Compares registers of one meter within one call."""

    __slots__ = ("_conversion", "_exchange_times", "_meter", "_settings", "_state")

    def __init__(
        self, state: State, meter: Meter, conversion: Conversion, settings: Settings
    ) -> None:
        self._state = state
        self._meter = meter
        self._conversion = conversion
        self._settings = settings
        self._exchange_times = exchange_times(state, meter.meter_id)

    def link(self, before: Mark, after: Mark) -> Link:
        """Returns amount and verdict of the way from one register to a later one."""
        span_ms = after.start_ms - before.start_ms
        exchanges, modulus = self._devices(before.start_ms, after.start_ms)
        step = advance_across(
            before.register,
            after.register,
            exchanges,
            modulus,
            rollover_permille=self._settings.register_rollover_permille,
        )
        if step.advance is None:
            return Link(Deviation(after.register, before.register), None, span_ms)
        if exchanges:
            amount = self._conversion.amount(step.advance)
        else:
            amount = self._conversion.advance(before.register, step.advance)
        if step.is_rollover and self._exceeds_cap(amount, span_ms):
            return Link(Deviation(after.register, before.register), None, span_ms)
        return Link(verdict=True, amount=amount, span_ms=span_ms)

    def _exceeds_cap(self, amount: int, span_ms: int) -> bool:
        nameplate_w = self._meter.nameplate_w
        margin_percent = self._settings.physical_cap_margin_percent
        return nameplate_w is not None and amount > cap_of(nameplate_w, span_ms, margin_percent)

    def _devices(self, after_ms: int, until_ms: int) -> tuple[tuple[Exchange, ...], int | None]:
        """Returns the exchanges between two interval starts, and the modulus at the later one.

        A register stands at the *end* of its interval, so the moments compared are the ends.
        """
        times = self._exchange_times
        if not times:
            return (), self._meter.register_modulus
        interval_ms = self._meter.interval_ms
        from_ms, to_ms = after_ms + interval_ms, until_ms + interval_ms
        exchanges = exchanges_between(self._state, self._meter.meter_id, from_ms, to_ms)
        following = bisect_right(times, to_ms)
        if following == len(times):
            return exchanges, self._meter.register_modulus
        later = exchanges_between(self._state, self._meter.meter_id, to_ms, times[following])
        return exchanges, later[0].old_register_modulus
