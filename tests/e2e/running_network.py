"""A network of real processes on loopback, and a client that does without the client library."""

import base64
import json
import secrets
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from chain.crypto import Ed25519Signer
from chain.member import MemberRole
from chain.parameters import Parameters
from chain.transaction import Payload, Transaction, sign
from contracts.account import Role
from contracts.accounts import RegisterAccount
from node.genesis_file import load_genesis
from node.keystore import THROW_AWAY_COST, Purpose, open_key_file, passphrase_from_file
from node.provisioning import (
    Network,
    NetworkPlan,
    NodeAddress,
    OrganisationPlan,
    create_network,
    free_ports,
)

ORGANISATIONS = ("north", "east", "south", "west", "certifier")


def make_network(directory: Path, *, max_block_interval_ms: int = 2_000) -> Network:
    """Four validators and an observer, each of its own organisation."""
    ports = free_ports(3 * len(ORGANISATIONS))
    return create_network(
        directory,
        NetworkPlan(
            name="e2e",
            organisations=tuple(
                OrganisationPlan(
                    organisation=name,
                    name=name.title(),
                    node_id=f"node-{number}",
                    role=MemberRole.OBSERVER if name == "certifier" else MemberRole.VALIDATOR,
                )
                for number, name in enumerate(ORGANISATIONS, 1)
            ),
            parameters=Parameters(max_block_interval_ms=max_block_interval_ms),
            time_ms=time.time_ns() // 1_000_000,
            ports=tuple(
                (ports[3 * n], ports[3 * n + 1], ports[3 * n + 2])
                for n in range(len(ORGANISATIONS))
            ),
            cost=THROW_AWAY_COST,
        ),
    )


def get(node: NodeAddress, path: str) -> Any:
    """One GET; raises URLError where the node does not answer."""
    with urllib.request.urlopen(f"{node.rpc_url}{path}", timeout=5) as answer:
        return json.load(answer)


def status(node: NodeAddress) -> dict[str, Any]:
    """The node's status document."""
    document: dict[str, Any] = get(node, "/v1/status")
    return document


def post(node: NodeAddress, wire: bytes, query: str = "") -> tuple[int, dict[str, Any]]:
    """Posts one transaction; returns HTTP status and the document, of a problem too."""
    request = urllib.request.Request(
        f"{node.rpc_url}/v1/transactions{query}",
        data=json.dumps({"transaction": base64.b64encode(wire).decode()}).encode(),
        headers={"Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def wait_until(condition: Callable[[], bool], *, seconds: float, what: str) -> float:
    """Waits for something that must come; returns how long it took."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < seconds, f"expected within {seconds} s: {what}"
        threading.Event().wait(0.02)
    return time.monotonic() - began


@dataclass
class Registrar:
    """An admin who registers one account after another, and remembers what was acknowledged."""

    network: Network
    organisation: str = "north"
    acknowledged: dict[str, int] = field(default_factory=dict)
    """Transaction id to height."""

    def __post_init__(self) -> None:
        self.genesis = load_genesis(self.network.genesis_path)
        passphrase = passphrase_from_file(self.network.accounts / "passphrase")
        path = self.network.accounts / f"{self.organisation}-admin.key"
        opened = open_key_file(path, purpose=Purpose.ACCOUNT, passphrase=passphrase)
        self.signer = Ed25519Signer(opened.secret)

    def transaction(self) -> Transaction:
        """Registers a new key that nobody holds."""
        key = Ed25519Signer(secrets.token_bytes(32)).public_key
        arguments = RegisterAccount(public_key=key, name="somebody", roles=(Role.OPERATOR,))
        return sign(
            self.signer,
            Payload(
                chain_id=self.genesis.chain_id,
                sender=self.signer.public_key,
                nonce=secrets.token_bytes(16),
                valid_until_ms=time.time_ns() // 1_000_000 + 600_000,
                method="account.register",
                arguments=arguments.encode(),
            ),
        )

    def register(self, node: NodeAddress) -> int | None:
        """Registers at a node and waits; returns the height, or None where it did not answer so."""
        transaction = self.transaction()
        try:
            code, document = post(node, transaction.wire, "?wait=committed&timeout_ms=5000")
        except OSError:
            return None
        if code != 200:
            return None
        height = int(document["height"])
        self.acknowledged[transaction.id.hex()] = height
        return height


class Submitting:
    """Registrations to some nodes in turn, in the background, until stopped."""

    def __init__(self, registrar: Registrar, nodes: list[NodeAddress]) -> None:
        self._registrar = registrar
        self._nodes = nodes
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(node,)) for node in nodes]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _run(self, node: NodeAddress) -> None:
        while not self._stop.is_set():
            if self._registrar.register(node) is None:
                self._stop.wait(0.05)


def assert_acknowledged_everywhere(registrar: Registrar, network: Network) -> None:
    """Every acknowledged transaction stands at its height on every node."""
    assert registrar.acknowledged
    for node in network.nodes:
        for transaction_id, height in registrar.acknowledged.items():
            found = get(node, f"/v1/transactions/{transaction_id}")
            assert (found["state"], found["height"]) == ("committed", height), (
                node.node_id,
                found,
            )


def same_head(network: Network) -> bool:
    """Whether all nodes that answer show the same head and state root."""
    seen = [status(node) for node in network.nodes]
    return len({(each["height"], each["head_hash"], each["state_root"]) for each in seen}) == 1


def heights(network: Network) -> list[int]:
    """Heights of all nodes."""
    return [int(status(node)["height"]) for node in network.nodes]
