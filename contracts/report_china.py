"""Sections of China's monthly deposit and annual report: activity data, deadlines, deposits.

Emissions are in whole tonnes, rounded once from the period's numerator and never from months
(carbon.md 3.4 [C]; the day of the annual deadline is [C] from a secondary source).
"""

from collections.abc import Sequence

from chain.state import State
from contracts.annual_filing import AnnualStage, annual_deadline_ms
from contracts.calendars import Calendar, require_calendar
from contracts.deposit import (
    Deposit,
    DepositStage,
    DepositStep,
    Submission,
    deadline_ms,
    deposit_key,
    step_at,
    submission_key,
)
from contracts.emissions import numerator_of
from contracts.month import month_name, year_of
from contracts.report_sections import Document, Period
from contracts.site_month import SiteMonth, Stream
from contracts.sites import require_site


def monthly_section(state: State, period: Period, months: Sequence[SiteMonth]) -> Document:
    """Returns the month's activity data and the deadlines of its steps by each site's calendar."""
    return {
        "activity_data": activity_section(months),
        "deadlines": [
            {
                "site": site_id,
                **{
                    stage.name.lower() + "_before_ms": deadline_ms(
                        _calendar_of(state, site_id), period.to_month, stage
                    )
                    for stage in DepositStage
                },
            }
            for site_id in period.sites
        ],
    }


def annual_section(state: State, period: Period, months: Sequence[SiteMonth]) -> Document:
    """Returns the year's activity data, its deposits, and when the report is due."""
    return {
        "activity_data": activity_section(months),
        "deadlines": [
            {
                "site": site_id,
                **{
                    name: annual_deadline_ms(
                        _calendar_of(state, site_id), year_of(period.to_month), stage
                    )
                    for name, stage in (
                        ("report_before_ms", AnnualStage.SUBMIT),
                        ("check_before_ms", AnnualStage.CHECK),
                    )
                },
            }
            for site_id in period.sites
        ],
        "deposits": [
            _deposit_section(state, site_id, month)
            for site_id in period.sites
            for month in period.months
        ],
    }


def activity_section(months: Sequence[SiteMonth]) -> list[Document]:
    """Returns amounts by site and factor: fuels, purchased energy and the rest."""
    amounts: dict[tuple[str, int, int, str, str], int] = {}
    for month in months:
        for stream in month.streams:
            key = (month.site, *_kind_of(stream))
            amounts[key] = amounts.get(key, 0) + numerator_of(stream.amount)
    return [
        {
            "site": site_id,
            "scope": scope,
            "iso_category": category,
            "factor": factor_id,
            "base_unit": unit,
            "amount": str(used),
        }
        for (site_id, scope, category, factor_id, unit), used in sorted(amounts.items())
    ]


def _kind_of(stream: Stream) -> tuple[int, int, str, str]:
    booking = stream.booking
    return int(booking.scope), int(booking.category), stream.factor_id, stream.base_unit.name


def _deposit_section(state: State, site_id: str, month: int) -> Document:
    deposit = state.get(Deposit, deposit_key(site_id, month))
    members: Document = {"site": site_id, "month": month_name(month)}
    if deposit is None:
        return {**members, "submission": 0, "missed": [], "steps": {}, "figures": []}
    submission = state.get(Submission, submission_key(site_id, month, deposit.submission))
    return {
        **members,
        "submission": deposit.submission,
        "missed": [stage.name for stage in deposit.missed],
        "steps": {stage.name: _present_step(step_at(deposit, stage)) for stage in DepositStage},
        "figures": []
        if submission is None
        else [
            {
                "parameter": figure.parameter,
                "unit": figure.unit,
                "value": str(figure.value),
                "scale": figure.scale,
                "evidence": figure.evidence.hex(),
            }
            for figure in submission.figures
        ],
    }


def _present_step(step: DepositStep | None) -> Document | None:
    if step is None:
        return None
    return {"account": step.account.hex(), "time_ms": step.time_ms, "is_late": step.is_late}


def _calendar_of(state: State, site_id: str) -> Calendar:
    return require_calendar(state, require_site(state, site_id).calendar)
