"""Receipts, from whichever node is asked.

A transaction is final as soon as one node has its block; the node that is asked next may be a
moment behind.
"""

import asyncio
import time
from typing import Any, Final

from chain.types import Hash
from client.asynchronous import TanlianClient
from client.errors import NodeUnreachable

BEHIND_MAX_S: Final = 30.0
"""A node that is further behind than this is of no use."""
_ASK_AGAIN_S: Final = 0.05


async def committed_transaction(client: TanlianClient, transaction_id: Hash) -> dict[str, Any]:
    """Returns a transaction that is known to be final, with its place and receipt.

    Raises:
        NodeUnreachable: no node has its block within :data:`BEHIND_MAX_S`.
    """
    deadline_s = time.monotonic() + BEHIND_MAX_S
    while True:
        document: dict[str, Any] = await client.transaction(transaction_id)
        if "receipt" in document:
            return document
        if time.monotonic() > deadline_s:
            raise NodeUnreachable(
                f"transaction {transaction_id.hex()}: expected its receipt, because it is "
                f"committed, got {document['state']} for {BEHIND_MAX_S:.0f} s"
            )
        await asyncio.sleep(_ASK_AGAIN_S)
