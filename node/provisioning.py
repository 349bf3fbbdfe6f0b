"""Makes a network on disk: genesis, one home directory a node, first accounts.

For development, demonstrations and tests, where one person plays all members. In a real consortium
each member makes its own keys and sends the public halves; the genesis record is the same.

Layout of a network directory::

    network.json             names, roles and addresses of the nodes, for the command line
    genesis.json             the founding record; its hash is the chain id
    node-1/ ...              home of a node: config.toml, keys/, passphrase (0600), data
    accounts/                key files of the first accounts, passphrase (0600)
"""

import json
import secrets
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from chain.genesis import Genesis, GenesisOrganisation
from chain.member import Member, MemberRole
from chain.parameters import Parameters
from chain.types import Milliseconds
from consensus.sign_guard import initial_guard
from node.config import NodeConfig, NodeRole, dump
from node.disk import create_private_directory, create_private_file
from node.durable_journal import DurableJournal
from node.errors import LocalError
from node.genesis_file import save_genesis
from node.keystore import (
    INTERACTIVE_COST,
    KdfCost,
    Purpose,
    create_key_file,
    create_seed_file,
)
from p2p.identity import new_tls_identity

LOOPBACK: Final = "127.0.0.1"
NETWORK_FILE: Final = "network.json"
GENESIS_FILE: Final = "genesis.json"
CONFIG_FILE: Final = "config.toml"
PASSPHRASE_FILE: Final = "passphrase"  # noqa: S105  # a file name
ACCOUNTS_DIRECTORY: Final = "accounts"
DATABASE_DIRECTORY: Final = "database"


class NetworkError(LocalError):
    """A network directory that is absent, incomplete or in the way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganisationPlan:
    """An organisation to found, and the node that it runs."""

    organisation: str
    """Identifier, such as ``steelworks``."""
    name: str
    node_id: str
    role: MemberRole


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeAddress:
    """Where one node of a network directory is found."""

    node_id: str
    organisation: str
    role: str
    """``validator`` or ``observer``."""
    home: Path
    rpc_url: str
    metrics_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """A network directory as it is on disk."""

    directory: Path
    name: str
    nodes: tuple[NodeAddress, ...]

    @property
    def accounts(self) -> Path:
        """Returns the folder of the first accounts' key files."""
        return self.directory / ACCOUNTS_DIRECTORY

    @property
    def genesis_path(self) -> Path:
        """Returns the file of the founding record."""
        return self.directory / GENESIS_FILE


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkPlan:
    """What to make."""

    name: str
    organisations: tuple[OrganisationPlan, ...]
    parameters: Parameters
    time_ms: Milliseconds
    ports: tuple[tuple[int, int, int], ...]
    """(p2p, RPC, metrics) of each node in order."""
    cost: KdfCost = INTERACTIVE_COST


def create_network(directory: Path, plan: NetworkPlan) -> Network:
    """Makes keys, genesis and homes in a new or empty directory.

    Raises:
        NetworkError: the directory holds something already.
        InvalidGenesis: the plan makes no sense, such as two validators.
    """
    if directory.exists() and any(directory.iterdir()):
        raise NetworkError(
            f"{directory}: expected a new or empty directory, found files in it; choose another "
            "one, or remove it if that network is no longer wanted"
        )
    directory.mkdir(parents=True, exist_ok=True)
    passphrase = _new_passphrase()
    accounts = directory / ACCOUNTS_DIRECTORY
    create_private_directory(accounts)
    create_private_file(accounts / PASSPHRASE_FILE, passphrase + b"\n")
    organisations = tuple(
        GenesisOrganisation(
            id=each.organisation,
            name=each.name,
            admin_key=create_seed_file(
                accounts / f"{each.organisation}-admin.key",
                purpose=Purpose.ACCOUNT,
                passphrase=passphrase,
                cost=plan.cost,
            ),
        )
        for each in plan.organisations
    )
    members = tuple(
        _create_home(directory, each, ports, plan.cost)
        for each, ports in zip(plan.organisations, plan.ports, strict=True)
    )
    genesis = Genesis(
        network=plan.name,
        time_ms=plan.time_ms,
        parameters=plan.parameters,
        organisations=organisations,
        members=members,
    )
    genesis.check()
    save_genesis(directory / GENESIS_FILE, genesis)
    return _save_network(directory, plan)


def load_network(directory: Path) -> Network:
    """Reads a network directory.

    Raises:
        NetworkError: no network there.
    """
    path = directory / NETWORK_FILE
    try:
        document = json.loads(path.read_bytes())
        nodes = tuple(
            NodeAddress(
                node_id=node["node_id"],
                organisation=node["organisation"],
                role=node["role"],
                home=directory / node["node_id"],
                rpc_url=node["rpc_url"],
                metrics_url=node["metrics_url"],
            )
            for node in document["nodes"]
        )
        return Network(directory=directory, name=document["name"], nodes=nodes)
    except OSError as error:
        raise NetworkError(
            f"{path}: expected a network, got: {error.strerror}; make one with "
            f"`tanlian network init {directory}`"
        ) from None
    except (ValueError, KeyError, TypeError) as error:
        raise NetworkError(f"{path}: expected a network description, got: {error!r}") from error


def free_ports(count: int) -> list[int]:
    """Returns loopback ports that nothing listens on now, each once."""
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind((LOOPBACK, 0))
        return [int(probe.getsockname()[1]) for probe in probes]
    finally:
        for probe in probes:
            probe.close()


def _new_passphrase() -> bytes:
    return secrets.token_urlsafe(24).encode()


def _create_home(
    directory: Path, plan: OrganisationPlan, ports: tuple[int, int, int], cost: KdfCost
) -> Member:
    home = directory / plan.node_id
    create_private_directory(home)
    passphrase = _new_passphrase()
    create_private_file(home / PASSPHRASE_FILE, passphrase + b"\n")
    create_private_directory(home / "keys")
    consensus_key = create_seed_file(
        home / "keys" / "consensus.key",
        purpose=Purpose.CONSENSUS,
        passphrase=passphrase,
        cost=cost,
    )
    certificate, private_key_pem = new_tls_identity()
    create_key_file(
        home / "keys" / "tls.key",
        secret=private_key_pem,
        purpose=Purpose.TLS,
        passphrase=passphrase,
        public_key=certificate,
        cost=cost,
    )
    is_validator = plan.role is MemberRole.VALIDATOR
    config = _config_of(home, plan, ports)
    (home / CONFIG_FILE).write_text(dump(config, directory=home), encoding="utf-8")
    if is_validator:
        DurableJournal.create(home, guard=initial_guard())
    return Member(
        node_id=plan.node_id,
        organisation=plan.organisation,
        role=plan.role,
        consensus_key=consensus_key,
        tls_certificate=certificate,
        host=LOOPBACK,
        port=ports[0],
    )


def _config_of(home: Path, plan: OrganisationPlan, ports: tuple[int, int, int]) -> NodeConfig:
    p2p_port, rpc_port, metrics_port = ports
    is_validator = plan.role is MemberRole.VALIDATOR
    home = home.absolute()
    return NodeConfig(
        home=home,
        role=NodeRole.VALIDATOR if is_validator else NodeRole.OBSERVER,
        name=plan.node_id,
        genesis_path=home.parent / GENESIS_FILE,
        consensus_key_path=home / "keys" / "consensus.key" if is_validator else None,
        tls_key_path=home / "keys" / "tls.key",
        passphrase_path=home / PASSPHRASE_FILE,
        passphrase_credential=None,
        p2p_host=LOOPBACK,
        p2p_port=p2p_port,
        rpc_host=LOOPBACK,
        rpc_port=rpc_port,
        metrics_host=LOOPBACK,
        metrics_port=metrics_port,
        t0_ms=2_000,
        censorship_timeout_ms=10_000,
        status_interval_ms=300,
        mempool_transactions_max=50_000,
        mempool_bytes_max=128 * 2**20,
        mempool_sender_transactions_max=10_000,
        verify_threads=1,  # the nodes of a network on one host share its cores
        log_level="info",
        disk_free_bytes_min=512 * 2**20,
    )


def _save_network(directory: Path, plan: NetworkPlan) -> Network:
    nodes = [
        {
            "node_id": each.node_id,
            "organisation": each.organisation,
            "role": each.role.name.lower(),
            "rpc_url": f"http://{LOOPBACK}:{rpc_port}",
            "metrics_url": f"http://{LOOPBACK}:{metrics_port}/metrics",
        }
        for each, (_, rpc_port, metrics_port) in zip(plan.organisations, plan.ports, strict=True)
    ]
    document = {"name": plan.name, "nodes": nodes}
    (directory / NETWORK_FILE).write_text(
        json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    return load_network(directory)
