"""What is signed once is sent once, in the order of each meter, whatever phases leave over."""

from collections import defaultdict

from benchmarks.supply import Supply
from benchmarks.workload import Workload
from chain.crypto import Ed25519Signer
from chain.transaction import Transaction
from contracts.reading import SubmitReadings

SIGNERS = tuple(Ed25519Signer(bytes([number]) * 32) for number in range(4))


def supply(meters: int = 40) -> Supply:
    return Supply(Workload(chain_id=bytes(32), signers=SIGNERS, meters=meters))


def stamps_by_meter(wires: list[bytes]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = defaultdict(list)
    for wire in wires:
        arguments = SubmitReadings.decode(Transaction.parse(wire).payload.arguments)
        found[arguments.meter_id] += [each.stamp_ms for each in arguments.readings]
    return found


def test_a_phase_finds_what_the_one_before_left() -> None:
    stock = supply()
    first = list(stock.reserve(8)[0])

    again = stock.reserve(20)

    assert [len(queue) for queue in again] == [5, 5, 5, 5]
    assert list(again[0])[:2] == first


def test_enough_is_never_signed_again() -> None:
    stock = supply()
    before = [list(queue) for queue in stock.reserve(100)]

    assert [list(queue) for queue in stock.reserve(40)] == before


def test_a_flood_is_one_operators_over_all_lanes_with_each_meter_at_one_node() -> None:
    lanes = supply().lend_flood(100)
    senders = {Transaction.parse(wire).payload.sender for lane in lanes for wire in lane}
    meters = [set(stamps_by_meter(list(lane))) for lane in lanes]

    assert senders == {SIGNERS[0].public_key}
    assert sum(map(len, lanes)) == 100
    assert all(len(lane) >= 20 for lane in lanes)
    assert sum(map(len, meters)) == len(set().union(*meters)) == 10


def test_what_a_flood_left_goes_on_where_it_stopped() -> None:
    stock = supply()
    lanes = stock.lend_flood(60)
    sent = [lane.popleft() for lane in lanes for _ in range(5)]

    stock.return_flood(lanes)
    rest = list(stock.reserve(4 * 80)[0])

    for stamps in stamps_by_meter(sent + rest).values():
        assert stamps == sorted(stamps)
        assert len(set(stamps)) == len(stamps) == 10
