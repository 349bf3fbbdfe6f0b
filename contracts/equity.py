"""Equity shares of a site: who holds how much of it, from which month on, and what a share gives.

The equity share approach of the GHG Protocol's Corporate Standard, chapter 3, accounts for
emissions of an operation by the share of equity in it ([K]: the standard's text was not read).
Shares are whole parts per million. A declaration never changes; the newest one that begins with a
month or before it holds for the month.

**A share is cut off, not multiplied out.** The holders of a declaration lie one after the other,
by id, on a line from 0 to 1,000,000; a holder from ``below`` to ``below + share`` has of a whole N

    floor(N * (below + share) / 1,000,000) - floor(N * below / 1,000,000)

Each part is less than one unit (1e-10 g) away from N * share / 1,000,000, and the parts of holders
that have everything add up to N exactly, whatever N is: nothing is lost and nothing counts twice.
"""

from dataclasses import dataclass
from typing import Annotated, Final

from chain.codec import Record
from chain.state import State
from chain.types import Hash, Identifier, Length, Milliseconds, PublicKey, Range, Text
from contracts.month import Month

WHOLE_PPM: Final = 1_000_000
HOLDERS_MAX: Final = 64
"""Organisations of this chain that hold a share of one site."""
DECLARATIONS_MAX: Final = 1_000
"""Of one site; each is kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding(Record):
    """One organisation's share of a site."""

    organisation: Identifier
    share_ppm: Annotated[int, Range(1, WHOLE_PPM)]
    """Parts per million: 512,500 are 51.25 %."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclareEquity(Record):
    """Arguments of ``equity.declare``."""

    site: Identifier
    from_month: Month
    """First month that it holds for, local to the site; it takes the place of earlier declarations
    from there on."""
    holders: Annotated[tuple[Holding, ...], Length(0, HOLDERS_MAX)]
    """Ascending by organisation, each once, together at most the whole; what is missing is held by
    others than organisations of this chain."""
    reason: Text
    """Such as what was bought from whom; not empty."""
    evidence: Hash
    """SHA-256 of the document that shows it; zeros where there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EquityDeclaration(DeclareEquity):
    """One declaration, as it is kept."""

    number: Annotated[int, Range(1, DECLARATIONS_MAX)]
    """Of the site."""
    declared_by: PublicKey
    declared_ms: Milliseconds
    """Block time."""


@dataclass(frozen=True, slots=True)
class Part:
    """What an organisation has of a site, as a piece of the line from 0 to 1,000,000."""

    below_ppm: int
    share_ppm: int

    def of(self, whole: int) -> int:
        """Returns the part of a whole number of either sign; see the module for the rounding."""
        end_ppm = self.below_ppm + self.share_ppm
        return whole * end_ppm // WHOLE_PPM - whole * self.below_ppm // WHOLE_PPM


WHOLE: Final = Part(0, WHOLE_PPM)
NOTHING: Final = Part(0, 0)


def equity_prefix(site_id: str) -> bytes:
    """Returns the prefix of the state keys of a site's declarations."""
    return f"equity/{site_id}/".encode()


def equity_key(site_id: str, number: int) -> bytes:
    """Returns the state key of a declaration; those of a site sort by number."""
    return equity_prefix(site_id) + b"%06d" % number


def declarations_of(state: State, site_id: str) -> tuple[EquityDeclaration, ...]:
    """Returns the declarations of a site by number; the last one is the newest."""
    return tuple(each for _, each in state.iterate(EquityDeclaration, equity_prefix(site_id)))


def declaration_at(state: State, site_id: str, month: int) -> EquityDeclaration | None:
    """Returns the declaration that holds for a month, or None where none does."""
    found = (each for each in reversed(declarations_of(state, site_id)) if each.from_month <= month)
    return next(found, None)


def holders_of(state: State, site_id: str) -> frozenset[str]:
    """Returns the organisations that any declaration of a site names."""
    return frozenset(
        holding.organisation for each in declarations_of(state, site_id) for holding in each.holders
    )


def part_in(declaration: EquityDeclaration, organisation: str) -> Part:
    """Returns what a declaration gives an organisation; nothing where it does not name it."""
    below_ppm = 0
    for holding in declaration.holders:
        if holding.organisation == organisation:
            return Part(below_ppm, holding.share_ppm)
        below_ppm += holding.share_ppm
    return NOTHING
