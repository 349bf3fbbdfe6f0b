"""The steps of ``tanlian alert`` that are signed: what people do about an alert."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from commands.input_file import hash_of_file
from commands.output import fail
from commands.session import Session, signs
from commands.target import OPERATOR_ACCOUNT, public_key_of

AlertArgument = Annotated[str, typer.Argument(help="Alert id, as `tanlian alert list` shows it.")]
NoteOption = Annotated[str, typer.Option(help="What is being done, or why.")]
_ADMIN = "member-1-admin"
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
    app.command("recheck")(recheck)
    app.command("comment")(comment)
    app.command("attach")(attach)
    app.command("assign")(assign)
    app.command("configure")(configure)


def _plain_step(method: str, default_account: str) -> Callable[..., None]:
    @signs(default_account)
    def command(session: Session, alert_id: AlertArgument, note: NoteOption = "") -> None:
        from contracts.cases import TakeStep

        session.submit(method, TakeStep(alert_id=alert_id, note=note))

    return command


@signs(OPERATOR_ACCOUNT)
def explain(
    session: Session,
    alert_id: AlertArgument,
    cause: Annotated[str, typer.Option(help="Such as METER_FAULT, COMMS, SCHEDULE, EQUIPMENT.")],
    note: Annotated[str, typer.Option(help="What happened, and how one knows.")],
) -> None:
    """From INVESTIGATING to EXPLAINED: a cause is stated."""
    from commands.choices import choice_of
    from contracts.alert import Cause
    from contracts.cases import ExplainCase

    arguments = ExplainCase(
        alert_id=alert_id, cause=choice_of(Cause, cause, "--cause"), explanation=note
    )
    session.submit("case.explain", arguments)


@signs(OPERATOR_ACCOUNT)
def resolve(
    session: Session,
    alert_id: AlertArgument,
    baseline: Annotated[
        int | None, typer.Option(help="Version that was set in force since, by `baseline set`.")
    ] = None,
    target: Annotated[
        int | None, typer.Option(help="Version of the site's target that was set since.")
    ] = None,
    correction: Annotated[
        int | None, typer.Option(help="Approved correction or substitute of the meter.")
    ] = None,
    meter: Annotated[
        str | None, typer.Option(help="Whose --correction, where it is not the alert's own.")
    ] = None,
    arrived: Annotated[
        bool, typer.Option("--arrived", help="What was missing or wrong is here or done by now.")
    ] = False,
    dismiss: Annotated[
        str | None, typer.Option(help="Nothing has to change: why. A second person signs.")
    ] = None,
    note: NoteOption = "",
) -> None:
    """From EXPLAINED to VERIFIED, by a remedy that the contract checks or a dismissal."""
    from contracts.cases import TakeStep
    from contracts.remedies import CorrectCase, RebaselineCase

    version = target if baseline is None else baseline
    named = [each is not None for each in (baseline, target, correction, dismiss)]
    if sum(named) + arrived != 1:
        raise typer.BadParameter(
            "expected exactly one of --baseline N, --target N, --correction N, --arrived and "
            f"--dismiss NOTE, got {sum(named) + arrived}"
        )
    if meter is not None and correction is None:
        raise typer.BadParameter("expected --correction N of the --meter, got none")
    if dismiss is not None:
        dismissal = TakeStep(alert_id=alert_id, note=dismiss)
        session.by_default(_CERTIFIER).submit("case.dismiss", dismissal)
    elif version is not None:
        rebaseline = RebaselineCase(alert_id=alert_id, version=version, note=note)
        session.submit("case.rebaseline", rebaseline)
    else:
        correct = CorrectCase(alert_id=alert_id, meter=meter, number=correction, note=note)
        session.submit("case.correct", correct)


@signs(OPERATOR_ACCOUNT)
def recheck(session: Session, alert_id: AlertArgument) -> None:
    """Go on with the re-check of a window of more than three weeks of quarter hours."""
    from contracts.remedies import ContinueRecheck

    session.submit("case.recheck", ContinueRecheck(alert_id=alert_id))


@signs(_ADMIN)
def configure(
    session: Session,
    reason: Annotated[str, typer.Option(help="Why the terms change.")],
    hours: Annotated[
        list[str] | None,
        typer.Option(help="SEVERITY:ACK,EXPLAIN,RESOLVE in hours, such as high:8,72,168."),
    ] = None,
    escalations: Annotated[int, typer.Option(min=1, max=9, help="At most so many.")] = 3,
) -> None:
    """Set how long your organisation allows for the stages of its cases; others by default."""
    from chain.errors import ChainError
    from contracts.case import DEFAULT_TERMS
    from contracts.cases import ConfigureCases

    spans = list(DEFAULT_TERMS.spans)
    for text in hours or ():
        severity, row = _spans_in(text)
        spans[severity - 1] = row
    try:
        terms = ConfigureCases(spans=tuple(spans), escalations_max=escalations, reason=reason)
        ConfigureCases.decode(terms.encode())
    except ChainError as error:
        fail(f"--hours: {error}")
    session.submit("case.configure", terms)


def _spans_in(text: str) -> tuple[int, tuple[int, ...]]:
    """Returns severity and spans in ms of a row such as ``high:8,72,168``."""
    from commands.choices import choice_of
    from contracts.alert import Severity
    from contracts.case import Stage

    name, _, rest = text.partition(":")
    severity = choice_of(Severity, name, "--hours")
    parts = rest.split(",")
    if len(parts) != len(Stage) or not all(each.isascii() and each.isdigit() for each in parts):
        fail(f"--hours: expected SEVERITY:ACK,EXPLAIN,RESOLVE in whole hours, got {text!a}")
    return severity, tuple(int(part) * 3_600_000 for part in parts)


@signs(OPERATOR_ACCOUNT)
def comment(
    session: Session,
    alert_id: AlertArgument,
    text: Annotated[str, typer.Argument(help="What is to be said.")],
) -> None:
    """Add a comment to an alert that is not CLOSED."""
    from contracts.cases import CommentCase

    session.submit("case.comment", CommentCase(alert_id=alert_id, comment=text))


@signs(OPERATOR_ACCOUNT)
def attach(
    session: Session,
    alert_id: AlertArgument,
    file: Annotated[Path, typer.Argument(help="File that shows it; only its hash is sent.")],
    note: Annotated[str, typer.Option(help="What it shows.")] = "",
    media_type: Annotated[
        str | None, typer.Option(help="Such as application/pdf; guessed from the name.")
    ] = None,
) -> None:
    """Add the SHA-256 of a file to an alert that is not CLOSED; the file stays where it is."""
    import mimetypes

    from contracts.case import EvidenceFile
    from contracts.cases import AttachFile

    digest = hash_of_file(file)
    guessed = media_type or mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    evidence = EvidenceFile(sha256=digest, name=file.name, media_type=guessed)
    session.submit("case.attach", AttachFile(alert_id=alert_id, file=evidence, note=note))


@signs(OPERATOR_ACCOUNT)
def assign(
    session: Session,
    alert_id: AlertArgument,
    assignee: Annotated[
        str, typer.Argument(help="OPERATOR or ADMIN: name, key file or public key.")
    ],
    note: NoteOption = "",
) -> None:
    """Make an account the one responsible for an alert."""
    from contracts.cases import AssignCase

    public_key = public_key_of(session.network, assignee, "ASSIGNEE")
    session.submit("case.assign", AssignCase(alert_id=alert_id, assignee=public_key, note=note))
