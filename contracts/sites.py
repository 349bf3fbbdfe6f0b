"""Sites: places of an organisation, with the calendar that tells their local time."""

from dataclasses import dataclass
from typing import Annotated, Final

from chain.codec import Record
from chain.state import State
from chain.types import Identifier, Milliseconds, Name, Pattern, Text
from contracts.account import Role
from contracts.accounts import sender_of
from contracts.calendars import CalendarReference, require_calendar
from contracts.context import Context
from contracts.method import Method, method_of
from contracts.refusal import Code, refusal

COUNTRY_PATTERN: Final = Pattern(r"[A-Z]{2}", "an ISO 3166-1 code of two letters such as CN")
Country = Annotated[str, COUNTRY_PATTERN]


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteProperties(Record):
    """What whoever registers a site says of it."""

    site_id: Identifier
    """Unique over all organisations."""
    name: Name
    country: Country
    address: Text
    """For people; may be empty."""
    calendar: CalendarReference
    """Calendar id and version that hold when the site is registered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterSite(SiteProperties):
    """Arguments of ``site.register``; the organisation is the sender's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site(SiteProperties):
    """A registered site."""

    organisation: Identifier
    registered_ms: Milliseconds


SITE_PREFIX: Final = b"site/"


def site_key(site_id: str) -> bytes:
    """Returns the state key of a site."""
    return SITE_PREFIX + site_id.encode()


def get_site(state: State, site_id: str) -> Site | None:
    """Returns a site, or None where there is none of this id."""
    return state.get(Site, site_key(site_id))


def require_site(state: State, site_id: str) -> Site:
    """Returns the site that arguments name.

    Raises:
        ContractRefusal: ``UNKNOWN_SITE``.
    """
    site = get_site(state, site_id)
    if site is None:
        raise refusal(
            Code.UNKNOWN_SITE,
            "site",
            expected="a registered site; register it with site.register",
            got=repr(site_id),
        )
    return site


def register(context: Context, arguments: RegisterSite) -> bytes:
    """Registers a site for the sender's organisation; emits ``site.registered``.

    Raises:
        ContractRefusal: ``ALREADY_EXISTS``, ``UNKNOWN_CALENDAR``.
    """
    existing = get_site(context.state, arguments.site_id)
    if existing is not None:
        raise refusal(
            Code.ALREADY_EXISTS,
            "site_id",
            expected="an id that no organisation uses",
            got=f"{arguments.site_id!r} of {existing.organisation}",
        )
    require_calendar(context.state, arguments.calendar)
    site = Site(
        site_id=arguments.site_id,
        name=arguments.name,
        country=arguments.country,
        address=arguments.address,
        calendar=arguments.calendar,
        organisation=sender_of(context).organisation,
        registered_ms=context.time_ms,
    )
    context.state.put(site_key(site.site_id), site)
    context.emit("site.registered", site.site_id, site)
    return b""


METHODS: Final[tuple[Method, ...]] = (
    method_of("site.register", RegisterSite, register, roles=frozenset({Role.ADMIN})),
)
