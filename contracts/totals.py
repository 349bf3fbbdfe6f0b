"""What people and reports ask of totals: months of sites and organisations, as they stand.

Each month is one record under one key, so whoever doubts a total asks for the state proof of
:func:`contracts.site_month.site_month_key` and computes it again from the streams in it.
"""

from collections.abc import Iterable
from typing import Final

from chain.state import StateReader
from contracts.refusal import Code, refusal
from contracts.site_month import (
    OrganisationMonth,
    SiteMonth,
    Sums,
    organisation_month_key,
    site_month_key,
    sums_of,
)

MONTHS_MAX: Final = 1_200
"""Months of one question: a century."""


def site_months(
    reader: StateReader, site_id: str, from_month: int, to_month: int
) -> tuple[SiteMonth, ...]:
    """Returns the months of a site that hold anything, by time.

    Args:
        reader: committed state.
        site_id: an unknown one has no months.
        from_month: months since 1970-01.
        to_month: inclusive.

    Raises:
        ContractRefusal: ``INVALID_ARGUMENTS`` for no months or too many.
    """
    _check_span(from_month, to_month)
    found = (
        reader.get(site_month_key(site_id, month)) for month in range(from_month, to_month + 1)
    )
    return tuple(SiteMonth.decode(stored) for stored in found if stored is not None)


def organisation_months(
    reader: StateReader, organisation: str, from_month: int, to_month: int
) -> tuple[OrganisationMonth, ...]:
    """Returns the months of an organisation that hold anything, by time; as :func:`site_months`."""
    _check_span(from_month, to_month)
    found = (
        reader.get(organisation_month_key(organisation, month))
        for month in range(from_month, to_month + 1)
    )
    return tuple(OrganisationMonth.decode(stored) for stored in found if stored is not None)


def sum_of_months(months: Iterable[SiteMonth | OrganisationMonth]) -> Sums:
    """Returns the totals over months."""
    sums = Sums()
    for month in months:
        sums.add(sums_of(month))
    return sums


def _check_span(from_month: int, to_month: int) -> None:
    if not from_month <= to_month < from_month + MONTHS_MAX:
        raise refusal(
            Code.INVALID_ARGUMENTS,
            "to",
            expected=f"a month from {from_month} to {from_month + MONTHS_MAX - 1}",
            got=str(to_month),
        )
