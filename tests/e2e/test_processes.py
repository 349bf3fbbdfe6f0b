"""Real processes, killed without warning: the chain goes on and nothing acknowledged is lost."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from chain.crypto import ED25519
from contracts.runtime import ContractsRuntime
from node.devnet import Devnet
from node.errors import LocalError
from node.genesis_file import load_genesis
from node.leveldb import LevelDatabase
from node.provisioning import DATABASE_DIRECTORY, Network, NodeAddress
from node.verification import VerificationReport, verify_database
from tests.e2e.running_network import (
    Registrar,
    Submitting,
    assert_acknowledged_everywhere,
    heights,
    make_network,
    same_head,
    status,
    wait_until,
)

pytestmark = pytest.mark.e2e


@pytest.fixture
def network(tmp_path: Path) -> Network:
    return make_network(tmp_path / "net")


@pytest.fixture
def devnet(network: Network) -> Iterator[Devnet]:
    running = Devnet(network)
    running.start()
    try:
        running.wait_ready()
        yield running
    finally:
        running.stop()


def primary_of(network: Network) -> NodeAddress:
    name = status(network.nodes[0])["primary"]
    return next(node for node in network.nodes if node.node_id == name)


def verify_node(node: NodeAddress, network: Network) -> VerificationReport:
    database = LevelDatabase(node.home / DATABASE_DIRECTORY, create=False)
    try:
        return verify_database(
            database,
            genesis=load_genesis(network.genesis_path),
            contracts=ContractsRuntime(),
            scheme=ED25519,
        )
    finally:
        database.close()


def test_commits_go_on_within_three_seconds_of_a_killed_primary(
    devnet: Devnet, network: Network
) -> None:
    registrar = Registrar(network)
    wait_until(
        lambda: registrar.register(network.nodes[0]) is not None, seconds=15, what="a first block"
    )
    primary = primary_of(network)
    others = [node for node in network.nodes if node is not primary]
    with Submitting(registrar, others):
        wait_until(lambda: len(registrar.acknowledged) > 10, seconds=15, what="a steady flow")

        devnet.kill(primary.node_id)
        before = max(int(status(node)["height"]) for node in others)
        wait_until(
            lambda: all(int(status(node)["height"]) > before + 1 for node in others),
            seconds=3,
            what="commits without the killed primary",
        )

        devnet.start([primary.node_id])
        devnet.wait_ready([primary.node_id])
        wait_until(
            lambda: int(status(primary)["height"]) >= before + 1,
            seconds=15,
            what="the killed node catching up",
        )
    wait_until(lambda: same_head(network), seconds=15, what="one head on all five nodes")
    assert_acknowledged_everywhere(registrar, network)


def test_the_chain_goes_on_by_itself_after_all_nodes_were_killed_at_once(
    devnet: Devnet, network: Network
) -> None:
    registrar = Registrar(network)
    with Submitting(registrar, list(network.nodes)):
        wait_until(lambda: len(registrar.acknowledged) > 10, seconds=15, what="a steady flow")
        for node in network.nodes:
            devnet.kill(node.node_id)

    devnet.start()
    devnet.wait_ready()

    before = max(heights(network))
    wait_until(
        lambda: min(heights(network)) > before, seconds=15, what="heartbeat blocks by themselves"
    )
    wait_until(
        lambda: registrar.register(network.nodes[4]) is not None,
        seconds=10,
        what="a new transaction through the observer",
    )
    wait_until(lambda: same_head(network), seconds=15, what="one head on all five nodes")
    assert_acknowledged_everywhere(registrar, network)


def test_stopped_nodes_leave_data_that_verifies_and_a_flipped_byte_is_found(
    devnet: Devnet, network: Network, tmp_path: Path
) -> None:
    registrar = Registrar(network)
    wait_until(
        lambda: registrar.register(network.nodes[0]) is not None, seconds=15, what="a first block"
    )
    wait_until(lambda: same_head(network), seconds=15, what="one head")
    devnet.stop()

    reports = [verify_node(node, network) for node in network.nodes]

    assert len({(each.chain_id) for each in reports}) == 1
    assert min(each.transaction_count for each in reports) >= 1
    node = network.nodes[0]
    database = node.home / DATABASE_DIRECTORY
    whole = shutil.copytree(database, tmp_path / "whole")
    # Opening has moved the log into tables. Blocks of data come first in a table; the filter near
    # its end is redundant, and LevelDB ignores one whose checksum is wrong.
    damaged = max(whole.glob("*.ldb"), key=lambda path: path.stat().st_size)
    content = damaged.read_bytes()
    for tenth in range(1, 6):
        offset = len(content) * tenth // 10
        shutil.rmtree(database)
        shutil.copytree(whole, database)
        flipped = bytes([content[offset] ^ 1])
        (database / damaged.name).write_bytes(content[:offset] + flipped + content[offset + 1 :])
        with pytest.raises(LocalError):
            verify_node(node, network)
