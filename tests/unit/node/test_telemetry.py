"""What a step or a block tells the operator: metrics, and a log line where it matters."""

import logging
from dataclasses import replace

import pytest

from chain.evidence import Equivocation
from chain.vote import VoteKind
from consensus.effects import Halt, RecordEvidence, ReportFault
from consensus.events import LinkChanged, Timer, TimerFired, TimerKind
from consensus.messages import MESSAGES, LeaveReason, Status, ViewChange
from node.kernel.effects import Admission, AnswerSubmission, StoreBlock
from node.kernel.events import KernelEvent, PayloadReceived, Ticked
from node.metrics import NodeMetrics
from node.ports import StoredBlock
from node.telemetry import Telemetry, reason_of_view_change
from tests import chain_samples as samples
from tests.kernel_samples import LoneNode, note

PEER = samples.SIGNERS[1].public_key
STATUS = Status(height=1, view=0, head_hash=b"h" * 32, leave_reason=LeaveReason.LINK_DOWN)
VIEW_CHANGE = ViewChange(
    prepared=None, parent_certificate=None, vote=samples.vote(1, VoteKind.VIEW_CHANGE)
)


class Watched:
    """A lone node and its telemetry."""

    def __init__(self, node: LoneNode | None = None) -> None:
        self.node = node or LoneNode()
        self.metrics = NodeMetrics(version="0", node="node-1", role="validator")
        self.telemetry = Telemetry(metrics=self.metrics, genesis=self.node.genesis)

    def value(self, name: str, **labels: str) -> float | None:
        return self.metrics.registry.get_sample_value(f"tanlian_{name}", labels)

    def stored(self, number: int) -> StoredBlock:
        """Commits a note and returns its block."""
        self.node.submit(note(self.node.genesis, number))
        return [each.stored for each in self.node.effects if isinstance(each, StoreBlock)][-1]


def unsigned(stored: StoredBlock) -> StoredBlock:
    """The block as if the votes of others had made its certificate."""
    certificate = replace(stored.block.certificate, signatures=())
    return replace(stored, block=replace(stored.block, certificate=certificate))


def test_a_restarted_node_shows_its_height_before_the_next_block() -> None:
    node = LoneNode()
    node.submit(note(node.genesis, 1))
    node.submit(note(node.genesis, 2))
    watched = Watched(node)

    watched.telemetry.started(node.kernel)

    assert watched.value("consensus_height") == 2
    assert watched.value("consensus_view") == 0
    assert watched.value("consensus_primary", validator="node-1") == 1
    assert watched.value("consensus_is_validator") == 1


def test_a_stored_block_is_told_with_what_it_took() -> None:
    watched = Watched()
    stored = watched.stored(1)
    watched.telemetry.step_took(0.25)
    watched.telemetry.step_took(0.125)
    watched.telemetry.persist_took(0.5)
    watched.telemetry.commit_took(2.0)

    watched.telemetry.block_stored(stored, watched.node.kernel)

    assert watched.value("consensus_height") == 1
    assert watched.value("block_transactions_total") == 1
    assert watched.value("block_bytes_total") == len(stored.block.transactions[0])
    assert watched.value("block_execute_seconds_sum") == 0.25
    assert watched.value("block_commit_seconds_sum") == 2.0
    assert watched.value("consensus_journal_fsync_seconds_sum") == 0.5
    assert watched.value("state_keys") == watched.node.kernel.workshop.state_key_count
    assert watched.value("consensus_validator_last_signed_height", validator="node-1") == 1
    assert watched.value("consensus_missing_validators") == 0


def test_the_longest_step_is_that_of_one_block_only() -> None:
    watched = Watched()
    watched.telemetry.step_took(0.25)
    watched.telemetry.block_stored(watched.stored(1), watched.node.kernel)
    watched.telemetry.step_took(0.5)
    watched.telemetry.block_stored(watched.stored(2), watched.node.kernel)

    assert watched.value("block_execute_seconds_sum") == 0.75


def test_a_validator_whose_vote_came_too_late_for_the_certificate_is_not_missing() -> None:
    watched = Watched()
    stored = watched.stored(1)

    watched.telemetry.block_stored(unsigned(stored), watched.node.kernel)

    assert watched.node.kernel.replica.last_vote_heights == {samples.SIGNERS[0].public_key: 1}
    assert watched.value("consensus_missing_validators") == 0
    assert watched.value("consensus_validator_missed_blocks_total", validator="node-1") is None


def test_a_validator_that_voted_neither_for_the_block_nor_for_its_parent_is_missing() -> None:
    watched = Watched()
    for number in range(1, 3):
        watched.stored(number)
    third = watched.stored(3)
    restarted = LoneNode()  # has seen nobody vote

    watched.telemetry.block_stored(unsigned(third), restarted.kernel)

    assert watched.value("consensus_missing_validators") == 1
    assert watched.value("consensus_validator_missed_blocks_total", validator="node-1") == 1


def test_an_observer_hears_no_votes_and_misses_nobody() -> None:
    watched = Watched()
    stored = [watched.stored(number) for number in range(1, 4)][-1]
    observer = LoneNode(signer=None)

    watched.telemetry.block_stored(unsigned(stored), observer.kernel)

    assert watched.value("consensus_missing_validators") == 0
    assert watched.value("consensus_validator_missed_blocks_total", validator="node-1") is None


def test_refusals_are_counted_by_code() -> None:
    watched = Watched()
    full = Admission(transaction_id=None, code="MEMPOOL_FULL", detail="no room")
    taken = Admission(transaction_id=b"i" * 32, code="", detail="")

    watched.telemetry.on_step(
        Ticked(),
        [AnswerSubmission(ticket=1, admissions=(full, taken, full))],
        watched.node.kernel,
    )

    assert watched.value("mempool_rejected_total", reason="MEMPOOL_FULL") == 2
    assert watched.value("mempool_rejected_total", reason="") is None


def test_evidence_a_fault_and_a_halt_are_each_told(caplog: pytest.LogCaptureFixture) -> None:
    watched = Watched()
    evidence = Equivocation(first=samples.vote(1), second=samples.vote(1, digest=b"e" * 32))

    with caplog.at_level(logging.WARNING, "node"):
        watched.telemetry.on_step(
            Ticked(),
            [
                RecordEvidence(evidence=evidence),
                ReportFault(peer=PEER, reason="sent nonsense"),
                Halt(reason="roots differ"),
            ],
            watched.node.kernel,
        )

    assert watched.value("consensus_evidence_total") == 1
    assert [(record.levelname, record.message) for record in caplog.records] == [
        ("ERROR", "equivocation"),
        ("WARNING", "fault of a peer"),
        ("ERROR", "halted"),
    ]


def test_a_member_is_named_and_a_stranger_is_its_key() -> None:
    watched = Watched()

    assert watched.telemetry.name_of(samples.SIGNERS[0].public_key) == "node-1"
    assert watched.telemetry.name_of(b"\xab" * 32) == "ab" * 8


def timer_fired(height: int, view: int) -> TimerFired:
    return TimerFired(timer=Timer(kind=TimerKind.VIEW, height=height, view=view))


def test_a_view_is_counted_once_when_it_is_left(caplog: pytest.LogCaptureFixture) -> None:
    watched = Watched(LoneNode(genesis=samples.genesis()))
    node = watched.node
    watched.telemetry.started(node.kernel)
    node.submit(note(node.genesis, 1))
    watched.telemetry.on_step(Ticked(), (), node.kernel)
    assert watched.value("consensus_view_changes_total", reason="timeout") is None

    node.step(timer_fired(1, 0))
    with caplog.at_level(logging.WARNING, "node"):
        watched.telemetry.on_step(timer_fired(1, 0), (), node.kernel)
        watched.telemetry.on_step(Ticked(), (), node.kernel)

    assert watched.value("consensus_view_changes_total", reason="timeout") == 1
    assert watched.value("consensus_view_changes_total", reason="complaint") is None
    assert watched.value("consensus_view") == 1
    # The lowest height's primary of view v is validator (1 + v) mod 4, counted from 0.
    assert watched.value("consensus_primary", validator="node-3") == 1
    assert [record.message for record in caplog.records] == ["view change"]


def test_a_view_found_at_the_start_was_left_by_nobody_now() -> None:
    watched = Watched(LoneNode(genesis=samples.genesis()))
    watched.node.submit(note(watched.node.genesis, 1))
    watched.node.step(timer_fired(1, 0))

    watched.telemetry.started(watched.node.kernel)
    watched.telemetry.on_step(Ticked(), (), watched.node.kernel)

    assert watched.value("consensus_view") == 1
    assert watched.value("consensus_view_changes_total", reason="complaint") is None


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (timer_fired(1, 0), "timeout"),
        (LinkChanged(peer=PEER, is_up=False), "complaint"),
        (Ticked(), "complaint"),
        (PayloadReceived(peer=PEER, payload=MESSAGES.encode(STATUS)), "complaint"),
        (PayloadReceived(peer=PEER, payload=MESSAGES.encode(VIEW_CHANGE)), "others"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_the_reason_of_a_view_change_is_the_event_that_brought_it(
    event: KernelEvent, reason: str
) -> None:
    assert reason_of_view_change(event) == reason
