"""The kernel with one validator: what is submitted is committed, what is bad costs nothing."""

import pytest

from chain.crypto import Domain
from chain.receipt import Status
from chain.transaction import Payload, SignedPayload, Transaction
from consensus.effects import ReportFault
from consensus.events import Timer, TimerFired, TimerKind
from consensus.messages import MESSAGES, Blocks, BlocksRequest, Bodies, BodiesRequest
from node.kernel.effects import BroadcastPayload, SendPayload
from node.kernel.events import PayloadReceived
from tests import chain_samples as samples
from tests.kernel_samples import GENESIS_TIME_MS, LoneNode, NodeNotes, note

PEER = samples.SIGNERS[1].public_key


def test_a_submitted_transaction_is_accepted_and_committed() -> None:
    node = LoneNode()
    sent = note(node.genesis, 1)

    (admission,) = node.submit(sent)

    assert admission.is_accepted
    assert admission.transaction_id == sent.id
    location = node.store.locate(sent.id)
    assert location is not None
    assert (location.height, location.position) == (1, 0)
    assert node.store.receipts(1)[0].status is Status.OK
    assert node.store.get(b"note/n1") is not None
    assert node.kernel.pool.count == 0


def test_blocks_chain_and_the_tree_follows_the_headers() -> None:
    node = LoneNode()

    node.submit(note(node.genesis, 1))
    node.submit(note(node.genesis, 2), note(node.genesis, 3))

    first, second = node.store.header(1), node.store.header(2)
    assert first is not None
    assert second is not None
    assert second.parent_hash == first.hash
    assert second.transaction_count == 2
    assert node.store.open_tree().root == second.state_root
    assert node.kernel.workshop.state_root == second.state_root


def test_a_refused_transaction_is_a_failed_receipt_in_a_valid_block() -> None:
    node = LoneNode()

    node.submit(note(node.genesis, 1, method="note.refuse"))

    receipt = node.store.receipts(1)[0]
    assert (receipt.status, receipt.code) == (Status.FAILED, "REFUSED")
    assert node.store.get(b"note/n1") is None


def test_a_transaction_that_breaks_a_contract_is_quarantined_and_stops_nobody() -> None:
    node = LoneNode()
    broken, good = note(node.genesis, 1, method="note.break"), note(node.genesis, 2)

    node.submit(broken, good)

    assert node.store.locate(good.id) is not None
    assert node.store.locate(broken.id) is None
    assert node.kernel.pool.is_quarantined(broken.id)
    assert node.halts == []


def test_a_bug_in_the_blocks_own_work_neither_stops_the_node_nor_blames_a_transaction(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    node = LoneNode()
    monkeypatch.setattr(NodeNotes, "begin_block", None)

    node.submit(note(node.genesis, 1))

    assert node.store.head() is None
    assert node.kernel.pool.holds(note(node.genesis, 1).id)
    assert node.halts == []


def signed_by_another(transaction: Transaction) -> bytes:
    """The same payload with a signature of another key."""
    wrong = samples.OTHER_SENDER.sign(Domain.TRANSACTION.value + transaction.payload_bytes)
    payload = SignedPayload.decode(transaction.wire).payload
    return SignedPayload(payload=payload, signature=wrong).encode()


def test_each_kind_of_bad_input_gets_its_own_code_and_leaves_no_trace() -> None:
    node = LoneNode()
    good = note(node.genesis, 1)
    elsewhere = samples.transaction(1)
    limit = node.genesis.parameters.transaction_bytes_max
    lifetime = node.genesis.parameters.transaction_lifetime_max_ms
    expected = {
        "MALFORMED_TRANSACTION": b"\x00",
        "TRANSACTION_TOO_LARGE": b"\x00" * (limit + 1),
        "WRONG_CHAIN": elsewhere.wire,
        "INVALID_SIGNATURE": signed_by_another(good),
        "TRANSACTION_EXPIRED": note(node.genesis, 2, valid_until_ms=GENESIS_TIME_MS).wire,
        "TRANSACTION_LIFETIME": note(
            node.genesis, 3, valid_until_ms=node.wall_ms + lifetime + 1_000
        ).wire,
        "UNKNOWN_METHOD": note(node.genesis, 4, method="note.unknown").wire,
    }

    admissions = node.submit_wires(*expected.values())

    assert [each.code for each in admissions] == list(expected)
    assert all(each.detail for each in admissions)
    assert node.kernel.pool.count == 0
    assert node.store.head() is None


def test_a_longer_encoding_of_a_good_transaction_is_malformed() -> None:
    node = LoneNode()
    wire = note(node.genesis, 1).wire
    assert wire[0] == 0x92
    longer = b"\xdc\x00\x02" + wire[1:]

    (admission,) = node.submit_wires(longer)

    assert admission.code == "MALFORMED_TRANSACTION"
    assert "shortest" in admission.detail


def test_a_payload_of_a_later_version_is_malformed() -> None:
    node = LoneNode()
    payload = note(node.genesis, 1).payload
    values = list(payload.to_value())
    values[0] = 2
    with pytest.raises(Exception, match="version"):
        Payload.from_value(tuple(values))


def test_a_committed_transaction_is_refused_as_a_duplicate() -> None:
    node = LoneNode()
    sent = note(node.genesis, 1)
    node.submit(sent)

    (admission,) = node.submit(sent)

    assert admission.code == "DUPLICATE"
    assert node.store.head_height() == 1


def test_an_accepted_transaction_is_sent_to_the_other_validators() -> None:
    node = LoneNode()
    sent = note(node.genesis, 1)

    node.submit(sent)

    broadcasts = [
        MESSAGES.decode(each.payload) for each in node.effects if isinstance(each, BroadcastPayload)
    ]
    assert Bodies(transactions=(sent.wire,)) in broadcasts


def test_bodies_of_a_peer_are_committed_without_asking_for_accounts() -> None:
    node = LoneNode()
    sent = note(node.genesis, 1)
    node.wall_ms += 10

    node.step(
        PayloadReceived(peer=PEER, payload=MESSAGES.encode(Bodies(transactions=(sent.wire,))))
    )

    assert node.store.locate(sent.id) is not None


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\xc1",
        MESSAGES.encode(Bodies(transactions=(b"no transaction",))),
        MESSAGES.encode(Bodies(transactions=(samples.transaction(1).wire,))),
    ],
)
def test_what_no_honest_peer_sends_is_reported_and_changes_nothing(payload: bytes) -> None:
    node = LoneNode()
    node.effects.clear()

    node.step(PayloadReceived(peer=PEER, payload=payload))

    assert [each.peer for each in node.effects if isinstance(each, ReportFault)] == [PEER]
    assert node.kernel.pool.count == 0


def test_blocks_and_bodies_are_served_to_a_peer_that_asks() -> None:
    node = LoneNode()
    node.submit(note(node.genesis, 1))
    node.submit(note(node.genesis, 2))
    node.effects.clear()

    node.step(
        PayloadReceived(peer=PEER, payload=MESSAGES.encode(BlocksRequest(first_height=1, count=10)))
    )
    node.step(
        PayloadReceived(
            peer=PEER, payload=MESSAGES.encode(BodiesRequest(transaction_ids=(b"?" * 32,)))
        )
    )

    answers = [MESSAGES.decode(e.payload) for e in node.effects if isinstance(e, SendPayload)]
    (blocks,) = answers
    assert isinstance(blocks, Blocks)
    assert [each.header.height for each in blocks.blocks] == [1, 2]


def test_a_quiet_chain_makes_no_block_before_the_heartbeat_is_due() -> None:
    node = LoneNode()
    node.tick(node.genesis.parameters.max_block_interval_ms - 1)

    assert node.store.head_height() == 0


def test_a_heartbeat_is_dated_a_whole_interval_after_its_parent_by_a_slow_clock_too() -> None:
    node = LoneNode()
    interval = node.genesis.parameters.max_block_interval_ms
    node.wall_ms = GENESIS_TIME_MS + interval - 500

    node.step(TimerFired(timer=Timer(kind=TimerKind.HEARTBEAT, height=1, view=0)))

    header = node.store.header(1)
    assert header is not None
    assert header.transaction_count == 0
    assert header.time_ms == GENESIS_TIME_MS + interval


def test_an_expired_transaction_leaves_the_pool_with_the_block_that_passes_it() -> None:
    node = LoneNode()
    short = note(node.genesis, 1, method="note.break", valid_until_ms=GENESIS_TIME_MS + 2_000)
    node.submit(short)
    node.wall_ms = GENESIS_TIME_MS + 5_000

    node.submit(note(node.genesis, 2))

    assert not node.kernel.pool.holds(short.id)


def test_a_restart_goes_on_from_what_is_durable() -> None:
    node = LoneNode()
    node.submit(note(node.genesis, 1))

    node.kernel = node.build()
    node.perform(node.kernel.start(node.now()))
    node.submit(note(node.genesis, 2))

    assert node.store.head_height() == 2
