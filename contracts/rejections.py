"""Rejections as a contract: a proposed correction ends without counting, and says why.

Whoever may approve a correction may reject it, and whoever proposed it may withdraw it. The record
stays with its reason, and no other correction gets its number, so a case that names it, or a person
who remembers it, never means another one.
"""

from dataclasses import dataclass, replace
from typing import Final

from chain.types import Text
from contracts.account import Role
from contracts.context import Context
from contracts.correction import Rejection, correction_key
from contracts.corrections import (
    CorrectionName,
    check_reason,
    check_second_account,
    check_waits,
    require_correction,
)
from contracts.meters import require_meter
from contracts.method import Method, method_of


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectCorrection(CorrectionName):
    """Arguments of ``reading.reject_correction``."""

    reason: Text
    """Not empty."""


def reject(context: Context, arguments: RejectCorrection) -> bytes:
    """Ends a proposal for good, as its second account or, to withdraw it, as its proposer.

    Nothing moves, so no revision is recorded; emits ``correction.rejected``.

    Raises:
        ContractRefusal: ``UNKNOWN_METER``, ``UNKNOWN_CORRECTION``; ``NOT_PERMITTED`` for an
            account that neither proposed it nor may approve it; ``INVALID_ARGUMENTS`` for no
            reason; ``WRONG_STATE`` for one that is decided.
    """
    require_meter(context.state, arguments.meter_id)
    correction = require_correction(context.state, arguments)
    if context.sender != correction.proposed_by:
        check_second_account(context, correction)
    check_reason(arguments.reason, "why it is rejected or withdrawn")
    check_waits(correction)
    rejection = Rejection(
        rejected_by=context.sender, rejected_ms=context.time_ms, reason=arguments.reason
    )
    rejected = replace(correction, rejection=rejection)
    context.state.put(correction_key(correction.meter, correction.number), rejected)
    context.emit("correction.rejected", correction.meter, rejected)
    return b""


METHODS: Final[tuple[Method, ...]] = (
    method_of(
        "reading.reject_correction",
        RejectCorrection,
        reject,
        roles=frozenset({Role.ADMIN, Role.OPERATOR, Role.CERTIFIER}),
    ),
)
