"""The steps of ``tanlian alert`` that are signed: what people do about an alert."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from commands.output import JsonOption, fail
from commands.submission import submit_and_print
from commands.target import (
    OPERATOR_ACCOUNT,
    AccountOption,
    NetworkOption,
    NodeOption,
    PassphraseOption,
    connect,
)

AlertArgument = Annotated[str, typer.Argument(help="Alert id, as `tanlian alert list` shows it.")]
NoteOption = Annotated[str, typer.Option(help="What is being done, or why.")]
_CERTIFIER = "certifier"


def add_steps(app: typer.Typer) -> None:
    """Adds the commands to the group of the noun."""
    for name, method, account, words in (
        ("ack", "acknowledge", OPERATOR_ACCOUNT, "Take an alert from OPEN to ACKNOWLEDGED."),
        ("investigate", "investigate", OPERATOR_ACCOUNT, "From ACKNOWLEDGED to INVESTIGATING."),
        ("return", "return", _CERTIFIER, "From EXPLAINED or VERIFIED back to INVESTIGATING."),
        ("close", "close", _CERTIFIER, "From VERIFIED to CLOSED: nothing is left to do."),
    ):
        app.command(name, help=words)(_plain_step(f"case.{method}", account))
    app.command("explain")(explain)
    app.command("resolve")(resolve)
    app.command("comment")(comment)
    app.command("attach")(attach)
    app.command("assign")(assign)


def _plain_step(method: str, default_account: str) -> Callable[..., None]:
    def command(
        alert_id: AlertArgument,
        note: NoteOption = "",
        network: NetworkOption = None,
        node: NodeOption = None,
        account: AccountOption = None,
        passphrase_file: PassphraseOption = None,
        as_json: JsonOption = False,
    ) -> None:
        from contracts.cases import TakeStep

        with connect(
            network,
            node,
            account=account,
            passphrase_file=passphrase_file,
            default_account=default_account,
        ) as connection:
            arguments = TakeStep(alert_id=alert_id, note=note)
            submit_and_print(connection.client, method, arguments, as_json=as_json)

    return command


def explain(
    alert_id: AlertArgument,
    cause: Annotated[str, typer.Option(help="Such as METER_FAULT, COMMS, SCHEDULE, EQUIPMENT.")],
    note: Annotated[str, typer.Option(help="What happened, and how one knows.")],
    network: NetworkOption = None,
    node: NodeOption = None,
    account: AccountOption = None,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """From INVESTIGATING to EXPLAINED: a cause is stated."""
    from commands.choices import choice_of
    from contracts.alert import Cause
    from contracts.cases import ExplainCase

    arguments = ExplainCase(
        alert_id=alert_id, cause=choice_of(Cause, cause, "--cause"), explanation=note
    )
    with connect(
        network,
        node,
        account=account,
        passphrase_file=passphrase_file,
        default_account=OPERATOR_ACCOUNT,
    ) as connection:
        submit_and_print(connection.client, "case.explain", arguments, as_json=as_json)


def resolve(
    alert_id: AlertArgument,
    dismiss: Annotated[
        str | None, typer.Option(help="Nothing has to change: why; a second person signs.")
    ] = None,
    network: NetworkOption = None,
    node: NodeOption = None,
    account: AccountOption = None,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """From EXPLAINED to VERIFIED."""
    from contracts.cases import TakeStep

    if dismiss is None:
        fail("resolve: expected --dismiss NOTE, got none")
    with connect(
        network,
        node,
        account=account,
        passphrase_file=passphrase_file,
        default_account=_CERTIFIER,
    ) as connection:
        arguments = TakeStep(alert_id=alert_id, note=dismiss)
        submit_and_print(connection.client, "case.dismiss", arguments, as_json=as_json)


def comment(
    alert_id: AlertArgument,
    text: Annotated[str, typer.Argument(help="What is to be said.")],
    network: NetworkOption = None,
    node: NodeOption = None,
    account: AccountOption = None,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Add a comment to an alert that is not CLOSED."""
    from contracts.cases import CommentCase

    with connect(
        network,
        node,
        account=account,
        passphrase_file=passphrase_file,
        default_account=OPERATOR_ACCOUNT,
    ) as connection:
        arguments = CommentCase(alert_id=alert_id, comment=text)
        submit_and_print(connection.client, "case.comment", arguments, as_json=as_json)


def attach(
    alert_id: AlertArgument,
    file: Annotated[Path, typer.Argument(help="File that shows it; only its hash is sent.")],
    note: Annotated[str, typer.Option(help="What it shows.")] = "",
    media_type: Annotated[
        str | None, typer.Option(help="Such as application/pdf; guessed from the name.")
    ] = None,
    network: NetworkOption = None,
    node: NodeOption = None,
    account: AccountOption = None,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Add the SHA-256 of a file to an alert that is not CLOSED; the file stays where it is."""
    import mimetypes

    from contracts.case import EvidenceFile
    from contracts.cases import AttachFile

    try:
        with file.open("rb") as opened:
            digest = hashlib.file_digest(opened, "sha256").digest()
    except OSError as error:
        fail(f"{file}: expected a file to read, got: {error.strerror}")
    guessed = media_type or mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    evidence = EvidenceFile(sha256=digest, name=file.name, media_type=guessed)
    with connect(
        network,
        node,
        account=account,
        passphrase_file=passphrase_file,
        default_account=OPERATOR_ACCOUNT,
    ) as connection:
        arguments = AttachFile(alert_id=alert_id, file=evidence, note=note)
        submit_and_print(connection.client, "case.attach", arguments, as_json=as_json)


def assign(
    alert_id: AlertArgument,
    assignee: Annotated[str, typer.Argument(help="Public key of an OPERATOR or ADMIN, hex.")],
    note: NoteOption = "",
    network: NetworkOption = None,
    node: NodeOption = None,
    account: AccountOption = None,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make an account the one responsible for an alert."""
    from contracts.cases import AssignCase

    try:
        public_key = bytes.fromhex(assignee)
    except ValueError:
        fail(f"ASSIGNEE: expected a public key of 64 hexadecimal digits, got {assignee!a}")
    with connect(
        network,
        node,
        account=account,
        passphrase_file=passphrase_file,
        default_account=OPERATOR_ACCOUNT,
    ) as connection:
        arguments = AssignCase(alert_id=alert_id, assignee=public_key, note=note)
        submit_and_print(connection.client, "case.assign", arguments, as_json=as_json)
