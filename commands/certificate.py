"""``tanlian certificate``: engagements of certification bodies, and the certificates they issue."""

from pathlib import Path
from typing import Annotated, Final

import typer

from commands import credential
from commands.certificate_view import print_certificate, print_engagement, print_sample, row
from commands.certification_input import (
    CERTIFIER_ACCOUNT,
    certificate_of,
    engagement_of,
    final_block,
    moment_ms,
    month_of,
    reexecution_in,
    report_hash,
)
from commands.input_file import hash_of_file
from commands.output import (
    JsonOption,
    fail,
    print_fields,
    print_json,
    print_table,
    say,
)
from commands.session import Session, reads, signs
from commands.submission import submit_and_print

app = typer.Typer(
    no_args_is_help=True,
    help="Certification: engagements, statements, certificates and their credentials.",
)

IdArgument = Annotated[str, typer.Argument(help="Id such as certifier-1.000001.")]
ReasonOption = Annotated[str, typer.Option(help="Why; it stands on the chain for ever.")]
_SCOPES: Final = ("direct", "purchased_energy")


@app.command("open")
@signs(CERTIFIER_ACCOUNT)
def open_engagement(
    session: Session,
    organisation: Annotated[str, typer.Argument(help="Organisation that is to be certified.")],
    site: Annotated[list[str], typer.Option(help="Of its sites; may be given again.")],
    from_month: Annotated[str, typer.Option("--from", help="First month, such as 2018-01.")],
    to_month: Annotated[str, typer.Option("--to", help="Last month, inclusive.")],
    scope: Annotated[
        list[str] | None,
        typer.Option(
            help="direct, purchased_energy or value_chain; again for more. By default the first "
            "two."
        ),
    ] = None,
    criteria: Annotated[
        str, typer.Option(help="What is verified against.")
    ] = "ISO 14064-1:2018; verified after ISO 14064-3:2019",
) -> None:
    """Open an engagement; its id is in the event."""
    from commands.choices import choice_of
    from contracts.certifications import OpenCertification
    from contracts.emissions import Scope

    arguments = OpenCertification(
        organisation=organisation,
        sites=tuple(sorted(site)),
        from_month=month_of(from_month, "--from"),
        to_month=month_of(to_month, "--to"),
        scopes=tuple(sorted(choice_of(Scope, each, "--scope") for each in scope or _SCOPES)),
        criteria=criteria,
    )
    session.submit("certification.open", arguments)


@app.command("plan")
@signs(CERTIFIER_ACCOUNT)
def plan(
    session: Session,
    certification_id: IdArgument,
    document: Annotated[Path, typer.Option(help="The plan; its SHA-256 goes on the chain.")],
    meter: Annotated[list[str], typer.Option(help="Meter to sample; may be given again.")],
    intervals: Annotated[int, typer.Option(min=1, help="To draw of each meter.")] = 20,
) -> None:
    """Draw the sample from the hash of the block after the opening; waits for it."""
    from contracts.certification import SEED_DISTANCE
    from contracts.certifications import PlanSampling

    digest = hash_of_file(document)
    with session.connect() as client:
        opened = engagement_of(client, certification_id)
        arguments = PlanSampling(
            certification_id=certification_id,
            document=digest,
            meters=tuple(sorted(meter)),
            intervals_per_meter=intervals,
            block=final_block(client, opened["opened_height"] + SEED_DISTANCE),
        )
        submit_and_print(client, "certification.plan", arguments, as_json=session.as_json)
        if not session.as_json:
            print_sample(engagement_of(client, certification_id))


@app.command("finding")
@signs(CERTIFIER_ACCOUNT)
def finding(
    session: Session,
    certification_id: IdArgument,
    amount_g: Annotated[
        int, typer.Option(help="g CO2e by which the total is too high; below 0: too low.")
    ],
    words: Annotated[str, typer.Option(help="What is wrong.")],
    kind: Annotated[
        str, typer.Option(help="error, omission, misrepresentation or non_conformity.")
    ] = "error",
    material: Annotated[bool, typer.Option("--material", help="Material at any amount.")] = False,
    evidence: Annotated[
        Path | None, typer.Option(help="File that shows it; its SHA-256 goes on the chain.")
    ] = None,
) -> None:
    """Record a misstatement."""
    from commands.choices import choice_of
    from contracts.certification import MisstatementKind
    from contracts.statements import RecordMisstatement

    arguments = RecordMisstatement(
        certification_id=certification_id,
        amount_g=amount_g,
        kind=choice_of(MisstatementKind, kind, "--kind"),
        is_material=material,
        words=words,
        evidence=hash_of_file(evidence),
    )
    session.submit("certification.record_misstatement", arguments)


@app.command("corrected")
@signs(CERTIFIER_ACCOUNT)
def corrected(
    session: Session,
    certification_id: IdArgument,
    number: Annotated[int, typer.Argument(min=1, help="Of the misstatement.")],
    correction: Annotated[str, typer.Option(help="What was done.")],
) -> None:
    """Note that a misstatement was corrected; it stays."""
    from contracts.statements import CorrectMisstatement

    arguments = CorrectMisstatement(
        certification_id=certification_id, number=number, correction=correction
    )
    session.submit("certification.correct_misstatement", arguments)


@app.command("reexecute")
def reexecute(
    home: Annotated[Path, typer.Option("--home", help="The observer's home; not running.")],
    out: Annotated[Path, typer.Option(help="File for `certificate conclude`.")],
    as_json: JsonOption = False,
) -> None:
    """Execute the chain again on the body's own, stopped observer, from genesis to its head."""
    import json

    from commands.verification import verify_home
    from node.config import load
    from node.provisioning import CONFIG_FILE

    report = verify_home(home, is_quiet=as_json)
    document = {
        "node_id": load(home / CONFIG_FILE).name,
        "chain_id": report["chain_id"],
        "height": report["height"],
        "block_hash": report["head"],
        "state_root": report["state_root"],
    }
    out.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    if as_json:
        print_json(document)
        return
    executed = f"{report['blocks']} blocks, {report['transactions']} transactions"
    print_fields([("executed", executed), *document.items(), ("written to", out)])


@app.command("conclude")
@signs(CERTIFIER_ACCOUNT)
def conclude(
    session: Session,
    certification_id: IdArgument,
    reexecution: Annotated[Path, typer.Option(help="File that `certificate reexecute` wrote.")],
    basis: Annotated[str, typer.Option(help="Procedures, and why the opinion is what it is.")],
    opinion: Annotated[
        str, typer.Option(help="unmodified, modified, adverse or disclaimer.")
    ] = "unmodified",
    level: Annotated[str, typer.Option(help="limited or reasonable.")] = "limited",
    materiality_permille: Annotated[
        int,
        typer.Option(min=1, max=1_000, help="The certifier's choice; 50 and 20 are usual."),
    ] = 50,
    exception: Annotated[
        list[str] | None, typer.Option(help="Case of the period that stays open; again for more.")
    ] = None,
) -> None:
    """State what was found, bound to the block that the body's observer executed."""
    from commands.choices import choice_of
    from contracts.certification import AssuranceLevel, Opinion
    from contracts.statements import Conclude

    node_id, height, block_hash, state_root = reexecution_in(reexecution)
    chosen = choice_of(AssuranceLevel, level, "--level"), choice_of(Opinion, opinion, "--opinion")
    with session.connect() as client:
        block = final_block(client, height)
        shown = (block.header.hash.hex(), block.header.state_root.hex())
        if shown != (block_hash, state_root):
            fail(
                f"block {height}: expected hash {block_hash} and state root {state_root}, as "
                f"{node_id} computed them, got {shown[0]} and {shown[1]}: do not certify this chain"
            )
        arguments = Conclude(
            certification_id=certification_id,
            level=chosen[0],
            opinion=chosen[1],
            materiality_permille=materiality_permille,
            basis=basis,
            exceptions=tuple(sorted(exception or ())),
            node_id=node_id,
            block=block,
        )
        submit_and_print(client, "certification.conclude", arguments, as_json=session.as_json)


@app.command("issue")
@signs(CERTIFIER_ACCOUNT)
def issue(
    session: Session,
    certification_id: IdArgument,
    report: Annotated[str, typer.Option(help="The certified report: JSON file, or its SHA-256.")],
    valid_until: Annotated[str, typer.Option(help="Day from which it is no longer valid, UTC.")],
) -> None:
    """Issue the certificate of a concluded engagement; it has the same id."""
    from contracts.certificates import IssueCertificate

    arguments = IssueCertificate(
        certification_id=certification_id,
        report=report_hash(report),
        valid_until_ms=moment_ms(valid_until, "--valid-until"),
    )
    session.submit("certificate.issue", arguments)


@app.command("list")
@reads
def list_certificates(
    session: Session,
    organisation: Annotated[str | None, typer.Option(help="Of this organisation only.")] = None,
    body: Annotated[str | None, typer.Option(help="Of this certification body only.")] = None,
    engagements: Annotated[
        bool, typer.Option("--engagements", help="Engagements, certified or not.")
    ] = False,
) -> None:
    """List certificates and how they stand, or engagements."""
    filters = {"organisation": organisation, "body": body}
    name = "certifications" if engagements else "certificates"
    with session.connect() as client:
        found = client.entries(f"/v1/{name}", name, filters)
    if session.as_json:
        print_json({name: found})
        return
    if not found:
        say(f"No {'engagements' if engagements else 'certificates'}.")
        return
    print_table(
        ("!id", "organisation", "!months", "!state", "!until (UTC)"),
        [row(each) for each in found],
    )


@app.command("show")
@reads
def show(session: Session, certificate_id: IdArgument) -> None:
    """Show an engagement with its misstatements, and its certificate with its changes."""
    from client.errors import RpcProblem

    with session.connect() as client:
        engagement = engagement_of(client, certificate_id)
        try:
            found = certificate_of(client, certificate_id)
        except RpcProblem as problem:
            if problem.code != "UNKNOWN_CERTIFICATE":
                raise
            found = None
    if session.as_json:
        print_json({"certification": engagement, "certificate": found})
        return
    print_engagement(engagement)
    if found is not None:
        print_certificate(found)


@app.command("suspend")
@signs(CERTIFIER_ACCOUNT)
def suspend(session: Session, certificate_id: IdArgument, reason: ReasonOption) -> None:
    """Suspend a certificate until its body reinstates it."""
    from contracts.certificates import ChangeCertificate

    arguments = ChangeCertificate(certificate_id=certificate_id, reason=reason)
    session.submit("certificate.suspend", arguments)


@app.command("revoke")
@signs(CERTIFIER_ACCOUNT)
def revoke(session: Session, certificate_id: IdArgument, reason: ReasonOption) -> None:
    """End a certificate for good."""
    from contracts.certificates import ChangeCertificate

    arguments = ChangeCertificate(certificate_id=certificate_id, reason=reason)
    session.submit("certificate.revoke", arguments)


@app.command("reinstate")
@signs(CERTIFIER_ACCOUNT)
def reinstate(
    session: Session,
    certificate_id: IdArgument,
    reason: ReasonOption,
    revisions: Annotated[
        int, typer.Option(min=0, help="Revisions that you looked at, as `show` counts them.")
    ],
) -> None:
    """Make a suspended certificate valid again, having looked at all that touched it."""
    from contracts.certificates import ReinstateCertificate

    arguments = ReinstateCertificate(
        certificate_id=certificate_id, reason=reason, revision_count=revisions
    )
    session.submit("certificate.reinstate", arguments)


app.command("export")(credential.export)
app.command("status-list")(credential.status_list)
app.command("cosign")(credential.cosign)
app.command("verify")(credential.verify)
