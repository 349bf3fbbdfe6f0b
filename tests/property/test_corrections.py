"""Whatever is sent, corrected and superseded: totals are the sum of what counts."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from hypothesis import given, settings, strategies as st

from chain.errors import ContractRefusal
from contracts import factors
from contracts.correction import Correction, corrected_slots
from contracts.emissions import MonthTotal, Scope, meter_month_key, numerator_of
from contracts.meter_quality import MeterQuality, quality_key
from contracts.meters import RegisterMeter
from contracts.reading import NO_FACTOR, Quality
from tests.unit.contracts.reading_world import (
    AMOUNTS,
    COUNTER,
    DAY,
    FACTOR_UNTIL_MS,
    QUARTER_MS,
    amount,
    in_values,
    register,
)
from tests.unit.contracts.registry_world import FACTOR
from tests.unit.contracts.test_corrections import MONTH, CorrectedWorld
from tests.unit.contracts.test_rejections import reject

INTERVALS: Final = 12
LATE_FACTOR: Final = 6
"""Intervals from here on have no factor until one is set for them."""

_number = st.integers(0, INTERVALS - 1)
_value = st.integers(0, 1_000)
_steps = st.lists(
    st.one_of(
        st.tuples(st.just("send"), st.dictionaries(_number, _value, min_size=1, max_size=4)),
        st.tuples(
            st.just("propose"),
            st.dictionaries(_number, _value | st.none(), min_size=1, max_size=4),
        ),
        st.tuples(
            st.sampled_from(["approve", "reject"]), st.dictionaries(st.just(0), st.integers(0, 5))
        ),
        st.tuples(st.sampled_from(["factor", "block"]), st.just({})),
    ),
    max_size=25,
)


class Model:
    """A world, and what should count in it, found the slow way: every approval in order."""

    def __init__(self, meter: RegisterMeter) -> None:
        self.world = CorrectedWorld(meter, factor_until_ms=DAY + LATE_FACTOR * QUARTER_MS)
        self.reading_of = register if meter is COUNTER else amount
        self.pending: list[int] = []
        self.approved: list[Correction] = []
        self.has_late_factor = False

    def step(self, kind: str, values: dict[int, int]) -> None:
        match kind:
            case "send":
                self.world.send(*(self.reading_of(*each) for each in values.items()))
            case "propose":
                self.propose(values.items())
            case "approve" if self.pending and values:
                self.approve(self.pending.pop(values[0] % len(self.pending)))
            case "reject" if self.pending and values:
                self.reject(self.pending.pop(values[0] % len(self.pending)))
            case "factor" if not self.has_late_factor:
                self.has_late_factor = True
                since_ms = DAY + LATE_FACTOR * QUARTER_MS
                late = replace(FACTOR, valid_from_ms=since_ms, valid_to_ms=FACTOR_UNTIL_MS)
                self.world.call(factors.set_factor, late)
            case _:
                self.world.next_block()

    def propose(self, intervals: Iterable[tuple[int, int | None]]) -> None:
        try:
            self.pending.append(self.world.propose(*sorted(intervals)))
        except ContractRefusal as refused:
            if refused.code != "WRONG_STATE":  # nothing was approved that could be taken back
                raise

    def approve(self, number: int) -> None:
        try:
            self.world.approve(number)
        except ContractRefusal as refused:
            if refused.code != "WRONG_STATE":  # one that was proposed later counts already
                raise
        else:
            self.approved.append(self.world.correction(number))

    def reject(self, number: int) -> None:
        """Ends a proposal: it is in no list that counts, and nothing brings it back."""
        reject(self.world, number)
        assert self.world.approval_refusal(number)[0] == "WRONG_STATE"

    def effective(self) -> dict[int, int]:
        """What counts, by interval."""
        raw = self.world.amounts
        counted = dict(raw)
        for correction in self.approved:
            for interval in correction.intervals:
                number = (interval.start_ms - DAY) // QUARTER_MS
                is_raw = interval.amount is None
                counted[number] = raw.get(number) if is_raw else interval.amount
        return {number: value for number, value in counted.items() if value is not None}

    def without_factor(self) -> list[int]:
        """Intervals whose emissions are not counted, as page and corrections say."""
        slots, held = self.world.slots, corrected_slots(self.world.state, "main", DAY)
        return [
            number
            for number in self.effective()
            if (
                not held[number].has_factor
                if number in held and held[number].amount is not None
                else slots[number].failed & NO_FACTOR
            )
        ]

    def qualities(self) -> list[int]:
        """How many intervals count with which quality."""
        held = corrected_slots(self.world.state, "main", DAY)
        slots = self.world.slots
        counts = [0] * len(Quality)
        for number in sorted({*slots, *held}):
            if number in held and held[number].amount is not None:
                counts[held[number].quality - 1] += 1
            elif number in slots:
                counts[slots[number].quality - 1] += 1
        return counts

    def counted_qualities(self) -> list[int]:
        counted = self.world.state.get(MeterQuality, quality_key("main", MONTH))
        assert counted is not None
        return list(counted.qualities)

    def check(self) -> None:
        effective, without_factor = self.effective(), self.without_factor()
        emitting = sum(effective.values()) - sum(effective[number] for number in without_factor)
        co2e = emitting * FACTOR.value
        total = self.world.state.get(MonthTotal, meter_month_key("main", MONTH))
        if total is None:
            assert not effective
            return
        assert numerator_of(total.amount) == sum(effective.values())
        assert in_values(numerator_of(total.co2e)) == co2e
        assert total.interval_count == len(self.world.slots)
        assert self.counted_qualities() == self.qualities()
        assert total.without_factor_count == len(without_factor)
        assert self.world.site_total(MONTH, Scope.PURCHASED_ENERGY) == co2e
        assert all(number >= LATE_FACTOR for number in without_factor)
        assert {n: self.world.effective(n) for n in effective} == effective


@settings(max_examples=150, deadline=None)
@given(meter=st.sampled_from([AMOUNTS, COUNTER]), steps=_steps)
def test_totals_are_the_sum_of_what_counts(
    meter: RegisterMeter, steps: list[tuple[str, dict[int, int]]]
) -> None:
    model = Model(meter)
    for kind, values in steps:
        model.step(kind, values)
        model.check()


@settings(max_examples=100, deadline=None)
@given(
    sent=st.dictionaries(_number, _value, min_size=1),
    change=st.dictionaries(_number, _value, min_size=1),
)
def test_a_correction_and_its_inverse_restore_totals(
    sent: dict[int, int], change: dict[int, int]
) -> None:
    model = Model(AMOUNTS)
    model.step("send", sent)
    world = model.world
    before = world.totals

    number = world.correct(*sorted(change.items()))
    replaced = world.correction(number).replaced
    world.correct(*((interval, None) for interval in sorted(change)))

    assert world.totals == before
    assert [each.amount for each in replaced] == [sent.get(number) for number in sorted(change)]
