"""Totals equal a slow recount, whatever happened; restatement and its inverse restore them."""

from dataclasses import replace
from typing import Final

from hypothesis import given, settings, strategies as st

from contracts import activities, factors, instruments, restatements, sites
from contracts.emissions import (
    MonthTotal,
    Scope,
    meter_month_key,
    numerator_of,
    rounded_half_even,
)
from contracts.factor import EvidenceGrade
from contracts.factor_content import CO2E_OF_VALUE
from contracts.factors import factor_at
from contracts.instruments import RetireInstrument
from contracts.restatement import RestatementState, get_restatement
from contracts.restatements import ApplyRestatement, DecideRestatement, RestateFactor
from contracts.site_month import (
    LineKind,
    OrganisationMonth,
    SiteMonth,
    Sums,
    organisation_month_key,
    site_month_key,
    sums_of,
)
from tests.unit.contracts.reading_world import amount
from tests.unit.contracts.registry_world import FACTOR, SECOND_ADMIN, SITE
from tests.unit.contracts.test_activities import ALWAYS, DIRECT, SUBMIT
from tests.unit.contracts.test_corrections import CorrectedWorld
from tests.unit.contracts.test_instruments import (
    OCTOBER,
    REGISTER,
    MarketWorld,
)

MONTHS: Final = range(OCTOBER - 2, OCTOBER + 2)
INTERVALS: Final = (0, 1, 2, 96, -2_000, -5_000)
"""Quarter hours in three months."""
Restated = tuple[str, int]
Step = tuple[str, int, int]


class Story(CorrectedWorld, MarketWorld):
    """A site with readings, activities, instruments and factors that change."""

    def __init__(self) -> None:
        super().__init__()
        self.call(sites.register, replace(SITE, site_id="second"))
        self.call(factors.set_factor, replace(ALWAYS, factor_id="fuel", value=700))
        self.values = {"kr-grid": FACTOR.value, "residual": 6_096, "fuel": 700}
        self.booked: dict[int, int] = {}
        self.retired: dict[int, list[tuple[int, int]]] = {}
        self.count = 0

    def step(self, step: Step) -> None:
        kind, first, second = step
        self.count += 1
        match kind:
            case "read":
                self.send(amount(INTERVALS[first % len(INTERVALS)], second))
            case "correct":
                number = INTERVALS[first % len(INTERVALS)]
                if number in self.slots:
                    self.correct((number, second))
            case "act":
                self._act(MONTHS[first % len(MONTHS)], second)
            case "retire":
                self._retire(MONTHS[first % len(MONTHS)], second)
            case "restate":
                self.restate(("kr-grid", "residual", "fuel")[first % 3], second)
            case _:
                self.next_block(after_ms=1)

    def _act(self, month: int, amount_wh: int) -> None:
        activity = replace(
            SUBMIT, activity_id=f"a{self.count}", factor="fuel", unit=self.main.unit,
            amount=amount_wh + 1, from_month=month, to_month=month, booking=DIRECT,
        )  # fmt: skip
        self.call(activities.submit, activity)
        self.booked[month] = self.booked.get(month, 0) + amount_wh + 1

    def _retire(self, month: int, amount_wh: int) -> None:
        name, serial = f"i{self.count:04d}", 10_000 + self.count
        registered = replace(
            REGISTER, instrument_id=name, serial_first=serial, serial_last=serial,
            volume_wh=amount_wh + 1, value=amount_wh % 7, vintage_from_month=month,
            vintage_to_month=month,
        )  # fmt: skip
        self.call(instruments.register, registered)
        retire = RetireInstrument(
            instrument_id=name, site="plant", months=((month, amount_wh + 1),)
        )
        self.call(instruments.retire, retire)
        self.retired.setdefault(month, []).append((amount_wh + 1, amount_wh % 7))
        code, _ = self.refusal_of(instruments.retire, retire)
        assert code == "WRONG_STATE"  # an instrument counts once

    def restate(self, series: str, value: int) -> None:
        factor = factor_at(self.state, series, self.time_ms)
        assert factor is not None
        proposal = RestateFactor(
            value=value, source="s", evidence=EvidenceGrade.SECONDARY, factor_id=series,
            valid_from_ms=0, version=factor.version, reason="r", evidence_hash=bytes(32),
        )  # fmt: skip
        self.call(restatements.restate, proposal)
        decide = DecideRestatement(factor_id=series, number=factor.version)
        self.call(restatements.approve, decide, sender=SECOND_ADMIN)
        # One month a call, a block between each.
        while not self.is_applied(series, factor.version):
            self.next_block(after_ms=1)
            apply = ApplyRestatement(factor_id=series, number=factor.version, month_count=1)
            self.call(restatements.apply, apply)
        self.values[series] = value

    def is_applied(self, series: str, number: int) -> bool:
        found = get_restatement(self.state, series, number)
        assert found is not None
        return found.state is RestatementState.APPLIED

    def metered(self) -> dict[int, int]:
        """Recounts what the meter's pages hold, Wh by month."""
        counted: dict[int, int] = {}
        for number, slot in self.slots.items():
            assert slot.start_ms == amount(number, 0).stamp_ms
            month = OCTOBER - (0 if number >= 0 else 1 if number > -3_000 else 2)
            counted[month] = counted.get(month, 0) + max(self.effective(number) or 0, 0)
        return counted

    def sums(self, month: int = OCTOBER) -> Sums:
        record = self.state.get(SiteMonth, site_month_key("plant", month))
        return Sums() if record is None else sums_of(record)

    def organisation_sums(self, month: int) -> Sums:
        record = self.state.get(OrganisationMonth, organisation_month_key("steel", month))
        return Sums() if record is None else sums_of(record)

    def everything(self) -> list[object]:
        """Returns all totals: of the meter, the site and the organisation."""
        meter_months = [
            self.state.get(MonthTotal, meter_month_key("main", month)) for month in MONTHS
        ]
        return [
            *(None if each is None else (each.amount, each.co2e) for each in meter_months),
            *((self.sums(month), self.organisation_sums(month)) for month in MONTHS),
        ]

    def check(self) -> None:
        metered = self.metered()
        for month in MONTHS:
            used, value = metered.get(month, 0), self.values["kr-grid"]
            sums = self.sums(month)
            assert sums.location == used * value * CO2E_OF_VALUE
            assert sums.market == self.market_of(month, used) * CO2E_OF_VALUE
            assert sums.electricity == used
            direct = sum(
                co2e
                for key, (_, co2e) in sums.lines.items()
                if key[0] is Scope.DIRECT and key[4] is LineKind.EMISSION
            )
            booked = self.booked.get(month, 0)
            assert direct == booked * self.values["fuel"] * CO2E_OF_VALUE
            assert self.organisation_sums(month) == sums
            total = self.state.get(MonthTotal, meter_month_key("main", month))
            if total is not None:
                assert numerator_of(total.co2e) == used * value * CO2E_OF_VALUE

    def market_of(self, month: int, used: int) -> int:
        """Recounts the market-based total, instrument by instrument, in 1e-4 g."""
        counted, left = 0, used
        for volume, value in self.retired.get(month, ()):
            taken = min(volume, left)
            counted, left = counted + taken * value, left - taken
        return counted + left * self.values["residual"]


_steps = st.lists(
    st.tuples(
        st.sampled_from(("read", "correct", "act", "retire", "restate", "block")),
        st.integers(0, 11),
        st.integers(0, 9_999),
    ),
    max_size=14,
)


@given(steps=_steps)
@settings(max_examples=60, deadline=None)
def test_totals_equal_a_slow_recount(steps: list[Step]) -> None:
    story = Story()
    for step in steps:
        story.step(step)
        story.check()
    story.next_block()
    story.check()
    for series in story.values:  # whatever came before, each can be restated
        story.restate(series, 1_234)
        story.check()


@given(steps=_steps, series=st.sampled_from(("kr-grid", "residual")), value=st.integers(0, 9_999))
@settings(max_examples=25, deadline=None)
def test_a_restatement_and_its_inverse_restore_every_total(
    steps: list[Step], series: str, value: int
) -> None:
    story = Story()
    for step in steps:
        story.step(step)
    before = story.everything()
    was = story.values[series]
    story.restate(series, value)
    story.restate(series, was)
    assert story.everything() == before


@given(numerator=st.integers(-(10**30), 10**30), denominator=st.integers(1, 10**12))
def test_the_one_division_is_to_the_nearest_and_half_to_even(
    numerator: int, denominator: int
) -> None:
    quotient = rounded_half_even(numerator, denominator)
    off = abs(numerator - quotient * denominator)
    assert 2 * off <= denominator
    if 2 * off == denominator:
        assert quotient % 2 == 0


@given(amount_wh=st.integers(1, 2**46 - 1), count=st.integers(1, 36))
def test_what_is_spread_adds_up(amount_wh: int, count: int) -> None:
    parts = activities.spread(amount_wh, count)
    assert sum(parts) == amount_wh
    assert max(parts) - min(parts) <= 1
    assert list(parts) == sorted(parts, reverse=True)


@given(spans=st.lists(st.tuples(st.integers(0, 60), st.integers(0, 20)), min_size=1, max_size=10))
def test_no_serial_number_is_registered_twice(spans: list[tuple[int, int]]) -> None:
    story = MarketWorld()
    taken: list[range] = []
    for index, (first, length) in enumerate(spans):
        wanted = range(first, first + length + 1)
        arguments = replace(
            REGISTER, instrument_id=f"i{index}", registry="r", serial_first=wanted[0],
            serial_last=wanted[-1],
        )  # fmt: skip
        if any(number in other for other in taken for number in wanted):
            assert story.refusal_of(instruments.register, arguments)[0] == "ALREADY_EXISTS"
        else:
            story.call(instruments.register, arguments)
            taken.append(wanted)
