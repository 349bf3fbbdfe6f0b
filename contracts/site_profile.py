"""Profiles of sites: use, floor area and main meters, by which like sites are compared."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated, Final

from chain.codec import Record
from chain.state import State
from chain.types import Identifier, Length, Milliseconds, Range
from contracts.account import Role
from contracts.accounts import check_owner
from contracts.calendars import DAY_MS
from contracts.context import Context
from contracts.due_queue import DueKind, push
from contracts.emissions import counts_for_site
from contracts.meter import Unit, base_unit_of
from contracts.meters import require_meter
from contracts.method import Method, method_of
from contracts.refusal import Code, refusal
from contracts.sites import Site, require_site

SITES_MAX: Final = 100
"""Sites of one use that are compared with each other; bounds what the comparison reads."""
MAIN_METERS_MAX: Final = 8
"""Meters whose energy is a site's."""
ENERGY_UNITS: Final = (Unit.WATT_HOUR, Unit.KILOJOULE)
"""Base units of energy; a volume of gas is none without its heating value."""


class UseType(IntEnum):
    """What a site is used for."""

    OFFICE = 1
    SCHOOL = 2
    UNIVERSITY = 3
    HOSPITAL = 4
    HOTEL = 5
    RETAIL = 6
    RESTAURANT = 7
    WAREHOUSE = 8
    RESIDENTIAL = 9
    DATA_CENTRE = 10
    INDUSTRY = 11
    PUBLIC_ASSEMBLY = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class DescribeSite(Record):
    """Arguments of ``site.describe``: the whole of the profile, in the place of an earlier one."""

    site_id: Identifier
    use_type: UseType
    floor_area_m2: Annotated[int, Range(1, 100_000_000)]
    """Gross floor area in square metres."""
    main_meters: Annotated[tuple[Identifier, ...], Length(1, MAIN_METERS_MAX)]
    """Meters of electricity, heat or steam at the top of the site, ascending; the first gets the
    alerts of the site."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteProfile(DescribeSite):
    """What is known of a site's use."""

    organisation: Identifier
    described_ms: Milliseconds
    """Block time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteOfUse(Record):
    """Entry of the index by use."""

    site_id: Identifier


def profile_key(site_id: str) -> bytes:
    """Returns the state key of a site's profile."""
    return b"site-profile/" + site_id.encode()


def use_prefix(use_type: UseType) -> bytes:
    """Returns the prefix of the index of sites of one use."""
    return b"site-by-use/%02d/" % use_type


def get_profile(state: State, site_id: str) -> SiteProfile | None:
    """Returns a site's profile, or None where it has none."""
    return state.get(SiteProfile, profile_key(site_id))


def sites_of_use(state: State, use_type: UseType) -> tuple[str, ...]:
    """Returns the ids of the sites of one use, ascending; at most :data:`SITES_MAX`."""
    return tuple(entry.site_id for _, entry in state.iterate(SiteOfUse, use_prefix(use_type)))


def describe(context: Context, arguments: DescribeSite) -> bytes:
    """Sets a site's profile; emits ``site.described``.

    Raises:
        ContractRefusal: ``UNKNOWN_SITE``, ``UNKNOWN_METER``, ``NOT_PERMITTED``,
            ``INVALID_ARGUMENTS`` for a meter that does not measure the site's energy,
            ``LIMIT_REACHED`` for too many sites of one use.
    """
    state = context.state
    site = require_site(state, arguments.site_id)
    check_owner(context, site.organisation, f"site {site.site_id}")
    _check_meters(state, site, arguments.main_meters)
    before = get_profile(state, site.site_id)
    of_use = sites_of_use(state, arguments.use_type)
    if site.site_id not in of_use and len(of_use) >= SITES_MAX:
        raise refusal(
            Code.LIMIT_REACHED,
            "use_type",
            expected=f"a use of fewer than {SITES_MAX} sites",
            got=arguments.use_type.name,
        )
    profile = SiteProfile.from_value((*arguments.to_value(), site.organisation, context.time_ms))
    if before is not None:
        state.delete(use_prefix(before.use_type) + site.site_id.encode())
    state.put(use_prefix(profile.use_type) + site.site_id.encode(), SiteOfUse(site_id=site.site_id))
    state.put(profile_key(site.site_id), profile)
    if not of_use:
        subject = profile.use_type.name.lower()
        push(state, due_ms=context.time_ms + DAY_MS, kind=DueKind.PEER, subject=subject)
    context.emit("site.described", site.site_id, profile)
    return b""


def _check_meters(state: State, site: Site, meter_ids: tuple[str, ...]) -> None:
    if list(meter_ids) != sorted(dict.fromkeys(meter_ids)):
        raise refusal(
            Code.INVALID_ARGUMENTS,
            "main_meters",
            expected="each meter once, ascending",
            got=", ".join(meter_ids),
        )
    for meter_id in meter_ids:
        meter = require_meter(state, meter_id, "main_meters")
        is_main = meter.site == site.site_id and counts_for_site(meter)
        if not is_main or base_unit_of(meter.unit) not in ENERGY_UNITS:
            raise refusal(
                Code.INVALID_ARGUMENTS,
                "main_meters",
                expected=f"meters of imported energy at {site.site_id} without a parent",
                got=repr(meter_id),
            )


METHODS: Final[tuple[Method, ...]] = (
    method_of("site.describe", DescribeSite, describe, roles=frozenset({Role.ADMIN})),
)
