"""Made-up buildings with made-up labels: an hourly year of whole-building energy, by a seed.

They are there to choose methods and defaults with, and to measure on seeds that nothing was chosen
with. What makes detection hard in real buildings is in them: weather that comes in waves, seasons,
terms and closures, holidays that no calendar knows, days that are a little different, level shifts,
coarse registers, noise from 3 to 40 percent. Labels are such as people give: whole runs, with edges
that are an hour off now and then, and a few events that nobody noticed.
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


def building(seed: int) -> LabelledMeter:
    """Returns the building of a seed, always the same."""
    return _Building(stream(seed, "building"), seed).labelled_meter()


class _Building:
    """One building while it is made up."""

    def __init__(self, random: Random, seed: int) -> None:
        self._random = random
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
        for happen, a_year in (
            (self._odd_evening, 6.0),
            (self._night, 4.0),
            (self._weekend, 2.0),
            (self._drop, 3.0),
            (self._spike, 2.0),
            (self._stuck, 3.5),
            (self._gap, 3.0),
        ):
            for _ in range(self._poisson(a_year)):
                happen()
        decimals = self._random.choice((0, 1, 2, 2))
        step = 10**-decimals * self._random.choice((1, 1, 1, 5))
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
        self._base, self._weather_share = draw(*kind.base), draw(*kind.weather)
        self._opens, self._closes = draw(*kind.opens), draw(*kind.closes)
        self._weekend_share = draw(*kind.saturday), draw(*kind.sunday)
        self._peak = 10 ** draw(1.0, 3.2)
        noise = 10 ** draw(math.log10(0.02), math.log10(0.16))
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
