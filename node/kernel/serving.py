"""Answers from storage to peers that lack something: blocks and bodies, within frame limits."""

from collections.abc import Callable, Iterator
from typing import Final

from chain.block import CertifiedBlock
from chain.types import Hash
from consensus.messages import BLOCKS_MAX, Blocks, BlocksRequest, Bodies, BodiesRequest
from node.kernel.gossip import batches_of
from node.ports import BlockStore

BLOCKS_BYTES_MAX: Final = 2_097_152
"""Bytes of bodies in one answer of sync beyond its first block."""


def answer_blocks(request: BlocksRequest, store: BlockStore) -> list[Blocks]:
    """Returns one answer with as many blocks as fit, or none where the first is not here."""
    blocks = tuple(_blocks_that_fit(request, store))
    return [Blocks(blocks=blocks)] if blocks else []


def answer_bodies(
    request: BodiesRequest, find_body: Callable[[Hash], bytes | None]
) -> list[Bodies]:
    """Returns the bodies that are here; what is missing is left out and asked for elsewhere."""
    found = [find_body(each) for each in request.transaction_ids]
    present = [wire for wire in found if wire is not None]
    return [Bodies(transactions=batch) for batch in batches_of(present)]


def _blocks_that_fit(request: BlocksRequest, store: BlockStore) -> Iterator[CertifiedBlock]:
    size = 0
    count = min(request.count, BLOCKS_MAX)
    for height in range(request.first_height, request.first_height + count):
        block = store.block(height)
        if block is None:
            return
        size += sum(map(len, block.transactions))
        if height > request.first_height and size > BLOCKS_BYTES_MAX:
            return
        yield block
