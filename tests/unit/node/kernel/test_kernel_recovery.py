"""What the journal holds of an undecided height is there for the peers after a restart."""

from chain.crypto import ED25519, one_by_one
from chain.mempool import Mempool, MempoolLimits
from consensus.messages import MESSAGES, Bodies, BodiesRequest
from consensus.replica import ReplicaConfig
from node.kernel.effects import SendPayload
from node.kernel.events import PayloadReceived
from node.kernel.kernel import Kernel
from tests import chain_samples as samples
from tests.kernel_samples import LoneNode, note

PEER = samples.SIGNERS[1].public_key


def test_every_journaled_body_is_served_although_the_pool_has_no_room_for_all_of_them() -> None:
    node = LoneNode(signer=None)
    journaled = [note(node.genesis, number) for number in range(3)]
    kernel = Kernel(
        workshop=node.kernel.workshop,
        replica=node.kernel.replica,
        pool=Mempool(
            MempoolLimits(
                transactions_max=9, bytes_max=100_000, per_sender_max=1, per_sender_own_max=1
            )
        ),
        verify=one_by_one(ED25519),
        config=ReplicaConfig(),
        recovered_bodies=[each.wire for each in journaled],
    )
    kernel.start(node.now())
    request = BodiesRequest(transaction_ids=tuple(each.id for each in journaled))

    effects = kernel.step(PayloadReceived(peer=PEER, payload=MESSAGES.encode(request)), node.now())

    (answer,) = (MESSAGES.decode(e.payload) for e in effects if isinstance(e, SendPayload))
    assert answer == Bodies(transactions=tuple(each.wire for each in journaled))
    assert kernel.pool.count == 1
