"""What people type and what files hold, as arguments of certification."""

import hashlib
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from commands.input_file import REEXECUTION, REPORT, read_json
from commands.output import fail, warn
from commands.submission import BEHIND_MAX_S

if TYPE_CHECKING:
    from client.synchronous import SyncTanlianClient
    from contracts.final_block import FinalBlock

CERTIFIER_ACCOUNT: Final = "certifier"
_ASK_AGAIN_S: Final = 0.2
_SEED_WAIT_S: Final = 3 * BEHIND_MAX_S
"""A chain without transactions makes a block a minute by default."""


def month_of(text: str, option: str) -> int:
    """Returns a month such as ``2018-01`` as months since 1970-01.

    Raises:
        CommandFailed: it is none.
    """
    match = re.fullmatch(r"([0-9]{4})-(0[1-9]|1[0-2])", text, re.ASCII)
    month = -1 if match is None else (int(match[1]) - 1970) * 12 + int(match[2]) - 1
    if month < 0:
        fail(f"{option}: expected a month such as 2018-01, got {text!a}")
    return month


def moment_ms(text: str, option: str) -> int:
    """Returns a date or moment, UTC where it names no zone, in milliseconds.

    Raises:
        CommandFailed: it is none.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        fail(f"{option}: expected a date such as 2027-01-31, got {text!a}")
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    if moment.year < 1970:
        fail(f"{option}: expected a date since 1970, got {text!a}")
    return int(moment.timestamp()) * 1_000


def report_hash(text: str) -> bytes:
    """Returns the hash of a report: given as 64 hexadecimal digits, or that of a JSON file.

    Raises:
        CommandFailed: neither.
    """
    from chain import jcs

    if re.fullmatch(r"[0-9a-f]{64}", text, re.ASCII):
        return bytes.fromhex(text)
    return hashlib.sha256(jcs.encode(read_json(Path(text), REPORT))).digest()


def engagement_of(client: "SyncTanlianClient", certification_id: str) -> dict[str, Any]:
    """Returns an engagement as a node shows it.

    Raises:
        RpcProblem: there is none of this id.
    """
    found: dict[str, Any] = client.read(f"/v1/certifications/{_segment(certification_id)}")
    return found


def certificate_of(client: "SyncTanlianClient", certificate_id: str) -> dict[str, Any]:
    """Returns a certificate as a node shows it.

    Raises:
        RpcProblem: there is none of this id.
    """
    found: dict[str, Any] = client.read(f"/v1/certificates/{_segment(certificate_id)}")
    return found


def standing_of_body(client: "SyncTanlianClient", body: str, purpose: str) -> dict[str, Any]:
    """Returns the entries that are set in a body's status list.

    Raises:
        RpcProblem: there is no such body.
    """
    found: dict[str, Any] = client.read(f"/v1/status-lists/{_segment(body)}/{purpose}")
    return found


def final_block(client: "SyncTanlianClient", height: int) -> "FinalBlock":
    """Returns a final block with its certificate; says so and waits where it is still to come.

    Raises:
        CommandFailed: it did not come.
    """
    import time

    from chain.block import Header
    from chain.certificate import CommitCertificate
    from client.errors import RpcProblem
    from contracts.final_block import FinalBlock

    deadline_s = time.monotonic() + _SEED_WAIT_S
    is_told = False
    while True:
        try:
            found: dict[str, Any] = client.read(f"/v1/blocks/{height}")
        except RpcProblem as problem:
            if problem.code != "UNKNOWN_BLOCK":
                raise
        else:
            return FinalBlock(
                header=Header.decode(bytes.fromhex(found["canonical_header"])),
                certificate=CommitCertificate.decode(bytes.fromhex(found["canonical_certificate"])),
            )
        if not is_told:
            warn(
                f"Waiting for block {height}: it comes with the next transaction of anybody, or "
                "else when the longest time between blocks is over (a minute by default) ..."
            )
            is_told = True
        if time.monotonic() > deadline_s:
            fail(
                f"block {height}: expected it within {_SEED_WAIT_S:.0f} s, got none; blocks come "
                "when there is work, so try again later"
            )
        time.sleep(_ASK_AGAIN_S)


def reexecution_in(path: Path) -> tuple[str, int, str, str]:
    """Returns node, height, block hash and state root of a file of ``certificate reexecute``.

    Raises:
        CommandFailed: there is no such file.
        InvalidCredential: one of them is missing in it.
    """
    from client.credentials.document import member

    document = read_json(path, REEXECUTION)
    return (
        member(document, "node_id", str),
        member(document, "height", int),
        member(document, "block_hash", str),
        member(document, "state_root", str),
    )


def _segment(text: str) -> str:
    """Returns a part of a path, which must not hold what ends it."""
    from urllib.parse import quote

    return quote(text, safe="")
