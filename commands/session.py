"""What every command that talks to a network has in common: its options, and the way to a client.

A command takes a :class:`Session` first and says with a decorator which of its options a person may
give; typer sees them behind the command's own::

    @app.command("withdraw")
    @signs(OPERATOR_ACCOUNT)
    def withdraw(session: Session, site: SiteArgument) -> None:
        session.submit("activity.withdraw", ...)

Nothing is opened before the command asks for it, so that wrong arguments cost no passphrase.
"""

import functools
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Concatenate, Self

from commands.output import JsonOption
from commands.submission import submit_and_print
from commands.target import AccountOption, NetworkOption, NodeOption, PassphraseOption, connect

if TYPE_CHECKING:
    from chain.codec import Record
    from client.synchronous import SyncTanlianClient

Command = Callable[Concatenate["Session", ...], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """What a person said of network, node, key and output; the fields are the options."""

    network: NetworkOption = None
    node: NodeOption = None
    account: AccountOption = None
    passphrase_file: PassphraseOption = None
    as_json: JsonOption = False
    default_account: str | None = None
    """Account that signs where ``account`` is not given; None: nobody signs then. No option."""

    def by_default(self, account: str) -> Self:
        """Returns the session with another account that signs where a person names none."""
        return replace(self, default_account=account)

    @contextmanager
    def connect(self) -> Iterator["SyncTanlianClient"]:
        """Opens a client, which signs where there is an account (:func:`commands.target.connect`).

        Raises:
            CommandFailed: no such network, node or account.
            KeyFileError: the key cannot be opened.
        """
        with connect(
            self.network,
            self.node,
            account=self.account or self.default_account,
            passphrase_file=self.passphrase_file,
        ) as connection:
            yield connection.client

    def submit(self, method: str, arguments: "Record") -> dict[str, Any]:
        """Signs and submits one transaction and prints its receipt.

        Returns:
            What the node tells of the transaction.

        Raises:
            TransactionError: it was refused, failed or expired; says why.
        """
        with self.connect() as client:
            return submit_and_print(client, method, arguments, as_json=self.as_json)


def takes(
    *options: str, default_account: str | None = None
) -> Callable[[Command], Callable[..., None]]:
    """Makes a command of a function: a session of these options in place of its first parameter.

    Args:
        options: fields of :class:`Session`, in the order in which the help lists them.
        default_account: account that signs where a person names none.
    """
    fields = inspect.signature(Session).parameters

    def decorated(function: Command) -> Callable[..., None]:
        @functools.wraps(function)
        def command(**given: Any) -> None:  # noqa: ANN401  what typer parsed
            said = {name: given.pop(name) for name in options}
            function(Session(default_account=default_account, **said), **given)

        signature = inspect.signature(function)
        _, *own = signature.parameters.values()
        shown = [*own, *(fields[name] for name in options)]
        # Keyword-only: some of a command's own parameters have no default.
        vars(command)["__signature__"] = signature.replace(
            parameters=[each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in shown]
        )
        return command

    return decorated


def signs(default_account: str | None = None) -> Callable[[Command], Callable[..., None]]:
    """Marks a command that signs: by the account of ``--as``, else by the default one."""
    options = ("network", "node", "account", "passphrase_file", "as_json")
    return takes(*options, default_account=default_account)


reads = takes("network", "node", "as_json")
"""Marks a command that only asks."""
