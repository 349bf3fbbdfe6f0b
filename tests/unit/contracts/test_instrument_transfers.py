"""Transfers of instruments: one holder at any time, and no watt hour made or lost."""

from dataclasses import replace

import pytest

from contracts import instruments, sites
from contracts.instrument import (
    InstrumentState,
    InstrumentTransfer,
    get_instrument,
    transfer_prefix,
)
from contracts.instruments import TransferInstrument
from tests.unit.contracts.registry_world import ADMIN, OTHER_ADMIN, SECOND_ADMIN, SITE
from tests.unit.contracts.test_instruments import MARKET, RETIRE, MarketWorld

TRANSFER = TransferInstrument(
    instrument_id="wind-1", receiver="grid", reference="contract 2023-17 of 1 October"
)


@pytest.fixture
def world() -> MarketWorld:
    """A market in which the other member has a site, and steel holds wind-1."""
    world = MarketWorld()
    world.call(sites.register, replace(SITE, site_id="station"), sender=OTHER_ADMIN)
    market = replace(MARKET, site="station")
    world.call(instruments.set_market, market, sender=OTHER_ADMIN)
    world.next_block()
    return world


def test_the_receiver_holds_it_and_the_giver_does_not(world: MarketWorld) -> None:
    before = world.instrument

    world.call(instruments.transfer, TRANSFER, sender=SECOND_ADMIN)

    assert world.instrument == replace(before, organisation="grid", transfer_count=1)
    record = InstrumentTransfer(
        instrument_id="wind-1",
        number=1,
        giver="steel",
        receiver="grid",
        reference=TRANSFER.reference,
        signed_by=SECOND_ADMIN,
        transferred_ms=world.time_ms,
    )
    (kept,) = (
        found for _, found in world.state.iterate(InstrumentTransfer, transfer_prefix("wind-1"))
    )
    assert kept == record
    assert [(each.kind, each.subject, each.content) for each in world.events] == [
        ("instrument.transferred", "wind-1", record.encode())
    ]
    for refused in (
        world.refusal_of(instruments.retire, RETIRE),
        world.refusal_of(instruments.transfer, TRANSFER),
    ):
        assert refused == (
            "NOT_PERMITTED",
            "instrument wind-1: expected a sender of its organisation grid, got one of steel",
        )


def test_the_receiver_retires_it_into_a_site_of_its_own(world: MarketWorld) -> None:
    world.call(instruments.transfer, TRANSFER)

    code, detail = world.refusal_of(instruments.retire, RETIRE, sender=OTHER_ADMIN)
    assert (code, detail.partition(":")[0]) == ("NOT_PERMITTED", "site plant")
    world.call(instruments.retire, replace(RETIRE, site="station"), sender=OTHER_ADMIN)

    retired = get_instrument(world.state, "wind-1")
    assert retired is not None
    assert (retired.state, retired.site) == (InstrumentState.RETIRED, "station")
    assert retired.retired_by == OTHER_ADMIN


def test_what_was_not_wanted_goes_back(world: MarketWorld) -> None:
    world.call(instruments.transfer, TRANSFER)
    back = replace(TRANSFER, receiver="steel", reference="sent by mistake")
    world.call(instruments.transfer, back, sender=OTHER_ADMIN)

    assert (world.instrument.organisation, world.instrument.transfer_count) == ("steel", 2)
    world.call(instruments.retire, RETIRE)


def test_what_is_retired_goes_nowhere(world: MarketWorld) -> None:
    world.call(instruments.retire, RETIRE)

    assert world.refusal_of(instruments.transfer, TRANSFER) == (
        "WRONG_STATE",
        (
            "instrument wind-1: expected one that is not retired: it counts once, got one retired "
            f"at {world.time_ms} for site plant"
        ),
    )


@pytest.mark.parametrize(
    ("arguments", "sender", "code", "field"),
    [
        (replace(TRANSFER, instrument_id="none"), ADMIN, "UNKNOWN_INSTRUMENT", "instrument_id"),
        (TRANSFER, OTHER_ADMIN, "NOT_PERMITTED", "instrument wind-1"),
        (replace(TRANSFER, receiver="steel"), ADMIN, "INVALID_ARGUMENTS", "receiver"),
        (replace(TRANSFER, receiver="nobody"), ADMIN, "INVALID_ARGUMENTS", "receiver"),
        (replace(TRANSFER, receiver="body"), ADMIN, "INVALID_ARGUMENTS", "receiver"),
        (replace(TRANSFER, reference=" "), ADMIN, "INVALID_ARGUMENTS", "reference"),
    ],
)
def test_what_is_no_transfer_is_refused(
    world: MarketWorld, arguments: TransferInstrument, sender: bytes, code: str, field: str
) -> None:
    found, detail = world.refusal_of(instruments.transfer, arguments, sender=sender)

    assert (found, detail.partition(":")[0]) == (code, field)
