import pytest

from contracts.reading import Channel
from contracts.reading_page import (
    SLOTS_MAX,
    ReadingPage,
    page_key,
    page_start,
    slots_per_page,
)
from tests.unit.contracts.reading_world import (
    AMOUNTS,
    COUNTER,
    DAY,
    DAY_MS,
    QUARTER_MS,
    ReadingWorld,
    amount,
    register,
)


@pytest.mark.parametrize(
    ("interval_ms", "slots"),
    [
        (DAY_MS, 1),
        (3_600_000, 24),
        (900_000, 96),
        (600_000, 72),
        (300_000, 96),
        (60_000, 96),
        (10_000, 96),
        (1_000, 96),
        (DAY_MS // 125, 25),
    ],
)
def test_a_page_is_a_day_or_an_equal_part_of_it(interval_ms: int, slots: int) -> None:
    assert slots_per_page(interval_ms) == slots
    assert slots <= SLOTS_MAX
    assert DAY_MS % (slots * interval_ms) == 0


def test_a_page_starts_at_utc_midnight_or_at_a_part_of_the_day() -> None:
    assert page_start(QUARTER_MS, DAY + 95 * QUARTER_MS) == DAY
    assert page_start(QUARTER_MS, DAY + 96 * QUARTER_MS) == DAY + DAY_MS
    assert page_start(10_000, DAY + 960_000) == DAY + 960_000


def test_keys_of_a_meters_pages_sort_by_time() -> None:
    assert page_key("main", 5) == b"reading-page/main/00000000000000000005"
    assert page_key("main", 5) < page_key("main", 10)


def test_a_page_is_packed_no_further_than_its_last_value() -> None:
    world = ReadingWorld(AMOUNTS)
    world.send(amount(2, 7, channels={Channel.DEMAND_W: 1}))
    (page,) = world.pages
    assert len(page.submitted) == 3 * 8
    assert page.amounts == b""
    assert len(page.applied) == len(page.failed) == 3 * 4
    assert page.qualities == b"\x00\x00\x01"
    assert [len(each) for each in page.channels] == [0, 0, 4]
    assert page.present == bytes(11) + b"\x04"


def test_a_full_page_survives_its_canonical_bytes() -> None:
    world = ReadingWorld(COUNTER)
    world.send(
        *(
            register(number, 2**62 + number, channels={Channel.DEMAND_W: -number})
            for number in range(96)
        )
    )
    (page,) = world.pages
    assert ReadingPage.decode(page.encode()) == page
    assert world.slots[95].submitted == 2**62 + 95
    assert world.slots[95].amount == 1
    assert world.slots[95].channels == {Channel.DEMAND_W: -95}


def test_a_full_page_of_amounts_stays_below_two_kilobytes() -> None:
    world = ReadingWorld(AMOUNTS)
    world.send(*(amount(number, 2**40 + number) for number in range(96)))
    assert len(world.pages[0].encode()) < 2_048


def test_pages_form_a_line_in_the_order_in_which_they_were_begun() -> None:
    world = ReadingWorld(AMOUNTS)
    for day in (3, 1, 5, 1):
        world.send(amount(day * 96, 1_000))
        world.next_block()
    assert world.memory.newest_page_ms == DAY + 5 * DAY_MS
    assert [page.previous_ms for page in world.pages] == [
        DAY + 3 * DAY_MS,
        None,
        DAY + 1 * DAY_MS,
    ]
