from dataclasses import replace

import pytest

from contracts import corrections, meters
from contracts.conversion import conversion_of
from contracts.correction import (
    AmountUnit,
    CorrectedPage,
    Correction,
    CorrectionKind,
    Replaced,
    corrected_page_key,
    corrected_slots,
    effective_amount,
    get_correction,
)
from contracts.corrections import ApproveCorrection, CorrectReadings
from contracts.emissions import MonthTotal, Scope, meter_month_key
from contracts.meter import StampConvention, Unit
from contracts.reading import MethodCode, Outcome, Quality
from contracts.reading_page import MutablePage, ReadingPage, page_key, page_start
from contracts.revisions import RecordedRevision, RevisionKind, revision_prefix
from tests.unit.contracts.reading_world import (
    AMOUNTS,
    COUNTER,
    DAY,
    DAY_MS,
    NOW_MS,
    QUARTER_MS,
    ReadingWorld,
    amount,
    register,
)
from tests.unit.contracts.registry_world import (
    ADMIN,
    BODY_ADMIN,
    CERTIFIER,
    GATEWAY,
    OPERATOR,
    OTHER_ADMIN,
    OTHER_OPERATOR,
    SECOND_ADMIN,
)

MONTH = 12 * 53 + 9
"""October 2023, in which DAY lies."""
FACTOR = 4_306
PROPOSAL = b"\x05" * 32
EVIDENCE = b"\xee" * 32


class CorrectedWorld(ReadingWorld):
    """A world in which corrections are proposed and approved."""

    def propose(
        self,
        *intervals: tuple[int, int | None],
        unit: AmountUnit = AmountUnit.BASE,
        method_code: MethodCode = MethodCode.MANUAL,
        sender: bytes = OPERATOR,
    ) -> int:
        """Proposes amounts for intervals counted from DAY; returns the correction's number."""
        self.call(
            corrections.correct,
            corrected(*intervals, unit=unit, method_code=method_code),
            sender=sender,
            transaction_id=PROPOSAL,
        )
        return Correction.decode(self.events[-1].content).number

    def approve(self, number: int, *, sender: bytes = ADMIN) -> None:
        self.call(
            corrections.approve,
            ApproveCorrection(meter_id="main", number=number, proposal=PROPOSAL),
            sender=sender,
        )

    def correct(self, *intervals: tuple[int, int | None]) -> int:
        number = self.propose(*intervals)
        self.approve(number)
        return number

    def correction(self, number: int) -> Correction:
        found = get_correction(self.state, "main", number)
        assert found is not None
        return found

    def effective(self, interval: int) -> int | None:
        start_ms = DAY + interval * self.main.interval_ms
        page_ms = page_start(self.main.interval_ms, start_ms)
        record = self.state.get(ReadingPage, page_key("main", page_ms))
        page = MutablePage(self.main, conversion_of(self.main), page_ms, record)
        return effective_amount(
            self.state, self.main, page, (start_ms - page_ms) // self.main.interval_ms
        )

    def approval_refusal(self, number: int, *, sender: bytes = ADMIN) -> tuple[str, str]:
        arguments = ApproveCorrection(meter_id="main", number=number, proposal=PROPOSAL)
        return self.refusal_of(corrections.approve, arguments, sender=sender)

    @property
    def totals(self) -> tuple[int, int]:
        return self.meter_total(MONTH) or (0, 0)


def corrected(
    *intervals: tuple[int, int | None],
    unit: AmountUnit = AmountUnit.BASE,
    method_code: MethodCode = MethodCode.MANUAL,
) -> CorrectReadings:
    return CorrectReadings(
        meter_id="main",
        unit=unit,
        intervals=tuple((DAY + number * QUARTER_MS, value) for number, value in intervals),
        method_code=method_code,
        reason="the display was misread",
        evidence=EVIDENCE,
    )


@pytest.fixture
def world() -> CorrectedWorld:
    """A world with the amounts 100, 200, 300 in the first three quarter hours."""
    world = CorrectedWorld()
    world.send(amount(0, 100), amount(1, 200), amount(2, 300))
    world.next_block()
    return world


def test_a_proposal_counts_for_nothing(world: CorrectedWorld) -> None:
    number = world.propose((1, 250))

    assert number == 1
    assert world.effective(1) == 200
    assert world.totals == (600, 600 * FACTOR)
    assert world.event_kinds == ["correction.proposed"]
    assert world.correction(1).approved_by is None


def test_an_approved_correction_counts_and_the_reading_stays(world: CorrectedWorld) -> None:
    page_before = world.pages[0]
    number = world.propose((1, 250))
    world.next_block()

    world.approve(number, sender=SECOND_ADMIN)

    assert world.effective(1) == 250
    assert world.amounts == {0: 100, 1: 200, 2: 300}
    assert world.totals == (650, 650 * FACTOR)
    assert world.site_total(MONTH, Scope.PURCHASED_ENERGY) == 650 * FACTOR
    page = world.pages[0]
    assert page.running_hash == page_before.running_hash
    assert page.submitted == page_before.submitted
    assert page.failed == page_before.failed


def test_the_record_names_reason_evidence_both_accounts_and_what_it_replaced(
    world: CorrectedWorld,
) -> None:
    number = world.propose((1, 250), method_code=MethodCode.INVOICE)
    world.next_block()
    world.approve(number, sender=CERTIFIER)

    correction = world.correction(number)
    assert correction.kind is CorrectionKind.CORRECTION
    assert (correction.meter, correction.organisation, correction.site) == (
        "main",
        "steel",
        "plant",
    )
    assert (correction.reason, correction.evidence) == ("the display was misread", EVIDENCE)
    assert (correction.proposal, correction.proposed_by, correction.approved_by) == (
        PROPOSAL,
        OPERATOR,
        CERTIFIER,
    )
    assert correction.proposed_ms == world.time_ms - 1_000
    assert correction.approved_ms == world.time_ms
    assert correction.replaced == (Replaced(amount=200, number=None),)
    assert [interval.quality for interval in correction.intervals] == [Quality.CALCULATED]
    assert Correction.decode(world.events[-2].content) == correction


def test_an_approval_records_a_revision_of_the_span(world: CorrectedWorld) -> None:
    world.correct((0, 1), (2, 3))

    revisions = [
        found.revision
        for _, found in world.state.iterate(RecordedRevision, revision_prefix("plant"))
    ]
    assert [(each.from_ms, each.to_ms, each.subject, each.kind) for each in revisions] == [
        (DAY, DAY + 3 * QUARTER_MS, "correction/main/000001", RevisionKind.CORRECTION)
    ]
    assert world.event_kinds == [
        "correction.proposed",
        "correction.approved",
        "revision.recorded",
    ]


def test_a_later_correction_supersedes_and_the_earlier_stays(world: CorrectedWorld) -> None:
    first = world.correct((1, 250))
    world.next_block()
    second = world.correct((1, 260), (2, 1))

    assert (first, second) == (1, 2)
    assert [world.effective(interval) for interval in (0, 1, 2)] == [100, 260, 1]
    assert world.totals == (361, 361 * FACTOR)
    assert world.correction(1).intervals[0].amount == 250
    assert world.correction(2).replaced == (
        Replaced(amount=250, number=1),
        Replaced(amount=300, number=None),
    )


def test_the_reading_can_count_again(world: CorrectedWorld) -> None:
    world.correct((1, 250))
    world.next_block()

    world.correct((1, None))

    assert world.effective(1) == 200
    assert world.totals == (600, 600 * FACTOR)
    assert world.correction(2).replaced == (Replaced(amount=250, number=1),)
    world.correct((1, 7))
    assert world.correction(3).replaced == (Replaced(amount=200, number=2),)


def test_a_correction_fills_an_interval_without_a_reading(world: CorrectedWorld) -> None:
    world.correct((7, 70), (96 * 3, 30))

    assert (world.effective(7), world.effective(96 * 3)) == (70, 30)
    assert world.totals == (700, 700 * FACTOR)
    slot = corrected_slots(world.state, "main", DAY)[7]
    assert (slot.quality, slot.method_code) == (Quality.SUBSTITUTE, MethodCode.MANUAL)
    assert [page.leaf_count for page in world.pages] == [3, 0]


def test_a_reading_that_comes_after_its_correction_is_kept_and_counts_for_nothing(
    world: CorrectedWorld,
) -> None:
    world.correct((3, 70))
    world.next_block()

    assert world.send(amount(3, 400)) == [Outcome.ACCEPTED]

    assert world.amounts[3] == 400
    assert world.effective(3) == 70
    assert world.totals == (670, 670 * FACTOR)
    total = world.state.get(MonthTotal, meter_month_key("main", MONTH))
    assert total is not None
    assert total.interval_count == 4
    world.correct((3, None))
    assert world.totals == (1_000, 1_000 * FACTOR)


def test_a_register_that_comes_late_moves_no_corrected_interval() -> None:
    world = CorrectedWorld(COUNTER)
    world.send(register(0, 1_000), register(1, 1_010), register(4, 1_040))
    world.next_block()
    world.correct((4, 5))
    assert world.totals == (15, 15 * FACTOR)

    world.send(register(2, 1_020))

    assert world.amounts == {0: None, 1: 10, 2: 10, 4: 20}
    assert world.effective(4) == 5
    assert world.totals == (25, 25 * FACTOR)
    world.correct((4, None))
    assert world.totals == (40, 40 * FACTOR)


def test_amounts_may_be_given_as_the_meter_sends_them() -> None:
    scaled = replace(AMOUNTS, unit=Unit.KILOWATT_HOUR, scale=-1, transformer_ratio=(30, 1))
    world = CorrectedWorld(scaled)
    world.send(amount(0, 1))
    assert world.effective(0) == 3_000

    world.approve(world.propose((0, 2), unit=AmountUnit.SUBMITTED))
    assert world.effective(0) == 6_000
    world.approve(world.propose((0, 2), unit=AmountUnit.BASE))
    assert world.effective(0) == 2


def test_without_a_factor_the_amount_counts_and_its_emissions_do_not() -> None:
    world = CorrectedWorld(replace(AMOUNTS, factor=None))
    world.send(amount(0, 100))
    world.correct((0, 130))
    assert world.totals == (130, 0)


def test_two_pages_and_two_months_move_each_by_its_own_difference(
    world: CorrectedWorld,
) -> None:
    november = 96 * 16
    world.send(amount(november, 50))
    world.correct((0, 90), (november, 60))

    assert world.totals == (590, 590 * FACTOR)
    assert world.meter_total(MONTH + 1) == (60, 60 * FACTOR)
    stored = [
        world.state.get(CorrectedPage, corrected_page_key("main", DAY + day * DAY_MS))
        for day in (0, 1, 16)
    ]
    assert [each is not None for each in stored] == [True, False, True]


@pytest.mark.parametrize(
    ("sender", "code", "got"),
    [
        (OPERATOR, "NOT_PERMITTED", "got the same"),
        (OTHER_ADMIN, "NOT_PERMITTED", "got ADMIN of grid"),
        (BODY_ADMIN, "NOT_PERMITTED", "got ADMIN of body"),
        (OTHER_OPERATOR, "NOT_PERMITTED", "got OPERATOR of grid"),
        (GATEWAY, "NOT_PERMITTED", "got GATEWAY of steel"),
    ],
)
def test_who_may_not_approve(world: CorrectedWorld, sender: bytes, code: str, got: str) -> None:
    number = world.propose((1, 250))

    refused, detail = world.approval_refusal(number, sender=sender)

    assert refused == code
    assert detail.startswith("correction 1 of main: expected")
    assert detail.endswith(got)


def test_an_admin_that_proposed_needs_another_one_too(world: CorrectedWorld) -> None:
    number = world.propose((1, 250), sender=ADMIN)

    assert world.approval_refusal(number)[0] == "NOT_PERMITTED"
    world.approve(number, sender=SECOND_ADMIN)


def test_nobody_of_another_organisation_proposes(world: CorrectedWorld) -> None:
    for sender in (OTHER_OPERATOR, OTHER_ADMIN, CERTIFIER):
        refused = world.refusal_of(corrections.correct, corrected((1, 2)), sender=sender)
        assert refused[0] == "NOT_PERMITTED"


def test_an_approval_names_what_it_has_read(world: CorrectedWorld) -> None:
    world.propose((1, 250))
    unknown = ApproveCorrection(meter_id="main", number=2, proposal=PROPOSAL)
    other = replace(unknown, number=1, proposal=b"\x06" * 32)

    assert world.refusal_of(corrections.approve, unknown) == (
        "UNKNOWN_CORRECTION",
        "number: expected 1 to 1, got 2",
    )
    code, detail = world.refusal_of(corrections.approve, other)
    assert (code, detail[:9]) == ("UNKNOWN_CORRECTION", "proposal:")


def test_what_is_approved_is_not_approved_again(world: CorrectedWorld) -> None:
    number = world.correct((1, 250))

    assert world.approval_refusal(number, sender=SECOND_ADMIN)[0] == "WRONG_STATE"
    assert world.totals == (650, 650 * FACTOR)


def test_a_proposal_older_than_what_counts_is_stale(world: CorrectedWorld) -> None:
    stale = world.propose((0, 1), (1, 250))
    world.correct((1, 260))

    code, detail = world.approval_refusal(stale)

    assert code == "WRONG_STATE"
    assert detail == (
        f"interval from {DAY + QUARTER_MS}: expected nothing newer than correction 1; "
        "propose again, got number 2, approved already"
    )
    assert world.effective(0) == 100


NOW_INTERVAL = (NOW_MS - DAY) // QUARTER_MS


@pytest.mark.parametrize(
    ("arguments", "code", "detail"),
    [
        (
            replace(corrected((0, 1)), intervals=((DAY + 1, 1),)),
            "INVALID_ARGUMENTS",
            (
                f"intervals[0].start_ms: expected the start of an interval, divisible by 900000, "
                f"got {DAY + 1}"
            ),
        ),
        (
            corrected((1, 1), (1, 2)),
            "INVALID_ARGUMENTS",
            (
                f"intervals[1].start_ms: expected a start after {DAY + QUARTER_MS}, the one "
                f"before, got {DAY + QUARTER_MS}"
            ),
        ),
        (
            corrected((2, 1), (1, 2)),
            "INVALID_ARGUMENTS",
            (
                f"intervals[1].start_ms: expected a start after {DAY + 2 * QUARTER_MS}, the one "
                f"before, got {DAY + QUARTER_MS}"
            ),
        ),
        (
            corrected((NOW_INTERVAL + 1, 1)),
            "INVALID_ARGUMENTS",
            (
                f"intervals[0].start_ms: expected an interval that is over at block time "
                f"{NOW_MS + 1_000}, got one until {NOW_MS + 2 * QUARTER_MS}"
            ),
        ),
        (
            corrected((0, -1)),
            "INVALID_ARGUMENTS",
            f"intervals[0].amount: expected 0 to {2**46 - 1} base units, got -1",
        ),
        (
            corrected((0, 2**46)),
            "INVALID_ARGUMENTS",
            f"intervals[0].amount: expected 0 to {2**46 - 1} base units, got {2**46}",
        ),
        (
            replace(corrected((0, 1)), reason=" \n"),
            "INVALID_ARGUMENTS",
            "reason: expected why it is corrected, got an empty text",
        ),
        (
            corrected((0, 1), method_code=MethodCode.MAXIMUM),
            "INVALID_ARGUMENTS",
            (
                "method_code: expected METERED or MANUAL or CALCULATED or INVOICE or ESTIMATED; "
                "others are computed by reading.substitute, got MAXIMUM"
            ),
        ),
        (
            corrected((0, None)),
            "WRONG_STATE",
            (
                f"interval from {DAY}: expected one for which a correction counts, so that its "
                "reading can count again, got one without"
            ),
        ),
        (
            corrected(*((day * 96, 1) for day in range(-11, 30))),
            "LIMIT_REACHED",
            (
                "intervals: expected intervals in at most 40 pages of 96; send several "
                "corrections, got 41 pages"
            ),
        ),
        (
            replace(corrected((0, 1)), meter_id="none"),
            "UNKNOWN_METER",
            "meter_id: expected a registered meter; register it with meter.register, got 'none'",
        ),
    ],
)
def test_what_is_refused(
    world: CorrectedWorld, arguments: CorrectReadings, code: str, detail: str
) -> None:
    assert world.refusal_of(corrections.correct, arguments, sender=OPERATOR) == (code, detail)


def test_an_interval_is_over_when_block_time_reaches_its_end(world: CorrectedWorld) -> None:
    world.propose((NOW_INTERVAL - 1, 1))

    code, _ = world.refusal_of(corrections.correct, corrected((NOW_INTERVAL, 1)))

    assert code == "INVALID_ARGUMENTS"


def test_five_hundred_intervals_are_one_correction(world: CorrectedWorld) -> None:
    world.correct(*((interval, interval) for interval in range(500)))

    assert world.totals == (sum(range(500)), sum(range(500)) * FACTOR)


def test_the_start_of_an_interval_is_no_stamp_at_its_end() -> None:
    world = CorrectedWorld(replace(AMOUNTS, stamp=StampConvention.END))
    world.send(amount(1, 100))
    assert world.effective(0) == 100

    world.correct((0, 40))

    assert world.effective(0) == 40
    assert world.totals == (40, 40 * FACTOR)


def test_an_exchange_between_proposal_and_approval_does_no_harm(world: CorrectedWorld) -> None:
    number = world.propose((1, 250))
    world.call(meters.go_live, meters.GoLive(meter_id="main"))
    world.next_block()

    world.approve(number)

    assert world.totals == (650, 650 * FACTOR)
