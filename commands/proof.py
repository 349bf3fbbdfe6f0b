"""``tanlian proof``: one file that proves what the chain holds, and its verification without it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from commands.input_file import PROOF, read_document, read_genesis
from commands.output import JsonOption, fail, print_fields, print_json, say, time_text
from commands.session import Session, takes
from commands.target import connect

if TYPE_CHECKING:
    from chain.genesis import Genesis
    from chain.proof_file import Claim

app = typer.Typer(no_args_is_help=True, help="Proofs: get a file from any node, verify it offline.")
get = typer.Typer(no_args_is_help=True, help="Write one file that proves what the chain holds.")
app.add_typer(get, name="get")

OutOption = Annotated[
    Path | None,
    typer.Option("--out", help="File to write; by default named for what it proves."),
]
ZoneOption = Annotated[str, typer.Option(help="IANA zone of stamps without offset.")]
MeterArgument = Annotated[str, typer.Argument(help="Meter id.")]
AtArgument = Annotated[
    str, typer.Argument(metavar="TIME", help="A moment of the interval, ISO 8601.")
]


@get.command("reading")
@takes("network", "node")
def get_reading(
    session: Session,
    meter_id: MeterArgument,
    at: AtArgument,
    out: OutOption = None,
    zone: ZoneOption = "UTC",
) -> None:
    """Prove the reading of an interval, and that there is no second one."""
    from commands.reading_input import stamp_of

    at_ms = stamp_of(at, zone)
    _fetch(f"readings/{meter_id}/{at_ms}", out, f"reading-{meter_id}-{at_ms}", session)


@get.command("absence")
@takes("network", "node")
def get_absence(
    session: Session,
    meter_id: MeterArgument,
    at: AtArgument,
    out: OutOption = None,
    zone: ZoneOption = "UTC",
) -> None:
    """Prove all that was sent around an interval: how often it was sent, or that it never was."""
    from commands.reading_input import stamp_of

    at_ms = stamp_of(at, zone)
    _fetch(f"absences/{meter_id}/{at_ms}", out, f"absence-{meter_id}-{at_ms}", session)


@get.command("alert")
@takes("network", "node")
def get_alert(
    session: Session,
    alert_id: Annotated[str, typer.Argument(help="Alert id, as `tanlian alert list` shows it.")],
    out: OutOption = None,
) -> None:
    """Prove an alert as it stands."""
    _fetch(f"alerts/{alert_id}", out, f"alert-{alert_id}", session)


@get.command("certificate")
@takes("network", "node")
def get_certificate(
    session: Session,
    certificate_id: Annotated[str, typer.Argument(help="Body and number: verifier.000001.")],
    out: OutOption = None,
) -> None:
    """Prove a certificate, and that it is not revoked or suspended; or that it is."""
    _fetch(f"certificates/{certificate_id}", out, f"certificate-{certificate_id}", session)


@get.command("total")
@takes("network", "node")
def get_total(
    session: Session,
    owner: Annotated[str, typer.Argument(metavar="SITE|ORGANISATION", help="Whose total.")],
    month: Annotated[str, typer.Argument(help="Such as 2018-01.")],
    out: OutOption = None,
) -> None:
    """Prove the total of a month, or that there is none."""
    _fetch(f"totals/{owner}/{month}", out, f"total-{owner}-{month}", session)


@get.command("state")
@takes("network", "node")
def get_state(
    session: Session,
    key: Annotated[str, typer.Argument(help="State key, such as meter/office-main.")],
    out: OutOption = None,
) -> None:
    """Prove what any state key holds, or that it is absent."""
    encoded = key.encode()
    _fetch(f"state/{encoded.hex()}", out, f"state-{key.replace('/', '-')}", session)


@app.command("verify")
def verify(
    file: Annotated[Path, typer.Argument(help="Proof file.")],
    genesis: Annotated[
        Path, typer.Option("--genesis", help="Genesis file of the chain: all that is trusted.")
    ],
    as_json: JsonOption = False,
) -> None:
    """Verify a proof file against the genesis alone; asks no node."""
    from commands.proof_words import document_of, lines_of

    claims = _verified(*read_document(file, PROOF), str(file), read_genesis(genesis))
    if as_json:
        print_json({"proof": "holds", "claims": [document_of(claim) for claim in claims]})
        return
    block = claims[-1].block
    print_fields(
        [
            ("proof", "holds"),
            ("block", f"{block.height}, {time_text(block.time_ms)}, {block.block_hash.hex()}"),
            ("certificate", f"{block.votes} of {block.validators} validators signed"),
            *(line for claim in claims for line in lines_of(claim)),
        ]
    )


def _fetch(path: str, out: Path | None, name: str, session: Session) -> None:
    """Fetches a proof file, verifies it where a genesis is at hand, and writes it."""
    from urllib.parse import quote

    from chain import jcs

    with connect(session.network, session.node) as connection:
        document = connection.client.read(f"/v1/proofs/files/{quote(path)}")
    text = jcs.encode(document) + b"\n"
    network = connection.network
    if network is not None:
        _verified(text, document, "the node's answer", read_genesis(network.genesis_path))
    file = out or Path(f"{name}.proof.json")
    try:
        file.write_bytes(text)
    except OSError as error:
        fail(f"--out: expected a file that can be written, got {file}: {error.strerror}")
    checked = "verified" if network is not None else "not verified, for no genesis is at hand"
    say(f"Wrote {file}, {len(text)} bytes, {checked}.")
    say(f"Anyone checks it with `tanlian proof verify {file} --genesis GENESIS`.")


def _verified(text: bytes, document: object, name: str, genesis: "Genesis") -> "tuple[Claim, ...]":
    from chain.crypto import ED25519
    from chain.errors import InvalidProof
    from chain.proof_file import verify_proof_file

    try:
        return verify_proof_file(text, document, genesis=genesis, scheme=ED25519)
    except InvalidProof as error:
        fail(f"{name}: the proof does not hold: {error}")
