"""Making a network directory, and what is checked before its nodes start."""

import json
import socket
import tomllib
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from chain.member import MemberRole
from commands.output import fail
from demo.founding import found_network
from node.devnet import running_process_id
from node.keystore import INTERACTIVE_COST
from node.provisioning import (
    CONFIG_FILE,
    Network,
    NodeAddress,
    OrganisationPlan,
)

_NO_TOLERANCE = (2, 3)
"""Numbers of validators of which none may fail."""


def found_members(
    directory: Path,
    *,
    validators: int,
    observers: int,
    max_block_interval_ms: int,
) -> Network:
    """Makes a network of one organisation a node, on ports that are free now.

    Raises:
        NetworkError: the directory holds something already.
        CommandFailed: two or three validators.
    """
    if validators in _NO_TOLERANCE:
        # Said before anything is written, so that the directory stays free for a better try.
        fail(
            f"--validators: expected 1 (for development) or at least 4, got {validators}; so few "
            "cannot lose one"
        )
    organisations = tuple(
        OrganisationPlan(
            organisation=f"member-{number}",
            name=f"Member {number}",
            node_id=f"node-{number}",
            role=MemberRole.VALIDATOR,
        )
        for number in range(1, validators + 1)
    ) + tuple(
        OrganisationPlan(
            organisation=f"certifier-{number}",
            name=f"Certification body {number}",
            node_id=f"observer-{number}",
            role=MemberRole.OBSERVER,
        )
        for number in range(1, observers + 1)
    )
    return found_network(
        directory,
        organisations,
        max_block_interval_ms=max_block_interval_ms,
        cost=INTERACTIVE_COST,
    )


def check_stopped(network: Network) -> None:
    """Checks that none of the nodes runs.

    Raises:
        CommandFailed: names those that do.
    """
    running = [node.node_id for node in network.nodes if running_process_id(node) is not None]
    if running:
        fail(
            f"{network.directory}: expected a network that is not running, got "
            f"{', '.join(running)} running; stop it with `tanlian network down "
            f"{network.directory}`"
        )


def check_ports(network: Network) -> None:
    """Checks that the ports of all nodes are free, because a log is a poor place to learn it.

    Raises:
        CommandFailed: names node, port and what to do.
    """
    for node in network.nodes:
        path = node.home / CONFIG_FILE
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        for purpose in ("p2p", "rpc", "metrics"):
            host, port = table[f"{purpose}_host"], table[f"{purpose}_port"]
            with socket.socket() as probe:
                # As servers do, so that the remains of closed connections are not in the way.
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind((host, port))
                except OSError as error:
                    fail(
                        f"{node.node_id}: {purpose}_port: expected {host}:{port} to be free, got: "
                        f"{error.strerror}; end the program that listens there (`ss -ltnp`)"
                    )


def statuses_of(network: Network) -> list[dict[str, Any]]:
    """Asks each node of a network for its state; one that does not answer has height None."""
    return [_status_of(node) for node in network.nodes]


def _status_of(node: NodeAddress) -> dict[str, Any]:
    found: dict[str, Any] = {"name": node.node_id, "role": node.role}
    try:
        with urllib.request.urlopen(f"{node.rpc_url}/v1/status", timeout=5) as answer:  # noqa: S310  # our own loopback address
            status = json.load(answer)
    except (urllib.error.URLError, OSError, ValueError):
        is_running = running_process_id(node) is not None
        state = "running, does not answer" if is_running else "stopped"
        return (
            found
            | dict.fromkeys(("height", "head", "state_root", "head_time_ms"))
            | {"state": state}
        )
    readiness = status["readiness"]
    return found | {
        "height": status["height"],
        "head": status["head_hash"],
        "state_root": status["state_root"],
        "head_time_ms": status["head_time_ms"],
        "state": "ready" if readiness["is_ready"] else readiness["reason"],
    }
