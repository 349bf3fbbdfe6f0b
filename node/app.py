"""Composition root: from a configuration file to a running node, and in order back to nothing.

Everything that the node is made of is put together here and nowhere else. The order of starting is
the order of trust: this machine (asserts, signature library), this directory (lock), the genesis,
the keys, the database against its own head, and only then the network.
"""

import asyncio
import gc
import logging
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

import uvloop

from chain.crypto import ED25519, Ed25519Signer, Signer
from chain.crypto_selftest import check_cryptography
from chain.genesis import Genesis
from chain.member import Member
from chain.mempool import MempoolLimits
from chain.types import PublicKey
from consensus.replica import ReplicaConfig
from contracts.runtime import ContractsRuntime
from node.clock import SystemClock
from node.config import NodeConfig, load
from node.disk import DirectoryLock
from node.durable_journal import DurableJournal
from node.errors import LocalError
from node.genesis_file import load_genesis
from node.journals import NoJournal
from node.kernel.assembly import KernelSettings, build_kernel
from node.keystore import (
    Purpose,
    open_key_file,
    passphrase_from_credential,
    passphrase_from_file,
    passphrase_from_prompt,
)
from node.leveldb import LevelDatabase
from node.links import TransportLinks, on_message, peer_records
from node.logs import configure
from node.metrics import NodeMetrics
from node.ports import JournalStore, Traffic
from node.profiling import profiled
from node.rpc.server import RpcServer
from node.runtime import Runtime
from node.sampler import Sampler
from node.service import Service, Surroundings
from node.storage import ChainStore
from node.telemetry import Telemetry
from node.verifier import threads_by_default, verifier_of
from p2p.identity import LocalIdentity, Role
from p2p.transport import Transport

DATABASE_DIRECTORY: Final = "database"
SWITCH_INTERVAL_S: Final = 0.0005
"""How long a thread of this process may keep another one waiting for the interpreter. A vote waits
for the disk thread to take note of a finished sync, and for the loop while an RPC thread reads;
Python's own 5 ms would be longer than the sync."""
GC_THRESHOLDS: Final = (20_000, 20, 20)
"""When to search for reference cycles. Transactions and records have none and live for some blocks;
by Python's own thresholds a full pool is searched several times a block, for half of what checking
its signatures costs. Cycles come from errors and ended requests, and can wait."""
STOP_AFTER_FAULT_S: Final = 1.0
"""Requests and links may end within this after a fault; then the process ends (consensus.md 30)."""
_LOG: Final = logging.getLogger("node")


@dataclass(frozen=True, slots=True, kw_only=True)
class Secrets:
    """What the key files of a node hold, in memory."""

    signer: Signer | None
    """None for an observer."""
    certificate_der: bytes
    tls_private_key_pem: bytes


def software_version() -> str:
    """Returns the installed release, or ``0+source`` where it runs from an unpacked tree."""
    try:
        return version("tanlian")
    except PackageNotFoundError:
        return "0+source"


def run_node(
    config_path: Path, ask: Callable[[str], str], *, profile_path: Path | None = None
) -> None:
    """Runs a node until SIGTERM or SIGINT.

    Args:
        config_path: its TOML file.
        ask: asks a person for the passphrase where the configuration names no other source.
        profile_path: file for a profile of the event loop (:mod:`node.profiling`); None for none.

    Raises:
        LocalError: anything on this host that has to be mended first; says what.
    """
    if not __debug__:
        raise LocalError("python -O: expected assertions on, got them switched off; run without -O")
    check_cryptography()
    config = load(config_path)
    configure(sys.stderr, level=config.log_level, node=config.name)
    with DirectoryLock(config.home):
        genesis = load_genesis(config.genesis_path)
        secrets = open_secrets(config, ask)
        database = LevelDatabase(config.home / DATABASE_DIRECTORY, create=True)
        journal = open_journal(config)
        try:
            node = Node(config, genesis, secrets, ChainStore(database), journal)
            _suit_interpreter_to_node()
            with profiled(profile_path):
                uvloop.run(node.run())
        finally:
            journal.close()
            database.close()


def _suit_interpreter_to_node() -> None:
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    # What is here by now stays for good and is never searched for cycles.
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)


def open_secrets(config: NodeConfig, ask: Callable[[str], str]) -> Secrets:
    """Opens the key files with the passphrase that the configuration points to."""
    if config.passphrase_path is not None:
        passphrase = passphrase_from_file(config.passphrase_path)
    elif config.passphrase_credential is not None:
        passphrase = passphrase_from_credential(config.passphrase_credential)
    else:
        passphrase = passphrase_from_prompt(ask, is_new=False)
    tls = open_key_file(config.tls_key_path, purpose=Purpose.TLS, passphrase=passphrase)
    signer = None
    if config.consensus_key_path is not None:
        opened = open_key_file(
            config.consensus_key_path, purpose=Purpose.CONSENSUS, passphrase=passphrase
        )
        signer = Ed25519Signer(opened.secret)
    return Secrets(signer=signer, certificate_der=tls.public_key, tls_private_key_pem=tls.secret)


def open_journal(config: NodeConfig) -> DurableJournal | NoJournal:
    """Opens journal and guard; an observer signs nothing and has neither."""
    if config.consensus_key_path is None:
        return NoJournal()
    return DurableJournal(config.home)


class Node:
    """All parts of one running node."""

    def __init__(
        self,
        config: NodeConfig,
        genesis: Genesis,
        secrets: Secrets,
        store: ChainStore,
        journal: JournalStore,
    ) -> None:
        self._config = config
        contracts = ContractsRuntime()
        member = _member_of(genesis, secrets.certificate_der)
        _check_identity(member, config, secrets)
        kernel = build_kernel(
            genesis=genesis,
            store=store,
            journal=journal,
            contracts=contracts,
            signer=secrets.signer,
            scheme=ED25519,
            settings=_settings_of(config, member_count=len(genesis.members)),
            verify=verifier_of(ED25519, config.verify_threads or threads_by_default()),
        )
        metrics = NodeMetrics(version=software_version(), node=config.name, role=config.role.value)
        clock = SystemClock()
        self._transport = Transport(
            local=LocalIdentity(
                node_id=member.consensus_key,
                chain_id=genesis.chain_id,
                role=Role(config.role.value),
                certificate_der=secrets.certificate_der,
                private_key_pem=secrets.tls_private_key_pem,
                software=f"tanlian {software_version()}",
            ),
            listen_host=config.p2p_host,
            listen_port=config.p2p_port,
            registry=peer_records(genesis),
            on_message=on_message(self._receive),
            on_link=lambda peer, is_up: self._link_changed(peer, is_up=is_up),
        )
        self._runtime = Runtime(
            kernel=kernel,
            store=store,
            journal=journal,
            links=TransportLinks(self._transport),
            clock=clock,
            telemetry=Telemetry(metrics=metrics, genesis=genesis),
        )
        self._service = Service(
            Surroundings(config=config, genesis=genesis, member=member, version=software_version()),
            store=store,
            kernel=kernel,
            runtime=self._runtime,
        )
        self._sampler = Sampler(
            metrics,
            kernel=kernel,
            clock=clock,
            snapshot=self._transport.snapshot,
            home=config.home,
        )
        self._rpc = RpcServer(
            self._service,
            metrics,
            host=config.rpc_host,
            port=config.rpc_port,
            metrics_host=config.metrics_host,
            metrics_port=config.metrics_port,
        )

    async def run(self) -> None:
        """Starts everything, runs until a signal or a fault, and stops in order."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._runtime.stop)
        try:
            await self._transport.start()
            await self._rpc.start()
        except OSError as error:
            raise LocalError(
                f"{self._config.name}: cannot listen: {error}; is another node running on this "
                "port? Ports are named in the configuration"
            ) from error
        _LOG.info("started", extra={"p2p": self._transport.port, "rpc": self._config.rpc_port})
        if reason := self._service.readiness().reason:
            _LOG.warning("takes no transactions yet", extra={"reason": reason})
        self._sampler.start()
        patience_s: float | None = None
        try:
            await self._runtime.run()
        except Exception:
            # Said before anything else: no request under way may keep a faulty node alive.
            _LOG.critical("ended by a fault", exc_info=True)
            patience_s = STOP_AFTER_FAULT_S
            raise
        finally:
            self._sampler.stop()
            with suppress(TimeoutError):
                async with asyncio.timeout(patience_s):
                    await self._rpc.stop()
                    await self._transport.stop()
            _LOG.info("stopped")

    def _receive(self, peer: PublicKey, traffic: Traffic, payload: bytes) -> None:
        self._runtime.receive(peer, traffic, payload)

    def _link_changed(self, peer: PublicKey, *, is_up: bool) -> None:
        self._service.link_changed(peer, is_up=is_up)
        self._runtime.link_changed(peer, is_up=is_up)


def _settings_of(config: NodeConfig, member_count: int) -> KernelSettings:
    return KernelSettings(
        replica=ReplicaConfig(
            t0_ms=config.t0_ms,
            status_interval_ms=config.status_interval_ms,
            censorship_timeout_ms=config.censorship_timeout_ms,
        ),
        pool=MempoolLimits(
            transactions_max=config.mempool_transactions_max,
            bytes_max=config.mempool_bytes_max,
            per_sender_max=config.mempool_sender_transactions_max,
            per_sender_own_max=config.sender_share(member_count),
        ),
    )


def _member_of(genesis: Genesis, certificate_der: bytes) -> Member:
    for member in genesis.members:
        if member.tls_certificate == certificate_der:
            return member
    raise LocalError(
        f"tls key: expected the key of one of the {len(genesis.members)} members of network "
        f"{genesis.network}, got one that no member registered; check tls_key_path and genesis_path"
    )


def _check_identity(member: Member, config: NodeConfig, secrets: Secrets) -> None:
    """Checks that configuration and consensus key are of the member whose TLS key this is.

    Two nodes that voted with one key would contradict each other under one name, and a node with
    a key of its own would vote without being heard.

    Raises:
        LocalError: another role or another key.
    """
    registered = member.role.name.lower()
    if config.role.value != registered:
        raise LocalError(
            f"role: expected {registered!r}, as {member.node_id} is registered in the genesis, got "
            f"{config.role.value!r}; check role and tls_key_path in the configuration"
        )
    if secrets.signer is not None and secrets.signer.public_key != member.consensus_key:
        raise LocalError(
            f"consensus key: expected {member.consensus_key.hex()}, which {member.node_id} "
            f"registered, got {secrets.signer.public_key.hex()}; check consensus_key_path in the "
            "configuration"
        )
