"""The options that all commands have: said once, and shown behind a command's own."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner

from commands.session import Command, Session, reads, signs, takes


def run(decorate: Callable[[Command], Callable[..., None]], *arguments: str) -> tuple[str, Session]:
    """Runs a command with one argument and one option of its own; returns what it was given."""
    given: list[tuple[str, Session]] = []

    def command(
        session: Session,
        name: Annotated[str, typer.Argument(help="Its own.")],
        size: Annotated[int, typer.Option(help="Its own, too.")] = 3,
    ) -> None:
        """Do something."""
        given.append((f"{name} {size}", session))

    app = typer.Typer()
    app.command()(decorate(command))
    done = CliRunner().invoke(app, list(arguments))

    assert done.exit_code == 0, done.output
    (only,) = given
    return only


def options_of(decorate: Callable[[Command], Callable[..., None]]) -> list[str]:
    def command(session: Session, name: str, size: int = 3) -> None:
        """Do something."""
        raise AssertionError((session, name, size))

    app = typer.Typer(add_completion=False)
    app.command()(decorate(command))
    return [parameter.name or "" for parameter in typer.main.get_command(app).params]


def test_a_command_that_asks_takes_no_key() -> None:
    assert options_of(reads) == ["name", "size", "network", "node", "as_json"]


def test_a_command_that_signs_takes_everything() -> None:
    common = ["network", "node", "account", "passphrase_file", "as_json"]

    assert options_of(signs("operator")) == ["name", "size", *common]


def test_a_command_may_take_some_options_only() -> None:
    assert options_of(takes("network", "account")) == ["name", "size", "network", "account"]


def test_what_nobody_says_is_left_to_the_defaults() -> None:
    assert run(signs("operator"), "x") == ("x 3", Session(default_account="operator"))


def test_what_a_person_says_is_in_the_session() -> None:
    own, session = run(
        signs("operator"),
        *("x", "--size", "4", "--network", "n", "--node", "node-1", "--as", "me"),
        *("--passphrase-file", "p", "--json"),
    )

    assert own == "x 4"
    assert session == Session(
        network=Path("n"),
        node="node-1",
        account="me",
        passphrase_file=Path("p"),
        as_json=True,
        default_account="operator",
    )


@pytest.mark.parametrize("option", ["--as", "--passphrase-file"])
def test_a_command_that_asks_refuses_a_key(option: str) -> None:
    def command(session: Session) -> None:
        raise AssertionError(session)

    app = typer.Typer()
    app.command()(reads(command))

    assert CliRunner().invoke(app, [option, "x"]).exit_code == 2


def test_another_account_by_default_leaves_the_rest() -> None:
    session = Session(node="node-1", account="me", default_account="operator")

    assert session.by_default("certifier") == Session(
        node="node-1", account="me", default_account="certifier"
    )


def test_the_help_is_that_of_the_function() -> None:
    def command(session: Session) -> None:
        """Do something that is described here."""
        raise AssertionError(session)

    app = typer.Typer()
    app.command()(signs()(command))

    shown = CliRunner().invoke(app, ["--help"]).output
    assert "Do something that is described here." in shown
    assert "--passphrase-file" in shown
