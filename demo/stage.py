"""The stage: accounts of the throw-away network, and a client for each."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, Self

from chain.crypto import Ed25519Signer
from client.asynchronous import Call, TanlianClient
from client.outcome import Outcome, OutcomeState
from contracts.account import Role
from contracts.accounts import RegisterAccount
from node.keystore import (
    THROW_AWAY_COST,
    Purpose,
    create_seed_file,
    open_key_file,
    passphrase_from_file,
)
from node.provisioning import PASSPHRASE_FILE, Network

CERTIFIER: Final = "certifier"


class DemoFailed(Exception):
    """Something that the demonstration rests on did not happen; says what."""


@dataclass(slots=True)
class Stage:
    """Keys and clients of everybody who sends; an asynchronous context manager."""

    network: Network
    _signers: dict[str, Ed25519Signer] = field(default_factory=dict)
    _clients: dict[str, TanlianClient] = field(default_factory=dict)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for client in self._clients.values():
            await client.close()

    def signer(self, account: str) -> Ed25519Signer:
        """Returns an account's key; makes a key file for one that has none."""
        if account not in self._signers:
            passphrase = passphrase_from_file(self.network.accounts / PASSPHRASE_FILE)
            path = self.network.accounts / f"{account}.key"
            if not path.exists():
                create_seed_file(
                    path, purpose=Purpose.ACCOUNT, passphrase=passphrase, cost=THROW_AWAY_COST
                )
            opened = open_key_file(path, purpose=Purpose.ACCOUNT, passphrase=passphrase)
            self._signers[account] = Ed25519Signer(opened.secret)
        return self._signers[account]

    def client(self, account: str) -> TanlianClient:
        """Returns an account's client over all nodes."""
        if account not in self._clients:
            urls = [node.rpc_url for node in self.network.nodes]
            self._clients[account] = TanlianClient(urls, signer=self.signer(account))
        return self._clients[account]

    def admin(self, organisation: str) -> TanlianClient:
        """Returns the client of an organisation's first admin."""
        return self.client(f"{organisation}-admin")

    def operator(self, organisation: str) -> TanlianClient:
        """Returns the client of an organisation's operator."""
        return self.client(operator_of(organisation))

    def register_call(self, account: str, name: str, role: Role) -> Call:
        """Returns the call with which an admin registers an account of its organisation."""
        arguments = RegisterAccount(
            public_key=self.signer(account).public_key, name=name, roles=(role,)
        )
        return Call(method="account.register", arguments=arguments)


def operator_of(organisation: str) -> str:
    """Returns the account name of an organisation's operator."""
    return f"{organisation}-operator"


async def commit_all(client: TanlianClient, calls: Iterable[Call]) -> Sequence[Outcome]:
    """Sends calls and waits until all are committed.

    Raises:
        DemoFailed: one was not; names it with the reason.
    """
    sent = list(calls)
    outcomes = await client.submit_many(sent, until_final=True)
    for call, outcome in zip(sent, outcomes, strict=True):
        if outcome.state is not OutcomeState.COMMITTED:
            raise DemoFailed(
                f"{call.method}: expected it committed, got {outcome.state.name.lower()}: "
                f"{outcome.code}: {outcome.detail}"
            )
    return outcomes
