"""A chain for the commands under test."""

from collections.abc import Iterator

import pytest

from tests.command_node import CommandNode, found_plant


@pytest.fixture
def node(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[CommandNode]:
    """A chain that commits at once, its administrator at the keyboard."""
    with CommandNode(capsys, monkeypatch) as found:
        yield found


@pytest.fixture
def plant(node: CommandNode) -> CommandNode:
    """The chain with the site `plant`, its meter `main` and the series `kr-grid`."""
    found_plant(node)
    return node
