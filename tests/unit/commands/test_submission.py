"""What a person is told of a transaction whose fate is open."""

import re

import pytest

from client.synchronous import SyncTanlianClient
from tests.command_node import CommandNode
from tests.rpc_node import ADMIN

DISABLE = ("account", "disable", ADMIN.public_key.hex(), "--reason", "left")


def test_ctrl_c_while_waiting_names_the_transaction_that_may_be_committed_yet(
    node: CommandNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    def press(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(SyncTanlianClient, "send_and_wait", press)

    said = node.fails(*DISABLE)

    assert re.fullmatch(
        r"Error: stopped waiting for transaction ([0-9a-f]{64}); it may be committed yet: ask with "
        r"`tanlian reading trace \1` before you give the command again\n",
        said,
    )


def test_an_open_fate_is_told_with_the_obstacle_and_how_to_ask(
    node: CommandNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("commands.target.PATIENCE_S", 0.1)
    node.node.refuses_all_with = "BUSY"

    said = node.fails(*DISABLE)

    assert re.match(r"Error: unresolved: BUSY: .*\(transaction ([0-9a-f]{64})\); it may be", said)
    assert "`tanlian reading trace " in said
