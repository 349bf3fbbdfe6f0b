"""Runs the nodes of a network directory as separate processes of this host.

For development, demonstrations and tests. Each node is the same process that `tanlian node run`
is; this module only starts, watches and stops it. What a node prints goes to ``node.log`` in its
home; its process id stands in ``LOCK``, which the node itself holds.
"""

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from typing import BinaryIO, Final
from urllib.parse import urlsplit

from node.disk import LOCK_NAME, PID_BYTES_MAX
from node.errors import LocalError
from node.provisioning import CONFIG_FILE, Network, NodeAddress

LOG_FILE: Final = "node.log"
READY_TIMEOUT_S: Final = 30.0
"""A node opens in about a second; a machine under load may take longer."""
STOP_TIMEOUT_S: Final = 15.0
"""A node stops after the step that it is in."""
_POLL_S: Final = 0.05


class DevnetError(LocalError):
    """A node did not start, is not ready in time or does not stop."""


@dataclass(slots=True)
class NodeProcess:
    """One node that this process started."""

    address: NodeAddress
    process: subprocess.Popen[bytes]

    @property
    def is_running(self) -> bool:
        """Returns whether the process lives."""
        return self.process.poll() is None


class Devnet:
    """The nodes of one network, started and stopped together or one by one."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self._processes: dict[str, NodeProcess] = {}

    def start(self, node_ids: Sequence[str] | None = None) -> None:
        """Starts all nodes, or some of them; returns before they are ready."""
        for address in self.network.nodes:
            if node_ids is None or address.node_id in node_ids:
                self._processes[address.node_id] = _start(address)

    def wait_ready(self, node_ids: Sequence[str] | None = None) -> None:
        """Waits until nodes answer that they are ready.

        Raises:
            DevnetError: one ended or took too long; quotes the end of its log.
        """
        deadline = time.monotonic() + READY_TIMEOUT_S
        for node_id, node in self._processes.items():
            if node_ids is not None and node_id not in node_ids:
                continue
            while reason := why_not_ready(node.address):
                if not node.is_running:
                    raise DevnetError(_ended(node))
                if time.monotonic() > deadline:
                    raise DevnetError(
                        f"{node_id}: expected to be ready within {READY_TIMEOUT_S:.0f} s, got: "
                        f"{reason}; see {node.address.home / LOG_FILE}"
                    )
                time.sleep(_POLL_S)

    def ended(self) -> list[str]:
        """Returns what to say of each node that ended by itself."""
        return [_ended(node) for node in self._processes.values() if not node.is_running]

    def kill(self, node_id: str) -> None:
        """Ends one node without warning, as a crash would (SIGKILL)."""
        node = self._processes.pop(node_id)
        node.process.kill()
        node.process.wait()

    def pause(self, node_id: str) -> None:
        """Stops a node's clock, as a frozen host would (SIGSTOP)."""
        self._processes[node_id].process.send_signal(signal.SIGSTOP)

    def resume(self, node_id: str) -> None:
        """Lets a paused node go on (SIGCONT)."""
        self._processes[node_id].process.send_signal(signal.SIGCONT)

    def process_id(self, node_id: str) -> int:
        """Returns the process id of a running node."""
        return self._processes[node_id].process.pid

    def stop(self) -> None:
        """Asks all nodes to stop (SIGTERM) and waits; kills what does not."""
        for node in self._processes.values():
            if node.is_running:
                node.process.terminate()
        deadline = time.monotonic() + STOP_TIMEOUT_S
        for node in self._processes.values():
            try:
                node.process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                node.process.kill()
                node.process.wait()
        self._processes.clear()


def why_not_ready(address: NodeAddress) -> str:
    """Returns what a node says against sending it transactions; empty where it is ready."""
    url = urlsplit(address.rpc_url)
    assert url.hostname is not None, "a network's description holds whole addresses"
    connection = HTTPConnection(url.hostname, url.port, timeout=2)
    try:
        connection.request("GET", "/readyz")
        answer = connection.getresponse()
        return "" if answer.status == 200 else str(json.load(answer)["detail"])
    except (HTTPException, OSError, ValueError, KeyError):
        return "no answer"
    finally:
        connection.close()


def running_process_id(address: NodeAddress) -> int | None:
    """Returns the process id that holds a node's home, or None where nobody does.

    An id alone proves nothing: after a crash it stays in the file, and the system gives it to
    another process in time, which must not be stopped. The lock ends with its holder.
    """
    try:
        with (address.home / LOCK_NAME).open("rb") as lock:
            process_id = int(lock.read(PID_BYTES_MAX))
            os.kill(process_id, 0)
            return process_id if _is_held(lock) else None
    except (OSError, ValueError, OverflowError):
        return None


def _is_held(lock: BinaryIO) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    return False


def stop_running(network: Network, node_ids: Sequence[str]) -> list[str]:
    """Stops those of some nodes that run, whoever started them.

    Returns:
        Ids of the nodes that were running and are not any more.

    Raises:
        DevnetError: one of them does not stop.
    """
    running = {
        address.node_id: process_id
        for address in network.nodes
        if address.node_id in node_ids and (process_id := running_process_id(address)) is not None
    }
    for process_id in running.values():
        os.kill(process_id, signal.SIGTERM)
    deadline = time.monotonic() + STOP_TIMEOUT_S
    for address in network.nodes:
        while address.node_id in running and running_process_id(address) is not None:
            if time.monotonic() > deadline:
                raise DevnetError(
                    f"{address.node_id}: process {running[address.node_id]} did not stop within "
                    f"{STOP_TIMEOUT_S:.0f} s; look at {address.home / LOG_FILE}"
                )
            time.sleep(_POLL_S)
    return list(running)


def _start(address: NodeAddress) -> NodeProcess:
    with (address.home / LOG_FILE).open("ab") as log:
        process = subprocess.Popen(  # noqa: S603  # our own interpreter and module, no shell
            [sys.executable, "-m", "node", str(address.home / CONFIG_FILE)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            # Ctrl-C in the terminal is for the command that started us; it stops us in order.
            start_new_session=True,
        )
    return NodeProcess(address, process)


def _ended(node: NodeProcess) -> str:
    log = node.address.home / LOG_FILE
    tail = log.read_text(encoding="utf-8", errors="replace").splitlines()[-5:]
    return (
        f"{node.address.node_id}: ended with code {node.process.returncode}; the end of {log}:\n"
        + "\n".join(f"  {line}" for line in tail)
    )
