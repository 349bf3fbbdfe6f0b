"""What stopped nodes really hold: each transaction once, each done, and the same on all."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from benchmarks.rig import BenchmarkFailed
from chain.receipt import Status
from chain.transaction import Transaction
from chain.types import Height, PublicKey
from node.leveldb import LevelDatabase
from node.provisioning import DATABASE_DIRECTORY, NodeAddress
from node.storage import ChainStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """What the chain of the benchmark holds."""

    blocks: int
    transactions: int
    transactions_per_block: float


def audit(nodes: Sequence[NodeAddress]) -> Audit:
    """Reads the chains of stopped nodes.

    Raises:
        BenchmarkFailed: a transaction stands twice or failed, or two nodes differ.
    """
    with ExitStack() as stack:
        stores = [stack.enter_context(_opened(node)) for node in nodes]
        common = min(store.head_height() for store in stores)
        hashes = {_hash_at(store, common) for store in stores}
        if len(hashes) != 1:
            raise BenchmarkFailed(f"block {common}: expected one hash on all nodes, got {hashes}")
        return _read(stores[0])


def first_block_not_by(node: NodeAddress, proposer: PublicKey, above: Height) -> Height:
    """Returns the first height above another whose block a different validator proposed.

    A block that the killed primary had proposed may become final without it; the one after that
    cannot.

    Raises:
        BenchmarkFailed: there is none.
    """
    with _opened(node) as store:
        for height in range(above + 1, store.head_height() + 1):
            header = store.header(height)
            assert header is not None, "every height up to the head has a header"
            if header.proposer != proposer:
                return height
    raise BenchmarkFailed(f"expected a block of a new primary above {above}, got none")


@contextmanager
def _opened(node: NodeAddress) -> Iterator[ChainStore]:
    database = LevelDatabase(node.home / DATABASE_DIRECTORY, create=False)
    try:
        yield ChainStore(database)
    finally:
        database.close()


def _hash_at(store: ChainStore, height: int) -> str:
    header = store.header(height)
    return "none" if header is None else header.hash.hex()


def _read(store: ChainStore) -> Audit:
    seen: set[bytes] = set()
    count = 0
    head = store.head_height()
    for height in range(1, head + 1):
        block = store.block(height)
        assert block is not None, "every height up to the head has a block"
        count += len(block.transactions)
        seen.update(Transaction.parse(wire).id for wire in block.transactions)
        for receipt in store.receipts(height):
            if receipt.status is not Status.OK:
                raise BenchmarkFailed(
                    f"block {height}: expected every transaction to succeed, got {receipt.code}: "
                    f"{receipt.detail}"
                )
    if len(seen) != count:
        raise BenchmarkFailed(f"expected {count} different transactions, got {len(seen)}")
    return Audit(
        blocks=head, transactions=count, transactions_per_block=round(count / max(1, head), 1)
    )
