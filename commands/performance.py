"""Running the demonstration: the network's processes, the play, the summary, and the end."""

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import uvloop
from rich.console import Console

from commands.interruption import announce_stop, ended_like_ctrl_c
from commands.output import fail, print_json_line, say, warn
from commands.target import remember_network
from demo import cast
from demo.founding import found_network
from demo.play import play
from demo.report import Report, print_report
from demo.screen import Screen
from demo.stage import Stage
from node.devnet import Devnet
from node.keystore import THROW_AWAY_COST
from node.provisioning import Network

HEARTBEAT_MS: Final = 5_000
"""Longest time between two blocks, so that silence is noticed before people lose patience."""


def perform(started_s: float, *, keep: Path | None, is_once: bool, as_json: bool) -> None:
    """Performs the demonstration.

    Args:
        started_s: monotonic clock at the start of the command.
        keep: new directory for the network, which then stays; None for a throw-away one.
        is_once: whether it ends after the summary.
        as_json: whether the last line on standard output is the summary as JSON.

    Raises:
        CommandFailed: something expected was not found, or nodes differ.
    """
    console = Console(stderr=as_json)
    with ended_like_ctrl_c(), _directory(keep) as directory:
        network = found_network(
            directory,
            cast.organisations(),
            max_block_interval_ms=HEARTBEAT_MS,
            cost=THROW_AWAY_COST,
        )
        devnet = Devnet(network)
        try:
            devnet.start()
            devnet.wait_ready()
            console.print(
                f"Five nodes run after {time.monotonic() - started_s:.1f} s: four validators of "
                "four organisations, one observer of a certification body."
            )
            report = _play(network, console, started_s)
            print_report(report, console)
            faults = report.faults()
            if not is_once:
                if keep is not None:
                    remember_network(network.directory)
                _linger(devnet, network, faults)
        finally:
            announce_stop()
            devnet.stop()
    if as_json:
        print_json_line(report.to_json())
    if faults:
        fail("\n  ".join(["not everything was found as expected:", *faults]))


def _play(network: Network, console: Console, started_s: float) -> Report:
    async def run() -> Report:
        async with Stage(network) as stage:
            with Screen(console) as screen:
                return await play(stage, screen, started_s)

    try:
        return uvloop.run(run())
    except BaseExceptionGroup as group:
        # What failed first has cancelled the rest; one sentence about it is enough.
        raise _first_leaf(group) from group


def _first_leaf(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _linger(devnet: Devnet, network: Network, faults: list[str]) -> None:
    """Lets people look around until Ctrl-C."""
    for fault in faults:
        warn(f"NOT AS EXPECTED: {fault}")
    where = f"--network {network.directory}"
    say(
        "",
        "The network runs until Ctrl-C. To look around, in another shell:",
        f"  tanlian alert list {where} --meter {cast.MARKED_METER}",
        f"  tanlian alert show {where} {cast.MARKED_METER}.08.000001",
        f"  tanlian baseline show {where} {cast.STEEL_METER}",
        f"  tanlian reading list {where} {cast.STEEL_METER} --limit 20",
        f"  tanlian network status {network.directory}",
        f"  curl {network.nodes[0].rpc_url}/v1/status",
    )
    try:
        while not (ended := devnet.ended()):
            time.sleep(0.5)
    except KeyboardInterrupt:
        return
    fail("\n".join(ended))


@contextmanager
def _directory(keep: Path | None) -> Iterator[Path]:
    if keep is not None:
        yield keep
        return
    directory = Path(tempfile.mkdtemp(prefix="tanlian-demo-"))
    try:
        yield directory
    finally:
        shutil.rmtree(directory)
