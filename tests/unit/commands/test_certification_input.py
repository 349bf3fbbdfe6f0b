"""What the steps of a certification read before they send."""

from typing import TYPE_CHECKING, Any, cast

import pytest

from client.errors import RpcProblem
from commands import certification_input
from commands.certification_input import final_block
from tests.kernel_samples import LoneNode, note

if TYPE_CHECKING:
    from client.synchronous import SyncTanlianClient


class LateNode:
    """Shows the blocks of a node, but only from the third look on."""

    def __init__(self, node: LoneNode) -> None:
        self.node = node
        self.looks = 0

    def read(self, path: str) -> dict[str, Any]:
        self.looks += 1
        block = self.node.store.block(int(path.removeprefix("/v1/blocks/")))
        if self.looks < 3 or block is None:
            raise RpcProblem(status=404, code="UNKNOWN_BLOCK", detail="", type_urn="", field="")
        return {
            "canonical_header": block.header.encode().hex(),
            "canonical_certificate": block.certificate.encode().hex(),
        }


@pytest.fixture
def late(monkeypatch: pytest.MonkeyPatch) -> LateNode:
    monkeypatch.setattr(certification_input, "_ASK_AGAIN_S", 0.0)
    node = LoneNode()
    node.submit(note(node.genesis, 1))
    return LateNode(node)


def test_whoever_waits_for_a_block_is_told_once_what_for(
    late: LateNode, capsys: pytest.CaptureFixture[str]
) -> None:
    found = final_block(cast("SyncTanlianClient", late), 1)

    assert found.header.height == 1
    assert late.looks == 3
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("Waiting for block 1:") == 1


def test_nothing_is_said_of_a_block_that_is_there(
    late: LateNode, capsys: pytest.CaptureFixture[str]
) -> None:
    late.looks = 2

    final_block(cast("SyncTanlianClient", late), 1)

    assert capsys.readouterr().err == ""
