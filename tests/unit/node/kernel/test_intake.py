"""Batches into the pool: an answer for each, and no dear check for what a cheap one refuses."""

from collections.abc import Sequence

import pytest

from chain.crypto import ED25519, SignatureClaim, one_by_one
from chain.mempool import Mempool, MempoolLimits
from chain.transaction import SignedPayload, Transaction
from consensus.events import Now
from node.kernel.intake import Intake
from tests.chain_samples import GENESIS_TIME_MS, OTHER_SENDER
from tests.kernel_samples import lone_genesis, new_store, new_workshop, note

GENESIS = lone_genesis()
NOW = Now(wall_ms=GENESIS_TIME_MS + 1, monotonic_ms=1)
NOTES = [note(GENESIS, number) for number in range(4)]


class Bench:
    """An intake that notes how many signatures it had checked at once."""

    def __init__(self, transactions_max: int = 9, own_max: int = 9) -> None:
        limits = MempoolLimits(
            transactions_max=transactions_max,
            bytes_max=9_999,
            per_sender_max=9,
            per_sender_own_max=own_max,
        )
        self.pool = Mempool(limits)
        self.checked: list[int] = []
        store = new_store(GENESIS)
        self.intake = Intake(
            workshop=new_workshop(GENESIS, store), pool=self.pool, verify=self.verify
        )

    def verify(self, claims: Sequence[SignatureClaim]) -> list[bool]:
        self.checked.append(len(claims))
        return one_by_one(ED25519)(claims)


def forged(transaction: Transaction) -> bytes:
    signature = OTHER_SENDER.sign(transaction.claim[1])
    return SignedPayload(payload=transaction.payload_bytes, signature=signature).encode()


def test_each_of_a_clients_batch_gets_its_answer_in_order() -> None:
    bench = Bench()
    wires = [NOTES[0].wire, b"?", forged(NOTES[1]), NOTES[0].wire, NOTES[2].wire]

    answers, taken = bench.intake.admit(wires, NOW)

    assert [each.code for each in answers] == [
        "",
        "MALFORMED_TRANSACTION",
        "INVALID_SIGNATURE",
        "DUPLICATE",
        "",
    ]
    assert [each.transaction_id for each in answers] == [
        NOTES[0].id,
        None,
        NOTES[1].id,
        NOTES[0].id,
        NOTES[2].id,
    ]
    assert [each.id for each in taken] == [NOTES[0].id, NOTES[2].id]
    assert bench.checked == [3]


def test_clients_have_their_share_and_what_other_nodes_accepted_finds_room_beside_it() -> None:
    bench = Bench(own_max=1)

    answers, taken = bench.intake.admit([each.wire for each in NOTES[:2]], NOW)
    bench.intake.take_bodies([each.wire for each in NOTES[2:]], NOW, frozenset())

    assert [each.code for each in answers] == ["", "SENDER_QUOTA"]
    assert taken == [NOTES[0]]
    assert list(bench.pool.transactions()) == [NOTES[0], *NOTES[2:]]


def test_what_finds_no_room_has_no_signature_checked() -> None:
    bench = Bench(transactions_max=1)
    bench.intake.admit([NOTES[0].wire], NOW)
    bench.checked.clear()

    answers, _ = bench.intake.admit([NOTES[1].wire], NOW)
    awaited, faults = bench.intake.take_bodies([NOTES[2].wire], NOW, frozenset())

    assert [each.code for each in answers] == ["MEMPOOL_FULL"]
    assert (awaited, faults) == ([], [])
    assert sum(bench.checked) == 0


def test_the_last_room_goes_to_the_first_of_a_batch() -> None:
    bench = Bench(transactions_max=2)

    answers, taken = bench.intake.admit([each.wire for each in NOTES[:3]], NOW)

    assert [each.code for each in answers] == ["", "", "MEMPOOL_FULL"]
    assert len(taken) == bench.pool.count == 2


def test_a_peers_forged_body_is_named_and_the_others_are_taken() -> None:
    bench = Bench()

    awaited, faults = bench.intake.take_bodies(
        [NOTES[0].wire, forged(NOTES[1]), b"?", NOTES[2].wire, NOTES[0].wire], NOW, frozenset()
    )

    assert awaited == []
    assert sorted(each.code for each in faults) == ["INVALID_SIGNATURE", "MALFORMED_TRANSACTION"]
    assert [each.id for each in bench.pool.transactions()] == [NOTES[0].id, NOTES[2].id]
    assert bench.checked == [3]


@pytest.mark.parametrize("transactions_max", [0, 9])
def test_a_wanted_body_needs_no_room_but_its_senders_signature(transactions_max: int) -> None:
    bench = Bench(transactions_max=transactions_max)
    wanted = {NOTES[0].id, NOTES[1].id}

    awaited, faults = bench.intake.take_bodies([NOTES[0].wire, forged(NOTES[1])], NOW, wanted)

    assert [each.id for each in awaited] == [NOTES[0].id]
    assert [each.code for each in faults] == ["INVALID_SIGNATURE"]
    assert bench.pool.count == 0


def test_a_body_that_waits_already_is_checked_no_more() -> None:
    bench = Bench()
    bench.intake.admit([NOTES[0].wire], NOW)
    bench.checked.clear()

    bench.intake.take_bodies([NOTES[0].wire], NOW, {NOTES[0].id})

    assert sum(bench.checked) == 0
