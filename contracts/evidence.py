"""Evidence of equivocation on chain: kept for ever, and removing nobody by itself.

A validator that signed two conflicting votes has shown them to whoever holds both. Each node keeps
what it saw in its home; any officer of the consortium may bring it before all, and every validator
checks both signatures again (consensus.md 11). What follows is for the members to decide.
"""

from dataclasses import dataclass
from typing import Final

from chain.codec import Record
from chain.crypto import ED25519
from chain.errors import InvalidProof
from chain.evidence import Equivocation
from chain.types import Milliseconds, PublicKey
from chain.validator_set import VALIDATORS_KEY, ValidatorSet
from contracts.account import Role
from contracts.context import Context
from contracts.method import Method, method_of
from contracts.refusal import Code, refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordEquivocation(Record):
    """Arguments of ``evidence.record``."""

    evidence: Equivocation


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedEvidence(Record):
    """Verified evidence, as the state keeps it."""

    evidence: Equivocation
    validator: PublicKey
    """Key that signed both votes."""
    recorded_ms: Milliseconds
    recorded_by: PublicKey


EVIDENCE_PREFIX: Final = b"evidence/"


def evidence_key(evidence: Equivocation) -> bytes:
    """Returns the state key of an equivocation: its place and its signer, not its digests."""
    vote = evidence.first
    place = f"{vote.height:020d}/{vote.view:020d}/{int(vote.kind)}/{vote.signer}"
    return EVIDENCE_PREFIX + place.encode()


def record(context: Context, arguments: RecordEquivocation) -> bytes:
    """Verifies and keeps evidence; emits ``evidence.recorded``.

    Raises:
        ContractRefusal: ``INVALID_ARGUMENTS`` for votes that prove nothing, ``ALREADY_EXISTS``
            where this signer's equivocation in this place is on record.
    """
    validators = context.state.get(ValidatorSet, VALIDATORS_KEY)
    assert validators is not None, "the state of every chain names its validators"
    try:
        # Membership does not change yet, so the present set voted at every height.
        arguments.evidence.verify(
            chain_id=context.block.chain_id, validators=validators, scheme=ED25519
        )
    except InvalidProof as error:
        raise refusal(
            Code.INVALID_ARGUMENTS,
            "evidence",
            expected="two votes of one validator of this chain for different digests",
            got=str(error),
        ) from error
    key = evidence_key(arguments.evidence)
    if context.state.get(RecordedEvidence, key) is not None:
        raise refusal(
            Code.ALREADY_EXISTS,
            "evidence",
            expected="an equivocation that is not on record",
            got="one that is",
        )
    recorded = RecordedEvidence(
        evidence=arguments.evidence,
        validator=validators.keys[arguments.evidence.first.signer],
        recorded_ms=context.time_ms,
        recorded_by=context.sender,
    )
    context.state.put(key, recorded)
    context.emit("evidence.recorded", recorded.validator.hex(), recorded)
    return b""


METHODS: Final[tuple[Method, ...]] = (
    method_of(
        "evidence.record",
        RecordEquivocation,
        record,
        roles=frozenset({Role.ADMIN, Role.OPERATOR, Role.CERTIFIER}),
    ),
)
