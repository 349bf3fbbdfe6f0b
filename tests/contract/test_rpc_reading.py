"""Reading over a real socket: each route, each kind of bad address, proofs that verify."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from chain.block import Header
from chain.certificate import CommitCertificate
from chain.crypto import ED25519
from chain.genesis import Genesis
from chain.proof import (
    InclusionProof,
    verify_block,
    verify_receipt_proof,
    verify_transaction_proof,
)
from chain.receipt import Receipt
from chain.state_tree import StateProof, verify_state_proof
from contracts.account import account_key
from contracts.accounts import RevokeAccount
from node.rpc.service import Readiness
from tests.rpc_node import ADMIN, ServedNode, key

Run = Callable[[Awaitable[None]], None]


async def get(served: ServedNode, path: str) -> tuple[int, Any]:
    """Reads a path and returns status and document."""
    async with served.http.get(served.url + path) as response:
        content = await response.read()
        kind = "application/json" if response.status < 400 else "application/problem+json"
        assert response.content_type == kind
        assert response.headers["Server"] == "tanlian"
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        return response.status, json.loads(content)


async def committed(served: ServedNode, number: int) -> bytes:
    """Commits a block that registers an account, and returns the transaction's id."""
    transaction = served.node.transaction(number)
    await served.node.submit([transaction.wire])
    await served.node.commit()
    return transaction.id


def test_a_transaction_goes_from_unknown_over_pending_to_committed(run: Run) -> None:
    async def body() -> None:
        async with ServedNode() as served:
            transaction = served.node.transaction(1)
            path = f"/v1/transactions/{transaction.id.hex()}"

            unknown = await get(served, path)
            await served.node.submit([transaction.wire])
            pending = await get(served, path)
            await served.node.commit()
            final = await get(served, path)

            assert unknown == (200, {"id": transaction.id.hex(), "state": "unknown"})
            assert pending == (200, {"id": transaction.id.hex(), "state": "pending"})
            status, document = final
            assert (status, document["state"], document["height"]) == (200, "committed", 1)
            assert document["transaction"]["method"] == "account.register"
            assert document["transaction"]["arguments"] == {
                "public_key": key(1).hex(),
                "name": "Account 1",
                "roles": ["OPERATOR"],
            }

    run(body())


def test_a_failed_transaction_says_why(run: Run) -> None:
    async def body() -> None:
        async with ServedNode() as served:
            revoke = RevokeAccount(public_key=key(9), reason="gone")
            transaction = served.node.transaction(1, method="account.revoke", arguments=revoke)
            await served.node.submit([transaction.wire])
            await served.node.commit()

            _, document = await get(served, f"/v1/transactions/{transaction.id.hex()}")

            assert document["state"] == "failed"
            assert document["receipt"]["code"] == "UNKNOWN_ACCOUNT"

    run(body())


@pytest.mark.parametrize(
    ("valid_until_ms", "state"), [(1_700_000_000_999, "expired"), (1_700_000_001_001, "unknown")]
)
def test_an_unknown_transaction_is_expired_once_block_time_has_passed_its_end(
    run: Run, valid_until_ms: int, state: str
) -> None:
    async def body() -> None:
        async with ServedNode() as served:
            await committed(served, 1)  # at 1_700_000_001_000

            _, document = await get(
                served, f"/v1/transactions/{'ab' * 32}?valid_until_ms={valid_until_ms}"
            )

            assert document["state"] == state

    run(body())


def test_a_block_shows_header_certificate_and_what_its_transactions_did(run: Run) -> None:
    async def body() -> None:
        async with ServedNode() as served:
            transaction_id = await committed(served, 1)

            by_height = await get(served, "/v1/blocks/1")
            latest = await get(served, "/v1/blocks/latest")

            assert by_height == latest
            document = latest[1]
            assert document["header"]["height"] == 1
            assert document["header"]["time_utc"] == "2023-11-14T22:13:21.000Z"
            assert document["header"]["hash"] == served.node.status().head_hash.hex()
            assert [each["signer"] for each in document["certificate"]["signatures"]] == [0]
            assert document["transactions"][0]["id"] == transaction_id.hex()
            assert document["transactions"][0]["receipt"]["status"] == "OK"
            assert document["block_events"] == []

    run(body())


def test_status_and_genesis_are_shown(run: Run) -> None:
    async def body() -> None:
        async with ServedNode() as served:
            _, status = await get(served, "/v1/status")
            _, genesis = await get(served, "/v1/genesis")

            assert status["name"] == "node-1"
            assert status["role"] == "VALIDATOR"
            assert status["validators"][0]["is_missing"] is False
            assert status["peers"] == [
                {
                    "name": "body-1",
                    "organisation": "body",
                    "role": "OBSERVER",
                    "is_connected": True,
                }
            ]
            assert status["readiness"] == {"is_ready": True, "reason": ""}
            founded = Genesis.decode(bytes.fromhex(genesis["canonical"]))
            assert founded == served.node.genesis
            assert genesis["chain_id"] == status["chain_id"] == founded.chain_id.hex()
            assert genesis["genesis"]["members"][0]["node_id"] == "node-1"

    run(body())


def test_lists_come_in_pages_that_lead_on(run: Run) -> None:
    async def body() -> None:
        async with ServedNode() as served:
            for number in (1, 2):
                await committed(served, number)

            _, first = await get(served, "/v1/accounts?limit=2")
            _, second = await get(served, f"/v1/accounts?limit=2&after={first['after']}")

            shown = [each["public_key"] for each in first["accounts"] + second["accounts"]]
            assert shown == sorted([key(1).hex(), key(2).hex(), ADMIN.public_key.hex()])
            assert second["after"] is None

    run(body())


@pytest.mark.parametrize(
    "name", ["accounts", "alerts", "calendars", "factors", "meters", "organisations", "sites"]
)
def test_every_list_answers(run: Run, name: str) -> None:
    async def body() -> None:
        async with ServedNode() as served:
            status, document = await get(served, f"/v1/{name}")

            assert status == 200
            assert document["after"] is None
            assert len(document[name]) == (1 if name in {"accounts", "organisations"} else 0)

    run(body())


def test_an_account_is_found_by_its_key(run: Run) -> None:
    async def body() -> None:
        async with ServedNode() as served:
            _, document = await get(served, f"/v1/accounts/{ADMIN.public_key.hex()}")

            assert document["organisation"] == "steel"
            assert document["roles"] == ["ADMIN"]

    run(body())


def test_a_state_proof_verifies_for_presence_and_absence(run: Run) -> None:
    async def body() -> None:
        async with ServedNode() as served:
            await committed(served, 1)
            for state_key in (account_key(key(1)), account_key(key(2))):
                _, document = await get(served, f"/v1/proofs/state/{state_key.hex()}")

                header = Header.decode(bytes.fromhex(document["canonical_header"]))
                verify_block(
                    header,
                    CommitCertificate.decode(bytes.fromhex(document["canonical_certificate"])),
                    genesis=served.node.genesis,
                    scheme=ED25519,
                )
                text = document["value"]
                value = None if text is None else bytes.fromhex(text)
                proof = StateProof.decode(bytes.fromhex(document["canonical_proof"]))
                verify_state_proof(header.state_root, state_key, value, proof)
                assert (value is None) == (state_key == account_key(key(2)))

    run(body())


def test_a_transaction_proof_verifies_with_the_genesis_alone(run: Run) -> None:
    async def body() -> None:
        async with ServedNode() as served:
            transaction_id = await committed(served, 1)

            _, document = await get(served, f"/v1/proofs/transactions/{transaction_id.hex()}")

            genesis = served.node.genesis
            of_transaction = bytes.fromhex(document["transaction_proof"]["canonical"])
            verify_transaction_proof(
                InclusionProof.decode(of_transaction),
                transaction_id,
                genesis=genesis,
                scheme=ED25519,
            )
            of_receipt = bytes.fromhex(document["receipt_proof"]["canonical"])
            verify_receipt_proof(
                InclusionProof.decode(of_receipt),
                Receipt.decode(bytes.fromhex(document["receipt"])),
                genesis=genesis,
                scheme=ED25519,
            )

    run(body())


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/", 404, "NOT_FOUND"),
        ("/v2/status", 404, "NOT_FOUND"),
        ("/v1/status/", 404, "NOT_FOUND"),
        ("/metrics", 404, "NOT_FOUND"),
        ("/v1/../etc/passwd", 404, "NOT_FOUND"),
        ("/v1/transactions", 405, "METHOD_NOT_ALLOWED"),
        ("/v1/transactions/00", 400, "MALFORMED_PARAMETER"),
        ("/v1/transactions/" + "AB" * 32, 400, "MALFORMED_PARAMETER"),
        ("/v1/blocks/1", 404, "UNKNOWN_BLOCK"),
        ("/v1/blocks/latest", 404, "UNKNOWN_BLOCK"),
        ("/v1/blocks/-1", 400, "MALFORMED_PARAMETER"),
        ("/v1/blocks/18446744073709551616", 400, "MALFORMED_PARAMETER"),
        ("/v1/blocks/%D9%A1", 400, "MALFORMED_PARAMETER"),
        ("/v1/accounts/" + "00" * 32, 404, "UNKNOWN_ACCOUNT"),
        ("/v1/meters/steel-main", 404, "UNKNOWN_METER"),
        ("/v1/meters/Steel%2Fmain", 400, "MALFORMED_PARAMETER"),
        ("/v1/alerts/steel-main.18.000001", 404, "UNKNOWN_ALERT"),
        ("/v1/alerts/%0d%0a%1b", 404, "UNKNOWN_ALERT"),
        ("/v1/alerts?state=RESOLVED", 400, "MALFORMED_PARAMETER"),
        ("/v1/alerts?stat=OPEN", 400, "UNKNOWN_PARAMETER"),
        ("/v1/meters?limit=0", 400, "MALFORMED_PARAMETER"),
        ("/v1/meters?limit=501", 400, "MALFORMED_PARAMETER"),
        ("/v1/meters?site=A", 400, "MALFORMED_PARAMETER"),
        ("/v1/events?after=1", 400, "MALFORMED_PARAMETER"),
        ("/v1/events?limit=1001", 400, "MALFORMED_PARAMETER"),
        ("/v1/events?stream=websocket", 400, "MALFORMED_PARAMETER"),
        ("/v1/events?kind=" + "k" * 65, 400, "MALFORMED_PARAMETER"),
        ("/v1/proofs/state/0", 400, "MALFORMED_PARAMETER"),
        ("/v1/proofs/state/00", 404, "NO_BLOCK_YET"),
        ("/v1/proofs/transactions/" + "00" * 32, 404, "UNKNOWN_TRANSACTION"),
    ],
)
def test_bad_addresses_have_their_own_answers(run: Run, path: str, status: int, code: str) -> None:
    async def body() -> None:
        async with ServedNode() as served:
            answered, document = await get(served, path)

            assert (answered, document["code"]) == (status, code)
            assert document["status"] == status
            assert "Traceback" not in str(document)
            assert all(character.isprintable() for character in document["detail"])

    run(body())


def test_a_wrong_method_is_told_which_ones_there_are(run: Run) -> None:
    async def body() -> None:
        async with (
            ServedNode() as served,
            served.http.delete(served.url + "/v1/status") as response,
        ):
            document = json.loads(await response.read())

            assert (response.status, document["code"]) == (405, "METHOD_NOT_ALLOWED")
            assert "GET" in document["expected"]

    run(body())


def test_health_is_apart_from_readiness(run: Run) -> None:
    async def body() -> None:
        async with ServedNode() as served:
            assert await get(served, "/readyz") == (200, {"status": "ready"})
            served.node.ready = Readiness(is_ready=False, reason="12 blocks behind; wait")

            assert await get(served, "/healthz") == (200, {"status": "ok"})
            status, document = await get(served, "/readyz")
            assert (status, document["code"]) == (503, "NOT_READY")
            assert document["detail"] == "12 blocks behind; wait"

    run(body())


def test_metrics_are_on_a_listener_of_their_own(run: Run) -> None:
    async def body() -> None:
        async with ServedNode() as served:
            base = f"http://127.0.0.1:{served.server.metrics_port}"

            async with served.http.get(base + "/metrics") as response:
                assert response.status == 200
                assert response.content_type == "text/plain"
                assert await response.read() == b"tanlian_consensus_height 1.0\n"
            async with served.http.get(base + "/v1/status") as response:
                assert response.status == 404

    run(body())


def test_the_interface_describes_itself(run: Run) -> None:
    async def body() -> None:
        async with ServedNode() as served:
            _, document = await get(served, "/v1/openapi.json")
            async with served.http.get(served.url + "/v1/docs") as response:
                page = await response.text()

            assert document["openapi"] == "3.1.0"
            assert document["info"]["version"] == "0.1.0"
            assert "post" in document["paths"]["/v1/transactions"]
            assert "/v1/events" in document["paths"]
            assert "<code>POST /v1/transactions</code>" in page
            assert "src=" not in page

    run(body())


def test_an_unplanned_fault_reaches_the_log_and_not_the_client(
    run: Run, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def body() -> None:
        async with ServedNode() as served:

            def broken() -> None:
                raise KeyError("secret of the node")

            monkeypatch.setattr(served.node, "status", broken)

            answered, document = await get(served, "/v1/status")

            assert (answered, document["code"]) == (500, "INTERNAL")
            assert "secret" not in str(document)
            assert "secret of the node" in caplog.text
            assert served.counts.requests == [("GET /v1/status", 500)]

    run(body())
