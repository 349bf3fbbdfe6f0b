"""The command line against a chain of one validator: real commands, client, server and contracts.

Whoever runs a command signs as an account of this chain; no key file is opened for it.
"""

import asyncio
import json
import threading
import time
from typing import Any, Self

import pytest

import cli
from chain.codec import Record
from chain.crypto import Ed25519Signer
from chain.genesis import Genesis, GenesisOrganisation
from chain.member import MemberRole
from client.synchronous import SyncTanlianClient
from contracts.account import Role
from contracts.accounts import RegisterAccount
from tests import chain_samples as samples
from tests.contract.test_rpc_readings import CALENDAR, FACTOR, METER, SITE
from tests.rpc_node import ADMIN, FakeNode, ServedNode

BODY = Ed25519Signer(b"b" * 32)
"""First administrator of the certification body."""


def _genesis() -> Genesis:
    """A plant and a certification body, founded an hour ago, for clients sign for the present."""
    return samples.genesis(
        time_ms=time.time_ns() // 1_000_000 - 3_600_000,
        organisations=(
            GenesisOrganisation(id="steel", name="Steel plant", admin_key=ADMIN.public_key),
            GenesisOrganisation(id="body", name="Body", admin_key=BODY.public_key),
        ),
        members=(
            samples.member(1),
            samples.member(2, organisation="body", role=MemberRole.OBSERVER),
        ),
    )


class CommandNode:
    """A served chain that commits at once, and commands for it; a context manager."""

    def __init__(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self.node = FakeNode(genesis=_genesis())
        self.node.commits_at_once = True
        self.signers = {"admin": ADMIN, "body": BODY}
        """By what ``--as`` names; any other name signs as the plant's administrator does."""
        self._served = ServedNode(node=self.node)
        self._capsys = capsys
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

        def open_signer(_network: object, name: str, _passphrase: object) -> Ed25519Signer:
            return self.signers.get(name, ADMIN)

        monkeypatch.setattr("commands.target.open_signer", open_signer)
        monkeypatch.setenv("COLUMNS", "200")  # tables as wide as their cells

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._served.__aenter__(), self._loop).result()
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._served.__aexit__(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @property
    def now_ms(self) -> int:
        """Block time of the newest block."""
        return self.node.workshop.parent.time_ms

    def send(self, method: str, arguments: Record, account: str = "admin") -> None:
        """Commits a transaction without the command line."""
        with SyncTanlianClient([self._served.url], signer=self.signers[account]) as client:
            client.submit_and_wait(method, arguments)

    def read(self, path: str) -> Any:
        """What the node answers on a route."""
        with SyncTanlianClient([self._served.url]) as client:
            return client.read(path)

    def add_account(self, name: str, role: Role, admin: str = "admin") -> None:
        """Registers an account of an administrator's organisation, for ``--as``."""
        signer = Ed25519Signer(name.encode().ljust(32, b"."))
        account = RegisterAccount(public_key=signer.public_key, name=name, roles=(role,))
        self.send("account.register", account, admin)
        self.signers[name] = signer

    def run(self, *arguments: str) -> str:
        """Runs a command that succeeds; returns what it printed."""
        code, out, err = self._run(arguments)
        assert (code, err) == (0, ""), (out, err)
        return out

    def json(self, *arguments: str) -> Any:
        """Runs a command that succeeds with ``--json``; returns the document."""
        return json.loads(self.run(*arguments, "--json"))

    def fails(self, *arguments: str) -> str:
        """Runs a command that ends with a reason; returns it."""
        code, out, err = self._run(arguments)
        assert (code, out) == (1, ""), (out, err)
        return err

    def usage(self, *arguments: str) -> str:
        """Runs a command that is used wrongly; returns what it said."""
        code, out, err = self._run(arguments)
        assert (code, out) == (2, ""), (out, err)
        return err

    def _run(self, arguments: tuple[str, ...]) -> tuple[int, str, str]:
        self._capsys.readouterr()
        group, command, *rest = arguments
        code = cli.run([group, command, "--node", self._served.url, *rest])
        out, err = self._capsys.readouterr()
        return code, out, err


def found_plant(node: CommandNode) -> None:
    """Registers a site with a metered supply and a factor for it."""
    for method, arguments in (
        ("calendar.register", CALENDAR),
        ("site.register", SITE),
        ("factor.set", FACTOR),
        ("meter.register", METER),
    ):
        node.send(method, arguments)
