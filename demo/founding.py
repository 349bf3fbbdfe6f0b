"""A network on ports of this host that are free now."""

import re
import time
from pathlib import Path
from typing import Final

from chain.parameters import Parameters
from node.keystore import KdfCost
from node.provisioning import (
    Network,
    NetworkPlan,
    OrganisationPlan,
    create_network,
    free_ports,
)

_PORTS_PER_NODE: Final = 3


def found_network(
    directory: Path,
    organisations: tuple[OrganisationPlan, ...],
    *,
    max_block_interval_ms: int,
    cost: KdfCost,
) -> Network:
    """Makes a network in a new or empty directory, named after it.

    Raises:
        NetworkError: the directory holds something already.
        InvalidGenesis: two or three validators: they could not lose one.
    """
    ports = free_ports(_PORTS_PER_NODE * len(organisations))
    plan = NetworkPlan(
        name=_identifier(directory.name),
        organisations=organisations,
        parameters=Parameters(max_block_interval_ms=max_block_interval_ms),
        time_ms=time.time_ns() // 1_000_000,
        ports=tuple(
            (ports[index], ports[index + 1], ports[index + 2])
            for index in range(0, len(ports), _PORTS_PER_NODE)
        ),
        cost=cost,
    )
    return create_network(directory, plan)


def _identifier(name: str) -> str:
    """Returns a directory's name as an identifier of the chain."""
    return re.sub(r"[^a-z0-9._-]+", "-", name.lower()).lstrip("._-")[:64] or "network"
