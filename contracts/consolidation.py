"""What of a site's month an inventory counts: all of it by control, a part of it by equity share.

The part of a month is a month of the same shape, so everything that reports make of months is made
of parts alike. Parts are cut off line by line (:mod:`contracts.equity`), and what is a sum or a
difference of lines follows from the parts, so lines of a part add up to its totals.
"""

from dataclasses import replace

from chain.state import State
from contracts.emissions import Scope, numerator_of, pack_numerator
from contracts.equity import WHOLE, Part, declaration_at, part_in
from contracts.inventory_design import Consolidation, InventoryDesign
from contracts.month import month_name
from contracts.refusal import Code, refusal
from contracts.report_totals import months_of
from contracts.site_month import Line, LineKind, Scope2, SiteMonth


def counted_months(
    state: State, design: InventoryDesign, site_id: str, from_month: int, to_month: int
) -> list[SiteMonth]:
    """Returns what a design counts of the months of a site that hold anything, by time.

    Args:
        state: only read.
        design: of an inventory.
        site_id: one of its sites.
        from_month: months since 1970-01.
        to_month: inclusive.

    Raises:
        ContractRefusal: ``WRONG_STATE`` for a month that no declaration of shares holds for.
    """
    return [
        part_of_month(month, part_of(state, design, site_id, month.month))
        for month in months_of(state, site_id, from_month, to_month)
    ]


def part_of(state: State, design: InventoryDesign, site_id: str, month: int) -> Part:
    """Returns the part of a site's month that a design counts.

    Raises:
        ContractRefusal: ``WRONG_STATE``, as :func:`counted_months`.
    """
    if design.consolidation is not Consolidation.EQUITY_SHARE:
        return WHOLE
    declaration = declaration_at(state, site_id, month)
    if declaration is None:
        raise refusal(
            Code.WRONG_STATE,
            f"equity shares of site {site_id} for {month_name(month)}",
            expected="a declaration from that month on or before; its owner makes it with "
            "equity.declare",
            got="none",
        )
    return part_in(declaration, design.organisation)


def part_of_month(month: SiteMonth, part: Part) -> SiteMonth:
    """Returns a part of a month; counts of intervals stay those of the site."""
    if part == WHOLE:
        return month
    lines = tuple(_part_of_line(line, part) for line in month.lines)
    return replace(
        month,
        lines=tuple(line for line in lines if numerator_of(line.mass) or numerator_of(line.co2e)),
        scope2=_part_of_energy(month.scope2, lines, part),
        streams=tuple(
            replace(stream, amount=_packed_part(stream.amount, part)) for stream in month.streams
        ),
        allocations=tuple(
            replace(allocation, amount_wh=part.of(allocation.amount_wh))
            for allocation in month.allocations
        ),
    )


def _part_of_line(line: Line, part: Part) -> Line:
    return replace(line, mass=_packed_part(line.mass, part), co2e=_packed_part(line.co2e, part))


def _part_of_energy(scope2: Scope2, lines: tuple[Line, ...], part: Part) -> Scope2:
    location = sum(
        numerator_of(line.co2e)
        for line in lines
        if line.scope is Scope.PURCHASED_ENERGY and line.kind is LineKind.EMISSION
    )
    by_market = numerator_of(scope2.market_based) - numerator_of(scope2.location_based)
    covered = part.of(numerator_of(scope2.covered_wh))
    uncovered = numerator_of(scope2.electricity_wh) - numerator_of(scope2.covered_wh)
    return Scope2(
        location_based=pack_numerator(location),
        market_based=pack_numerator(location + part.of(by_market)),
        electricity_wh=pack_numerator(covered + part.of(uncovered)),
        covered_wh=pack_numerator(covered),
    )


def _packed_part(numerator: bytes, part: Part) -> bytes:
    return pack_numerator(part.of(numerator_of(numerator)))
