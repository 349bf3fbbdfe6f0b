"""Certificates as files: exported, co-signed and verified, under ``tanlian certificate``."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from commands.certification_input import (
    CERTIFIER_ACCOUNT,
    certificate_of,
    standing_of_body,
)
from commands.input_file import (
    CERTIFICATE,
    PROOF,
    STATUS_LIST,
    read_document,
    read_genesis,
    read_json,
)
from commands.output import JsonOption, fail, print_fields, print_json, say, time_text
from commands.session import Session, signs, takes
from commands.target import connect, find_network, open_signer

if TYPE_CHECKING:
    from chain.crypto import Signer
    from chain.types import Hash
    from client.credentials.document import Document
    from client.credentials.verification import Verdict
    from client.synchronous import SyncTanlianClient

OutOption = Annotated[Path, typer.Option(help="File to write; must not exist.")]
AGE_DAYS_MAX: Final = 31
"""What showed that a certificate stood says nothing after so many days, unless asked otherwise."""


@signs()
def export(
    session: Session,
    certificate_id: Annotated[str, typer.Argument(help="Id such as certifier-1.000001.")],
    out: OutOption,
    status_lists: Annotated[
        Path | None,
        typer.Option(help="Directory for the body's two status lists of this moment."),
    ] = None,
) -> None:
    """Write a certificate as a Verifiable Credential, signed by the key that issued it."""
    from client.credentials import data_integrity
    from client.credentials.certificate_credential import credential_of
    from client.credentials.chain_binding import certificate_in, evidence_of, verify_evidence
    from contracts.certificate import STATUS_PURPOSES, certificate_key

    _check_new(out)
    signer = _signer(session)
    with connect(session.network, session.node) as connection:
        client, network = connection.client, connection.network
        certificate_of(client, certificate_id)  # refuses an id that there is not
        evidence = evidence_of(client.state_proof(certificate_key(certificate_id)))
        if network is not None:  # what a node says alone is nothing to sign
            verify_evidence(evidence, certificate_id, read_genesis(network.genesis_path))
        certificate = certificate_in(evidence)
        if signer.public_key != certificate.issued_by:
            fail(
                f"certificate {certificate_id}: expected the key that issued it, "
                f"{certificate.issued_by.hex()}, got {signer.public_key.hex()}; choose it with --as"
            )
        chain_id = _chain_id(client)
        document = {**credential_of(certificate, chain_id), "evidence": [evidence]}
        written = {out: data_integrity.sign(document, signer, _now_ms())}
        if status_lists is not None:
            status_lists.mkdir(parents=True, exist_ok=True)
            for purpose in STATUS_PURPOSES:
                path = status_lists / f"{certificate.body}-{purpose}.json"
                written[path] = _status_list(client, chain_id, signer, certificate.body, purpose)
    for path, credential in written.items():
        _write(path, credential)
    _tell(list(written), as_json=session.as_json)


@signs()
def status_list(
    session: Session,
    body: Annotated[str, typer.Argument(help="Certification body, such as certifier-1.")],
    purpose: Annotated[str, typer.Option(help="revocation or suspension.")],
    out: OutOption,
) -> None:
    """Write the status list of a body as of now, signed by the key that issued its certificates."""
    from contracts.certificate import STATUS_PURPOSES

    if purpose not in STATUS_PURPOSES:
        fail(f"--purpose: expected {' or '.join(STATUS_PURPOSES)}, got {purpose!a}")
    _check_new(out)
    signer = _signer(session)
    with connect(session.network, session.node) as connection:
        client = connection.client
        document = _status_list(client, _chain_id(client), signer, body, purpose)
    _write(out, document)
    _tell([out], as_json=session.as_json)


@takes("network", "account", "passphrase_file", "as_json")
def cosign(
    session: Session,
    file: Annotated[Path, typer.Argument(help="Credential to add a proof to.")],
    out: OutOption,
) -> None:
    """Add one's own proof to those of a credential; in any order, none depends on another."""
    from client.credentials import data_integrity

    _check_new(out)
    document = read_json(file, CERTIFICATE)
    signers = data_integrity.verify(document)  # nobody puts a hand under what does not hold
    signer = _signer(session)
    if signer.public_key in signers:
        fail(f"{file}: expected a certificate that {signer.public_key.hex()} has not signed yet")
    _write(out, data_integrity.sign(document, signer, _now_ms()))
    _tell([out], as_json=session.as_json)


def verify(
    file: Annotated[Path, typer.Argument(help="Credential that `certificate export` wrote.")],
    status_list: Annotated[
        list[Path] | None,
        typer.Option("--status-list", help="Status list credential; may be given again."),
    ] = None,
    genesis: Annotated[
        Path | None, typer.Option(help="Genesis file: checks what the chain holds, too.")
    ] = None,
    proof: Annotated[
        Path | None,
        typer.Option(help="Proof file of `proof get certificate`: its standing; needs --genesis."),
    ] = None,
    max_age_days: Annotated[
        int, typer.Option(min=1, help="Age from which lists and proofs say nothing any more.")
    ] = AGE_DAYS_MAX,
    as_json: JsonOption = False,
) -> None:
    """Verify a certificate without any node: proofs, dates, standing, and its chain."""
    from client.credentials.chain_binding import ProofFile
    from client.credentials.verification import ChainTrust, standing_of, verify_certificate

    if proof is not None and genesis is None:
        fail("--proof: expected --genesis beside it, which says whose proofs hold, got none")
    trust = None
    if genesis is not None:
        proof_file = None
        if proof is not None:
            text, document = read_document(proof, PROOF)
            proof_file = ProofFile(text=text, document=document)
        trust = ChainTrust(genesis=read_genesis(genesis), proof=proof_file)
    now_ms = _now_ms()
    verdict = verify_certificate(
        read_json(file, CERTIFICATE),
        now_ms=now_ms,
        status_lists=tuple(read_json(each, STATUS_LIST) for each in status_list or ()),
        chain=trust,
    )
    standing = standing_of(verdict, now_ms, max_age_days)
    _print_verdict(verdict, standing, as_json=as_json)


def _print_verdict(verdict: "Verdict", standing: str, *, as_json: bool) -> None:
    bound, stood = verdict.block_height is not None, verdict.standing_block
    document: dict[str, Any] = {
        "certificate": verdict.certificate,
        "issuer": verdict.issuer.hex(),
        "co_signers": [key.hex() for key in verdict.co_signers],
        "valid_from": verdict.valid_from,
        "valid_until": verdict.valid_until,
        "standing": standing,
        "stood_at": None if verdict.stood_at is None else verdict.stood_at.isoformat(),
        "as_of": {each.purpose: each.as_of.isoformat() for each in verdict.statuses},
        "bound_to_chain": bound,
        "block_height": verdict.block_height,
        "standing_height": None if stood is None else stood.height,
    }
    if as_json:
        print_json(document)
        return
    sources = [f"{each.purpose} as of {each.as_of:%Y-%m-%d %H:%M:%SZ}" for each in verdict.statuses]
    if stood is not None:
        sources.append(f"proved after block {stood.height} of {time_text(stood.time_ms)}")
    lists = ", ".join(sources)
    chain = (
        f"the chain holds exactly this certificate, proved at block {verdict.block_height}"
        if bound
        else "not looked at; give --genesis"
    )
    print_fields(
        [
            ("certificate", document["certificate"]),
            ("proof", f"holds, by {document['issuer']}"),
            ("co-signed by", ", ".join(document["co_signers"]) or "nobody"),
            ("valid", f"{verdict.valid_from} to {verdict.valid_until}"),
            ("standing", document["standing"] + (f"; {lists}" if lists else "")),
            ("chain", chain),
        ]
    )


def _status_list(
    client: "SyncTanlianClient", chain_id: "Hash", signer: "Signer", body: str, purpose: str
) -> "Document":
    from client.credentials import data_integrity
    from client.credentials.certificate_credential import list_id, status_list_of

    found = standing_of_body(client, body, purpose)
    document = status_list_of(
        signer.public_key,
        list_name=list_id(chain_id, body, purpose),
        purpose=purpose,
        indexes=found["set"],
        time_ms=found["time_ms"],
    )
    return data_integrity.sign(document, signer, _now_ms())


def _signer(session: Session) -> "Signer":
    name = session.account or CERTIFIER_ACCOUNT
    network = None if Path(name).is_file() else find_network(session.network)
    return open_signer(network, name, session.passphrase_file)


def _chain_id(client: "SyncTanlianClient") -> "Hash":
    status: dict[str, Any] = client.status()
    return bytes.fromhex(status["chain_id"])


def _check_new(path: Path) -> None:
    if path.exists():
        fail(f"{path}: expected no file, found one; nothing is overwritten")


def _write(path: Path, document: "Document") -> None:
    from client.credentials.document import text_of

    path.write_text(text_of(document), encoding="utf-8")


def _tell(paths: list[Path], *, as_json: bool) -> None:
    if as_json:
        print_json({"written": [str(path) for path in paths]})
    else:
        say(*(f"Written: {path}" for path in paths))


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
