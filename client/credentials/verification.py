"""Checking a certificate's credential: its proofs, its dates, its standing, its chain.

Each step is a question of its own and the report says which were answered: a status that was not
given is not a good one, and a credential without a genesis is only as good as its issuer's key.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from chain.genesis import Genesis
from chain.proof_file import FinalBlock
from chain.types import Height, Milliseconds, PublicKey
from client.credentials import chain_binding, data_integrity
from client.credentials.certificate_credential import (
    CERTIFICATE_TYPES,
    STATUS_LIST_TYPES,
    VC_CONTEXT,
    credential_of,
    status_list_of,
)
from client.credentials.chain_binding import ProofFile
from client.credentials.document import Document, member, moment_of
from client.credentials.multibase import key_of_did
from client.credentials.status_list import decode_list, is_set
from client.errors import InvalidCredential
from contracts.certificate import STATUS_PURPOSES, CertificateBinding, CertificateState


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusFinding:
    """What a status list says of a certificate."""

    purpose: str
    as_of: datetime
    """Moment that the list names."""
    is_set: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What was found; whoever asks decides what suffices."""

    certificate: str
    """Its id."""
    issuer: PublicKey
    co_signers: tuple[PublicKey, ...]
    """Other keys whose proofs hold."""
    valid_from: str
    valid_until: str
    statuses: tuple[StatusFinding, ...]
    """By the lists that were given."""
    block_height: int | None
    """Block whose state is proved to hold the certificate; None where no genesis was given."""
    standing_block: FinalBlock | None
    """Block after which it is proved to be neither revoked nor suspended; None without a proof."""

    @property
    def stood_at(self) -> datetime | None:
        """Returns the newest moment at which it is shown to be neither revoked nor suspended."""
        moments: list[datetime] = []
        if self.standing_block is not None:
            moments.append(_moment_at(self.standing_block.time_ms))
        newest = {
            purpose: max(each.as_of for each in self.statuses if each.purpose == purpose)
            for purpose in {each.purpose for each in self.statuses}
        }
        if len(newest) == len(STATUS_PURPOSES):
            moments.append(min(newest.values()))
        return max(moments, default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainTrust:
    """What a verifier knows of a chain."""

    genesis: Genesis
    proof: ProofFile | None = None
    """Of the certificate's standing, not older than the certificate; None without one."""


def verify_certificate(
    credential: Document,
    *,
    now_ms: Milliseconds,
    status_lists: tuple[Document, ...] = (),
    chain: ChainTrust | None = None,
) -> Verdict:
    """Checks a credential, and all that is given beside it.

    Args:
        credential: as :func:`client.json_object.parse` gave it.
        now_ms: the verifier's clock, milliseconds UTC.
        status_lists: credentials of status lists.
        chain: that the verifier trusts; None leaves it out.

    Raises:
        InvalidCredential: the first thing that does not hold.
    """
    now = _moment_at(now_ms)
    _check_form(credential, CERTIFICATE_TYPES, "a certificate")
    issuer, co_signers = _signers_of(credential)
    valid_from, valid_until = _check_dates(credential, now)
    subject = member(credential, "credentialSubject", dict)
    certificate_id = member(subject, "conformityCertificate", str)
    height, standing = None, None
    if chain is not None:
        certificate, height = _check_chain(credential, issuer, chain.genesis)
        if chain.proof is not None:
            standing = chain_binding.standing_in(chain.proof, certificate, chain.genesis)
    statuses = tuple(_status(credential, issuer, each, now) for each in status_lists)
    for status in statuses:
        if status.is_set:
            raise InvalidCredential(
                f"certificate {certificate_id}: expected one to rely on, got one that is "
                f"{STATUS_PURPOSES[status.purpose].name} as of {status.as_of}"
            )
    return Verdict(
        certificate=certificate_id,
        issuer=issuer,
        co_signers=co_signers,
        valid_from=valid_from,
        valid_until=valid_until,
        statuses=statuses,
        block_height=height,
        standing_block=standing,
    )


def _check_form(credential: Document, types: list[str], what: str) -> None:
    context = credential.get("@context")
    if not isinstance(context, list) or context[:1] != [VC_CONTEXT]:
        raise InvalidCredential(
            f"@context: expected an array that begins with {VC_CONTEXT}, for {what}, got "
            f"{'nothing' if context is None else 'another'}"
        )
    if member(credential, "type", list) != types:
        raise InvalidCredential(
            f"type: expected {what}, {', '.join(types)}, got {str(credential['type'])[:120]}"
        )


def _signers_of(credential: Document) -> tuple[PublicKey, tuple[PublicKey, ...]]:
    """Checks all proofs; returns the issuer's key, which must be among them, and the others."""
    issuer = key_of_did(member(member(credential, "issuer", dict), "id", str), "issuer.id")
    keys = data_integrity.verify(credential)
    if issuer not in keys:
        raise InvalidCredential(
            f"proof: expected one of the issuer {issuer.hex()}, got {keys[0].hex()}"
        )
    # A key that signs twice is one co-signer.
    return issuer, tuple(dict.fromkeys(key for key in keys if key != issuer))


def _check_dates(credential: Document, now: datetime) -> tuple[str, str]:
    valid_from = member(credential, "validFrom", str)
    valid_until = member(credential, "validUntil", str)
    if now < moment_of(valid_from, "validFrom"):
        raise InvalidCredential(f"validFrom: expected a moment that has come, got {valid_from}")
    if now >= moment_of(valid_until, "validUntil"):
        raise InvalidCredential(f"validUntil: expected a moment to come, got {valid_until}")
    return valid_from, valid_until


def _moment_at(time_ms: Milliseconds) -> datetime:
    return _EPOCH + timedelta(milliseconds=time_ms)


def _check_chain(
    credential: Document, issuer: PublicKey, genesis: Genesis
) -> tuple[CertificateBinding, Height]:
    """Checks that the chain holds exactly what the credential says.

    Returns:
        What it holds, and the height of the block that proves it.
    """
    evidence: list[Any] = member(credential, "evidence", list)
    proofs = [
        each
        for each in evidence
        if isinstance(each, dict) and each.get("type") == [chain_binding.EVIDENCE_TYPE]
    ]
    if len(proofs) != 1:
        raise InvalidCredential(
            f"evidence: expected one {chain_binding.EVIDENCE_TYPE}, got {len(proofs)}"
        )
    certificate = chain_binding.certificate_in(proofs[0])
    header = chain_binding.verify_evidence(proofs[0], certificate.certificate_id, genesis)
    expected = credential_of(certificate, genesis.chain_id)
    shown = data_integrity.without_proof(credential)
    del shown["evidence"]
    held = f"what the chain holds of certificate {certificate.certificate_id}"
    _check_same(shown, expected, held)
    assert issuer == certificate.issued_by, "the issuer's name is made of the key"
    return certificate, header.height


def _check_same(shown: Document, expected: Document, what: str) -> None:
    """Checks that a document is the one that this version would write, member for member."""
    strays = expected.keys() ^ shown.keys()
    others = {name for name in expected if name in shown and expected[name] != shown[name]}
    for name in sorted(strays | others):
        raise InvalidCredential(f"{name}: expected {what}, got something else")


def _status(
    credential: Document, issuer: PublicKey, status_list: Document, now: datetime
) -> StatusFinding:
    """Returns what a status list says of a credential."""
    _check_form(status_list, STATUS_LIST_TYPES, "a status list")
    signer, _ = _signers_of(status_list)
    if signer != issuer:
        raise InvalidCredential(
            f"status list: expected one of the certificate's issuer {issuer.hex()}, got one of "
            f"{signer.hex()}"
        )
    name = member(status_list, "id", str)
    entry = _entry_in(credential, name)
    purpose = member(entry, "statusPurpose", str)
    subject = member(status_list, "credentialSubject", dict)
    if purpose not in STATUS_PURPOSES or member(subject, "statusPurpose", str) != purpose:
        raise InvalidCredential(
            f"status list: expected the purpose {purpose[:40]!a}, got "
            f"{member(subject, 'statusPurpose', str)[:40]!a}"
        )
    as_of = moment_of(member(status_list, "validFrom", str), "validFrom")
    issued = moment_of(member(credential, "validFrom", str), "validFrom")
    if not issued <= as_of <= now:
        raise InvalidCredential(
            f"status list: expected one made since the certificate was issued, {issued}, and not "
            f"after {now}, got one of {as_of}"
        )
    encoded = member(subject, "encodedList", str)
    # What this version does not write, such as entries of several bits, it cannot read either.
    expected = status_list_of(signer, list_name=name, purpose=purpose, indexes=[], time_ms=0)
    expected["validFrom"] = status_list["validFrom"]
    expected["credentialSubject"]["encodedList"] = encoded
    _check_same(
        data_integrity.without_proof(status_list), expected, "a status list as this version has it"
    )
    index = member(entry, "statusListIndex", str)
    if not (index.isascii() and index.isdigit() and len(index) < 10):
        raise InvalidCredential(f"statusListIndex: expected digits, got {index[:40]!a}")
    return StatusFinding(
        purpose=purpose,
        as_of=as_of.astimezone(UTC),
        is_set=is_set(decode_list(encoded), int(index)),
    )


def _entry_in(credential: Document, list_name: str) -> Document:
    entries: list[Any] = member(credential, "credentialStatus", list)
    for each in entries:
        if isinstance(each, dict) and each.get("statusListCredential") == list_name:
            return each
    raise InvalidCredential(
        f"status list: expected one that the certificate names, got {list_name[:120]!a}"
    )


def standing_of(verdict: Verdict, now_ms: Milliseconds, age_days_max: int) -> str:
    """Returns in words how far the standing of a certificate is known.

    Args:
        verdict: of the certificate.
        now_ms: the verifier's clock, milliseconds UTC.
        age_days_max: days after which what was shown of it says nothing any more.
    """
    stood_at = verdict.stood_at
    if stood_at is None:
        asked = {status.purpose for status in verdict.statuses}
        unknown = [purpose for purpose in STATUS_PURPOSES if purpose not in asked]
        return f"unknown: no status list of {' and '.join(unknown)} and no proof was given"
    age_days = (_moment_at(now_ms) - stood_at).days
    if age_days >= age_days_max:
        return f"unknown: shown {age_days} days ago, expected less than {age_days_max}"
    return CertificateState.VALID.name


_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
