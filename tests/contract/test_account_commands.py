"""``tanlian account`` against a node's RPC over a socket: register, list, disable."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from cli import run as tanlian
from node.keystore import KdfCost, Purpose, create_key_file, create_seed_file
from tests.rpc_node import FakeNode, ServedNode, key

Run = Callable[[Awaitable[None]], None]
CHEAP = KdfCost(opslimit=1, memlimit_bytes=8_192)


class Desk:
    """A directory with the first admin's key, and a node to talk to."""

    def __init__(self, directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.directory = directory / "keys"
        self._capsys = capsys
        self.passphrase = directory / "passphrase"
        self.passphrase.touch(mode=0o600)
        self.passphrase.write_text("correct horse")
        create_key_file(
            self.directory / "admin.key",
            secret=b"s" * 32,
            purpose=Purpose.ACCOUNT,
            passphrase=b"correct horse",
            cost=CHEAP,
        )

    def new_key(self, name: str, purpose: Purpose = Purpose.ACCOUNT) -> tuple[str, str]:
        """Makes a key file; returns its path and public key."""
        path = self.directory / name
        public_key = create_seed_file(
            path, purpose=purpose, passphrase=b"correct horse", cost=CHEAP
        )
        return str(path), public_key.hex()

    async def says(
        self, served: ServedNode, *words: str, by: str | None = "admin.key", code: int = 0
    ) -> str:
        """Types a command; returns what it prints where it ends with the code."""
        signing = (
            () if by is None else ("--as", str(self.directory / by), "--passphrase-file")
        ) + (() if by is None else (str(self.passphrase),))
        arguments = ["account", *words, "--node", served.url, *signing]
        ended = await asyncio.to_thread(tanlian, arguments)
        out, err = self._capsys.readouterr()
        assert (ended, "Traceback" in err) == (code, False), out + err
        return out if code == 0 else err


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Desk:
    return Desk(tmp_path, capsys)


@pytest.fixture
def served() -> ServedNode:
    # The client signs for some minutes from now, so the chain begins a minute ago.
    node = FakeNode(time_ms=time.time_ns() // 1_000_000 - 60_000)
    node.commits_at_once = True
    return ServedNode(node=node)


def test_a_second_admin_is_registered_and_disables_another_account(
    run: Run, desk: Desk, served: ServedNode
) -> None:
    second, second_key = desk.new_key("second.key")

    async def body() -> None:
        async with served:
            registration = ("register", "Second admin", "--key", second, "--role", "Admin")
            receipt = await desk.says(served, *registration)
            assert f"account.registered {second_key}" in receipt

            gateway = ("register", "Gateway 7", "--key", key(7).hex(), "--role", "gateway")
            await desk.says(served, *gateway, "--role", "operator", by="second.key")
            beginning = key(7).hex()[:12]
            disabling = ("disable", beginning.upper(), "--reason", "lost")
            receipt = await desk.says(served, *disabling, by="second.key")
            assert f"account.revoked {key(7).hex()}" in receipt

            listed = await desk.says(served, "list", "--json", by=None)
            accounts = {each["name"]: each for each in json.loads(listed)["accounts"]}
            assert set(accounts) == {"first admin of steel", "Second admin", "Gateway 7"}
            assert accounts["Gateway 7"]["roles"] == ["OPERATOR", "GATEWAY"]
            assert accounts["Gateway 7"]["revoked_ms"] is not None
            assert accounts["Second admin"]["revoked_ms"] is None
            table = await desk.says(served, "list", "--organisation", "steel", by=None)
            assert second_key[:12] in table
            assert beginning in table
            nobody = await desk.says(served, "list", "--organisation", "grid", by=None)
            assert nobody == "No accounts of grid; see `tanlian account list`.\n"

    run(body())


def test_the_last_admin_cannot_end_itself(run: Run, desk: Desk, served: ServedNode) -> None:
    async def body() -> None:
        async with served:
            listed = json.loads(await desk.says(served, "list", "--json", by=None))
            (own,) = [each["public_key"] for each in listed["accounts"]]

            refused = await desk.says(served, "disable", own, "--reason", "left", code=1)

            assert "expected another account; a second admin can revoke this one" in refused

    run(body())


def test_an_operator_registers_nobody(run: Run, desk: Desk, served: ServedNode) -> None:
    operator, _ = desk.new_key("operator.key")

    async def body() -> None:
        async with served:
            person = ("register", "Operator", "--key", operator, "--role", "operator")
            await desk.says(served, *person)
            other = ("register", "Me", "--key", key(3).hex(), "--role", "admin")

            refused = await desk.says(served, *other, by="operator.key", code=1)

            assert "role of the sender: expected ADMIN, got OPERATOR" in refused

    run(body())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ("register", "Both", "--key", "00" * 32, "--role", "admin", "--role", "auditor"),
            "INVALID_ARGUMENTS: public_key: expected a point of the prime-order subgroup",
        ),
        (
            ("register", "Both", "--key", key(3).hex(), "--role", "admin", "--role", "auditor"),
            "roles: expected one duty, which only OPERATOR and GATEWAY share",
        ),
        (
            ("register", "Boss", "--key", key(3).hex(), "--role", "boss"),
            "--role: expected one of admin, operator, gateway, certifier, auditor, got 'boss'",
        ),
        (
            ("disable", "ff", "--reason", "lost"),
            "or its beginning, got 'ff', which none of 1 accounts have; see `tanlian account list`",
        ),
        (
            ("register", "Vote", "--key", "vote.key", "--role", "admin"),
            "--key: expected the key file of an account, got vote.key, of a consensus key",
        ),
    ],
)
def test_what_is_no_account_is_a_sentence(
    run: Run,
    desk: Desk,
    served: ServedNode,
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...],
    said: str,
) -> None:
    desk.new_key("vote.key", Purpose.CONSENSUS)
    monkeypatch.chdir(desk.directory)

    async def body() -> None:
        async with served:
            assert said in await desk.says(served, *words, code=1)

    run(body())
