"""Baselines as a contract: fitted from the state by every validator, gated, and set in force."""

from bisect import bisect_right

from chain.state import State
from contracts.baseline import (
    Baseline,
    BaselineLine,
    baseline_key,
    cell_of,
    line_key,
    profile_of,
)
from contracts.deviation.observation import BaselineCell
from contracts.local_clock import LocalClock


def get_baseline(state: State, meter_id: str, version: int) -> Baseline | None:
    """Returns a version of a meter's baseline, qualified or refused, or None."""
    return state.get(Baseline, baseline_key(meter_id, version))


def get_line(state: State, meter_id: str) -> BaselineLine | None:
    """Returns the line of a meter's baselines, or None where none was fitted."""
    return state.get(BaselineLine, line_key(meter_id))


class BaselineLookup:
    """Tells what the baseline in force says of intervals of one meter, within one call."""

    __slots__ = ("_in_force", "_known", "_medians", "_meter_id", "_sigmas", "_state", "_version")

    def __init__(self, state: State, meter_id: str) -> None:
        line = get_line(state, meter_id)
        self._state = state
        self._meter_id = meter_id
        self._in_force = () if line is None else line.in_force
        self._version = 0
        self._known = 0
        self._medians: tuple[int, ...] = ()
        self._sigmas: tuple[int, ...] = ()

    @property
    def is_any(self) -> bool:
        """Returns whether the meter has a baseline in force at any time."""
        return bool(self._in_force)

    def cell_at(self, start_ms: int, clock: LocalClock) -> BaselineCell | None:
        """Returns what is expected of an interval, or None where no baseline says anything."""
        position = bisect_right(self._in_force, start_ms, key=lambda entry: entry[0])
        if not position:
            return None
        version = self._in_force[position - 1][1]
        if version != self._version:
            self._load(version)
        hour = clock.hour_at(start_ms)
        cell = cell_of(clock.day_type, hour)
        if not self._known >> cell & 1:
            return None
        return BaselineCell(self._medians[cell], self._sigmas[cell])

    def _load(self, version: int) -> None:
        baseline = get_baseline(self._state, self._meter_id, version)
        assert baseline is not None, "what is in force exists"
        self._version = version
        self._known = int.from_bytes(baseline.known_cells, "big")
        self._medians = profile_of(baseline.medians)
        self._sigmas = profile_of(baseline.sigmas)
