"""What a node says of itself and of its peers, for people."""

from typing import Any

import pytest

from client.synchronous import SyncTanlianClient
from tests.command_node import CommandNode


def validator(name: str, *, is_missing: bool) -> dict[str, Any]:
    return {"name": name, "is_missing": is_missing}


@pytest.mark.parametrize(
    ("missing", "reason", "said"),
    [
        ((), None, "nobody"),
        (("node-2", "node-3"), None, "node-2, node-3"),
        (("node-1", "node-2"), "roots differ", "node-2, node-1 (roots differ)"),
    ],
)
def test_validators_that_do_not_vote_are_named(
    node: CommandNode,
    monkeypatch: pytest.MonkeyPatch,
    missing: tuple[str, ...],
    reason: str | None,
    said: str,
) -> None:
    status = node.read("/v1/status") | {
        "name": "node-1",
        "validators": [
            validator(name, is_missing=name in missing) for name in ("node-1", "node-2", "node-3")
        ],
        "observing_reason": reason,
    }
    monkeypatch.setattr(SyncTanlianClient, "status", lambda _: status)

    shown = node.run("node", "status")

    assert f"\nnot voting     {said}\n" in shown
