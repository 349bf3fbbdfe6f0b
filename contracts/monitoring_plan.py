"""The monitoring plan of a site (数据质量控制计划): what is measured how, kept in versions.

It lists each parameter with its instrument, frequency, calibration and the method for when the
instrument fails (carbon.md 3.4 [C]). A version never changes; a new one says why it replaces the
last. Reports name the version that was in force and take each parameter's uncertainty from it.
"""

from dataclasses import dataclass
from enum import IntEnum
from itertools import pairwise
from typing import Annotated, Final

from chain.codec import Record
from chain.state import Records
from chain.types import Hash, Identifier, Length, Milliseconds, Name, PublicKey, Range, Text
from contracts.account import Role
from contracts.accounts import check_owner
from contracts.context import Context
from contracts.method import Method, method_of
from contracts.refusal import Code, refusal
from contracts.sites import require_site

PARAMETERS_MAX: Final = 256
"""Parameters of one plan."""
VERSIONS_MAX: Final = 65_535

Version = Annotated[int, Range(1, VERSIONS_MAX)]


class Determination(IntEnum):
    """How a parameter's value is come by; a number is never reused."""

    MEASURED = 1
    CALCULATED = 2
    DEFAULT_VALUE = 3
    """A default of a guideline; keeps its digits."""
    SUPPLIED = 4
    """Stated by a supplier, such as on a bill."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanParameter(Record):
    """One parameter of a plan."""

    parameter: Identifier
    """Such as ``purchased-electricity`` or ``coal-ncv``; each once in a plan."""
    meter: Identifier | None
    """Meter on this chain that measures it; None where none does."""
    unit: Name
    """For people, UCUM where there is a code."""
    determination: Determination
    instrument: Name
    """Type and number, or ``none``."""
    frequency: Name
    calibration: Name
    """How often and by whom, or ``none``."""
    substitute: Name
    """What is used while the instrument fails."""
    uncertainty_permille: Annotated[int, Range(1, 1_000)] | None
    """Of the parameter's emissions over a year, half-width of the interval; None: the meter's
    accuracy class is taken."""
    tier: Annotated[int, Range(1, 4)] | None
    """Tier of the EU's monitoring rules (carbon.md 3.5), for whoever reports by them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FilePlan(Record):
    """Arguments of ``plan.file``."""

    site: Identifier
    document: Hash
    """SHA-256 of the full plan's file."""
    valid_from_ms: Milliseconds
    parameters: Annotated[tuple[PlanParameter, ...], Length(1, PARAMETERS_MAX)]
    """Ascending by name, each once."""
    reason: Text
    """Why this version is filed; not empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitoringPlan(Record):
    """One version of a site's plan."""

    site: Identifier
    organisation: Identifier
    version: Version
    document: Hash
    valid_from_ms: Milliseconds
    parameters: Annotated[tuple[PlanParameter, ...], Length(1, PARAMETERS_MAX)]
    reason: Text
    filed_by: PublicKey
    filed_ms: Milliseconds
    """Block time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewestPlan(Record):
    """Which version of a site's plan is the newest."""

    version: Version


PLAN_PREFIX: Final = b"monitoring-plan/"


def plan_prefix(site_id: str) -> bytes:
    """Returns the prefix of the state keys of a site's plans."""
    return PLAN_PREFIX + site_id.encode() + b"/"


def plan_key(site_id: str, version: int) -> bytes:
    """Returns the state key of one version of a site's plan."""
    return plan_prefix(site_id) + b"%05d" % version


def newest_plan_key(site_id: str) -> bytes:
    """Returns the state key of the number of a site's newest plan."""
    return b"monitoring-plan-newest/" + site_id.encode()


def newest_plan(state: Records, site_id: str) -> MonitoringPlan | None:
    """Returns the newest version of a site's plan, or None where none was filed."""
    newest = state.get(NewestPlan, newest_plan_key(site_id))
    return None if newest is None else state.get(MonitoringPlan, plan_key(site_id, newest.version))


def file_plan(context: Context, arguments: FilePlan) -> bytes:
    """Files the next version of a site's plan; emits ``plan.filed``.

    Raises:
        ContractRefusal: ``UNKNOWN_SITE``, ``NOT_PERMITTED`` for another organisation's site,
            ``INVALID_ARGUMENTS``, ``LIMIT_REACHED``.
    """
    state = context.state
    site = require_site(state, arguments.site)
    check_owner(context, site.organisation, f"site {arguments.site}")
    _check_arguments(arguments)
    before = newest_plan(state, arguments.site)
    version = 1 if before is None else before.version + 1
    if version > VERSIONS_MAX:
        raise refusal(
            Code.LIMIT_REACHED,
            f"plan of site {arguments.site}",
            expected=f"at most {VERSIONS_MAX} versions",
            got="another",
        )
    if before is not None and arguments.valid_from_ms < before.valid_from_ms:
        raise refusal(
            Code.INVALID_ARGUMENTS,
            "valid_from_ms",
            expected=f"not before version {before.version}, {before.valid_from_ms}",
            got=str(arguments.valid_from_ms),
        )
    plan = MonitoringPlan(
        site=arguments.site,
        organisation=site.organisation,
        version=version,
        document=arguments.document,
        valid_from_ms=arguments.valid_from_ms,
        parameters=arguments.parameters,
        reason=arguments.reason,
        filed_by=context.sender,
        filed_ms=context.time_ms,
    )
    state.put(plan_key(plan.site, version), plan)
    state.put(newest_plan_key(plan.site), NewestPlan(version=version))
    context.emit("plan.filed", plan.site, plan)
    return b""


def _check_arguments(arguments: FilePlan) -> None:
    if not arguments.reason.strip():
        raise refusal(
            Code.INVALID_ARGUMENTS,
            "reason",
            expected="why this version is filed",
            got="an empty text",
        )
    for index, (earlier, later) in enumerate(pairwise(arguments.parameters), 1):
        if later.parameter <= earlier.parameter:
            raise refusal(
                Code.INVALID_ARGUMENTS,
                f"parameters[{index}].parameter",
                expected=f"a name after {earlier.parameter!r}, for they ascend, each once",
                got=repr(later.parameter),
            )


METHODS: Final[tuple[Method, ...]] = (
    method_of(
        "plan.file",
        FilePlan,
        file_plan,
        roles=frozenset({Role.ADMIN}),
        work=lambda arguments: len(arguments.parameters),
    ),
)
