"""The steel plant's year: divided once it is 439.99 t; rounding each reading loses 7.8 % of it.

The factor, 0.4585 kg per kWh, is inferred from the file and not published: it serves this
comparison and no inventory. A figure of 439.80 t that is told of the same year is that of 0.4583,
which does not reproduce the file's own rows.
"""

from dataclasses import replace

from client.importers.steel import read_steel
from contracts import factors, meters
from contracts.emissions import grams_of
from contracts.reading import Channel
from contracts.totals import organisation_months, site_months, sum_of_months
from tests.unit.contracts.registry_world import FACTOR
from tests.unit.contracts.test_readings_real_data import DATA, STEEL, RealWorld

YEAR = range((2018 - 1970) * 12, (2019 - 1970) * 12)
VALUE = 4_585
STEP_G = 10_000
"""The file reports to 0.01 t."""


def test_the_year_is_divided_once_and_each_reading_never() -> None:
    world = RealWorld("Asia/Seoul", range(2017, 2020))
    factor = replace(FACTOR, factor_id="inferred", value=VALUE, valid_from_ms=0, valid_to_ms=2**60)
    world.call(factors.set_factor, factor)
    meter = replace(STEEL, factor="inferred")
    world.call(meters.register, meter)
    readings = read_steel(DATA / "steel" / "readings.csv.gz")
    world.replay(meter, readings)

    months = site_months(world.reader, "plant", YEAR[0], YEAR[-1])
    sums = sum_of_months(months)

    assert len(months) == 12
    assert sums.location == sums.electricity * VALUE * 10**6
    assert f"{grams_of(sums.location) / 1e6:.2f}" == "439.99"
    assert f"{grams_of(sums.electricity * 4_583 * 10**6) / 1e6:.2f}" == "439.80"
    of_organisation = organisation_months(world.reader, "steel", YEAR[0], YEAR[-1])
    assert sum_of_months(of_organisation) == sums

    reported_g = sum(dict(reading.channels)[Channel.REPORTED_CO2_G] for reading in readings)
    assert f"{reported_g / 1e6:.2f}" == "403.81"
    rounded_g = sum(rounded_half_up(reading.amount or 0) for reading in readings)
    # 47 rows report nothing under load; rounding alone leaves this:
    assert f"{rounded_g / 1e6:.2f}" == "405.55"
    assert 1_000 * (grams_of(sums.location) - rounded_g) // grams_of(sums.location) == 78


def rounded_half_up(amount_wh: int) -> int:
    """What the file would report for an interval, grams in whole steps."""
    numerator = amount_wh * VALUE  # 1e-4 g
    return (2 * numerator + STEP_G * 10**4) // (2 * STEP_G * 10**4) * STEP_G
