"""A lost guard is replaced only where it is lost, and never below what the node has seen."""

from pathlib import Path

import pytest

from consensus.sign_guard import SignGuard
from node.durable_journal import GUARD_NAME, DurableJournal
from node.errors import LocalError
from node.guard_acceptance import GuardRefused, accept_guard
from node.leveldb import LevelDatabase
from node.provisioning import DATABASE_DIRECTORY, Network, create_network
from tests import chain_samples as samples
from tests.kernel_samples import commit_block, new_store, new_workshop
from tests.unit.node.test_provisioning import plan


@pytest.fixture
def network(tmp_path: Path) -> Network:
    return create_network(tmp_path / "net", plan())


def guard_of(home: Path) -> SignGuard | None:
    journal = DurableJournal(home)
    try:
        loaded = journal.load_guard()
    finally:
        journal.close()
    return None if loaded is None else SignGuard.decode(loaded)


def test_a_lost_guard_is_replaced_by_one_that_refuses_the_past(network: Network) -> None:
    home = network.nodes[0].home
    (home / GUARD_NAME).unlink()
    assert guard_of(home) is None

    accept_guard(home, 7)

    assert guard_of(home) == SignGuard(after_height=7, last=None)


def test_a_guard_in_order_stays(network: Network) -> None:
    home = network.nodes[0].home

    with pytest.raises(GuardRefused, match="nothing to accept"):
        accept_guard(home, 7)

    assert guard_of(home) == SignGuard()


def test_an_observer_has_no_guard(network: Network) -> None:
    with pytest.raises(GuardRefused, match="signs nothing"):
        accept_guard(network.nodes[4].home, 7)


def test_a_height_below_the_own_head_is_refused(network: Network) -> None:
    home = network.nodes[0].home
    (home / GUARD_NAME).unlink()
    genesis = samples.genesis()
    database = LevelDatabase(home / DATABASE_DIRECTORY, create=True)
    store = new_store(genesis, database)
    workshop = new_workshop(genesis, store)
    for _ in range(2):
        commit_block(genesis, store, workshop, [])
    database.close()

    with pytest.raises(GuardRefused, match="expected at least 2"):
        accept_guard(home, 1)
    accept_guard(home, 2)


def test_a_home_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LocalError, match=str(tmp_path)):
        accept_guard(tmp_path, 7)
