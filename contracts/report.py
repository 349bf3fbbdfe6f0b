"""The anchored report: a document's hash, and the totals that every validator found in the state.

The document itself is canonical JSON (RFC 8785) that any node builds from the state
(:mod:`contracts.inventory`). Its hash stands here, with the headline totals that validators
computed themselves when they let it in, so that neither can be anchored without the other.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated, Final

from chain.codec import Record
from chain.types import U32, Hash, Height, Identifier, Length, Milliseconds, PublicKey, Range
from contracts.emissions import Numerator
from contracts.month import Month

MONTHS_MAX: Final = 24
"""Months of one report; a reporting year and a first, long one."""
SITES_MAX: Final = 256
FACTORS_MAX: Final = 4_096
"""Versions of factors that one report can name."""
REPORTS_MAX: Final = 4_096
"""Reports of one organisation; monthly ones for 300 years."""


class ReportKind(IntEnum):
    """What a report is for; a number is never reused."""

    GHG_INVENTORY = 1
    """After ISO 14064-1:2018 and the GHG Protocol."""
    CN_MONTHLY_DEPOSIT = 2
    """China: the month's evidence deposit (月度存证)."""
    CN_ANNUAL = 3
    """China: the annual emission report, whole tonnes."""


class ReportStatus(IntEnum):
    """Whether the numbers are still those of the chain."""

    CURRENT = 1
    SUPERSEDED_DATA = 2
    """A revision has touched the period since; build a new report to see what changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FactorUse(Record):
    """A version of a factor's period that totals were computed with."""

    factor_id: Identifier
    valid_from_ms: Milliseconds
    version: U32


@dataclass(frozen=True, slots=True, kw_only=True)
class Headline(Record):
    """Totals of a report, undivided, in 1e-10 g CO2e."""

    direct: Numerator
    """Scope 1, ISO category 1, without biogenic CO2."""
    location_based: Numerator
    """Scope 2, ISO category 2, by the grid's factors."""
    market_based: Numerator
    """Scope 2, ISO category 2, by instruments and market factors."""
    value_chain: Numerator
    """Scope 3, ISO categories 3 to 6."""
    biogenic: Numerator
    """CO2 of biomass, in no total."""
    removals: Numerator
    """In no total."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnchorReport(Record):
    """Arguments of ``report.anchor``; the organisation is the sender's."""

    kind: ReportKind
    from_month: Month
    to_month: Month
    """Last month, inclusive."""
    document: Hash
    """SHA-256 of the canonical JSON."""
    computed_height: Height
    """Block whose state the document was built from."""
    state_root: Hash
    """Of that block; nodes that rebuild the document check it, validators cannot any more."""
    headline: Headline


@dataclass(frozen=True, slots=True, kw_only=True)
class Report(Record):
    """An anchored report."""

    organisation: Identifier
    number: U32
    """Of the organisation, from 1."""
    kind: ReportKind
    from_month: Month
    to_month: Month
    sites: Annotated[tuple[Identifier, ...], Length(1, SITES_MAX)]
    """That it adds up, as the design said."""
    design_version: Annotated[int, Range(1, 65_535)]
    document: Hash
    computed_height: Height
    state_root: Hash
    headline: Headline
    factors: Annotated[tuple[FactorUse, ...], Length(0, FACTORS_MAX)]
    """That the validators found in the totals."""
    anchored_height: Height
    anchored_ms: Milliseconds
    """Block time."""
    anchored_by: PublicKey
    status: ReportStatus
    superseded_by: tuple[Identifier, U32] | None
    """Site and number of the first revision that touched the period; None while CURRENT."""
    superseded_ms: Milliseconds | None
    """Block time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage(Record):
    """Where one current report lies."""

    number: U32
    from_month: Month
    to_month: Month


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportTrack(Record):
    """What is known of an organisation's reports."""

    count: U32
    current: Annotated[tuple[Coverage, ...], Length(0, REPORTS_MAX)]
    """Those that a revision could still touch, by number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportPlace(Record):
    """Entry of the index by document."""

    organisation: Identifier
    number: U32


REPORT_PREFIX: Final = b"report/"


def report_prefix(organisation: str) -> bytes:
    """Returns the prefix of the state keys of an organisation's reports."""
    return REPORT_PREFIX + organisation.encode() + b"/"


def report_key(organisation: str, number: int) -> bytes:
    """Returns the state key of a report; those of an organisation sort by number."""
    return report_prefix(organisation) + b"%06d" % number


def track_key(organisation: str) -> bytes:
    """Returns the state key of what is known of an organisation's reports."""
    return b"report-track/" + organisation.encode()


def place_key(document: Hash) -> bytes:
    """Returns the state key under which a document's report is found."""
    return b"report-by-document/" + document.hex().encode()
