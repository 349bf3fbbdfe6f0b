"""The certification: an engagement of a certification body, from its opening to its statement.

A body opens an engagement for an organisation, its sites and a span of closed months; draws a
sample from a block that did not exist yet when it opened; records the misstatements that it finds;
executes the chain again on a node of its own; and concludes with a statement (ISO 14064-3). Only
a statement whose opinion is UNMODIFIED or MODIFIED leads to a certificate
(:mod:`contracts.certificate`).
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated, Final

from chain.codec import Record
from chain.types import (
    I64,
    U16,
    U32,
    U64,
    Hash,
    Height,
    Identifier,
    Length,
    Milliseconds,
    Pattern,
    PublicKey,
    Range,
    Text,
)
from contracts.alert import AlertId
from contracts.emissions import Scope
from contracts.month import Month
from contracts.report import Headline

CERTIFICATION_ID_PATTERN: Final = Pattern(
    r"[a-z0-9][a-z0-9._-]{0,63}\.[0-9]{6}", "a certification body and number such as body.000001"
)
CertificationId = Annotated[str, CERTIFICATION_ID_PATTERN]
"""Of an engagement, and of the certificate that it may lead to."""

CERTIFICATIONS_MAX: Final = 131_072
"""Engagements of one body: its certificates share one status list, and a list of the W3C has at
least so many entries."""
SITES_MAX: Final = 32
MONTHS_MAX: Final = 24
METERS_MAX: Final = 64
"""Meters that are sampled in one engagement."""
INTERVALS_MAX: Final = 64
"""Intervals that are drawn of one meter."""
MISSTATEMENTS_MAX: Final = 1_000
EXCEPTIONS_MAX: Final = 200
SEED_DISTANCE: Final = 1
"""Blocks from the opening to the one whose hash is the seed. The block of the opening is made with
the opening in hand; the next one is not there yet when the opening is final, and a quiet chain
makes it within ``max_block_interval_ms``."""


class AssuranceLevel(IntEnum):
    """How much evidence stands behind a statement (ISO 14064-3)."""

    LIMITED = 1
    REASONABLE = 2


class Opinion(IntEnum):
    """What a statement says (ISO 14064-3)."""

    UNMODIFIED = 1
    MODIFIED = 2
    """Fair but for what the statement names."""
    ADVERSE = 3
    DISCLAIMER = 4
    """The evidence does not suffice for any opinion."""


class MisstatementKind(IntEnum):
    """Where a misstatement comes from."""

    ERROR = 1
    OMISSION = 2
    MISREPRESENTATION = 3
    """Put otherwise than it is, knowingly or not."""
    NON_CONFORMITY = 4
    """A requirement is not met; it need not move the number."""


class Stage(IntEnum):
    """How far an engagement has come."""

    OPEN = 1
    PLANNED = 2
    CONCLUDED = 3
    CERTIFIED = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class SampledMeter(Record):
    """Intervals of a meter that the verifier looks at."""

    meter: Identifier
    starts_ms: Annotated[tuple[Milliseconds, ...], Length(0, INTERVALS_MAX)]
    """Starts of the intervals, ascending; none where the meter was not installed in the period."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplingPlan(Record):
    """What the verifier looks at, and where the choice came from."""

    document: Hash
    """SHA-256 of the plan as written for people."""
    seed_height: Height
    seed: Hash
    """Hash of the block at that height."""
    meters: Annotated[tuple[SampledMeter, ...], Length(1, METERS_MAX)]
    """By id; chosen by the verifier, their intervals drawn from the seed."""
    planned_by: PublicKey
    planned_ms: Milliseconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Reexecution(Record):
    """What a node of the body found when it executed the chain again from genesis."""

    node_id: Identifier
    """Observer of the certification body."""
    height: Height
    """Last block that it executed."""
    block_hash: Hash
    state_root: Hash
    """That it computed itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement(Record):
    """What the body concludes."""

    level: AssuranceLevel
    opinion: Opinion
    materiality_permille: Annotated[int, Range(1, 1_000)]
    """Uncorrected misstatements up to this share of the total do not stand against an unmodified
    opinion. The certifier's choice: no rule of law is encoded."""
    uncorrected_g: U64
    """Sum of the magnitudes of uncorrected misstatements, g CO2e."""
    basis: Text
    """Criteria, procedures and, where the opinion is not unmodified, why."""
    exceptions: Annotated[tuple[AlertId, ...], Length(0, EXCEPTIONS_MAX)]
    """Cases of the period that are still open, ascending."""
    reexecution: Reexecution
    totals: Headline
    """Of the certified sites, months and scopes; zero in what is out of scope."""
    stated_by: PublicKey
    stated_ms: Milliseconds
    stated_height: Height


@dataclass(frozen=True, slots=True, kw_only=True)
class Scoped(Record):
    """What is certified."""

    organisation: Identifier
    sites: Annotated[tuple[Identifier, ...], Length(1, SITES_MAX)]
    """Of the organisation; ascending, each once."""
    from_month: Month
    to_month: Month
    """Inclusive; by the calendar of each site."""
    scopes: Annotated[tuple[Scope, ...], Length(1, len(Scope))]
    """Of the GHG Protocol; ascending, each once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Certification(Scoped):
    """An engagement."""

    certification_id: CertificationId
    body: Identifier
    """Certification body."""
    number: U32
    """Of the body, from 1."""
    from_ms: Milliseconds
    """Earliest start of the period at any of the sites."""
    to_ms: Milliseconds
    """Latest end of it, exclusive."""
    criteria: Text
    """Standards that are verified against, such as ``ISO 14064-1:2018``."""
    stage: Stage
    opened_by: PublicKey
    opened_ms: Milliseconds
    opened_height: Height
    plan: SamplingPlan | None
    misstatement_count: U16
    statement: Statement | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Misstatement(Record):
    """What a verifier found wrong."""

    number: U16
    """Of the engagement, from 1."""
    amount_g: I64
    """g CO2e by which the total is too high; below zero where it is too low."""
    kind: MisstatementKind
    is_material: bool
    """By the verifier's judgement, whatever the amount."""
    words: Text
    evidence: Hash
    """SHA-256 of the file that shows it; zeros where there is none."""
    found_by: PublicKey
    found_ms: Milliseconds
    correction: Text | None
    """How it was corrected; None while it is not."""
    corrected_ms: Milliseconds | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificationCount(Record):
    """How many engagements a body has opened."""

    count: U32


CERTIFICATION_PREFIX: Final = b"certification/"


def certification_id_of(body: str, number: int) -> CertificationId:
    """Returns the id of a body's n-th engagement."""
    return f"{body}.{number:06d}"


def certification_path(certification_id: CertificationId) -> bytes:
    """Returns body and number as the end of a state key."""
    body, number = certification_id.rsplit(".", 1)
    return f"{body}/{number}".encode()


def certification_key(certification_id: CertificationId) -> bytes:
    """Returns the state key of an engagement; those of a body sort by number."""
    return CERTIFICATION_PREFIX + certification_path(certification_id)


def count_key(body: str) -> bytes:
    """Returns the state key of the count of a body's engagements."""
    return b"certification-count/" + body.encode()


def misstatement_prefix(certification_id: CertificationId) -> bytes:
    """Returns the prefix of the state keys of an engagement's misstatements."""
    return b"misstatement/" + certification_path(certification_id) + b"/"


def misstatement_key(certification_id: CertificationId, number: int) -> bytes:
    """Returns the state key of a misstatement; those of an engagement sort by number."""
    return misstatement_prefix(certification_id) + b"%04d" % number
