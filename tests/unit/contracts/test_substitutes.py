from dataclasses import replace

import pytest

from contracts import corrections, substitutes
from contracts.correction import AmountUnit, Correction, CorrectionKind, corrected_slots
from contracts.corrections import ApproveCorrection
from contracts.meter import Direction, Quantity, Unit
from contracts.meters import RegisterMeter
from contracts.reading import MethodCode, Quality, RawReading
from contracts.revisions import RecordedRevision, RevisionKind, revision_key
from contracts.substitutes import FilledGap, SubstituteReadings, SubstituteResult, substitute
from tests.unit.contracts.reading_world import AMOUNTS, COUNTER, DAY, DAY_MS, HOUR_MS, NOW_MS
from tests.unit.contracts.registry_world import ADMIN, CERTIFIER, OPERATOR, OTHER_OPERATOR
from tests.unit.contracts.test_corrections import CorrectedWorld

HOURLY = replace(AMOUNTS, interval_ms=HOUR_MS, nameplate_w=5_000)
HOURLY_COUNTER = replace(COUNTER, interval_ms=HOUR_MS, nameplate_w=5_000)
START = DAY - 60 * DAY_MS
"""Start of the first hour: 90 days before block time."""
PROPOSAL = b"\x05" * 32


def reading(hour: int, value: int, *, quality: Quality = Quality.MEASURED) -> RawReading:
    """An amount of the n-th hour."""
    return RawReading(
        stamp_ms=START + hour * HOUR_MS,
        register=None,
        amount=value,
        quality=quality,
        sequence=None,
        previous_leaf=None,
        channels=(),
    )


def counted(hour: int, value: int) -> RawReading:
    return replace(reading(hour, 0), register=value, amount=None)


class SubstituteWorld(CorrectedWorld):
    def __init__(self, meter: RegisterMeter = HOURLY) -> None:
        super().__init__(meter)

    def hours(self, *hours: int) -> None:
        """Sends an amount for each of the hours, another from hour to hour."""
        for start in range(0, len(hours), 1_000):
            self.send(*(reading(hour, 100 + hour % 7) for hour in hours[start : start + 1_000]))

    def substitute(self, first: int, end: int) -> SubstituteResult:
        result = substitute(self.context(OPERATOR, PROPOSAL), window(first, end))
        return SubstituteResult.decode(result)

    def approve_newest(self) -> Correction:
        number = Correction.decode(self.events[-1].content).number
        arguments = ApproveCorrection(meter_id="main", number=number, proposal=PROPOSAL)
        self.call(corrections.approve, arguments, sender=ADMIN)
        return self.correction(number)

    def refused(self, arguments: SubstituteReadings) -> tuple[str, str]:
        return self.refusal_of(substitute, arguments, sender=OPERATOR)

    def effective_at(self, hour: int) -> int | None:
        return self.effective(hour - 60 * 24)


def window(first: int, end: int) -> SubstituteReadings:
    return SubstituteReadings(
        meter_id="main",
        from_ms=START + first * HOUR_MS,
        to_ms=START + end * HOUR_MS,
        reason="the gateway was without power",
    )


def test_a_short_gap_takes_the_mean_and_says_what_of() -> None:
    world = SubstituteWorld()
    world.hours(*range(10), *range(12, 20))

    result = world.substitute(0, 20)

    assert result.gaps == (
        FilledGap(
            from_ms=START + 10 * HOUR_MS,
            to_ms=START + 12 * HOUR_MS,
            operating=12,
            assured=10,
            recent=10,
            before=102,
            after=105,
            amount=104,
            method_code=MethodCode.MEAN_BEFORE_AFTER,
        ),
    )
    assert world.effective_at(10) is None
    assert world.event_kinds[-1] == "correction.proposed"


def test_an_approved_substitute_counts_like_a_correction_of_its_own_kind() -> None:
    world = SubstituteWorld()
    world.hours(*range(10), *range(12, 20))
    before = world.all_totals()
    world.substitute(0, 20)
    world.next_block()
    world.substitute(0, 20)

    correction = world.approve_newest()

    assert correction.kind is CorrectionKind.SUBSTITUTE
    assert [(each.amount, each.quality) for each in correction.intervals] == [
        (104, Quality.SUBSTITUTE),
        (104, Quality.SUBSTITUTE),
    ]
    assert (world.effective_at(10), world.effective_at(11)) == (104, 104)
    assert world.all_totals() == (before[0] + 208, before[1] + 208 * 4_306)
    slot = corrected_slots(world.state, "main", START)[10]
    assert (slot.quality, slot.method_code) == (Quality.SUBSTITUTE, MethodCode.MEAN_BEFORE_AFTER)
    recorded = world.state.get(RecordedRevision, revision_key("plant", 1))
    assert recorded is not None
    assert recorded.revision.kind is RevisionKind.SUBSTITUTE
    assert world.refused(window(0, 20)) == (
        "WRONG_STATE",
        "from_ms to to_ms: expected a window with 1 to 500 missing intervals, got 0",
    )


def test_a_window_fills_its_own_part_of_a_gap_by_the_length_of_the_whole() -> None:
    world = SubstituteWorld()
    world.hours(*range(1_000), *range(1_025, 1_100))

    result = world.substitute(1_010, 1_012)
    intervals = world.approve_newest().intervals

    assert [each.start_ms for each in intervals] == [
        START + 1_010 * HOUR_MS,
        START + 1_011 * HOUR_MS,
    ]
    [gap] = result.gaps
    assert (gap.from_ms, gap.to_ms) == (START + 1_000 * HOUR_MS, START + 1_025 * HOUR_MS)
    assert (gap.operating, gap.assured, gap.recent) == (1_025, 1_000, 720)
    assert (gap.amount, gap.method_code) == (106, MethodCode.PERCENTILE_90)


def test_poor_availability_costs_the_maximum_and_then_the_nameplate() -> None:
    world = SubstituteWorld()
    world.hours(*range(800), 1_000, *range(1_020, 1_400))

    maximum = world.substitute(800, 1_000).gaps[0]
    world.next_block()
    potential = world.substitute(1_001, 1_020).gaps[0]

    assert (maximum.assured, maximum.operating) == (800, 1_000)
    assert (maximum.amount, maximum.method_code) == (106, MethodCode.MAXIMUM)
    assert (potential.assured, potential.operating) == (801, 1_020)
    assert (potential.amount, potential.method_code) == (5_000, MethodCode.MAXIMUM_POTENTIAL)


def test_several_gaps_are_filled_in_one_call_and_one_does_not_see_the_other_filled() -> None:
    world = SubstituteWorld()
    world.hours(*range(5), *range(6, 10), 12)

    gaps = world.substitute(0, 13).gaps

    assert [(gap.operating, gap.assured) for gap in gaps] == [(6, 5), (12, 9)]
    assert len(world.approve_newest().intervals) == 3


def test_estimates_flagged_and_substituted_intervals_are_not_assured() -> None:
    world = SubstituteWorld()
    world.hours(*range(10))
    world.send(reading(10, 4_000, quality=Quality.ESTIMATED), reading(11, 9_000))
    world.hours(14)

    [gap] = world.substitute(12, 14).gaps

    assert (gap.operating, gap.assured, gap.before) == (14, 10, 102)


def test_a_measurement_that_was_put_right_is_assured_again() -> None:
    world = SubstituteWorld()
    world.hours(*range(10))
    world.send(reading(10, 9_000))
    world.hours(12)
    start_ms = START + 10 * HOUR_MS
    arguments = corrections.CorrectReadings(
        meter_id="main",
        unit=AmountUnit.BASE,
        intervals=((start_ms, 200),),
        method_code=MethodCode.MANUAL,
        reason="read again",
        evidence=bytes(32),
    )
    world.call(corrections.correct, arguments, sender=OPERATOR, transaction_id=PROPOSAL)
    world.approve_newest()

    [gap] = world.substitute(11, 12).gaps

    assert (gap.assured, gap.before, gap.amount) == (11, 200, 152)


def test_without_any_reading_before_the_nameplate_fills() -> None:
    world = SubstituteWorld()
    world.hours(5)

    [gap] = world.substitute(3, 5).gaps

    assert (gap.from_ms, gap.before, gap.amount) == (START + 3 * HOUR_MS, None, 5_000)


def test_a_register_counts_its_own_gap() -> None:
    world = SubstituteWorld(HOURLY_COUNTER)
    world.send(counted(0, 1_000), counted(1, 1_100), counted(4, 1_400), counted(5, 1_500))

    code, detail = world.refused(window(1, 4))

    assert code == "WRONG_STATE"
    assert "one that no register counts" in detail
    assert world.all_totals()[0] == 500


def test_a_register_that_began_anew_leaves_its_gap_to_be_filled() -> None:
    world = SubstituteWorld(HOURLY_COUNTER)
    world.send(*(counted(hour, 1_000 + 100 * hour) for hour in range(5)))
    world.send(counted(7, 30), counted(8, 130), counted(9, 250))

    [gap] = world.substitute(5, 8).gaps

    assert (gap.from_ms, gap.to_ms) == (START + 5 * HOUR_MS, START + 8 * HOUR_MS)
    assert (gap.before, gap.after, gap.amount) == (100, 100, 100)
    correction = world.approve_newest()
    assert len(correction.intervals) == 3
    assert world.all_totals()[0] == 400 + 220 + 300


def test_a_substitute_is_stale_once_a_reading_has_come() -> None:
    world = SubstituteWorld()
    world.hours(*range(5), 6)
    world.substitute(5, 6)
    event = world.events[-1]
    world.hours(5)
    number = Correction.decode(event.content).number

    code, detail = world.approval_refusal(number)

    assert code == "WRONG_STATE"
    assert detail.endswith("got a reading, which came since")


@pytest.mark.parametrize(
    ("meter", "detail"),
    [
        (replace(HOURLY, direction=Direction.EXPORT), "a meter of imports"),
        (
            replace(
                HOURLY,
                quantity=Quantity.TEMPERATURE,
                unit=Unit.DECI_CELSIUS,
                factor=None,
                nameplate_w=None,
            ),
            "a meter of consumption or emissions",
        ),
        (replace(HOURLY, interval_ms=60_000), "intervals of at least 900000 ms"),
    ],
)
def test_meters_that_the_rules_do_not_fit(meter: RegisterMeter, detail: str) -> None:
    code, said = SubstituteWorld(meter).refused(window(0, 1))

    assert code == "INVALID_ARGUMENTS"
    assert said.startswith(f"meter main: expected {detail}")


@pytest.mark.parametrize(
    ("arguments", "code", "detail"),
    [
        (window(3, 3), "INVALID_ARGUMENTS", "to_ms: expected the end of an interval after"),
        (
            replace(window(3, 4), to_ms=START + 4 * HOUR_MS + 1),
            "INVALID_ARGUMENTS",
            "to_ms: expected the end of an interval",
        ),
        (
            replace(window(3, 4), from_ms=START + 1),
            "INVALID_ARGUMENTS",
            "intervals[0].start_ms: expected the start of an interval",
        ),
        (
            replace(window(3, 4), from_ms=0),
            "INVALID_ARGUMENTS",
            "from_ms: expected a moment since the meter is installed, 1000, got 0",
        ),
        (
            replace(window(3, 4), to_ms=NOW_MS + HOUR_MS),
            "LIMIT_REACHED",
            (
                "to_ms: expected a window of at most 40 pages of 86400000 ms; ask for several, "
                "got 91 pages"
            ),
        ),
        (replace(window(3, 4), to_ms=2**60 * 4), "INVALID_ARGUMENTS", "to_ms"),
        (replace(window(3, 4), reason=""), "INVALID_ARGUMENTS", "reason: expected why"),
        (replace(window(3, 4), meter_id="x"), "UNKNOWN_METER", "meter_id: expected"),
        (window(0, 4), "WRONG_STATE", "from_ms to to_ms: expected a window with 1 to 500"),
        (
            window(4, 5),
            "WRONG_STATE",
            (
                f"gap from {START + 4 * HOUR_MS} to {START + 965 * HOUR_MS}: expected a "
                "quality-assured interval after it, within 40 pages, got none yet"
            ),
        ),
        (window(4, 505), "LIMIT_REACHED", "from_ms to to_ms: expected a window with 1 to 500"),
    ],
)
def test_what_is_refused(arguments: SubstituteReadings, code: str, detail: str) -> None:
    world = SubstituteWorld()
    world.hours(*range(4))

    refused, said = world.refused(arguments)

    assert refused == code
    assert said.startswith(detail)


def test_others_may_not_ask() -> None:
    world = SubstituteWorld()
    for sender in (OTHER_OPERATOR, CERTIFIER):
        assert world.refusal_of(substitute, window(0, 1), sender=sender)[0] == "NOT_PERMITTED"


def test_without_a_nameplate_what_needs_one_is_refused() -> None:
    world = SubstituteWorld(replace(HOURLY, nameplate_w=None))
    world.hours(5)

    code, detail = world.refused(window(3, 5))

    assert code == "WRONG_STATE"
    assert detail.startswith("nameplate_w: expected a nameplate")


def test_the_methods_cost_what_they_look_at() -> None:
    [method] = substitutes.METHODS

    assert method.work(window(0, 1)) == 8_000
