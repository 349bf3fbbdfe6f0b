"""From what is durable to a kernel: the one way to start, in the node and in the simulator.

A new node and one that comes back after a crash take the same path: found or check the store,
recover the replica from chain, journal and guard, and give the kernel the bodies that a prepared
block needs (consensus.md 5, 32).
"""

from dataclasses import dataclass

from chain.crypto import SignatureScheme, Signer, Verifier, one_by_one
from chain.errors import InvalidCertificate
from chain.genesis import Genesis, build_genesis_state
from chain.mempool import Mempool, MempoolLimits
from chain.state_tree import StateTree
from chain.validator_set import VALIDATORS_KEY, ValidatorSet
from consensus.journal import bodies_in
from consensus.replica import Replica, ReplicaConfig
from node.errors import StorageError
from node.kernel.candidates import CommittedIds, Workshop
from node.kernel.contracts_port import NodeContracts
from node.kernel.kernel import Kernel
from node.ports import BlockStore, JournalStore


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelSettings:
    """What one node chooses for itself; no choice of one node can stall the chain."""

    replica: ReplicaConfig
    pool: MempoolLimits


def open_chain(
    store: BlockStore, genesis: Genesis, contracts: NodeContracts, scheme: SignatureScheme
) -> StateTree:
    """Founds a new store, or checks an old one against its own head (consensus.md 32).

    Raises:
        StorageError: another chain's data, or a head whose parts contradict each other.
    """
    founded = build_genesis_state(genesis, contracts)
    if store.genesis() is None:
        store.initialise(genesis.encode(), dict(founded.changes), founded.tree_update)
    elif store.genesis() != genesis.encode():
        raise StorageError(
            f"database: expected data of chain {genesis.chain_id.hex()}, got another chain's; "
            "check genesis_path and home in the configuration"
        )
    tree = store.open_tree()
    head = store.head()
    expected_root = founded.state_root if head is None else head[0].state_root
    if tree.root != expected_root:
        raise StorageError(
            f"database: state root: expected {expected_root.hex()} by the head, got "
            f"{tree.root.hex()}; run `tanlian node verify` and restore or sync anew"
        )
    if head is not None:
        header, certificate = head
        try:
            # Membership does not change yet, so the founding set voted on every block.
            certificate.verify(
                chain_id=genesis.chain_id, validators=genesis.validator_set(), scheme=scheme
            )
        except InvalidCertificate as error:
            raise StorageError(f"database: head {header.height}: {error}") from error
        if (certificate.height, certificate.block_hash) != (header.height, header.hash):
            raise StorageError(
                f"database: head {header.height}: its certificate is for another block"
            )
    return tree


def build_kernel(  # noqa: PLR0913  # the parts of a node, each needed once
    *,
    genesis: Genesis,
    store: BlockStore,
    journal: JournalStore,
    contracts: NodeContracts,
    signer: Signer | None,
    scheme: SignatureScheme,
    settings: KernelSettings,
    verify: Verifier | None = None,
) -> Kernel:
    """Puts a kernel together from what is durable; call :meth:`Kernel.start` next.

    Args:
        genesis: has passed its check.
        store: this node's blocks and state; founded here where it is empty.
        journal: journal and guard; only read here.
        contracts: the contracts of this chain.
        signer: the consensus key; None for an observer.
        scheme: decides about signatures.
        settings: what this node chooses for itself.
        verify: checks the signatures of transactions; by the scheme, one by one, where None.

    Raises:
        StorageError: see :func:`open_chain`.
        DecodeError: journal or guard of another version, or damaged.
    """
    tree = open_chain(store, genesis, contracts, scheme)
    header, certificate = store.head() or (None, None)
    validators = store.get(VALIDATORS_KEY)
    assert validators is not None, "the state of every chain names its validators"
    records = journal.load_journal()
    replica = Replica(
        chain_id=genesis.chain_id,
        config=settings.replica,
        signer=signer,
        scheme=scheme,
        rotation_blocks=genesis.parameters.rotation_blocks,
        max_block_interval_ms=genesis.parameters.max_block_interval_ms,
        head=header,
        head_certificate=certificate,
        validators=ValidatorSet.decode(validators),
        genesis_time_ms=genesis.time_ms,
        journal=records,
        guard=journal.load_guard(),
    )
    pool = Mempool(settings.pool)
    workshop = Workshop(
        genesis=genesis,
        store=store,
        tree=tree,
        contracts=contracts,
        index=CommittedIds(store, pool),
    )
    return Kernel(
        workshop=workshop,
        replica=replica,
        pool=pool,
        verify=verify or one_by_one(scheme),
        config=settings.replica,
        recovered_bodies=bodies_in(records),
    )
