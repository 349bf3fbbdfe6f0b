"""The design of an organisation's inventory: what it covers and by which rules, in versions.

ISO 14064-1:2018 and the GHG Protocol want it stated, not computed: consolidation approach,
boundaries, base year, significance criteria, and each exclusion with its reason (carbon.md 3.2
[K]: the clauses were not read). A version never changes; a report names the one it was built by.
"""

from dataclasses import dataclass
from enum import IntEnum
from itertools import pairwise
from typing import Annotated, Final

from chain.codec import Record
from chain.state import Records, State
from chain.types import Identifier, Length, Milliseconds, Name, PublicKey, Range, Text
from contracts.account import Role
from contracts.accounts import check_owner, sender_of
from contracts.context import Context
from contracts.equity import holders_of
from contracts.method import Method, method_of
from contracts.month import Year
from contracts.refusal import Code, refusal
from contracts.sites import require_site

SITES_MAX: Final = 256
"""Sites of one inventory."""
EXCLUSIONS_MAX: Final = 64
VERSIONS_MAX: Final = 65_535

Version = Annotated[int, Range(1, VERSIONS_MAX)]


class Consolidation(IntEnum):
    """How emissions of operations are attributed; a number is never reused."""

    OPERATIONAL_CONTROL = 1
    FINANCIAL_CONTROL = 2
    EQUITY_SHARE = 3
    """By the shares that the owners of sites declare (:mod:`contracts.equity`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exclusion(Record):
    """What an inventory leaves out on purpose."""

    subject: Name
    category: Annotated[int, Range(1, 6)]
    """Of ISO 14064-1:2018."""
    reason: Text
    """Not empty."""
    estimate_permille: Annotated[int, Range(0, 1_000)] | None
    """Estimated share of the inventory; None where nobody has estimated it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DesignProperties(Record):
    """What whoever defines an inventory says of it."""

    sites: Annotated[tuple[Identifier, ...], Length(1, SITES_MAX)]
    """Organisational boundary, ascending, each once: sites of the organisation, or, by equity
    share, sites that it holds a share of."""
    consolidation: Consolidation
    boundary: Text
    """Organisational and reporting boundary in words; not empty."""
    significance: Text
    """Criteria by which indirect emissions are included; not empty."""
    base_year: Year
    base_year_reason: Text
    """Why that year; not empty."""
    recalculation: Text
    """When the base year is recalculated, such as above 5 %; not empty."""
    gwp: Name
    """Source of the global warming potentials, such as ``IPCC AR6, GWP-100``."""
    exclusions: Annotated[tuple[Exclusion, ...], Length(0, EXCLUSIONS_MAX)]
    responsible: Name
    """Person or office that answers for the report."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DefineInventory(DesignProperties):
    """Arguments of ``report.define``; the organisation is the sender's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InventoryDesign(DesignProperties):
    """One version of an organisation's design."""

    organisation: Identifier
    version: Version
    defined_by: PublicKey
    defined_ms: Milliseconds
    """Block time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewestDesign(Record):
    """Which version of an organisation's design is the newest."""

    version: Version


def design_prefix(organisation: str) -> bytes:
    """Returns the prefix of the state keys of an organisation's designs."""
    return f"inventory-design/{organisation}/".encode()


def design_key(organisation: str, version: int) -> bytes:
    """Returns the state key of one version of an organisation's design."""
    return design_prefix(organisation) + b"%05d" % version


def newest_design_key(organisation: str) -> bytes:
    """Returns the state key of the number of an organisation's newest design."""
    return b"inventory-design-newest/" + organisation.encode()


def get_design(state: Records, organisation: str, version: int) -> InventoryDesign | None:
    """Returns one version of an organisation's design, or None."""
    return state.get(InventoryDesign, design_key(organisation, version))


def newest_design(state: Records, organisation: str) -> InventoryDesign | None:
    """Returns the newest version of an organisation's design, or None where there is none."""
    newest = state.get(NewestDesign, newest_design_key(organisation))
    return None if newest is None else get_design(state, organisation, newest.version)


def define(context: Context, arguments: DefineInventory) -> bytes:
    """Defines the next version of the design of the sender's organisation.

    Emits ``report.defined``.

    Raises:
        ContractRefusal: ``UNKNOWN_SITE``, ``NOT_PERMITTED`` for another organisation's site or
            one that it holds no share of, ``INVALID_ARGUMENTS``, ``LIMIT_REACHED``.
    """
    state, organisation = context.state, sender_of(context).organisation
    _check_arguments(arguments)
    for site_id in arguments.sites:
        site = require_site(state, site_id)
        if arguments.consolidation is Consolidation.EQUITY_SHARE:
            _check_holder(state, site_id, organisation)
        else:
            check_owner(context, site.organisation, f"site {site_id}")
    before = newest_design(state, organisation)
    version = 1 if before is None else before.version + 1
    if version > VERSIONS_MAX:
        raise refusal(
            Code.LIMIT_REACHED,
            f"design of {organisation}",
            expected=f"at most {VERSIONS_MAX} versions",
            got="another",
        )
    design = InventoryDesign(
        sites=arguments.sites,
        consolidation=arguments.consolidation,
        boundary=arguments.boundary,
        significance=arguments.significance,
        base_year=arguments.base_year,
        base_year_reason=arguments.base_year_reason,
        recalculation=arguments.recalculation,
        gwp=arguments.gwp,
        exclusions=arguments.exclusions,
        responsible=arguments.responsible,
        organisation=organisation,
        version=version,
        defined_by=context.sender,
        defined_ms=context.time_ms,
    )
    state.put(design_key(organisation, version), design)
    state.put(newest_design_key(organisation), NewestDesign(version=version))
    context.emit("report.defined", organisation, design)
    return b""


def _check_holder(state: State, site_id: str, organisation: str) -> None:
    holders = holders_of(state, site_id)
    if organisation not in holders:
        raise refusal(
            Code.NOT_PERMITTED,
            f"equity shares of site {site_id}",
            expected=f"a share of {organisation}; the site's owner declares it with equity.declare",
            got=f"shares of {', '.join(sorted(holders))}" if holders else "none",
        )


def _check_arguments(arguments: DefineInventory) -> None:
    for index, (earlier, later) in enumerate(pairwise(arguments.sites), 1):
        if later <= earlier:
            raise refusal(
                Code.INVALID_ARGUMENTS,
                f"sites[{index}]",
                expected=f"a site after {earlier!r}, for they ascend, each once",
                got=repr(later),
            )
    texts = [
        ("boundary", arguments.boundary),
        ("significance", arguments.significance),
        ("base_year_reason", arguments.base_year_reason),
        ("recalculation", arguments.recalculation),
    ]
    texts += [
        (f"exclusions[{index}].reason", exclusion.reason)
        for index, exclusion in enumerate(arguments.exclusions)
    ]
    for field, text in texts:
        if not text.strip():
            raise refusal(
                Code.INVALID_ARGUMENTS,
                field,
                expected="what the report has to state",
                got="an empty text",
            )


METHODS: Final[tuple[Method, ...]] = (
    method_of(
        "report.define",
        DefineInventory,
        define,
        roles=frozenset({Role.ADMIN}),
        work=lambda arguments: len(arguments.sites),
    ),
)
