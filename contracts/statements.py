"""The statement: what a certification body found, and what it concludes from it (ISO 14064-3).

Misstatements are recorded one by one and stay, corrected or not. The block that the body's observer
executed is shown with its certificate, so that every validator checks the state root that a
statement names. An unmodified opinion is refused over misstatements that are material and not
corrected; the limit is the certifier's own choice and stands in the statement.
"""

from dataclasses import dataclass, replace
from typing import Annotated, Final

from chain.codec import Record
from chain.member import Member, MemberRole, member_key
from chain.state import State
from chain.types import I64, U16, Hash, Identifier, Length, Range, Text
from contracts.account import Role
from contracts.certification import (
    EXCEPTIONS_MAX,
    MISSTATEMENTS_MAX,
    AssuranceLevel,
    Certification,
    CertificationId,
    Misstatement,
    MisstatementKind,
    Opinion,
    Reexecution,
    Stage,
    Statement,
    certification_key,
    misstatement_key,
    misstatement_prefix,
)
from contracts.certifications import check_stage, check_words, keep, require_own
from contracts.certified_period import (
    check_unrevised,
    closed_height,
    open_cases,
    total_of,
    totals_of,
)
from contracts.context import Context
from contracts.emissions import GRAMS_DENOMINATOR
from contracts.final_block import FinalBlock, check_final
from contracts.method import Method, method_of
from contracts.refusal import Code, refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordMisstatement(Record):
    """Arguments of ``certification.record_misstatement``."""

    certification_id: CertificationId
    amount_g: I64
    """g CO2e by which the total is too high; below zero where it is too low."""
    kind: MisstatementKind
    is_material: bool
    words: Text
    """Not empty."""
    evidence: Hash
    """SHA-256 of the file that shows it; zeros where there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectMisstatement(Record):
    """Arguments of ``certification.correct_misstatement``."""

    certification_id: CertificationId
    number: U16
    correction: Text
    """Not empty: what was done, such as the number of a correction or restatement."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conclude(Record):
    """Arguments of ``certification.conclude``."""

    certification_id: CertificationId
    level: AssuranceLevel
    opinion: Opinion
    materiality_permille: Annotated[int, Range(1, 1_000)]
    basis: Text
    """Not empty."""
    exceptions: Annotated[tuple[str, ...], Length(0, EXCEPTIONS_MAX)]
    """Ids of all cases of the period that are still open; ascending, each once."""
    node_id: Identifier
    """Observer of the body that executed the chain."""
    block: FinalBlock
    """Last block that it executed; its state root is the one that the observer computed."""


def record_misstatement(context: Context, arguments: RecordMisstatement) -> bytes:
    """Keeps a misstatement; emits ``certification.misstatement``.

    Raises:
        ContractRefusal: as :func:`require_own`; ``WRONG_STATE`` before the plan and after the
            certificate, ``INVALID_ARGUMENTS`` for no words, ``LIMIT_REACHED``.
    """
    certification = require_own(context, arguments.certification_id)
    check_stage(certification, Stage.PLANNED, Stage.CONCLUDED)
    check_words("words", arguments.words)
    number = certification.misstatement_count + 1
    if number > MISSTATEMENTS_MAX:
        raise refusal(
            Code.LIMIT_REACHED,
            "misstatements",
            expected=f"at most {MISSTATEMENTS_MAX} of an engagement; join some",
            got="one more",
        )
    misstatement = Misstatement(
        number=number,
        amount_g=arguments.amount_g,
        kind=arguments.kind,
        is_material=arguments.is_material,
        words=arguments.words,
        evidence=arguments.evidence,
        found_by=context.sender,
        found_ms=context.time_ms,
        correction=None,
        corrected_ms=None,
    )
    # What was concluded before it was known has to be concluded again.
    counted = replace(certification, misstatement_count=number, stage=Stage.PLANNED, statement=None)
    context.state.put(certification_key(certification.certification_id), counted)
    _keep_misstatement(context, certification, misstatement)
    return b""


def correct_misstatement(context: Context, arguments: CorrectMisstatement) -> bytes:
    """Notes that a misstatement was corrected; emits ``certification.misstatement``.

    Raises:
        ContractRefusal: as :func:`require_own`; ``INVALID_ARGUMENTS`` for a number that does not
            exist or no words, ``WRONG_STATE`` for one that is corrected or after the certificate.
    """
    certification = require_own(context, arguments.certification_id)
    check_stage(certification, Stage.PLANNED, Stage.CONCLUDED)
    check_words("correction", arguments.correction)
    key = misstatement_key(certification.certification_id, arguments.number)
    found = context.state.get(Misstatement, key)
    if found is None:
        raise refusal(
            Code.INVALID_ARGUMENTS,
            "number",
            expected=f"1 to {certification.misstatement_count}",
            got=str(arguments.number),
        )
    if found.correction is not None:
        raise refusal(
            Code.WRONG_STATE,
            f"misstatement {found.number}",
            expected="one that is not corrected",
            got=f"one corrected at {found.corrected_ms}",
        )
    corrected = replace(found, correction=arguments.correction, corrected_ms=context.time_ms)
    _keep_misstatement(context, certification, corrected)
    return b""


def conclude(context: Context, arguments: Conclude) -> bytes:
    """Keeps the statement; emits ``certification.concluded``. Concluding again replaces it.

    Raises:
        ContractRefusal: as :func:`require_own`; ``WRONG_STATE`` before the plan, after the
            certificate, for a month that is open or a block before its close or before a revision;
            ``INVALID_ARGUMENTS`` for an unmodified opinion over material misstatements,
            exceptions that are not exactly the open cases, a node that is no observer of the
            body, or a block that is not final; ``LIMIT_REACHED``.
    """
    certification = require_own(context, arguments.certification_id)
    state = context.state
    check_stage(certification, Stage.PLANNED, Stage.CONCLUDED)
    check_words("basis", arguments.basis)
    header = check_final(context, arguments.block, "block")
    closed = closed_height(state, certification)
    if header.height < closed:
        raise refusal(
            Code.WRONG_STATE,
            "block.header.height",
            expected=f"at least {closed}, at which the last month was closed",
            got=str(header.height),
        )
    check_unrevised(state, certification, header.height)
    _check_observer(state, arguments.node_id, certification.body)
    _check_exceptions(state, certification, arguments.exceptions)
    totals = totals_of(state, certification)
    uncorrected_g = _check_opinion(state, certification, arguments, total_of(totals))
    statement = Statement(
        level=arguments.level,
        opinion=arguments.opinion,
        materiality_permille=arguments.materiality_permille,
        uncorrected_g=uncorrected_g,
        basis=arguments.basis,
        exceptions=arguments.exceptions,
        reexecution=Reexecution(
            node_id=arguments.node_id,
            height=header.height,
            block_hash=header.hash,
            state_root=header.state_root,
        ),
        totals=totals,
        stated_by=context.sender,
        stated_ms=context.time_ms,
        stated_height=context.height,
    )
    concluded = replace(certification, stage=Stage.CONCLUDED, statement=statement)
    keep(context, concluded, "certification.concluded")
    return b""


def _keep_misstatement(
    context: Context, certification: Certification, misstatement: Misstatement
) -> None:
    certification_id = certification.certification_id
    context.state.put(misstatement_key(certification_id, misstatement.number), misstatement)
    context.emit("certification.misstatement", certification_id, misstatement)


def _check_observer(state: State, node_id: str, body: str) -> None:
    member = state.get(Member, member_key(node_id))
    if member is None or member.role is not MemberRole.OBSERVER or member.organisation != body:
        raise refusal(
            Code.INVALID_ARGUMENTS,
            "node_id",
            expected=f"a registered observer of {body}",
            got=repr(node_id)
            if member is None
            else f"{node_id!r}, {member.role.name} of {member.organisation}",
        )


def _check_exceptions(
    state: State, certification: Certification, exceptions: tuple[str, ...]
) -> None:
    still_open = open_cases(state, certification)
    unlisted = [case for case in still_open if case not in exceptions]
    if unlisted:
        raise refusal(
            Code.INVALID_ARGUMENTS,
            "exceptions",
            expected="every case of the period that is not closed, listed or closed first",
            got=f"{len(unlisted)} open and not listed: {', '.join(unlisted[:5])}",
        )
    if exceptions != still_open:
        strays = [case for case in exceptions if case not in still_open]
        raise refusal(
            Code.INVALID_ARGUMENTS,
            "exceptions",
            expected="cases of the period that are open, ascending, each once",
            got=f"{strays[0]!r}" if strays else "another order",
        )


def _check_opinion(
    state: State, certification: Certification, arguments: Conclude, total: int
) -> int:
    """Returns the sum of uncorrected misstatements in g CO2e; refuses a plea against them."""
    prefix = misstatement_prefix(certification.certification_id)
    uncorrected = [
        each for _, each in state.iterate(Misstatement, prefix) if each.correction is None
    ]
    amount_g = sum(abs(each.amount_g) for each in uncorrected)
    if arguments.opinion is not Opinion.UNMODIFIED:
        return amount_g
    material = [each.number for each in uncorrected if each.is_material]
    if material:
        raise refusal(
            Code.INVALID_ARGUMENTS,
            "opinion",
            expected="another than UNMODIFIED, or all material misstatements corrected",
            got=f"misstatement {material[0]}, material and not corrected",
        )
    permille = arguments.materiality_permille
    if amount_g * GRAMS_DENOMINATOR * 1_000 > permille * total:
        raise refusal(
            Code.INVALID_ARGUMENTS,
            "opinion",
            expected=f"another than UNMODIFIED above {permille} permille of "
            f"{total // GRAMS_DENOMINATOR} g",
            got=f"{amount_g} g of uncorrected misstatements",
        )
    return amount_g


_CERTIFIER: Final = frozenset({Role.CERTIFIER})
_WORK_OF_CONCLUDING: Final = 500
"""It looks through the open cases of the consortium and the months of all sites."""

METHODS: Final[tuple[Method, ...]] = (
    method_of(
        "certification.record_misstatement",
        RecordMisstatement,
        record_misstatement,
        roles=_CERTIFIER,
    ),
    method_of(
        "certification.correct_misstatement",
        CorrectMisstatement,
        correct_misstatement,
        roles=_CERTIFIER,
    ),
    method_of(
        "certification.conclude",
        Conclude,
        conclude,
        roles=_CERTIFIER,
        work=lambda _: _WORK_OF_CONCLUDING,
    ),
)
