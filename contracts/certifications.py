"""Certification as a contract: an engagement is opened, and its sample drawn.

All methods are for certifiers, and after the opening for those of the same body only. The sample
is drawn by the contract from the hash of a fixed later block (:data:`SEED_DISTANCE`), so that
neither the certified nor the certifier chooses it. What follows of it is in
:mod:`contracts.statements`.
"""

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Annotated, Final, TypeVar

from chain.codec import Record
from chain.state import State
from chain.types import Hash, Identifier, Length, Milliseconds, Range, Text
from contracts.account import Role
from contracts.accounts import sender_of
from contracts.certification import (
    CERTIFICATIONS_MAX,
    INTERVALS_MAX,
    METERS_MAX,
    MONTHS_MAX,
    SEED_DISTANCE,
    Certification,
    CertificationCount,
    CertificationId,
    SampledMeter,
    SamplingPlan,
    Scoped,
    Stage,
    certification_id_of,
    certification_key,
    count_key,
)
from contracts.context import Context
from contracts.final_block import FinalBlock, check_final
from contracts.meter import Meter
from contracts.meters import require_meter
from contracts.method import Method, method_of
from contracts.organisations import OrganisationKind, get_organisation
from contracts.period import span_of
from contracts.refusal import Code, refusal
from contracts.sampling import draw
from contracts.sites import require_site
from contracts.statistics import divide_up

ValueT = TypeVar("ValueT", str, int)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenCertification(Scoped):
    """Arguments of ``certification.open``; the body is the sender's organisation."""

    criteria: Text
    """Not empty: what is verified against, such as ``ISO 14064-1:2018, ISO 14064-3:2019``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanSampling(Record):
    """Arguments of ``certification.plan``."""

    certification_id: CertificationId
    document: Hash
    """SHA-256 of the plan as written for people."""
    meters: Annotated[tuple[Identifier, ...], Length(1, METERS_MAX)]
    """At the engagement's sites; ascending, each once."""
    intervals_per_meter: Annotated[int, Range(1, INTERVALS_MAX)]
    block: FinalBlock
    """The one after the opening: :data:`SEED_DISTANCE`."""


def get_certification(state: State, certification_id: CertificationId) -> Certification | None:
    """Returns an engagement, or None where there is none of this id."""
    return state.get(Certification, certification_key(certification_id))


def require_own(context: Context, certification_id: CertificationId) -> Certification:
    """Returns the engagement that arguments name, which must be of the sender's body.

    Raises:
        ContractRefusal: ``UNKNOWN_CERTIFICATION``, ``NOT_PERMITTED``.
    """
    found = get_certification(context.state, certification_id)
    if found is None:
        raise refusal(
            Code.UNKNOWN_CERTIFICATION,
            "certification_id",
            expected="the id of an engagement; certification.open returns it",
            got=repr(certification_id),
        )
    sender = sender_of(context)
    if sender.organisation != found.body:
        raise refusal(
            Code.NOT_PERMITTED,
            f"certification {certification_id}",
            expected=f"a certifier of {found.body}",
            got=f"one of {sender.organisation}",
        )
    return found


def open_certification(context: Context, arguments: OpenCertification) -> bytes:
    """Opens an engagement; emits ``certification.opened``, whose subject is its id.

    Raises:
        ContractRefusal: ``NOT_PERMITTED`` for an organisation that is no member,
            ``UNKNOWN_SITE``, ``INVALID_ARGUMENTS`` for sites, months or scopes that make no
            sense, ``LIMIT_REACHED``.
    """
    body = sender_of(context).organisation
    _check_member(context.state, arguments.organisation)
    _check_ascending("sites", arguments.sites)
    _check_ascending("scopes", arguments.scopes)
    check_words("criteria", arguments.criteria)
    from_ms, to_ms = _span_of(context.state, arguments)
    counted = context.state.get(CertificationCount, count_key(body))
    number = 1 if counted is None else counted.count + 1
    if number > CERTIFICATIONS_MAX:
        raise refusal(
            Code.LIMIT_REACHED,
            "certifications",
            expected=f"at most {CERTIFICATIONS_MAX} of a body",
            got="one more",
        )
    opened = Certification(
        organisation=arguments.organisation,
        sites=arguments.sites,
        from_month=arguments.from_month,
        to_month=arguments.to_month,
        scopes=arguments.scopes,
        certification_id=certification_id_of(body, number),
        body=body,
        number=number,
        from_ms=from_ms,
        to_ms=to_ms,
        criteria=arguments.criteria,
        stage=Stage.OPEN,
        opened_by=context.sender,
        opened_ms=context.time_ms,
        opened_height=context.height,
        plan=None,
        misstatement_count=0,
        statement=None,
    )
    context.state.put(count_key(body), CertificationCount(count=number))
    keep(context, opened, "certification.opened")
    return b""


def plan(context: Context, arguments: PlanSampling) -> bytes:
    """Draws the sample and keeps the plan; emits ``certification.planned``.

    Raises:
        ContractRefusal: as :func:`require_own`; ``WRONG_STATE`` for a plan that exists,
            ``INVALID_ARGUMENTS`` for another block than the one that gives the seed or a meter
            elsewhere, ``UNKNOWN_METER``.
    """
    certification = require_own(context, arguments.certification_id)
    check_stage(certification, Stage.OPEN)
    _check_ascending("meters", arguments.meters)
    header = check_final(context, arguments.block, "block")
    seed_height = certification.opened_height + SEED_DISTANCE
    if header.height != seed_height:
        raise refusal(
            Code.INVALID_ARGUMENTS,
            "block.header.height",
            expected=f"{seed_height}, the block after the opening",
            got=str(header.height),
        )
    sampled = tuple(
        _sampled(_meter_of(context.state, certification, meter_id), certification, header.hash,
                 arguments.intervals_per_meter)
        for meter_id in arguments.meters
    )  # fmt: skip
    drawn = SamplingPlan(
        document=arguments.document,
        seed_height=seed_height,
        seed=header.hash,
        meters=sampled,
        planned_by=context.sender,
        planned_ms=context.time_ms,
    )
    planned = replace(certification, stage=Stage.PLANNED, plan=drawn)
    keep(context, planned, "certification.planned")
    return b""


def keep(context: Context, certification: Certification, event: str) -> None:
    """Writes an engagement and tells of it."""
    context.state.put(certification_key(certification.certification_id), certification)
    context.emit(event, certification.certification_id, certification)


def _check_member(state: State, organisation_id: str) -> None:
    organisation = get_organisation(state, organisation_id)
    if organisation is None or organisation.kind is not OrganisationKind.MEMBER:
        raise refusal(
            Code.NOT_PERMITTED,
            "organisation",
            expected="an organisation that measures; nobody certifies certification bodies here",
            got=repr(organisation_id),
        )


def _check_ascending(field: str, values: tuple[ValueT, ...]) -> None:
    for earlier, later in pairwise(values):
        if later <= earlier:
            raise refusal(
                Code.INVALID_ARGUMENTS,
                field,
                expected="each once, in ascending order",
                got=f"{later!r} after {earlier!r}",
            )


def check_words(field: str, words: Text) -> None:
    """Checks that a text for people says something.

    Raises:
        ContractRefusal: ``INVALID_ARGUMENTS``.
    """
    if not words.strip():
        raise refusal(Code.INVALID_ARGUMENTS, field, expected="some words", got="an empty text")


def check_stage(certification: Certification, *stages: Stage) -> None:
    """Checks that an engagement has come as far as a step needs.

    Raises:
        ContractRefusal: ``WRONG_STATE``.
    """
    if certification.stage not in stages:
        raise refusal(
            Code.WRONG_STATE,
            f"certification {certification.certification_id}",
            expected="stage " + " or ".join(stage.name for stage in stages),
            got=f"{certification.stage.name}; {_NEXT_STEP[certification.stage]}",
        )


def _span_of(state: State, scoped: Scoped) -> tuple[Milliseconds, Milliseconds]:
    """Returns the earliest start and the latest end of the months at the sites."""
    last = scoped.from_month + MONTHS_MAX - 1
    if not scoped.from_month <= scoped.to_month <= last:
        raise refusal(
            Code.INVALID_ARGUMENTS,
            "to_month",
            expected=f"a month from {scoped.from_month} to {last}",
            got=str(scoped.to_month),
        )
    starts: list[int] = []
    ends: list[int] = []
    for site_id in scoped.sites:
        site = require_site(state, site_id)
        if site.organisation != scoped.organisation:
            raise refusal(
                Code.INVALID_ARGUMENTS,
                "sites",
                expected=f"sites of {scoped.organisation}",
                got=f"{site_id!r} of {site.organisation}",
            )
        starts.append(span_of(state, site, scoped.from_month)[0])
        ends.append(span_of(state, site, scoped.to_month)[1])
    return min(starts), max(ends)


def _meter_of(state: State, certification: Certification, meter_id: str) -> Meter:
    meter = require_meter(state, meter_id, "meters")
    if meter.site not in certification.sites:
        raise refusal(
            Code.INVALID_ARGUMENTS,
            "meters",
            expected="meters at " + ", ".join(certification.sites),
            got=f"{meter_id!r} at {meter.site}",
        )
    return meter


def _sampled(meter: Meter, certification: Certification, seed: Hash, count: int) -> SampledMeter:
    """Draws intervals of a meter among those of the period in which it was installed."""
    interval_ms = meter.interval_ms
    from_ms = max(certification.from_ms, meter.installed_from_ms)
    to_ms = certification.to_ms
    if meter.installed_to_ms is not None:
        to_ms = min(to_ms, meter.installed_to_ms)
    first = divide_up(from_ms, interval_ms)
    population = max(divide_up(to_ms, interval_ms) - first, 0)
    indexes = draw(seed, meter.meter_id, population=population, count=count)
    return SampledMeter(
        meter=meter.meter_id, starts_ms=tuple((first + index) * interval_ms for index in indexes)
    )


_NEXT_STEP: Final = {
    Stage.OPEN: "call certification.plan",
    Stage.PLANNED: "call certification.conclude",
    Stage.CONCLUDED: "call certificate.issue",
    Stage.CERTIFIED: "it is certified; open another engagement",
}
_CERTIFIER: Final = frozenset({Role.CERTIFIER})
_WORK_OF_PROOF: Final = 20
"""Signatures of a certificate of a block."""

METHODS: Final[tuple[Method, ...]] = (
    method_of(
        "certification.open",
        OpenCertification,
        open_certification,
        roles=_CERTIFIER,
        work=lambda arguments: len(arguments.sites),
    ),
    method_of(
        "certification.plan",
        PlanSampling,
        plan,
        roles=_CERTIFIER,
        work=lambda arguments: _WORK_OF_PROOF + 4 * len(arguments.meters),
    ),
)
