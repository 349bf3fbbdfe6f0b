"""The replay of days: checks 12 to 14 again over whole local days, on what counts now.

These checks speak at the reading that ends a day: of that day and, for drift, of the weeks before
it. So more is looked at than the window. Where nothing is said at a reading that had failed, as of
a day whose temperature came late then and is there now, what was said last speaks for it.
"""

from collections.abc import Iterator
from typing import Final

from chain.state import State
from chain.types import Milliseconds
from contracts.baseline_lookup import WAITED_DAYS, BaselineLookup
from contracts.calendars import DAY_MS, require_calendar
from contracts.check import Check
from contracts.check_settings import CheckSettings, settings_of
from contracts.deviation.day_ratio import PERMILLE, follow_day
from contracts.deviation.drift import check_cusum, check_ewma
from contracts.deviation.observation import PASSED, Deviation, Observation, Verdict
from contracts.deviation.weather import check_weather
from contracts.local_clock import LocalClock
from contracts.meter import Meter, ValueKind
from contracts.meter_state import RATIOS_MAX, Memory
from contracts.replay import Interval, intervals_of

DAY_CHECKS: Final = frozenset({Check.CUSUM, Check.EWMA, Check.WEATHER})
"""Checks that judge whole days."""
_DRIFT_REACH_MS: Final = (RATIOS_MAX + 42) * DAY_MS
"""The days that a day is scored against, and six weeks in which a sum may have grown."""
_WEATHER_REACH_MS: Final = (WAITED_DAYS + 1) * DAY_MS
"""How long a day may have waited until it was judged, and the day itself."""
_USUAL: Final = PERMILLE.to_bytes(4, "big") * RATIOS_MAX
"""Ratios of days that are all as the profile says."""


def reach_of(check: Check) -> Milliseconds:
    """Returns how long before a window the days begin that a check of days judges there."""
    return _WEATHER_REACH_MS if check is Check.WEATHER else _DRIFT_REACH_MS


class DayReplay:
    """Runs one check of days again over a meter's intervals, in order of time.

    Args:
        state: with the meter's pages, and those of what drives it.
        meter: whose days they are.
        settings: that hold for the check.
        version: baseline that the days are held against; None for those in force. Days are usual
            then where they are as a profile says, not where they are as the days before.
    """

    def __init__(
        self, state: State, meter: Meter, settings: CheckSettings | None, version: int | None
    ) -> None:
        self._state = state
        self._meter = meter
        self._memory = Memory()
        self._clock = LocalClock(require_calendar(state, meter.calendar))
        self._baselines = BaselineLookup(state, meter.meter_id)
        self._baselines.look_up()
        self._is_held = version is not None
        if version is not None:
            self._baselines.hold_against(version)
        self._observation = Observation(meter, self._memory, settings=settings_of(settings))

    def verdicts(
        self, check: Check, from_ms: Milliseconds, to_ms: Milliseconds
    ) -> Iterator[tuple[Milliseconds, bool]]:
        """Yields each interval at which a day was judged, then or now, and whether it passes."""
        said: bool | None = None
        begin_ms = max(from_ms - reach_of(check), 0)
        for each in intervals_of(self._state, self._meter, begin_ms, to_ms):
            self._observe(each)
            verdict = self._judge_weather() if check is Check.WEATHER else self._judge_drift(check)
            if verdict is not None:
                said = not isinstance(verdict, Deviation)
            if each.start_ms >= from_ms and (verdict is not None or each.had_failed(check)):
                yield each.start_ms, said is True

    def _observe(self, interval: Interval) -> None:
        """Sets the observation to an interval; one of a register after a gap has no amount."""
        memory, observation, start_ms = self._memory, self._observation, interval.start_ms
        observation.start_ms, observation.day_score = start_ms, None
        is_own = (
            interval.correction is not None
            or self._meter.kind is not ValueKind.REGISTER
            or memory.newest_ms == start_ms - self._meter.interval_ms
        )
        observation.amount = interval.amount if is_own else None
        memory.newest_ms = start_ms

    def _judge_weather(self) -> Verdict:
        """Judges the day that is over, if one was not judged yet.

        What was corrected by an estimate is no measurement that a model could be held against, and
        such a day was accepted by whoever approved it; but no version explains it.
        """
        observation, memory = self._observation, self._memory
        judged_day = memory.judged_day
        observation.day = self._baselines.completed_day(
            self._meter, memory, observation.start_ms, self._clock
        )
        if observation.day is None and memory.judged_day > judged_day and not self._is_held:
            return PASSED
        return check_weather(observation)

    def _judge_drift(self, check: Check) -> Verdict:
        """Judges the day that ends, if one does.

        A sum begins anew once it has said so; here it stays at its limit until days are usual
        again. Else one that is reached a day too early now would find the window's own day in
        order.
        """
        memory, observation = self._memory, self._observation
        cell = observation.baseline = self._baselines.cell_at(observation.start_ms, self._clock)
        if cell is None:
            return None
        observation.local_day = self._clock.day
        if self._is_held:
            memory.profile_level, memory.ratios = cell.level, _USUAL
        follow_day(observation)
        verdict = check_cusum(observation) if check is Check.CUSUM else check_ewma(observation)
        if isinstance(verdict, Deviation):
            assert observation.day_score is not None, "only a day that is scored deviates"
            if check is Check.EWMA:
                memory.ewma = verdict.observed
            elif observation.day_score > 0:
                memory.cusum_above = verdict.expected
            else:
                memory.cusum_below = verdict.expected
        return verdict
