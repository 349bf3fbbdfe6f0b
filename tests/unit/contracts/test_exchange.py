from dataclasses import replace

import pytest

from contracts import meters
from contracts.exchange import (
    EXCHANGES_MAX,
    Exchange,
    ExchangeProposal,
    ExchangeTimes,
    ProposeExchange,
    add_exchange,
    exchange_between,
    exchanges_between,
    proposal_key,
    times_key,
)
from contracts.meters import ApproveExchange
from tests.unit.contracts.registry_world import (
    ADMIN,
    EXCHANGE,
    INTERVAL_METER,
    OPERATOR,
    OTHER_ADMIN,
    OTHER_OPERATOR,
    SECOND_ADMIN,
    START_MS,
    World,
)

PROPOSAL_ID = b"\x05" * 32
APPROVAL = ApproveExchange(meter_id="main", proposal=PROPOSAL_ID)


@pytest.fixture
def world() -> World:
    """A world with the meter ``main``."""
    world = World()
    world.add_meter()
    return world


def propose(world: World, arguments: ProposeExchange = EXCHANGE) -> None:
    world.call(meters.propose_exchange, arguments, sender=OPERATOR, transaction_id=PROPOSAL_ID)


def test_a_proposal_changes_nothing_but_waits(world: World) -> None:
    before = world.meter("main")

    propose(world)

    proposal = world.state.get(ExchangeProposal, proposal_key("main"))
    assert proposal == ExchangeProposal(
        proposal=PROPOSAL_ID, arguments=EXCHANGE, proposed_by=OPERATOR, proposed_ms=START_MS
    )
    assert world.meter("main") == before
    assert exchange_between(world.state, "main", 0, START_MS) is None
    assert world.event_kinds[-1] == "meter.exchange_proposed"


def test_the_second_signature_hands_over_to_the_new_device(world: World) -> None:
    before = world.meter("main")
    propose(world)
    world.next_block()

    world.call(meters.approve_exchange, APPROVAL, sender=ADMIN)

    exchange = Exchange(
        meter_id="main",
        effective_ms=START_MS - 10,
        last_register=999_999,
        first_register=7,
        old_serial="A-1",
        new_serial="B-2",
        old_register_modulus=1_000_000,
        new_register_modulus=10_000,
        reason="calibration ran out",
        proposed_by=OPERATOR,
        proposed_ms=START_MS,
        approved_by=ADMIN,
        approved_ms=START_MS + 1_000,
    )
    assert meters.exchange_between(world.state, "main", 0, START_MS) == exchange
    assert world.meter("main") == replace(
        before,
        serial="B-2",
        make="New maker",
        register_modulus=10_000,
        calibration_certificate=b"\x01" * 32,
        calibration_valid_until_ms=9,
    )
    assert world.state.get(ExchangeProposal, proposal_key("main")) is None
    assert [(event.kind, event.content) for event in world.events] == [
        ("meter.exchanged", exchange.encode())
    ]


def test_an_exchange_lies_after_the_first_and_up_to_the_second_moment(world: World) -> None:
    propose(world)
    world.call(meters.approve_exchange, APPROVAL)
    effective_ms = START_MS - 10

    assert exchange_between(world.state, "main", effective_ms, START_MS) is None
    assert exchange_between(world.state, "main", 0, effective_ms - 1) is None
    assert exchange_between(world.state, "main", effective_ms - 1, effective_ms) is not None
    assert exchange_between(world.state, "other", 0, START_MS) is None


def test_of_several_exchanges_the_last_one_counts_and_all_are_listed(world: World) -> None:
    for offset_ms in (-10, -5):
        propose(world, replace(EXCHANGE, effective_ms=START_MS + offset_ms, last_register=9))
        world.call(meters.approve_exchange, APPROVAL)

    found = exchanges_between(world.state, "main", 0, START_MS)

    assert [exchange.effective_ms for exchange in found] == [START_MS - 10, START_MS - 5]
    assert [exchange.old_serial for exchange in found] == ["A-1", "B-2"]
    assert exchange_between(world.state, "main", 0, START_MS) == found[1]


def test_a_new_proposal_replaces_the_old_and_needs_its_own_approval(world: World) -> None:
    propose(world)
    other_id = b"\x06" * 32
    corrected = replace(EXCHANGE, first_register=8)
    world.call(meters.propose_exchange, corrected, sender=OPERATOR, transaction_id=other_id)

    assert world.refusal_of(meters.approve_exchange, APPROVAL) == (
        "UNKNOWN_EXCHANGE",
        f"proposal: expected the open one, {other_id.hex()}, got {PROPOSAL_ID.hex()}",
    )
    world.call(meters.approve_exchange, replace(APPROVAL, proposal=other_id))


def test_nothing_is_approved_that_was_not_proposed(world: World) -> None:
    assert world.refusal_of(meters.approve_exchange, APPROVAL) == (
        "UNKNOWN_EXCHANGE",
        "proposal: expected an open proposal; propose one with meter.exchange, got "
        + PROPOSAL_ID.hex(),
    )


def test_an_exchange_is_approved_once(world: World) -> None:
    propose(world)
    world.call(meters.approve_exchange, APPROVAL)

    code, _ = world.refusal_of(meters.approve_exchange, APPROVAL)

    assert code == "UNKNOWN_EXCHANGE"


def test_the_proposer_does_not_approve(world: World) -> None:
    world.call(meters.propose_exchange, EXCHANGE, sender=ADMIN, transaction_id=PROPOSAL_ID)

    assert world.refusal_of(meters.approve_exchange, APPROVAL, sender=ADMIN) == (
        "NOT_PERMITTED",
        "exchange of main: expected another ADMIN than the account that proposed it, got the same",
    )
    world.call(meters.approve_exchange, APPROVAL, sender=SECOND_ADMIN)


def test_another_organisation_neither_proposes_nor_approves(world: World) -> None:
    wanted = (
        "NOT_PERMITTED",
        "meter main: expected a sender of its organisation steel, got one of grid",
    )
    assert world.refusal_of(meters.propose_exchange, EXCHANGE, sender=OTHER_OPERATOR) == wanted
    propose(world)

    assert world.refusal_of(meters.approve_exchange, APPROVAL, sender=OTHER_ADMIN) == wanted


def test_an_unknown_meter_is_not_exchanged() -> None:
    world = World()

    assert world.refusal_of(meters.propose_exchange, EXCHANGE)[0] == "UNKNOWN_METER"
    assert world.refusal_of(meters.approve_exchange, APPROVAL)[0] == "UNKNOWN_METER"


@pytest.mark.parametrize(
    ("arguments", "detail"),
    [
        (
            replace(EXCHANGE, effective_ms=999),
            (
                "effective_ms: expected 1000 (installation, or after the last exchange) to the "
                f"block time {START_MS}, got 999"
            ),
        ),
        (
            replace(EXCHANGE, effective_ms=START_MS + 1),
            (
                "effective_ms: expected 1000 (installation, or after the last exchange) to the "
                f"block time {START_MS}, got {START_MS + 1}"
            ),
        ),
        (
            replace(EXCHANGE, reason=" "),
            "reason: expected why it is exchanged, got an empty text",
        ),
        (
            replace(EXCHANGE, register_modulus=1),
            "register_modulus: expected at least 2, or none where it is unknown, got 1",
        ),
        (
            replace(EXCHANGE, last_register=1_000_000),
            "last_register: expected below the modulus 1000000, got 1000000",
        ),
        (
            replace(EXCHANGE, first_register=10_000),
            "first_register: expected below the modulus 10000, got 10000",
        ),
    ],
)
def test_each_impossible_exchange_is_refused_by_itself(
    world: World, arguments: ProposeExchange, detail: str
) -> None:
    assert world.refusal_of(meters.propose_exchange, arguments) == ("INVALID_ARGUMENTS", detail)


@pytest.mark.parametrize("effective_ms", [1_000, START_MS])
def test_an_exchange_from_installation_to_now_is_proposed(world: World, effective_ms: int) -> None:
    propose(world, replace(EXCHANGE, effective_ms=effective_ms))


def test_an_unknown_modulus_bounds_no_register(world: World) -> None:
    propose(world, replace(EXCHANGE, register_modulus=None, first_register=2**64 - 1))


def test_an_exchange_comes_after_the_last_one(world: World) -> None:
    propose(world)
    world.call(meters.approve_exchange, APPROVAL)

    code, detail = world.refusal_of(meters.propose_exchange, replace(EXCHANGE, last_register=1))

    assert code == "INVALID_ARGUMENTS"
    assert detail.startswith(f"effective_ms: expected {START_MS - 9} (installation, or after")


def test_an_interval_meter_is_exchanged_without_registers(world: World) -> None:
    world.call(meters.register, replace(INTERVAL_METER, meter_id="steam"))
    arguments = replace(
        EXCHANGE, meter_id="steam", last_register=0, first_register=0, register_modulus=None
    )
    propose(world, arguments)

    assert world.refusal_of(meters.propose_exchange, replace(arguments, last_register=1)) == (
        "INVALID_ARGUMENTS",
        "last_register: expected 0, for INTERVAL meters, got 1",
    )
    assert world.refusal_of(meters.propose_exchange, replace(arguments, register_modulus=9)) == (
        "INVALID_ARGUMENTS",
        "register_modulus: expected none, for values of kind INTERVAL, got 9",
    )


@pytest.mark.parametrize(
    ("count", "is_refused"), [(EXCHANGES_MAX - 1, False), (EXCHANGES_MAX, True)]
)
def test_exchanges_of_a_meter_are_limited(world: World, count: int, *, is_refused: bool) -> None:
    times = ExchangeTimes(effective_ms=tuple(range(2_000, 2_000 + count)))
    world.state.put(times_key("main"), times)

    if is_refused:
        assert world.refusal_of(meters.propose_exchange, EXCHANGE) == (
            "LIMIT_REACHED",
            "meter main: expected at most 256 exchanges; register a new meter, got 256 already",
        )
    else:
        propose(world)


def test_an_earlier_exchange_is_never_slipped_in(world: World) -> None:
    propose(world)
    world.call(meters.approve_exchange, APPROVAL)
    exchange = exchange_between(world.state, "main", 0, START_MS)
    assert exchange is not None

    with pytest.raises(AssertionError, match="exchanges follow one another"):
        add_exchange(world.state, exchange)
