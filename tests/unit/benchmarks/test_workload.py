"""Transactions built from plain values are those that the records would make."""

from benchmarks.workload import FIRST_START_MS, INTERVAL_MS, UNIT, Workload
from chain.crypto import ED25519, Ed25519Signer
from chain.transaction import Transaction
from contracts.reading import Quality, SubmitReadings

CHAIN_ID = bytes(range(32))
SIGNERS = tuple(Ed25519Signer(bytes([number]) * 32) for number in range(4))


def workload() -> Workload:
    return Workload(chain_id=CHAIN_ID, signers=SIGNERS)


def arguments_of(wire: bytes) -> SubmitReadings:
    return SubmitReadings.decode(Transaction.parse(wire).payload.arguments)


def test_a_signed_transaction_is_canonical_and_its_operators() -> None:
    (wire,) = workload().sign_lanes(4, 1)[2]
    transaction = Transaction.parse(wire)

    assert transaction.payload.chain_id == CHAIN_ID
    assert transaction.payload.sender == SIGNERS[2].public_key
    assert transaction.payload.method == "readings.submit"
    assert transaction.is_signed(ED25519)
    assert 200 <= len(wire) <= 260


def test_a_lane_serves_its_own_meters_in_turn() -> None:
    lanes = workload().sign_lanes(1_000, 1)

    assert [len(lane) for lane in lanes] == [250, 250, 250, 250]
    assert arguments_of(lanes[1][0]).meter_id == "meter-0001"
    assert arguments_of(lanes[1][1]).meter_id == "meter-0005"
    assert arguments_of(lanes[1][125]).meter_id == "meter-0001"


def test_the_readings_of_a_meter_follow_each_other_without_a_gap() -> None:
    load = workload()
    first = arguments_of(load.sign_lanes(4, 3)[0][0])
    load.sign_lanes(496, 3)
    second = arguments_of(load.sign_lanes(4, 2)[0][0])

    assert first.meter_id == second.meter_id == "meter-0000"
    assert first.unit is UNIT
    assert [each.stamp_ms for each in first.readings + second.readings] == [
        FIRST_START_MS + index * INTERVAL_MS for index in range(5)
    ]
    assert {each.quality for each in first.readings} == {Quality.MEASURED}


def test_no_two_transactions_are_the_same() -> None:
    load = workload()
    wires = [wire for lane in load.sign_lanes(1_200, 1) for wire in lane]

    assert len({Transaction.parse(wire).id for wire in wires}) == 1_200


def test_one_operator_may_send_through_all_lanes_each_meter_through_one() -> None:
    load = Workload(chain_id=CHAIN_ID, signers=SIGNERS[:1] * 4, prefix="flood", meters=40)
    lanes = load.sign_lanes(80, 2)

    senders = {Transaction.parse(wire).payload.sender for lane in lanes for wire in lane}
    assert senders == {SIGNERS[0].public_key}
    assert {arguments_of(wire).meter_id for wire in lanes[3]} == {
        f"flood-{number:04d}" for number in range(3, 40, 4)
    }


def test_with_a_number_of_lanes_that_does_not_divide_the_meters_each_keeps_its_own() -> None:
    signers = tuple(Ed25519Signer(bytes([number]) * 32) for number in range(16))
    lanes = Workload(chain_id=CHAIN_ID, signers=signers).sign_lanes(992, 1)

    assert {int(arguments_of(wire).meter_id[-4:]) % 16 for wire in lanes[3]} == {3}
    assert max(int(arguments_of(wire).meter_id[-4:]) for lane in lanes for wire in lane) == 495
