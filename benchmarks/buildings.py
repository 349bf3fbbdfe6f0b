"""Made-up buildings with made-up labels: an hourly year of whole-building energy, by a seed.

They are there to choose methods and defaults with, and to measure on seeds that nothing was chosen
with. What makes detection hard in real buildings is in them: weather that comes in waves, seasons,
terms and closures, holidays that no calendar knows, days that are a little different, level shifts,
coarse registers, noise from 3 to 40 percent. Labels are such as people give: whole runs, with edges
that are an hour off now and then, and a few events that nobody noticed.

Buildings come in families, so that a rule is judged by whether it helps all of them and not one
kind of made-up year: usual ones; the smooth meters of a campus, with faults that last for days;
coarse ones, whose nights are a few steps of the register or nothing; restless ones, with events
that nobody labels; failing ones, that stand still for days or weeks.
"""

import math
from dataclasses import dataclass
from random import Random
from typing import Final

from benchmarks.labelled_file import LabelledMeter, LabelledReading
from node.simulator.randomness import stream

HOUR_MS: Final = 3_600_000
FIRST_MS: Final = 1_451_606_400_000
"""2016-01-01 00:00, a Friday."""
DAYS: Final = 366
_HOURS: Final = DAYS * 24
_FRIDAY: Final = 4
_SATURDAY: Final = 5
_HOLIDAYS: Final = (0, 17, 45, 150, 185, 248, 283, 314, 328, 329, 358, 359, 360, 365)
"""Days of the year on which offices are shut."""
_SUMMER_TIME: Final = (86, 303)
"""Days of the year between which clocks are an hour ahead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What the buildings of one use have in common."""

    name: str
    base: tuple[float, float]
    """Share of the peak that runs day and night."""
    opens: tuple[float, float]
    closes: tuple[float, float]
    saturday: tuple[float, float]
    """Activity on Saturdays as a share of a workday's."""
    sunday: tuple[float, float]
    weather: tuple[float, float]
    """Share of the peak that weather moves."""
    keeps_holidays: float
    """Probability that a holiday shows."""
    breaks: tuple[tuple[int, int], ...] = ()
    """Days of the year between which activity is low for weeks."""


KINDS: Final = (
    Kind(name="office", base=(0.2, 0.5), opens=(6, 8), closes=(17, 20), saturday=(0.05, 0.4),
         sunday=(0, 0.15), weather=(0.05, 0.3), keeps_holidays=0.9),
    Kind(name="school", base=(0.2, 0.4), opens=(6, 7.5), closes=(15, 18), saturday=(0, 0.2),
         sunday=(0, 0.1), weather=(0.05, 0.35), keeps_holidays=0.95,
         breaks=((80, 87), (165, 235), (355, 366))),
    Kind(name="university", base=(0.35, 0.65), opens=(6, 8.5), closes=(19, 23), saturday=(0.2, 0.7),
         sunday=(0.2, 0.6), weather=(0.05, 0.3), keeps_holidays=0.6,
         breaks=((70, 77), (130, 145), (352, 366))),
    Kind(name="hotel", base=(0.45, 0.65), opens=(5, 7), closes=(21, 24), saturday=(0.9, 1.1),
         sunday=(0.8, 1), weather=(0.1, 0.35), keeps_holidays=0.05),
    Kind(name="retail", base=(0.15, 0.35), opens=(7, 9), closes=(20, 22), saturday=(0.9, 1.1),
         sunday=(0.5, 1), weather=(0.1, 0.3), keeps_holidays=0.35),
    Kind(name="hospital", base=(0.6, 0.75), opens=(5, 7), closes=(18, 21), saturday=(0.5, 0.8),
         sunday=(0.4, 0.8), weather=(0.1, 0.3), keeps_holidays=0.5),
    Kind(name="laboratory", base=(0.65, 0.85), opens=(6, 8), closes=(17, 20), saturday=(0.2, 0.6),
         sunday=(0.1, 0.5), weather=(0.1, 0.4), keeps_holidays=0.5),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """What the meters of one collection have in common, whatever the buildings are used for."""

    faults: dict[str, float]
    """Times that each kind of fault happens in a year, in this order."""
    peak: tuple[float, float] = (1.0, 3.2)
    """Powers of ten."""
    noise: tuple[float, float] = (0.02, 0.16)
    base: float = 1
    """Times the base of the use."""
    weather: float = 1
    """Times the share of the use that weather moves."""
    steps: tuple[float, ...] = ()
    """Least differences that registers show, one of which is drawn; the default is 1 to 0.01."""
    keeps_winter_time: bool = False
    """Whether stamps do not follow the clocks, so that schedules shift by an hour in summer."""


_LONG: Final = {"left_on": 2.0, "weekends": 1.5, "same_night": 1.0, "part_lost": 2.0, "dead": 0.7}
FAMILIES: Final = {
    "usual": Family(
        faults={"odd_evening": 6, "night": 4, "weekend": 2, "drop": 3, "spike": 2, "stuck": 3.5,
                "gap": 3},
    ),
    "campus": Family(
        faults={"odd_evening": 3, "new_hours": 0.7, "base_step": 0.7, "night": 3, "drop": 2,
                "spike": 1, "stuck": 1, "gap": 3, **_LONG},
        peak=(1.8, 3.4), noise=(0.01, 0.06), base=1.3, weather=1.8, keeps_winter_time=True,
    ),
    "coarse": Family(
        faults={"odd_evening": 6, "night": 4, "weekend": 2, "drop": 2, "spike": 2, "stuck": 2,
                "short_stuck": 2, "gap": 3, **_LONG},
        peak=(0.8, 2), noise=(0.03, 0.12), base=0.3, weather=0.7, steps=(0.5, 1, 1, 2),
    ),
    "restless": Family(
        faults={"odd_evening": 30, "new_hours": 1.5, "base_step": 1, "night": 4, "weekend": 3,
                "drop": 3, "spike": 3, "stuck": 2, "gap": 5},
        noise=(0.08, 0.3), keeps_winter_time=True,
    ),
    "failing": Family(
        faults={"odd_evening": 4, "base_step": 0.5, "night": 1, "spike": 2, "short_stuck": 3,
                "long_stuck": 2, "gap": 6, **_LONG, "dead": 2},
        noise=(0.02, 0.12), keeps_winter_time=True,
    ),
}  # fmt: skip


def building(seed: int, family: str = "usual") -> LabelledMeter:
    """Returns the building of a seed and a family, always the same."""
    name = "building" if family == "usual" else f"building, {family}"
    return _Building(stream(seed, name), seed, FAMILIES[family]).labelled_meter()


class _Building:
    """One building while it is made up."""

    def __init__(self, random: Random, seed: int, family: Family) -> None:
        self._random = random
        self._family = family
        self._kind = KINDS[seed % len(KINDS)]
        self._name = f"{self._kind.name}-{seed}"
        self._holidays: dict[int, bool] = {}
        """Days that are a holiday here, with whether people labelled it."""
        self._values = self._usual_year()
        self._labels = [False] * _HOURS
        self._missing = [False] * _HOURS

    def labelled_meter(self) -> LabelledMeter:
        """Puts the faults in and returns readings with labels."""
        self._label_holidays()
        for fault, a_year in self._family.faults.items():
            for _ in range(self._poisson(a_year)):
                getattr(self, f"_{fault}")()
        decimals = self._random.choice((0, 1, 2, 2))
        step = 10**-decimals * self._random.choice((1, 1, 1, 5))
        if self._family.steps:
            decimals, step = 1, self._random.choice(self._family.steps)
        readings = tuple(
            LabelledReading(
                FIRST_MS + hour * HOUR_MS,
                None
                if self._missing[hour]
                else round(round(max(value, 0) / step) * step * 10**decimals),
                self._labels[hour],
            )
            for hour, value in enumerate(self._values)
        )
        return LabelledMeter(
            name=self._name, decimals=decimals, interval_ms=HOUR_MS, readings=readings
        )

    def _usual_year(self) -> list[float]:
        draw, kind = self._random.uniform, self._kind
        self._base = min(draw(*kind.base) * self._family.base, 0.9)
        self._weather_share = draw(*kind.weather) * self._family.weather
        self._opens, self._closes = draw(*kind.opens), draw(*kind.closes)
        self._weekend_share = draw(*kind.saturday), draw(*kind.sunday)
        self._peak = 10 ** draw(*self._family.peak)
        noise = 10 ** draw(*(math.log10(end) for end in self._family.noise))
        day_noise = noise * draw(0.3, 1.2)
        noise_memory = draw(0.2, 0.8)
        temperatures = self._temperatures()
        cooling, heating = draw(0.2, 1.0), draw(0, 0.7)
        levels = self._levels()
        schedule_shift = [0.0] * DAYS
        for _ in range(self._poisson(1.5)):
            begin, shift = self._random.randrange(DAYS), draw(-1, 1)
            for day in range(begin, min(begin + 90, DAYS)):
                schedule_shift[day] = shift
        if self._family.keeps_winter_time:
            for day in range(*_SUMMER_TIME):
                schedule_shift[day] -= 1
        values, hourly, daily = [], 0.0, 0.0
        for day in range(DAYS):
            daily = 0.6 * daily + self._random.gauss(0, day_noise * 0.8)
            activity = self._activity_of(day)
            late = self._random.gauss(0, 0.25) + schedule_shift[day]
            for hour in range(24):
                hourly = noise_memory * hourly + self._random.gauss(
                    0, noise * math.sqrt(1 - noise_memory**2)
                )
                temperature = temperatures[day * 24 + hour]
                weather = cooling * max(temperature - 18, 0) / 12
                weather += heating * max(12 - temperature, 0) / 15
                occupied = activity * self._occupancy(hour + 0.5, late)
                load = self._base + (1 - self._base) * occupied
                load *= 1 + self._weather_share * 2 * weather * (0.4 + 0.6 * occupied)
                values.append(self._peak * levels[day] * load * (1 + daily) * (1 + hourly))
        return values

    def _activity_of(self, day: int) -> float:
        kind, weekday = self._kind, (day + _FRIDAY) % 7
        if weekday >= _SATURDAY:
            activity = self._weekend_share[weekday - _SATURDAY]
            if self._random.random() < 0.06:
                activity = min(1.0, activity + self._random.uniform(0.1, 0.4))
        else:
            activity = 1 - (0.1 if weekday == _FRIDAY else 0) * self._random.random()
        if any(begin <= day < end for begin, end in kind.breaks):
            activity *= 0.35
        elif (
            weekday < _SATURDAY and day in _HOLIDAYS and self._random.random() < kind.keeps_holidays
        ):
            activity = self._weekend_share[1] * self._random.uniform(0.8, 1.2)
            self._holidays[day] = self._random.random() < 0.75
        return activity

    def _occupancy(self, hour: float, late: float) -> float:
        rise = 1 / (1 + math.exp(-2.2 * (hour - self._opens - late)))
        fall = 1 / (1 + math.exp(-1.8 * (self._closes + late - hour)))
        return rise * fall

    def _temperatures(self) -> list[float]:
        mean, swing = self._random.uniform(6, 20), self._random.uniform(5, 14)
        wave, temperatures = 0.0, []
        for hour in range(_HOURS):
            wave = 0.985 * wave + self._random.gauss(0, 0.65)
            season = -math.cos(2 * math.pi * (hour / 24 - 15) / 365)
            daytime = -math.cos(2 * math.pi * (hour % 24 - 3) / 24)
            temperatures.append(mean + swing * season + 4 * daytime + wave)
        return temperatures

    def _levels(self) -> list[float]:
        level, levels = 1.0, []
        shifts = {
            self._random.randrange(DAYS): self._random.uniform(0.8, 1.25)
            for _ in range(self._poisson(1.2))
        }
        for day in range(DAYS):
            level *= shifts.get(day, 1.0) * (1 + self._random.gauss(0, 0.002))
            levels.append(level)
        return levels

    def _label_holidays(self) -> None:
        for day, is_labelled in self._holidays.items():
            if is_labelled:
                begin = day * 24 + round(self._opens)
                self._label(begin, day * 24 + round(min(self._closes, 23)))

    def _night(self) -> None:
        """Something stays on from the evening to the morning, one to three nights."""
        day = self._random.randrange(1, DAYS - 5)
        share = self._random.uniform(0.6, 1.0)
        for night in range(day, day + self._random.choice((1, 1, 1, 2, 3))):
            begin = night * 24 + round(self._closes)
            end = (night + 1) * 24 + round(self._opens)
            evening = self._values[begin - 2]
            level = max(evening * share, self._values[begin + 4] * 1.3)
            for hour in range(begin, end):
                noise = 1 + self._random.gauss(0, 0.03)
                self._values[hour] = max(self._values[hour], level * noise)
            self._label(begin, end)

    def _odd_evening(self) -> None:
        """Somebody works late, which nobody labels."""
        begin = self._random.randrange(1, DAYS - 1) * 24 + round(self._closes)
        more = self._peak * (1 - self._base) * self._random.uniform(0.15, 0.45)
        for hour in range(begin, min(begin + self._random.randrange(2, 6), _HOURS)):
            self._values[hour] += more

    def _weekend(self) -> None:
        """A day of a weekend runs like a workday."""
        day = 7 * self._random.randrange(1, 51) + 1 + self._random.randrange(2)
        shape = self._values[(day - 7 + (4 if day % 7 == 1 else 3)) * 24 :][:24]
        begin, end = round(self._opens), round(min(self._closes, 23))
        raised = [max(old, new) for old, new in zip(self._values[day * 24 :], shape, strict=False)]
        self._values[day * 24 : day * 24 + len(raised)] = raised
        self._label(day * 24 + begin, day * 24 + end)

    def _weekends(self) -> None:
        """Both days run like workdays, one weekend or several on end."""
        saturday = 7 * self._random.randrange(1, 49) + 1
        begin, end = round(self._opens), round(min(self._closes, 23))
        workday = self._values[(saturday - 2) * 24 :][:24]
        for week in range(self._random.choice((1, 1, 2, 3))):
            for day in (saturday + 7 * week, saturday + 7 * week + 1):
                levels = [each * self._random.uniform(0.9, 1.0) for each in workday[begin:end]]
                self._raise(day * 24 + begin, levels)

    def _left_on(self) -> None:
        """The plant runs day and night for days, at nearly the height of the day."""
        day, days = self._random.randrange(7, DAYS - 16), self._random.choice((2, 3, 4, 6, 9, 14))
        share = self._random.uniform(0.6, 0.95)
        level = share * max(self._values[day * 24 - 24 : day * 24])
        begin, end = day * 24 + round(self._closes), (day + days) * 24 + round(self._opens)
        self._raise(begin, self._about(level, end - begin))

    def _same_night(self) -> None:
        """Something is on in the night of one day of the week, for two to four weeks."""
        day = self._random.randrange(8, DAYS - 30)
        share = self._random.uniform(0.6, 1.0)
        for night in range(day, day + 7 * self._random.randrange(2, 5), 7):
            begin, end = night * 24 + round(self._closes), (night + 1) * 24 + round(self._opens)
            level = max(self._values[begin - 2] * share, self._values[begin + 4] * 1.3)
            self._raise(begin, self._about(level, end - begin))

    def _about(self, level: float, count: int) -> list[float]:
        return [level * (1 + self._random.gauss(0, 0.03)) for _ in range(count)]

    def _raise(self, begin: int, levels: list[float], *, is_wrong: bool = True) -> None:
        """Raises hours to levels; people label what they can see, a fifth more."""
        end = min(begin + len(levels), _HOURS)
        before = self._values[begin:end]
        raised = [max(old, new) for old, new in zip(before, levels, strict=False)]
        self._values[begin:end] = raised
        if is_wrong and sum(raised) > 1.2 * sum(before):
            self._label(begin, end)

    def _part_lost(self) -> None:
        """One of several feeders is not metered any more, for hours or days."""
        begin, length = self._span(5, 200)
        share = self._random.uniform(0.2, 0.75)
        for hour in range(begin, begin + length):
            self._values[hour] *= share
        self._label(begin, begin + length)

    def _dead(self) -> None:
        """The meter counts nothing, for hours up to weeks."""
        begin, length = self._span(6, 600)
        self._values[begin : begin + length] = [0.0] * length
        self._label(begin, begin + length)

    def _short_stuck(self) -> None:
        begin, length = self._span(3, 8)
        self._values[begin : begin + length] = [self._values[begin]] * length
        self._label(begin, begin + length)

    def _long_stuck(self) -> None:
        begin, length = self._span(12, 500)
        self._values[begin : begin + length] = [self._values[begin]] * length
        self._label(begin, begin + length)

    def _new_hours(self) -> None:
        """From some day on the building is used longer on some days, which nobody labels."""
        begin, weeks = self._random.randrange(10, DAYS - 30), self._random.randrange(5, 20)
        weekdays = self._random.sample(range(6), self._random.randrange(1, 6))
        hours, share = self._random.randrange(2, 5), self._random.uniform(0.5, 0.9)
        for day in range(begin, min(begin + 7 * weeks, DAYS - 1)):
            if day % 7 in weekdays:
                closes = day * 24 + round(self._closes)
                level = share * self._values[day * 24 + 14]
                self._raise(closes, self._about(level, hours), is_wrong=False)

    def _base_step(self) -> None:
        """Something that always runs is added or taken away for good, which nobody labels."""
        begin, step = self._random.randrange(_HOURS), self._random.uniform(-0.25, 0.35)
        for hour in range(begin, _HOURS):
            self._values[hour] = max(self._values[hour] + step * self._base * self._peak, 0)

    def _drop(self) -> None:
        """A meter or a building falls to zero or near it."""
        begin, length = self._span(1, 16)
        share = self._random.choice((0.0, 0.0, self._random.uniform(0.02, 0.5)))
        for hour in range(begin, begin + length):
            self._values[hour] *= share
        self._label(begin, begin + length)

    def _spike(self) -> None:
        begin, length = self._span(1, 2)
        factor = self._random.uniform(1.7, 5)
        for hour in range(begin, begin + length):
            self._values[hour] *= factor
        self._label(begin, begin + length)

    def _stuck(self) -> None:
        begin, length = self._span(4, 72)
        self._values[begin : begin + length] = [self._values[begin]] * length
        self._label(begin, begin + length)

    def _gap(self) -> None:
        begin, length = self._span(1, 60)
        self._missing[begin : begin + length] = [True] * length

    def _label(self, begin: int, end: int) -> None:
        if self._random.random() < 0.06:
            return  # nobody noticed
        if end - begin > 3:
            edges = (-1, 0, 0, 0, 0, 1)
            begin, end = begin + self._random.choice(edges), end + self._random.choice(edges)
        self._labels[begin:end] = [True] * (end - begin)

    def _span(self, shortest: int, longest: int) -> tuple[int, int]:
        length = round(math.exp(self._random.uniform(math.log(shortest), math.log(longest + 0.49))))
        return self._random.randrange(24, _HOURS - length - 24), length

    def _poisson(self, mean: float) -> int:
        limit, count, product = math.exp(-mean), 0, self._random.random()
        while product > limit:
            product *= self._random.random()
            count += 1
        return count
