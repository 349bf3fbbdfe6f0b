"""Offline verification of a node's home, with its progress."""

from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from chain.crypto import ED25519
from contracts.runtime import ContractsRuntime
from node.config import load
from node.disk import DirectoryLock
from node.genesis_file import load_genesis
from node.leveldb import LevelDatabase
from node.provisioning import CONFIG_FILE, DATABASE_DIRECTORY
from node.verification import verify_database


def verify_home(home: Path, *, is_quiet: bool) -> dict[str, object]:
    """Verifies the database of a node that does not run.

    Args:
        home: its home directory.
        is_quiet: whether no progress is shown.

    Raises:
        LocalError: no such home, a running node, or data that is not what the chain says.
    """
    config = load(home / CONFIG_FILE)
    genesis = load_genesis(config.genesis_path)
    columns = (TextColumn("verifying"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with (
        DirectoryLock(config.home),
        Progress(*columns, console=Console(stderr=True), disable=is_quiet) as progress,
    ):
        task = progress.add_task("blocks", total=None)
        database = LevelDatabase(config.home / DATABASE_DIRECTORY, create=False)
        try:
            report = verify_database(
                database,
                genesis=genesis,
                contracts=ContractsRuntime(),
                scheme=ED25519,
                on_block=lambda height, head: progress.update(task, completed=height, total=head),
            )
        finally:
            database.close()
    return {
        "chain_id": report.chain_id.hex(),
        "height": report.height,
        "head": report.block_hash.hex(),
        "state_root": report.state_root.hex(),
        "blocks": report.block_count,
        "transactions": report.transaction_count,
        "entries": report.entry_count,
    }
