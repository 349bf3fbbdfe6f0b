"""Replacing a lost sign guard, which only an operator can answer for (consensus.md 6)."""

from pathlib import Path

from chain.types import Height
from consensus.sign_guard import accepted_guard
from node.config import load
from node.disk import DirectoryLock
from node.durable_journal import DurableJournal
from node.errors import LocalError
from node.leveldb import LevelDatabase
from node.provisioning import CONFIG_FILE, DATABASE_DIRECTORY
from node.storage import ChainStore


class GuardRefused(LocalError):
    """There is nothing to accept here, or the height would allow a second vote."""


def accept_guard(home: Path, after_height: Height) -> None:
    """Starts a new guard in place of a lost one.

    Args:
        home: a validator's home; its node does not run.
        after_height: nothing at or below it is ever signed; the node votes once it holds a
            commit certificate beyond it.

    Raises:
        GuardRefused: an observer, a guard in order, or a height below the node's own head.
        LocalError: no such home, or a running node.
    """
    config = load(home / CONFIG_FILE)
    if config.consensus_key_path is None:
        raise GuardRefused(f"{home}: expected a validator, got an observer, which signs nothing")
    with DirectoryLock(config.home):
        head_height = _head_height(config.home / DATABASE_DIRECTORY)
        if after_height < head_height:
            raise GuardRefused(
                f"--after-height: expected at least {head_height}, the height of this node's own "
                f"head, got {after_height}"
            )
        journal = DurableJournal(config.home)
        try:
            if journal.load_guard() is not None:
                raise GuardRefused(
                    f"{home}: expected a lost guard, found one in order; there is nothing to accept"
                )
            journal.replace_lost_guard(accepted_guard(after_height=after_height))
        finally:
            journal.close()


def _head_height(path: Path) -> Height:
    if not path.exists():
        return 0
    database = LevelDatabase(path, create=False)
    try:
        return ChainStore(database).head_height()
    finally:
        database.close()
