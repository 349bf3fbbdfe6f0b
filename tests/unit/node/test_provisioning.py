"""A network directory is complete, private where it must be, and never written twice."""

import stat
from pathlib import Path

import pytest

from chain.errors import InvalidGenesis
from chain.member import MemberRole
from chain.parameters import Parameters
from node.config import NodeRole, load
from node.genesis_file import load_genesis
from node.keystore import THROW_AWAY_COST, Purpose, open_key_file, passphrase_from_file
from node.provisioning import (
    Network,
    NetworkError,
    NetworkPlan,
    OrganisationPlan,
    create_network,
    free_ports,
    load_network,
)


def plan(validators: int = 4, observers: int = 1) -> NetworkPlan:
    roles = [MemberRole.VALIDATOR] * validators + [MemberRole.OBSERVER] * observers
    return NetworkPlan(
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
        ports=tuple((7_000 + 10 * n, 7_001 + 10 * n, 7_002 + 10 * n) for n in range(len(roles))),
        cost=THROW_AWAY_COST,
    )


@pytest.fixture
def network(tmp_path: Path) -> Network:
    return create_network(tmp_path / "net", plan())


def test_every_node_has_a_configuration_that_loads(network: Network) -> None:
    configs = [load(node.home / "config.toml") for node in network.nodes]

    assert [config.name for config in configs] == [f"node-{n}" for n in range(1, 6)]
    assert [config.role for config in configs] == [NodeRole.VALIDATOR] * 4 + [NodeRole.OBSERVER]
    assert all(config.genesis_path.samefile(network.genesis_path) for config in configs)


def test_the_genesis_names_the_keys_that_lie_in_the_homes(network: Network) -> None:
    genesis = load_genesis(network.genesis_path)

    for member, node in zip(genesis.members, network.nodes, strict=True):
        passphrase = passphrase_from_file(node.home / "passphrase")
        key = open_key_file(
            node.home / "keys" / "consensus.key",
            purpose=Purpose.CONSENSUS,
            passphrase=passphrase,
        )
        tls = open_key_file(
            node.home / "keys" / "tls.key", purpose=Purpose.TLS, passphrase=passphrase
        )
        assert key.public_key == member.consensus_key
        assert tls.public_key == member.tls_certificate


def test_each_organisation_has_its_admin_key(network: Network) -> None:
    genesis = load_genesis(network.genesis_path)
    passphrase = passphrase_from_file(network.accounts / "passphrase")

    for organisation in genesis.organisations:
        key = open_key_file(
            network.accounts / f"{organisation.id}-admin.key",
            purpose=Purpose.ACCOUNT,
            passphrase=passphrase,
        )
        assert key.public_key == organisation.admin_key


def test_secrets_are_for_their_owner_alone(network: Network) -> None:
    secrets = [*network.directory.rglob("*.key"), *network.directory.rglob("passphrase")]

    assert len(secrets) == 5 * 2 + 5 + 6
    assert {stat.S_IMODE(path.stat().st_mode) for path in secrets} == {0o600}


def test_passphrases_differ_between_nodes(network: Network) -> None:
    passphrases = {path.read_bytes() for path in network.directory.rglob("passphrase")}

    assert len(passphrases) == 6


def test_validators_have_journal_and_guard_and_observers_sign_nothing(network: Network) -> None:
    assert [(node.home / "sign-guard").exists() for node in network.nodes] == [True] * 4 + [False]


def test_a_network_is_read_back_as_it_was_made(network: Network) -> None:
    assert load_network(network.directory) == network


def test_a_directory_with_files_is_left_alone(network: Network) -> None:
    with pytest.raises(NetworkError, match="new or empty directory"):
        create_network(network.directory, plan())


def test_two_validators_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidGenesis, match="at least 4"):
        create_network(tmp_path / "net", plan(validators=2))


def test_an_absent_network_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(NetworkError, match="tanlian network init"):
        load_network(tmp_path)


def test_a_damaged_description_is_refused(network: Network) -> None:
    (network.directory / "network.json").write_text('{"name": 1}')

    with pytest.raises(NetworkError, match="expected a network description"):
        load_network(network.directory)


def test_free_ports_are_distinct() -> None:
    ports = free_ports(20)

    assert len(set(ports)) == 20
