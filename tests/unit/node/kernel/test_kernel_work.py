"""What waits is work only if a block of now may hold it; else it would drive out every primary."""

import pytest

from consensus.events import Timer, TimerFired, TimerKind
from consensus.messages import MESSAGES, Bodies
from node.kernel.events import PayloadReceived
from tests import chain_samples as samples
from tests.kernel_samples import GENESIS_TIME_MS, LoneNode, note

PEER = samples.SIGNERS[1].public_key
DAY_MS = 86_400_000
BLOCK_READINGS_MAX = 10_000


def is_pending(node: LoneNode) -> bool:
    """What the replica was told: this is what keeps the view timers of all nodes running."""
    return node.kernel.replica._state.is_pending


def test_what_only_a_later_parent_allows_is_no_work_until_there_is_one() -> None:
    node = LoneNode()
    node.wall_ms = GENESIS_TIME_MS + 30_000
    far = note(node.genesis, 1, valid_until_ms=node.wall_ms + DAY_MS)

    (admission,) = node.submit(far)

    assert admission.is_accepted
    assert not is_pending(node)
    assert node.kernel.pool.holds(far.id)

    node.wall_ms = GENESIS_TIME_MS + 60_000
    node.step(TimerFired(timer=Timer(kind=TimerKind.HEARTBEAT, height=1, view=0)))

    assert node.store.head_height() == 2
    assert node.store.holds(far.id)


@pytest.mark.parametrize(
    ("work", "code"), [(BLOCK_READINGS_MAX, ""), (BLOCK_READINGS_MAX + 1, "TRANSACTION_TOO_LARGE")]
)
def test_a_transaction_of_more_work_than_a_block_may_hold_is_refused(work: int, code: str) -> None:
    node = LoneNode()

    (admission,) = node.submit(note(node.genesis, 1, text="x" * (work - 1)))

    assert admission.code == code
    node.tick(100)
    assert not is_pending(node)


def test_a_peers_transaction_of_more_work_than_a_block_may_hold_stays_out_of_the_pool() -> None:
    node = LoneNode()
    heavy = note(node.genesis, 1, text="x" * BLOCK_READINGS_MAX)

    node.step(
        PayloadReceived(peer=PEER, payload=MESSAGES.encode(Bodies(transactions=(heavy.wire,))))
    )

    assert node.kernel.pool.count == 0
    assert not is_pending(node)
