"""``tanlian account``: the keys that may send for an organisation."""

from typing import Annotated, Any

import typer

from commands.output import fail, print_json, print_table, say, short, time_text
from commands.session import Session, reads, signs

app = typer.Typer(no_args_is_help=True, help="Accounts of an organisation: who may send what.")
_DEFAULT_ACCOUNT = "member-1-admin"


@app.command("register")
@signs(_DEFAULT_ACCOUNT)
def register(
    session: Session,
    name: Annotated[str, typer.Argument(help="Who or what holds the key, for people.")],
    key: Annotated[
        str, typer.Option(help="Key file (`tanlian key new`) or public key of 64 hex digits.")
    ],
    role: Annotated[
        list[str],
        typer.Option(help="admin, operator, gateway, certifier or auditor; one duty for one key."),
    ],
) -> None:
    """Register a key for the organisation of the signing admin, such as its second admin."""
    from commands.choices import choice_of
    from commands.target import public_key_of
    from contracts.account import Role
    from contracts.accounts import RegisterAccount

    arguments = RegisterAccount(
        public_key=public_key_of(session.network, key, "--key"),
        name=name,
        roles=tuple(sorted({choice_of(Role, each, "--role") for each in role})),
    )
    session.submit("account.register", arguments)


@app.command("list")
@reads
def list_accounts(
    session: Session,
    organisation: Annotated[str | None, typer.Option(help="Of this organisation only.")] = None,
) -> None:
    """List accounts with their roles, disabled ones too."""
    with session.connect() as client:
        filters = {"organisation": organisation}
        accounts: list[dict[str, Any]] = client.entries("/v1/accounts", "accounts", filters)
    if session.as_json:
        print_json({"accounts": accounts})
        return
    if not accounts:
        say(f"No accounts of {organisation}; see `tanlian account list`.")
        return
    print_table(
        ("organisation", "name", "roles", "!key", "registered", "disabled"),
        [
            (
                each["organisation"],
                each["name"],
                ", ".join(each["roles"]),
                short(each["public_key"]),
                time_text(each["registered_ms"]),
                time_text(each["revoked_ms"]),
            )
            for each in sorted(accounts, key=lambda each: str(each["organisation"]))
        ],
    )


@app.command("disable")
@signs(_DEFAULT_ACCOUNT)
def disable(
    session: Session,
    key: Annotated[
        str, typer.Argument(help="Public key, or its beginning as `tanlian account list` shows it.")
    ],
    reason: Annotated[str, typer.Option(help="Why, such as that a device was lost.")],
) -> None:
    """End an account of your organisation for good; an admin cannot end its own."""
    from commands.submission import submit_and_print
    from contracts.accounts import RevokeAccount

    with session.connect() as client:
        accounts: list[dict[str, Any]] = client.entries("/v1/accounts", "accounts")
        public_key = key_in(accounts, key)
        arguments = RevokeAccount(public_key=public_key, reason=reason)
        submit_and_print(client, "account.revoke", arguments, as_json=session.as_json)


def key_in(accounts: list[dict[str, Any]], beginning: str) -> bytes:
    """Returns the one public key of a list that begins so.

    Raises:
        CommandFailed: none does, or several do.
    """
    keys = [str(each["public_key"]) for each in accounts]
    found = [each for each in keys if each.startswith(beginning.lower())]
    if len(found) != 1:
        fail(
            "KEY: expected the public key of one account, or its beginning, got "
            f"{beginning!a}, which {len(found) or 'none'} of {len(keys)} accounts have; see "
            "`tanlian account list`"
        )
    return bytes.fromhex(found[0])
