"""What becomes durable with a block: the batch, made from a candidate and its certificate."""

from chain.block import CertifiedBlock
from chain.certificate import CommitCertificate
from chain.receipt import Status
from node.kernel.candidates import Candidate
from node.kernel.contracts_port import NodeContracts
from node.ports import StoredBlock


def certified_block(candidate: Candidate, certificate: CommitCertificate) -> CertifiedBlock:
    """Returns a candidate as a final block."""
    return CertifiedBlock(
        header=candidate.header,
        certificate=certificate,
        transactions=tuple(each.wire for each in candidate.transactions),
    )


def stored_block(
    candidate: Candidate, certificate: CommitCertificate, contracts: NodeContracts
) -> StoredBlock:
    """Returns everything that is written with a final block."""
    execution = candidate.execution
    # The last receipt is the block's own and belongs to no transaction.
    outcomes = zip(candidate.transactions, execution.receipts[:-1], strict=True)
    fresh = [
        (position, transaction)
        for position, (transaction, receipt) in enumerate(outcomes)
        if receipt.status is not Status.DUPLICATE
    ]
    height = candidate.header.height.to_bytes(8, "big")
    return StoredBlock(
        block=certified_block(candidate, certificate),
        transaction_ids=tuple(each.id for each in candidate.transactions),
        fresh_ids=tuple((each.id, position) for position, each in fresh),
        encoded_receipts=execution.encoded_receipts,
        changes=execution.changes,
        tree_update=execution.tree_update,
        index_entries=tuple(
            key + height + position.to_bytes(4, "big")
            for position, each in fresh
            for key in contracts.index_keys(each)
        ),
    )
