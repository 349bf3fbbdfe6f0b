"""The certificate as a Verifiable Credential 2.0, and the status list of its body as another.

The credential follows from what the chain holds, member for member: whoever has the record and the
chain id builds the same document (:func:`credential_of`), so a verifier compares documents and no
single fields. Numbers are texts: JSON has no type that all readers keep. Terms that the W3C's
context does not define are expanded under ``urn:tanlian:terms#``; the subject follows the shape of
the UNTP Digital Conformity Credential, whose own context and version are not claimed.
"""

from datetime import UTC, datetime, timedelta
from enum import IntEnum
from typing import Final

from chain.types import Hash, Milliseconds, PublicKey
from client.credentials.document import Document
from client.credentials.multibase import did_of
from client.credentials.status_list import encode_list
from contracts.certificate import STATUS_PURPOSES, CertificateBinding, CheckStatistics
from contracts.check import CHECK_COUNT, Check, checks_in
from contracts.emissions import GRAMS_DENOMINATOR, numerator_of
from contracts.month import month_name
from contracts.report import Headline

VC_CONTEXT: Final = "https://www.w3.org/ns/credentials/v2"
CONTEXT: Final = [VC_CONTEXT, {"@vocab": "urn:tanlian:terms#"}]
CERTIFICATE_TYPES: Final = ["VerifiableCredential", "DigitalConformityCredential"]
STATUS_LIST_TYPES: Final = ["VerifiableCredential", "BitstringStatusListCredential"]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DIGITS: Final = len(str(GRAMS_DENOMINATOR)) - 1


def credential_of(certificate: CertificateBinding, chain_id: Hash) -> Document:
    """Returns the credential of a certificate, without evidence and without proof.

    Args:
        certificate: as the state holds it.
        chain_id: of its chain.
    """
    chain = f"urn:tanlian:{chain_id.hex()}"
    statement = certificate.statement
    return {
        "@context": CONTEXT,
        "id": f"{chain}:certificate:{certificate.certificate_id}",
        "type": CERTIFICATE_TYPES,
        "issuer": {"id": did_of(certificate.issued_by), "name": certificate.body},
        "validFrom": moment_text(certificate.issued_ms),
        "validUntil": moment_text(certificate.valid_until_ms),
        "credentialSubject": {
            "id": f"{chain}:organisation:{certificate.organisation}",
            "type": ["ConformityAttestation"],
            "issuedToParty": certificate.organisation,
            "assessorLevel": "3rdParty",
            "attestationType": "certification",
            "assessmentLevel": statement.level.name,
            "opinion": statement.opinion.name,
            "conformityCertificate": certificate.certificate_id,
            "scope": _scope(certificate),
            "assessment": [
                {
                    "referenceStandard": certificate.criteria,
                    "criteria": statement.basis,
                    "conformance": statement.opinion.name,
                    "declaredValue": _totals(statement.totals),
                }
            ],
            "misstatements": {
                "materialityPermille": str(statement.materiality_permille),
                "uncorrectedGrams": str(statement.uncorrected_g),
            },
            "openCases": list(statement.exceptions),
            "auditableEvidence": {"reportSha256": certificate.report.hex()},
            "checks": _checks(certificate.checks),
            "factors": [
                {
                    "factor": use.factor_id,
                    "validFrom": moment_text(use.valid_from_ms),
                    "version": str(use.version),
                }
                for use in certificate.factors
            ],
            "chain": {
                "chainId": chain_id.hex(),
                "reexecutedBy": statement.reexecution.node_id,
                "fromBlock": "1",
                "toBlock": str(statement.reexecution.height),
                "blockHash": statement.reexecution.block_hash.hex(),
                "stateRoot": statement.reexecution.state_root.hex(),
                "issuedInBlock": str(certificate.issued_height),
            },
        },
        "credentialStatus": [
            {
                "id": f"{list_id(chain_id, certificate.body, purpose)}#{certificate.number - 1}",
                "type": "BitstringStatusListEntry",
                "statusPurpose": purpose,
                "statusListIndex": str(certificate.number - 1),
                "statusListCredential": list_id(chain_id, certificate.body, purpose),
            }
            for purpose in STATUS_PURPOSES
        ],
    }


def status_list_of(
    issuer: PublicKey, *, list_name: str, purpose: str, indexes: list[int], time_ms: Milliseconds
) -> Document:
    """Returns the credential of a status list, without proof.

    Args:
        issuer: key that will sign it, the certificates' own.
        list_name: as :func:`list_id` makes it.
        purpose: of :data:`STATUS_PURPOSES`.
        indexes: entries that are set.
        time_ms: block time as of which they are.
    """
    return {
        "@context": CONTEXT,
        "id": list_name,
        "type": STATUS_LIST_TYPES,
        "issuer": {"id": did_of(issuer)},
        "validFrom": moment_text(time_ms),
        "credentialSubject": {
            "id": f"{list_name}#list",
            "type": "BitstringStatusList",
            "statusPurpose": purpose,
            "encodedList": encode_list(indexes),
        },
    }


def list_id(chain_id: Hash, body: str, purpose: str) -> str:
    """Returns the name of a body's status list of one purpose."""
    return f"urn:tanlian:{chain_id.hex()}:status-list:{body}:{purpose}"


def moment_text(time_ms: Milliseconds) -> str:
    """Returns a moment as XML Schema's dateTimeStamp, to the millisecond."""
    moment = _EPOCH + timedelta(milliseconds=time_ms)
    return moment.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def grams_text(numerator: bytes) -> str:
    """Returns a total of a record in grams, exactly, without exponent."""
    value = numerator_of(numerator)
    whole, part = divmod(abs(value), GRAMS_DENOMINATOR)
    return f"{'-' if value < 0 else ''}{whole}.{part:0{_DIGITS}d}"


def _scope(certificate: CertificateBinding) -> Document:
    return {
        "sites": list(certificate.sites),
        "fromMonth": month_name(certificate.from_month),
        "toMonth": month_name(certificate.to_month),
        "scopes": [_name(scope) for scope in certificate.scopes],
        "periodStart": moment_text(certificate.from_ms),
        "periodEnd": moment_text(certificate.to_ms),
    }


def _totals(totals: Headline) -> Document:
    return {
        "unit": "g{CO2e}",
        "scope1": grams_text(totals.direct),
        "scope2LocationBased": grams_text(totals.location_based),
        "scope2MarketBased": grams_text(totals.market_based),
        "scope3": grams_text(totals.value_chain),
        "biogenic": grams_text(totals.biogenic),
        "removals": grams_text(totals.removals),
    }


def _checks(checks: CheckStatistics) -> Document:
    numbered = [check for check in Check if check <= CHECK_COUNT]
    availability = checks.availability_permille
    return {
        "meters": str(checks.meter_count),
        "expectedIntervals": str(checks.expected),
        "presentIntervals": str(checks.present),
        "availabilityPermille": None if availability is None else str(availability),
        "substitutedIntervals": str(checks.substituted),
        "estimatedIntervals": str(checks.estimated),
        "flaggedIntervals": str(checks.flagged),
        "checksOff": [check.name for check in checks_in(checks.off)],
        "byCheck": [
            {
                "check": _name(check),
                "number": str(int(check)),
                "applied": str(checks.applied[check - 1]),
                "passed": str(checks.applied[check - 1] - checks.failed[check - 1]),
            }
            for check in numbered
        ],
    }


def _name(member: IntEnum) -> str:
    return member.name
