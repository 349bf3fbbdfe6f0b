"""Readings of one meter in order, and what is counted of them."""

import asyncio
from collections.abc import Iterable
from typing import Any, cast

from client.asynchronous import Call, TanlianClient
from client.importers.raw import raw_reading
from client.outcome import Outcome, OutcomeState
from contracts.meter import Unit
from demo.replay import Stream, Tally, batches_of, replay

READINGS = tuple(raw_reading(stamp_ms=index, amount=index) for index in range(1_001))


class Recorder:
    """Stands for a client: commits everything, except what it is told to refuse."""

    def __init__(self, refused_from: int = 10**9) -> None:
        self.requests: list[list[int]] = []
        self.under_way = 0
        self.most_under_way = 0
        self._refused_from = refused_from

    async def submit_many(self, calls: Iterable[Call], *, until_final: bool) -> list[Outcome]:
        assert until_final
        arguments: list[Any] = [call.arguments for call in calls]
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        await asyncio.sleep(0)
        self.under_way -= 1
        self.requests.append([each.readings[0].stamp_ms for each in arguments])
        return [self._outcome(each.readings[0].stamp_ms) for each in arguments]

    def _outcome(self, stamp_ms: int) -> Outcome:
        if stamp_ms >= self._refused_from:
            return Outcome(transaction_id=bytes(32), state=OutcomeState.FAILED, code="WRONG_UNIT")
        return Outcome(transaction_id=bytes(32), state=OutcomeState.COMMITTED, height=1, position=0)


def stream_of(recorder: Recorder, count: int) -> Stream:
    return Stream(
        source="office",
        meter_id="m",
        unit=Unit.WATT_HOUR,
        batches=tuple((reading,) for reading in READINGS[:count]),
        client=cast("TanlianClient", recorder),
    )


def tally_of(progress: list[tuple[str, int]]) -> Tally:
    return Tally(on_progress=lambda source, count: progress.append((source, count)))


def test_a_transaction_holds_at_most_five_hundred_readings() -> None:
    assert [len(batch) for batch in batches_of(READINGS[:500])] == [500]
    assert [len(batch) for batch in batches_of(READINGS)] == [500, 500, 1]
    assert batches_of(()) == ()


def test_a_meter_sends_in_order_and_one_request_at_a_time() -> None:
    recorder = Recorder()

    asyncio.run(replay([stream_of(recorder, 9)], tally_of([])))

    assert recorder.requests == [[0, 1, 2, 3], [4, 5, 6, 7], [8]]
    assert recorder.most_under_way == 1


def test_meters_send_side_by_side_but_not_all_at_once() -> None:
    recorder = Recorder()

    asyncio.run(replay([stream_of(recorder, 1)] * 20, tally_of([])))

    assert recorder.most_under_way == 8


def test_every_reading_is_committed_or_has_a_reason() -> None:
    progress: list[tuple[str, int]] = []
    tally = tally_of(progress)

    asyncio.run(replay([stream_of(Recorder(refused_from=3), 5)], tally))

    assert (tally.submitted, tally.committed, tally.refused) == (5, 3, 2)
    assert tally.reasons == {"WRONG_UNIT": 2}
    assert [batch.readings[0].stamp_ms for batch in tally.batches] == [0, 1, 2]
    assert progress == [("office", 1)] * 5
