"""Engagements, certificates and status lists over a real socket."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from contracts import certificates
from tests.rpc_node import ServedNode
from tests.unit.contracts.certification_world import CHANGE, ID, CertificationWorld
from tests.unit.contracts.registry_world import CERTIFIER

Run = Callable[[Awaitable[None]], None]
PREFIXES = (b"certif", b"misstatement/", b"organisation/")


def revoked_world() -> CertificationWorld:
    world = CertificationWorld()
    world.issue()
    world.call(certificates.revoke, CHANGE, sender=CERTIFIER)
    world.next_block()
    return world


async def get(served: ServedNode, path: str) -> tuple[int, Any]:
    async with served.http.get(served.url + path) as response:
        return response.status, json.loads(await response.read())


async def plant(served: ServedNode) -> None:
    """Gives the node what the world's state holds of certification."""
    entries = revoked_world().reader.entries
    served.node.store._database.write(
        [(b"s" + key, value) for key, value in entries.items() if key.startswith(PREFIXES)]
    )


def test_certification_is_read_by_list_by_id_and_by_status(run: Run) -> None:
    async def body() -> None:
        async with ServedNode() as served:
            await plant(served)

            _, engagement = await get(served, f"/v1/certifications/{ID}")
            assert (engagement["stage"], engagement["misstatements"]) == ("CERTIFIED", [])
            _, listed = await get(served, "/v1/certificates?organisation=steel&body=body")
            (entry,) = listed["certificates"]
            assert (entry["certificate_id"], entry["status"]["state"]) == (ID, "REVOKED")
            _, none = await get(served, "/v1/certificates?organisation=grid")
            assert none == {"certificates": [], "after": None}
            _, shown = await get(served, f"/v1/certificates/{ID}")
            assert [change["reason"] for change in shown["changes"]] == ["a complaint"]
            _, revoked = await get(served, "/v1/status-lists/body/revocation")
            assert (revoked["set"], revoked["entries"]) == ([0], 131_072)
            _, suspended = await get(served, "/v1/status-lists/body/suspension")
            assert suspended["set"] == []

    run(body())


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/v1/certificates/body.000009", 404, "UNKNOWN_CERTIFICATE"),
        ("/v1/certificates/nothing", 404, "UNKNOWN_CERTIFICATE"),
        ("/v1/certifications/body.000009", 404, "UNKNOWN_CERTIFICATION"),
        ("/v1/status-lists/nobody/revocation", 404, "UNKNOWN_ORGANISATION"),
        ("/v1/status-lists/body/message", 400, "MALFORMED_PARAMETER"),
    ],
)
def test_what_is_not_there_is_said(run: Run, path: str, status: int, code: str) -> None:
    async def body() -> None:
        async with ServedNode() as served:
            await plant(served)

            got, problem = await get(served, path)

            assert (got, problem["code"]) == (status, code)

    run(body())
