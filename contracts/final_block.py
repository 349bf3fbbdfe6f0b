"""The final block that somebody shows to a contract: a header with the votes that made it final.

A contract knows no block but its own, and of that neither hash nor state root. Whoever refers to an
earlier block therefore brings its header and commit certificate, and every validator checks them
as anybody outside the chain would.
"""

from dataclasses import dataclass

from chain.block import Header
from chain.certificate import CommitCertificate
from chain.codec import Record
from chain.crypto import ED25519
from chain.errors import InvalidCertificate, InvalidProof
from chain.proof import verify_final
from chain.validator_set import VALIDATORS_KEY, ValidatorSet
from contracts.context import Context
from contracts.refusal import Code, refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class FinalBlock(Record):
    """A block of this chain, shown by its header."""

    header: Header
    certificate: CommitCertificate
    """A quorum's votes for exactly this header."""


def check_final(context: Context, block: FinalBlock, field: str) -> Header:
    """Checks that a block is final on this chain, and returns its header.

    Raises:
        ContractRefusal: ``INVALID_ARGUMENTS`` for another chain's, a later one, or one that the
            certificate does not make final.
    """
    header, certificate = block.header, block.certificate
    validators = context.state.get(ValidatorSet, VALIDATORS_KEY)
    assert validators is not None, "the state of every chain names its validators"
    try:
        # Membership does not change yet, so the present set voted at every height.
        verify_final(
            header,
            certificate,
            chain_id=context.block.chain_id,
            validators=validators,
            scheme=ED25519,
        )
    except (InvalidProof, InvalidCertificate) as error:
        raise refusal(
            Code.INVALID_ARGUMENTS,
            field,
            expected="a block that the validators of this chain made final",
            got=str(error),
        ) from error
    assert header.height < context.height, "what is final came before"
    return header
