"""The lane that each message of a kernel takes on a link."""

from typing import Final

from consensus.messages import Blocks, BlocksRequest, Bodies, BodiesRequest, Message
from node.ports import Traffic

TRAFFIC_OF: Final[dict[type[Message], Traffic]] = {
    Blocks: Traffic.SYNC,
    BlocksRequest: Traffic.SYNC,
    Bodies: Traffic.TRANSACTIONS,
    BodiesRequest: Traffic.VOTES,
}
"""Lane of each message; what is not named here is agreement and goes with the votes."""


def traffic_of(message: Message) -> Traffic:
    """Returns the lane of a message."""
    return TRAFFIC_OF.get(type(message), Traffic.VOTES)
