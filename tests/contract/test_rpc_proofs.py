"""Proof files as a node makes them, verified as a stranger does."""

from collections.abc import Awaitable, Callable

import pytest

from chain.crypto import ED25519
from chain.proof_file import Claim, PageClaim, ReadingClaim, StateClaim, verify_proof_file
from contracts.meter import Unit
from contracts.reading import Outcome, SubmitReadings
from node.rpc.strict_json import parse
from tests.contract.test_rpc_readings import HOUR_MS, START_MS, commit, get, measured, reading
from tests.rpc_node import ServedNode

Run = Callable[[Awaitable[None]], None]
PAGE_MS = START_MS - START_MS % (24 * HOUR_MS)


async def claims_of(served: ServedNode, path: str) -> tuple[Claim, ...]:
    """Fetches a file and verifies it."""
    async with served.http.get(f"{served.url}/v1/proofs/files/{path}") as response:
        text = await response.read()
        assert response.status == 200, text
    genesis = served.node.genesis
    return verify_proof_file(text, parse(text), genesis=genesis, scheme=ED25519)


async def sent(served: ServedNode, number: int, *amounts: tuple[int, int]) -> None:
    readings = tuple(reading(hour, amount) for hour, amount in amounts)
    arguments = SubmitReadings(meter_id="main", unit=Unit.KILOWATT_HOUR, readings=readings)
    await commit(served, number, "readings.submit", arguments)


def page_of(claims: tuple[Claim, ...]) -> PageClaim:
    (page,) = [claim for claim in claims if isinstance(claim, PageClaim)]
    return page


def test_a_reading_is_proved_with_its_page_meter_and_corrections(run: Run) -> None:
    async def body() -> None:
        async with ServedNode() as served:
            await measured(served)

            first, page, meter, corrections = await claims_of(
                served, f"readings/main/{START_MS + HOUR_MS + 5}"
            )

            assert isinstance(first, ReadingClaim)
            assert (first.leaf[4], first.outcome) == (90_000, Outcome.ACCEPTED)
            assert first.failed == 1 << 5
            assert isinstance(page, PageClaim)
            assert (page.count, page.within) == (3, (first.leaf,))
            assert page.key == b"reading-page/main/%020d" % PAGE_MS
            assert isinstance(meter, StateClaim)
            assert meter.key == b"meter/main"
            assert isinstance(corrections, StateClaim)
            assert corrections.value is None

    run(body())


def test_a_second_reading_of_an_interval_shows(run: Run) -> None:
    async def body() -> None:
        async with ServedNode() as served:
            await measured(served)
            await sent(served, 5, (5, 10), (2, 121), (30, 7))
            await sent(served, 6, (2, 122))

            claims = await claims_of(served, f"readings/main/{START_MS + 2 * HOUR_MS}")
            page = page_of(claims)
            first = claims[0]

            assert isinstance(first, ReadingClaim)
            assert first.leaf[4] == 120
            assert [leaf[4] for leaf in page.within] == [120, 121, 122]
            assert page.count == 6
            assert first.block.height < page.block.height

    run(body())


def test_an_interval_without_a_reading_is_proved_to_have_none(run: Run) -> None:
    async def body() -> None:
        async with ServedNode() as served:
            await measured(served)

            known = page_of(await claims_of(served, f"absences/main/{START_MS + 9 * HOUR_MS}"))
            other_day = await claims_of(served, f"absences/main/{START_MS + 99 * HOUR_MS}")

            assert (known.count, known.within) == (3, ())
            assert isinstance(other_day[0], StateClaim)
            assert other_day[0].value is None
            assert other_day[0].key.startswith(b"reading-page/main/")

    run(body())


def test_refused_and_repeated_submissions_are_no_readings(run: Run) -> None:
    async def body() -> None:
        async with ServedNode() as served:
            await measured(served)
            wrong = SubmitReadings(meter_id="main", unit=Unit.WATT_HOUR, readings=(reading(2, 1),))
            transaction = served.node.transaction(5, method="readings.submit", arguments=wrong)
            await served.node.submit([transaction.wire])
            await served.node.commit()
            assert served.node.store.receipts(6)[0].code == "WRONG_UNIT"

            page = page_of(await claims_of(served, f"absences/main/{START_MS}"))

            assert page.count == 3

    run(body())


def test_alerts_totals_and_any_key_are_proved(run: Run) -> None:
    async def body() -> None:
        async with ServedNode() as served:
            await measured(served)

            (alert,) = await claims_of(served, "alerts/main.06.000001")
            (month,) = await claims_of(served, "totals/plant/2023-11")
            (none,) = await claims_of(served, "totals/plant/2031-11")
            (key,) = await claims_of(served, f"state/{b'chain/validators'.hex()}")

            for claim in (alert, month, key):
                assert isinstance(claim, StateClaim)
                assert claim.value == served.node.store.get(claim.key)
            assert isinstance(none, StateClaim)
            assert none.value is None

    run(body())


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        (f"readings/other/{START_MS}", 404, "UNKNOWN_METER"),
        (f"readings/main/{START_MS + 9 * HOUR_MS}", 404, "UNKNOWN_READING"),
        ("readings/main/yesterday", 400, "MALFORMED_PARAMETER"),
        ("readings/Main/1", 400, "MALFORMED_PARAMETER"),
        ("absences/other/1", 404, "UNKNOWN_METER"),
        ("alerts/main.06.000009", 404, "UNKNOWN_ALERT"),
        ("alerts/x", 404, "UNKNOWN_ALERT"),
        ("certificates/x", 400, "MALFORMED_PARAMETER"),
        ("certificates/body.000001", 404, "UNKNOWN_CERTIFICATE"),
        ("totals/plant/2023", 400, "MALFORMED_PARAMETER"),
        ("totals/nobody/2023-11", 404, "UNKNOWN_SITE"),
        ("state/xyz", 400, "MALFORMED_PARAMETER"),
        ("state/00?x=1", 400, "UNKNOWN_PARAMETER"),
    ],
)
def test_what_cannot_be_proved_is_refused(run: Run, path: str, status: int, code: str) -> None:
    async def body() -> None:
        async with ServedNode() as served:
            await measured(served)

            answered, document = await get(served, f"/v1/proofs/files/{path}")

            assert (answered, document["code"]) == (status, code)

    run(body())
