"""Submitting over a real socket: every word of an answer, and every kind of bad input."""

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from chain.codec import encode
from chain.crypto import Ed25519Signer
from chain.transaction import SignedPayload
from contracts.accounts import RevokeAccount
from node.rpc.limits import RpcLimits
from node.rpc.service import Readiness
from tests.rpc_node import ServedNode, base64_of, key

Run = Callable[[Awaitable[None]], None]
JSON = {"Content-Type": "application/json"}
MESSAGEPACK = {"Content-Type": "application/msgpack", "Accept": "application/msgpack"}


async def post(
    served: ServedNode,
    body: object,
    *,
    query: str = "",
    headers: dict[str, str] | None = None,
) -> tuple[int, Any]:
    """Posts JSON, or bytes as they are, and returns status and document."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    url = f"{served.url}/v1/transactions{query}"
    async with served.http.post(url, data=raw, headers=headers or JSON) as response:
        content = await response.read()
        if response.status >= 400:
            assert response.content_type == "application/problem+json"
        return response.status, json.loads(content)


def test_an_accepted_transaction_waits_in_the_pool(run: Run) -> None:
    async def body() -> None:
        async with ServedNode() as served:
            transaction = served.node.transaction(1)

            status, document = await post(served, {"transaction": base64_of(transaction)})

            assert status == 202
            assert document == {"id": transaction.id.hex(), "state": "accepted"}
            assert served.node.pending(transaction.id)
            assert served.counts.requests == [("POST /v1/transactions", 202)]

    run(body())


def test_a_client_that_waits_is_told_of_the_block_and_the_receipt(run: Run) -> None:
    async def body() -> None:
        async with ServedNode() as served:
            served.node.commits_at_once = True
            transaction = served.node.transaction(1)

            status, document = await post(
                served, {"transaction": base64_of(transaction)}, query="?wait=committed"
            )

            assert status == 200
            assert document["state"] == "committed"
            assert (document["height"], document["position"]) == (1, 0)
            assert document["time_ms"] == 1_700_000_001_000
            assert document["time_utc"] == "2023-11-14T22:13:21.000Z"
            assert document["receipt"]["status"] == "OK"
            assert document["receipt"]["events"][0]["kind"] == "account.registered"
            assert document["receipt"]["events"][0]["content"]["name"] == "Account 1"

    run(body())


def test_waiting_ends_at_its_time_limit_and_the_transaction_stays_accepted(run: Run) -> None:
    async def body() -> None:
        async with ServedNode() as served:
            transaction = served.node.transaction(1)

            status, document = await post(
                served,
                {"transaction": base64_of(transaction)},
                query="?wait=committed&timeout_ms=1",
            )

            assert (status, document["state"]) == (202, "accepted")

    run(body())


def test_a_transaction_that_its_contract_refuses_is_committed_as_failed(run: Run) -> None:
    async def body() -> None:
        async with ServedNode() as served:
            served.node.commits_at_once = True
            revoke = RevokeAccount(public_key=key(9), reason="gone")
            transaction = served.node.transaction(1, method="account.revoke", arguments=revoke)

            status, document = await post(
                served, {"transaction": base64_of(transaction)}, query="?wait=committed"
            )

            assert (status, document["state"]) == (200, "failed")
            assert document["receipt"]["code"] == "UNKNOWN_ACCOUNT"
            assert document["receipt"]["detail"].startswith("public_key: expected")

    run(body())


def test_a_known_transaction_is_a_duplicate_unless_the_client_waits_for_it(run: Run) -> None:
    async def body() -> None:
        async with ServedNode() as served:
            served.node.commits_at_once = True
            document = {"transaction": base64_of(served.node.transaction(1))}
            await post(served, document)

            refused = await post(served, document)
            waited = await post(served, document, query="?wait=committed")

            assert (refused[0], refused[1]["code"]) == (409, "DUPLICATE")
            assert (waited[0], waited[1]["state"]) == (200, "committed")
            assert waited[1]["id"] == refused[1]["transaction_id"]

    run(body())


def test_a_known_transaction_that_is_not_committed_in_time_is_accepted(run: Run) -> None:
    async def body() -> None:
        async with ServedNode() as served:
            document = {"transaction": base64_of(served.node.transaction(1))}
            await post(served, document)

            status, answered = await post(served, document, query="?wait=committed&timeout_ms=1")

            assert (status, answered["state"]) == (202, "accepted")

    run(body())


def test_many_are_answered_one_by_one(run: Run) -> None:
    async def body() -> None:
        async with ServedNode() as served:
            good = served.node.transaction(1)
            stranger = served.node.transaction(2, sender=Ed25519Signer(b"x" * 32))

            status, document = await post(
                served, {"transactions": [base64_of(good), base64_of(stranger)]}
            )

            assert status == 207
            first, second = document["results"]
            assert first == {"id": good.id.hex(), "state": "accepted"}
            assert (second["state"], second["code"], second["status"]) == (
                "refused",
                "UNKNOWN_ACCOUNT",
                422,
            )
            assert second["type"] == "urn:tanlian:problem:unknown-account"

    run(body())


def test_messagepack_goes_in_and_out_without_json(run: Run) -> None:
    async def body() -> None:
        async with ServedNode() as served:
            served.node.commits_at_once = True
            transactions = [served.node.transaction(number) for number in range(1, 201)]
            wires = [each.wire for each in transactions]
            url = f"{served.url}/v1/transactions?wait=committed"

            async with served.http.post(
                url, data=encode(tuple(wires)), headers=MESSAGEPACK
            ) as response:
                content = await response.read()

            assert response.status == 200
            assert response.content_type == "application/msgpack"
            assert content[:3] == b"\xdc\x00\xc8"
            assert content.endswith(encode((transactions[199].id, 2, "", "", 1, 199)))
            assert served.node.submissions == 1

    run(body())


@pytest.mark.parametrize(
    ("content", "code", "status"),
    [
        (b"{", "MALFORMED_JSON", 400),
        (b"", "MALFORMED_JSON", 400),
        (b"\xff", "MALFORMED_JSON", 400),
        (b'{"transaction":"YQ==","transaction":"YQ=="}', "MALFORMED_JSON", 400),
        (b'{"transaction":NaN}', "MALFORMED_JSON", 400),
        (b"[" * 100_000, "MALFORMED_JSON", 400),
        (b"[]", "MALFORMED_BODY", 400),
        (b"{}", "MALFORMED_BODY", 400),
        (b'{"transaction":1}', "MALFORMED_BODY", 400),
        (b'{"transaction":"YQ==","transactions":["YQ=="]}', "MALFORMED_BODY", 400),
        (b'{"transaction":"YQ==","wait":true}', "MALFORMED_BODY", 400),
        (b'{"transactions":[]}', "MALFORMED_BODY", 400),
        (b'{"transaction":"YQ"}', "MALFORMED_BODY", 400),
        (b'{"transaction":"Y Q=="}', "MALFORMED_BODY", 400),
        (b'{"transaction":"\\u00e9"}', "MALFORMED_BODY", 400),
        (b'{"transaction":"YQ=="}', "MALFORMED_TRANSACTION", 400),
    ],
)
def test_malformed_json_has_its_own_answer_and_reaches_no_pool(
    run: Run, content: bytes, code: str, status: int
) -> None:
    async def body() -> None:
        async with ServedNode() as served:
            answered, document = await post(served, content)

            assert (answered, document["code"], document["status"]) == (status, code, status)
            assert document["type"] == "urn:tanlian:problem:" + code.lower().replace("_", "-")
            assert document["detail"]
            assert served.node.pool == {}

    run(body())


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xc1",
        encode(1),
        encode((1,)),
        encode(()),
        encode(("text",)),
        b"\xdc\x00\x01\xc4\x01a",  # an array of one with a longer length than it needs
        b"\x91\xc5\x00\x01a",  # a byte string with a longer length than it needs
        b"\x81\x01\x02",  # a map
        encode((b"a",)) + b"\x00",
    ],
)
def test_malformed_messagepack_is_refused(run: Run, content: bytes) -> None:
    async def body() -> None:
        async with ServedNode() as served:
            answered, document = await post(served, content, headers=MESSAGEPACK)

            assert (answered, document["code"]) == (400, "MALFORMED_BODY")

    run(body())


def test_one_transaction_too_many_is_refused_in_both_forms(run: Run) -> None:
    async def body() -> None:
        async with ServedNode() as served:
            as_json = await post(served, {"transactions": ["YQ=="] * 201})
            packed = encode((b"a",) * 201)
            as_messagepack = await post(served, packed, headers=MESSAGEPACK)
            at_the_limit = await post(served, {"transactions": ["YQ=="] * 200})

            assert (as_json[0], as_json[1]["code"]) == (413, "TOO_MANY_TRANSACTIONS")
            assert (as_messagepack[0], as_messagepack[1]["got"]) == (413, "201")
            assert at_the_limit[0] == 207

    run(body())


def test_a_body_beyond_the_limit_is_refused_whether_or_not_it_says_its_size(run: Run) -> None:
    async def body() -> None:
        async with ServedNode(RpcLimits(body_bytes_max=1_000)) as served:
            url = f"{served.url}/v1/transactions"

            async def chunks() -> Any:
                for _ in range(20):
                    yield b" " * 100

            stated = await post(served, b" " * 1_001)
            async with served.http.post(url, data=chunks(), headers=JSON) as response:
                unstated = (response.status, json.loads(await response.read()))
            at_the_limit = await post(served, b" " * 1_000)

            assert (stated[0], stated[1]["code"]) == (413, "BODY_TOO_LARGE")
            assert (unstated[0], unstated[1]["code"]) == (413, "BODY_TOO_LARGE")
            assert (at_the_limit[0], at_the_limit[1]["code"]) == (400, "MALFORMED_JSON")

    run(body())


def test_bodies_of_all_clients_together_are_bounded(run: Run) -> None:
    async def body() -> None:
        async with ServedNode(RpcLimits(bodies_bytes_max=100)) as served:
            over = await post(served, b" " * 101)
            at_the_limit = await post(served, b" " * 100)

            assert (over[0], over[1]["code"]) == (503, "OVERLOADED")
            assert at_the_limit[0] == 400

    run(body())


def test_a_body_that_does_not_come_is_given_up(run: Run) -> None:
    async def body() -> None:
        async with ServedNode(RpcLimits(body_timeout_s=0.05)) as served:
            reader, writer = await asyncio.open_connection("127.0.0.1", served.server.port)
            writer.write(
                b"POST /v1/transactions HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n"
                b"Content-Type: application/json\r\n\r\n{"
            )
            answer = await reader.read()
            writer.close()

            assert answer.startswith(b"HTTP/1.1 408 ")
            assert b'"code":"BODY_TIMEOUT"' in answer

    run(body())


@pytest.mark.parametrize(
    ("headers", "field"),
    [
        ({"Content-Type": "text/plain"}, "Content-Type"),
        ({"Content-Type": "application/json", "Content-Encoding": "gzip"}, "Content-Encoding"),
    ],
)
def test_other_media_types_and_packed_bodies_are_refused(
    run: Run, headers: dict[str, str], field: str
) -> None:
    async def body() -> None:
        async with ServedNode() as served:
            answered, document = await post(served, b"{}", headers=headers)

            assert (answered, document["code"]) == (415, "UNSUPPORTED_MEDIA_TYPE")
            assert document["field"] == field

    run(body())


@pytest.mark.parametrize("query", ["?wait=yes", "?timeout_ms=0", "?timeout_ms=120001", "?wat=1"])
def test_a_misspelt_query_is_refused(run: Run, query: str) -> None:
    async def body() -> None:
        async with ServedNode() as served:
            transaction = served.node.transaction(1)

            answered, document = await post(
                served, {"transaction": base64_of(transaction)}, query=query
            )

            assert answered == 400
            assert document["code"] in {"MALFORMED_PARAMETER", "UNKNOWN_PARAMETER"}
            assert served.node.pool == {}

    run(body())


def test_each_fault_of_a_transaction_has_its_code(run: Run) -> None:
    async def body() -> None:
        async with ServedNode() as served:
            node = served.node
            good = node.transaction(1)
            forged = replace(
                SignedPayload.decode(good.wire), signature=bytes(63) + b"\x01"
            ).encode()
            cases = {
                "INVALID_SIGNATURE": (422, forged),
                "WRONG_CHAIN": (422, node.transaction(1, chain_id=bytes(32)).wire),
                "TRANSACTION_EXPIRED": (422, node.transaction(1, valid_for_ms=0).wire),
                "TRANSACTION_LIFETIME": (422, node.transaction(1, valid_for_ms=10**9).wire),
                "UNKNOWN_METHOD": (422, node.transaction(1, method="no.such").wire),
                "MALFORMED_TRANSACTION": (400, good.wire + b"\x00"),
                "TRANSACTION_TOO_LARGE": (413, bytes(262_145)),
                "INVALID_ARGUMENTS": (
                    422,
                    node.transaction(1, method="meter.register").wire,
                ),
            }
            for code, (status, wire) in cases.items():
                document = {"transaction": base64.b64encode(wire).decode()}

                answered, problem = await post(served, document)

                assert (answered, problem["code"]) == (status, code)
            assert node.pool == {}

    run(body())


def test_a_node_that_is_not_ready_takes_nothing_and_says_why(run: Run) -> None:
    async def body() -> None:
        async with ServedNode() as served:
            served.node.ready = Readiness(is_ready=False, reason="disk: 1 MB free; make room")
            transaction = served.node.transaction(1)

            answered, document = await post(served, {"transaction": base64_of(transaction)})

            assert (answered, document["code"]) == (503, "NOT_READY")
            assert document["detail"] == "disk: 1 MB free; make room"
            assert served.node.submissions == 0

    run(body())
