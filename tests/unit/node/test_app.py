"""What a node refuses before it touches the network, and how it opens its secrets."""

import asyncio
import subprocess
import sys
from dataclasses import replace
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from chain.crypto import Ed25519Signer
from chain.genesis import Genesis
from chain.member import MemberRole
from chain.parameters import Parameters
from node.app import Node, Secrets, open_journal, open_secrets, run_node, software_version
from node.config import ConfigError, NodeConfig, load
from node.disk import DirectoryLock, HomeLocked
from node.durable_journal import DurableJournal
from node.errors import LocalError
from node.genesis_file import load_genesis
from node.journals import NoJournal
from node.keystore import CREDENTIALS_DIRECTORY_VARIABLE, THROW_AWAY_COST, WrongPassphrase
from node.memory_database import MemoryDatabase
from node.provisioning import Network, NetworkPlan, OrganisationPlan, create_network
from node.rpc.server import RpcServer
from node.runtime import Runtime
from node.storage import ChainStore
from p2p.identity import new_tls_identity
from p2p.transport import Transport

ROOT = Path(__file__).parents[3]


def refuse_to_answer(prompt: str) -> str:
    raise AssertionError(prompt)


@pytest.fixture
def network(tmp_path: Path) -> Network:
    """One validator and one observer."""
    roles = (MemberRole.VALIDATOR, MemberRole.OBSERVER)
    plan = NetworkPlan(
        name="test",
        organisations=tuple(
            OrganisationPlan(
                organisation=f"org-{number}",
                name=f"Organisation {number}",
                node_id=f"node-{number}",
                role=role,
            )
            for number, role in enumerate(roles, 1)
        ),
        parameters=Parameters(),
        time_ms=1_700_000_000_000,
        ports=((1, 2, 3), (4, 5, 6)),
        cost=THROW_AWAY_COST,
    )
    return create_network(tmp_path / "net", plan)


@pytest.fixture
def configs(network: Network) -> list[NodeConfig]:
    return [load(node.home / "config.toml") for node in network.nodes]


@pytest.fixture
def genesis(network: Network) -> Genesis:
    return load_genesis(network.genesis_path)


def test_a_validator_opens_both_keys_and_an_observer_one(
    configs: list[NodeConfig], genesis: Genesis
) -> None:
    validator, observer = (open_secrets(config, refuse_to_answer) for config in configs)

    assert validator.signer is not None
    assert validator.signer.public_key == genesis.members[0].consensus_key
    assert validator.certificate_der == genesis.members[0].tls_certificate
    assert observer.signer is None
    assert observer.certificate_der == genesis.members[1].tls_certificate


def test_the_passphrase_comes_from_a_credential_where_the_configuration_names_one(
    configs: list[NodeConfig], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(CREDENTIALS_DIRECTORY_VARIABLE, str(configs[0].home))
    config = replace(configs[0], passphrase_path=None, passphrase_credential="passphrase")

    assert open_secrets(config, refuse_to_answer).signer is not None


def test_a_person_is_asked_where_the_configuration_names_no_source(
    configs: list[NodeConfig],
) -> None:
    assert configs[0].passphrase_path is not None
    passphrase = configs[0].passphrase_path.read_text().strip()
    config = replace(configs[0], passphrase_path=None)
    asked: list[str] = []

    def answer(prompt: str) -> str:
        asked.append(prompt)
        return passphrase

    assert open_secrets(config, answer).signer is not None
    assert len(asked) == 1
    with pytest.raises(WrongPassphrase):
        open_secrets(config, lambda _: "another one")


def test_a_validator_has_a_journal_and_an_observer_none(configs: list[NodeConfig]) -> None:
    validator, observer = (open_journal(config) for config in configs)
    try:
        assert isinstance(validator, DurableJournal)
        assert isinstance(observer, NoJournal)
    finally:
        validator.close()


def test_a_certificate_that_no_member_registered_is_refused(
    configs: list[NodeConfig], genesis: Genesis
) -> None:
    certificate, private_key_pem = new_tls_identity()
    secrets = Secrets(
        signer=Ed25519Signer(b"k" * 32),
        certificate_der=certificate,
        tls_private_key_pem=private_key_pem,
    )

    with pytest.raises(LocalError, match="one of the 2 members of network test, got one that no"):
        Node(configs[0], genesis, secrets, ChainStore(MemoryDatabase()), NoJournal())


def test_another_members_consensus_key_is_refused(
    configs: list[NodeConfig], genesis: Genesis
) -> None:
    other = Ed25519Signer(b"k" * 32)
    secrets = replace(open_secrets(configs[0], refuse_to_answer), signer=other)

    with pytest.raises(LocalError, match="which node-1 registered") as e:
        Node(configs[0], genesis, secrets, ChainStore(MemoryDatabase()), NoJournal())

    assert f"got {other.public_key.hex()}; check consensus_key_path" in str(e.value)


def test_another_role_than_the_registered_one_is_refused(
    configs: list[NodeConfig], genesis: Genesis
) -> None:
    secrets = open_secrets(configs[0], refuse_to_answer)
    as_observer = replace(configs[0], role=configs[1].role)

    with pytest.raises(LocalError, match="role: expected 'validator', as node-1 is registered"):
        Node(as_observer, genesis, secrets, ChainStore(MemoryDatabase()), NoJournal())


@pytest.mark.asyncio
async def test_a_node_that_takes_no_transactions_says_why_in_its_log(
    configs: list[NodeConfig],
    genesis: Genesis,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    config = replace(configs[1], disk_free_bytes_min=2**50)
    secrets = open_secrets(config, refuse_to_answer)
    node = Node(config, genesis, secrets, ChainStore(MemoryDatabase()), NoJournal())
    for part in (Transport, RpcServer, Runtime):
        monkeypatch.setattr(part, "run" if part is Runtime else "start", do_nothing)
    monkeypatch.setattr(Transport, "port", 1)

    await asyncio.wait_for(node.run(), timeout=5)

    (warning,) = (each for each in caplog.records if each.levelname == "WARNING")
    assert warning.message == "takes no transactions yet"
    assert f"expected {2**50} free bytes" in vars(warning)["reason"]


def test_a_home_in_use_is_left_alone(configs: list[NodeConfig], network: Network) -> None:
    with DirectoryLock(configs[0].home), pytest.raises(HomeLocked):
        run_node(network.nodes[0].home / "config.toml", refuse_to_answer)

    assert not (configs[0].home / "database").exists()


def test_a_bad_configuration_ends_the_start(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="expected a readable file"):
        run_node(tmp_path / "absent.toml", refuse_to_answer)


def test_a_node_refuses_to_run_without_assertions(tmp_path: Path) -> None:
    finished = subprocess.run(
        [sys.executable, "-O", "-m", "node", str(tmp_path / "absent.toml")],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )

    assert finished.returncode == 1
    assert finished.stderr == (
        "python -O: expected assertions on, got them switched off; run without -O\n"
    )


def test_the_version_is_that_of_the_release(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("node.app.version", {"tanlian": "1.2.3"}.__getitem__)

    assert software_version() == "1.2.3"


def test_an_unpacked_tree_has_no_release(monkeypatch: pytest.MonkeyPatch) -> None:
    def not_installed(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr("node.app.version", not_installed)

    assert software_version() == "0+source"


async def do_nothing(part: object) -> None:
    del part


async def hang(part: object) -> None:
    """A request under way that does not end."""
    del part
    await asyncio.Event().wait()


@pytest.mark.asyncio
async def test_a_fault_is_named_in_the_log_and_ends_the_node_although_a_request_is_under_way(
    configs: list[NodeConfig],
    genesis: Genesis,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def break_down(runtime: Runtime) -> None:
        del runtime
        raise OSError("No space left on device")

    secrets = open_secrets(configs[1], refuse_to_answer)
    node = Node(configs[1], genesis, secrets, ChainStore(MemoryDatabase()), NoJournal())
    for part in (Transport, RpcServer):
        monkeypatch.setattr(part, "start", do_nothing)
    monkeypatch.setattr(Transport, "port", 1)
    monkeypatch.setattr(RpcServer, "stop", hang)
    monkeypatch.setattr(Runtime, "run", break_down)
    monkeypatch.setattr("node.app.STOP_AFTER_FAULT_S", 0.01)

    with pytest.raises(OSError, match="No space left on device"):
        await asyncio.wait_for(node.run(), timeout=5)

    (fault,) = (each for each in caplog.records if each.message == "ended by a fault")
    assert fault.levelname == "CRITICAL"
    assert fault.exc_info is not None
    assert str(fault.exc_info[1]) == "No space left on device"
