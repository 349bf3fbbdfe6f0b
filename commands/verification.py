"""Offline verification of a node's home, with its progress."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from chain.crypto import ED25519
from chain.genesis import Genesis
from chain.state import State
from commands.input_file import CONFIG, check_file
from contracts.report_document import ComputedAt, ReportRequest, build_document
from contracts.runtime import ContractsRuntime
from node.config import load
from node.disk import DirectoryLock
from node.genesis_file import load_genesis
from node.leveldb import LevelDatabase
from node.provisioning import CONFIG_FILE, DATABASE_DIRECTORY
from node.verification import replay_until, verify_database


def verify_home(home: Path, *, is_quiet: bool) -> dict[str, object]:
    """Verifies the database of a node that does not run.

    Args:
        home: its home directory.
        is_quiet: whether no progress is shown.

    Raises:
        LocalError: no such home, a running node, or data that is not what the chain says.
    """
    with _opened(home, is_quiet=is_quiet) as opened:
        report = verify_database(
            opened.database,
            genesis=opened.genesis,
            contracts=ContractsRuntime(),
            scheme=ED25519,
            on_block=opened.on_block,
        )
    return {
        "chain_id": report.chain_id.hex(),
        "height": report.height,
        "head": report.block_hash.hex(),
        "state_root": report.state_root.hex(),
        "blocks": report.block_count,
        "transactions": report.transaction_count,
        "entries": report.entry_count,
    }


def document_at(
    home: Path, request: ReportRequest, height: int, *, is_quiet: bool
) -> dict[str, object]:
    """Builds a report's document from the state after a block, by executing the chain again.

    Args:
        home: home directory of a node that does not run.
        request: which report.
        height: of the block.
        is_quiet: whether no progress is shown.

    Raises:
        LocalError: no such home, a running node, or data that is not what the chain says.
        ContractRefusal: the state has no such report.
    """
    with _opened(home, is_quiet=is_quiet) as opened:
        store = replay_until(
            opened.database,
            height,
            genesis=opened.genesis,
            contracts=ContractsRuntime(),
            scheme=ED25519,
            on_block=opened.on_block,
        )
    header = store.header(height)
    assert header is not None, "the block was executed"
    at = ComputedAt(
        chain_id=opened.genesis.chain_id,
        height=height,
        state_root=header.state_root,
        time_ms=header.time_ms,
    )
    return build_document(State(store), request, at)


@dataclass(frozen=True, slots=True)
class _Opened:
    """The data of a node that does not run."""

    database: LevelDatabase
    genesis: Genesis
    on_block: Callable[[int, int], None]
    """Shows progress."""


@contextmanager
def _opened(home: Path, *, is_quiet: bool) -> Iterator[_Opened]:
    check_file(home / CONFIG_FILE, CONFIG)
    config = load(home / CONFIG_FILE)
    genesis = load_genesis(config.genesis_path)
    columns = (TextColumn("verifying"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with (
        DirectoryLock(config.home),
        Progress(*columns, console=Console(stderr=True), disable=is_quiet) as progress,
    ):
        task = progress.add_task("blocks", total=None)
        database = LevelDatabase(config.home / DATABASE_DIRECTORY, create=False)

        def show(height: int, head: int) -> None:
            progress.update(task, completed=height, total=head)

        try:
            yield _Opened(database, genesis, show)
        finally:
            database.close()
