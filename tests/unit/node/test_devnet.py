"""Who holds a node's home: the lock tells, and not the process id that stands in it."""

import os
import socket
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from chain.member import MemberRole
from node.devnet import running_process_id, why_not_ready
from node.disk import DirectoryLock
from node.provisioning import NodeAddress


@pytest.fixture
def address(tmp_path: Path) -> NodeAddress:
    return NodeAddress(
        node_id="node-1",
        organisation="member-1",
        role=MemberRole.VALIDATOR.name.lower(),
        home=tmp_path,
        rpc_url="http://127.0.0.1:1",
        metrics_url="http://127.0.0.1:2/metrics",
    )


def test_the_holder_of_the_lock_runs(address: NodeAddress) -> None:
    with DirectoryLock(address.home):
        assert running_process_id(address) == os.getpid()


def test_an_id_that_another_process_has_by_now_is_not_the_nodes(address: NodeAddress) -> None:
    (address.home / "LOCK").write_text(f"{os.getpid()}\n")

    assert running_process_id(address) is None


@pytest.mark.parametrize("content", ["", "x", "9" * 30])
def test_a_lock_file_without_a_process_id_is_nobodys(address: NodeAddress, content: str) -> None:
    (address.home / "LOCK").write_text(content)

    assert running_process_id(address) is None


def test_a_home_without_a_lock_file_is_nobodys(address: NodeAddress) -> None:
    assert running_process_id(address) is None


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"HTTP/1.0 200 OK\r\n\r\n{}", ""),
        (b'HTTP/1.0 503 No\r\n\r\n{"detail": "disk: too full"}', "disk: too full"),
        (b"HTTP/1.0 503 No\r\n\r\n<html>", "no answer"),
        (b"", "no answer"),
    ],
)
def test_a_node_says_why_it_is_not_ready(address: NodeAddress, answer: bytes, reason: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65_536)
                connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        asked = replace(address, rpc_url=f"http://127.0.0.1:{server.getsockname()[1]}")
        assert why_not_ready(asked) == reason
        thread.join()
