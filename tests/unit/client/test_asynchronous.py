"""What the client refuses by itself, and how it names what it asks for."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping

import pytest

from chain.codec import Record
from chain.crypto import Ed25519Signer
from client.asynchronous import TanlianClient
from client.errors import InvalidArguments
from client.nodes import Document, Nodes
from contracts.baselines import SetBaseline
from contracts.cases import TakeStep

Read = Callable[[TanlianClient], Coroutine[object, object, object]]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            SetBaseline(meter_id="m", version=2**64, from_ms=0),
            r"SetBaseline\.version: expected an integer from 0 to 4294967295, got 1844",
        ),
        (
            TakeStep(alert_id="m.08.000001", note="\udcff"),
            "expected text in UTF-8, got",
        ),
    ],
)
def test_arguments_that_no_transaction_can_carry_are_refused_unsent(
    arguments: Record, words: str
) -> None:
    async def run() -> None:
        signer = Ed25519Signer(bytes(32))
        async with TanlianClient(["http://127.0.0.1:1"], signer=signer) as client:
            await client.sign("a.method", arguments)

    with pytest.raises(InvalidArguments, match=rf"a\.method: .*{words}"):
        asyncio.run(run())


@pytest.mark.parametrize(
    ("read", "path"),
    [
        (lambda client: client.alert("../status"), "/v1/alerts/..%2Fstatus"),
        (lambda client: client.meter("m?a=b#c"), "/v1/meters/m%3Fa%3Db%23c"),
        (lambda client: client.readings("a/b"), "/v1/meters/a%2Fb/readings"),
    ],
)
def test_an_id_is_one_segment_of_the_path(
    monkeypatch: pytest.MonkeyPatch, read: Read, path: str
) -> None:
    asked: list[str] = []

    async def get(_nodes: Nodes, path: str, _query: Mapping[str, str] | None = None) -> Document:
        asked.append(path)
        return {"readings": []}

    async def run() -> None:
        async with TanlianClient(["http://127.0.0.1:1"]) as client:
            await read(client)

    monkeypatch.setattr(Nodes, "get", get)
    asyncio.run(run())

    assert asked == [path]
