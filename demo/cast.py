"""Who takes part in the demonstration: organisations, sites, calendars, factors and meters.

The consumers are the places that the data was measured at; the metering service and the
certification body are made up. What a source does not publish, such as serial numbers, says so.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

from chain.member import MemberRole
from client.importers import forrestal, lbnl, steel
from client.importers.calendars import build_calendar, holiday_source, read_holidays
from client.importers.factors import published_factor
from contracts.calendars import Calendar
from contracts.factors import SetFactor
from contracts.meter import (
    Direction,
    Quantity,
    StampConvention,
    Unit,
    ValueKind,
)
from contracts.meters import RegisterMeter
from contracts.sites import RegisterSite
from node.provisioning import OrganisationPlan

DATA: Final = Path(__file__).parent.parent / "examples" / "data"
"""Real meter data with its licences; part of the repository."""

QUARTER_MS: Final = 900_000
LIVE_INTERVAL_MS: Final = 10_000

STEEL_METER: Final = "steel-main"
OFFICE_METER: Final = "office-main"
MARKED_METER: Final = "office-marked-copy"
"""A copy of one week of the office's meter with faults put in; its name says so everywhere."""
LIVE_METER: Final = "bench-live"

STEEL_CO2_CHECK: Final = (4_585, 10_000)
"""Check 18 at the steel plant: 0.4585 kg/kWh, inferred from the file, reported in 0.01 t steps.
Never used for inventory totals (carbon.md 4.1)."""

_NOT_PUBLISHED: Final = "not published"
_CERTIFIER: Final = "certifier"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A site with the calendar that its local time follows."""

    organisation: str
    site: RegisterSite
    calendar: Calendar
    factor: SetFactor | None
    """What turns its energy into CO2e; None where it is not counted."""


def organisations() -> tuple[OrganisationPlan, ...]:
    """Returns the four members with their validators, and the certification body's observer."""
    names = {
        "steelworks": "Steel plant, Gwangyang",
        "forrestal": "Forrestal building, Washington",
        "office": "Office building, California",
        "metering": "Metering service (made up)",
    }
    validators = tuple(
        OrganisationPlan(
            organisation=organisation,
            name=name,
            node_id=f"node-{number}",
            role=MemberRole.VALIDATOR,
        )
        for number, (organisation, name) in enumerate(names.items(), 1)
    )
    observer = OrganisationPlan(
        organisation=_CERTIFIER,
        name="Certification body (made up)",
        node_id="observer-1",
        role=MemberRole.OBSERVER,
    )
    return (*validators, observer)


def places() -> tuple[Place, ...]:
    """Returns the sites; reads holidays and factors from the examples.

    Raises:
        SourceError: a file of the examples is damaged.
    """
    return (_steel_place(), _forrestal_place(), office_place("office"), _bench_place())


def steel_meter(responsible: bytes) -> RegisterMeter:
    """Returns the plant's meter."""
    return meter(
        meter_id=STEEL_METER,
        site="gwangyang",
        name="Whole plant",
        calendar="kr",
        factor="kr-grid",
        stamp=StampConvention.END,
        co2_check=STEEL_CO2_CHECK,
        responsible=responsible,
    )


def forrestal_meter(source_name: str, zone: str, responsible: bytes) -> RegisterMeter:
    """Returns one of the building's meters: a register in kWh with two decimals."""
    return meter(
        meter_id=forrestal_meter_id(source_name),
        site="forrestal",
        name=zone,
        serial=source_name,
        calendar="us-eastern",
        factor="us-grid",
        unit=Unit.KILOWATT_HOUR,
        scale=-forrestal.REGISTER_DECIMALS,
        kind=ValueKind.REGISTER,
        stamp=StampConvention.END,
        responsible=responsible,
    )


def forrestal_meter_id(source_name: str) -> str:
    """Returns the chain's name of a meter of the building, such as ``forrestal-nza12``."""
    return f"forrestal-{source_name.lower()}"


def office_meter(meter_id: str, name: str, responsible: bytes) -> RegisterMeter:
    """Returns the office's meter, or a copy of it under another name."""
    return meter(
        meter_id=meter_id,
        site="berkeley",
        name=name,
        calendar="us-pacific",
        factor="us-grid",
        scale=-lbnl.AMOUNT_DECIMALS,
        stamp=StampConvention.START,
        responsible=responsible,
    )


def live_meter(responsible: bytes) -> RegisterMeter:
    """Returns the meter that goes LIVE: every 10 s, and no factor, for it measures nothing real."""
    return meter(
        meter_id=LIVE_METER,
        site="bench",
        name="Test bench, 10 s",
        calendar="utc",
        factor=None,
        stamp=StampConvention.END,
        interval_ms=LIVE_INTERVAL_MS,
        responsible=responsible,
    )


def meter(  # noqa: PLR0913  one keyword for each thing in which the meters differ
    *,
    meter_id: str,
    site: str,
    name: str,
    calendar: str,
    factor: str | None,
    stamp: StampConvention,
    responsible: bytes,
    serial: str = _NOT_PUBLISHED,
    unit: Unit = Unit.WATT_HOUR,
    scale: int = 0,
    kind: ValueKind = ValueKind.INTERVAL,
    interval_ms: int = QUARTER_MS,
    co2_check: tuple[int, int] | None = None,
) -> RegisterMeter:
    """Returns an electricity meter of class 1 whose other properties are not known."""
    return RegisterMeter(
        meter_id=meter_id,
        site=site,
        name=name,
        serial=serial,
        make=_NOT_PUBLISHED,
        accuracy_class_permille=10,
        quantity=Quantity.ELECTRICITY,
        unit=unit,
        scale=scale,
        kind=kind,
        direction=Direction.IMPORT,
        transformer_ratio=(1, 1),
        multiplier=(1, 1),
        register_modulus=None,
        nameplate_w=None,
        interval_ms=interval_ms,
        stamp=stamp,
        calendar=(calendar, 1),
        parent=None,
        factor=factor,
        co2_check=co2_check,
        responsible=responsible,
        calibration_certificate=bytes(32),
        calibration_valid_until_ms=0,
        installed_from_ms=0,
        installed_to_ms=None,
    )


def office_place(organisation: str) -> Place:
    """Returns the office building as a site of an organisation."""
    return Place(
        organisation=organisation,
        site=_site("berkeley", "Office building (LBNL loadshape)", "US", "us-pacific"),
        calendar=_calendar("us-pacific", lbnl.ZONE_NAME, range(2013, 2015), "us-federal"),
        factor=None,  # the same series as the other site in the United States
    )


def us_factor() -> SetFactor:
    """Returns the factor of the sites in the United States."""
    return _factor("us-grid", "US", range(2013, 2015))


def _steel_place() -> Place:
    return Place(
        organisation="steelworks",
        site=_site("gwangyang", "DAEWOO Steel, Gwangyang", "KR", "kr"),
        calendar=_calendar("kr", steel.ZONE_NAME, range(2017, 2020), "kr"),
        factor=_factor("kr-grid", "KR", range(2017, 2020)),
    )


def _forrestal_place() -> Place:
    return Place(
        organisation="forrestal",
        site=_site("forrestal", "US DOE Forrestal building", "US", "us-eastern"),
        calendar=_calendar("us-eastern", forrestal.ZONE_NAME, range(2013, 2015), "us-federal"),
        factor=us_factor(),
    )


def _bench_place() -> Place:
    return Place(
        organisation="metering",
        site=_site("bench", "Test bench", "CN", "utc"),
        calendar=Calendar(
            calendar_id="utc",
            version=1,
            source="UTC, without holidays",
            transitions=((0, 0),),
            holidays=(),
        ),
        factor=None,
    )


def _site(site_id: str, name: str, country: str, calendar: str) -> RegisterSite:
    return RegisterSite(
        site_id=site_id, name=name, country=country, address="", calendar=(calendar, 1)
    )


def _calendar(calendar_id: str, zone_name: str, years: range, holidays: str) -> Calendar:
    path = DATA / "calendars" / f"holidays-{holidays}.csv"
    return build_calendar(
        calendar_id=calendar_id,
        version=1,
        zone_name=zone_name,
        years=years,
        holidays=read_holidays(path),
        holiday_source=holiday_source(path),
    )


def _factor(factor_id: str, code: str, years: range) -> SetFactor:
    published = published_factor(DATA / "factors" / "grid_factors.csv", code)
    return published.to_arguments(
        factor_id,
        valid_from_ms=_year_ms(years[0]),
        valid_to_ms=_year_ms(years[-1] + 1),
        remark=f"applied to {years[0]}-{years[-1]}, for which the table has no row",
    )


def _year_ms(year: int) -> int:
    return int(datetime.combine(date(year, 1, 1), datetime.min.time(), UTC).timestamp()) * 1_000
