"""The shipped meter data, and small files of the same form."""

from collections import Counter
from pathlib import Path

import pytest

from client.importers.factors import published_factor, read_factors
from client.importers.forrestal import read_forrestal, read_zones
from client.importers.lbnl import read_lbnl
from client.importers.source_file import SourceError
from client.importers.steel import read_steel
from contracts.factor import EvidenceGrade
from contracts.reading import Channel, Quality

DATA = Path(__file__).parents[3] / "examples" / "data"
STEEL_HEADER = (
    "date,Usage_kWh,Lagging_Current_Reactive.Power_kVarh,Leading_Current_Reactive_Power_kVarh,"
    "CO2(tCO2),Lagging_Current_Power_Factor,Leading_Current_Power_Factor\n"
)
FORRESTAL_HEADER = (
    "meter,local_time,occurrence,consumptn_hi,consumptn_lo,register_kwh,demand_kw,power_factor,"
    "current_a,current_b,current_c,voltage_an,voltage_bn,voltage_cn,note\n"
)
QUARTER_MS = 900_000


def write(folder: Path, text: str) -> Path:
    path = folder / "source.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_steel_row_is_energy_reactive_energy_reported_co2_and_power_factors(
    tmp_path: Path,
) -> None:
    path = write(tmp_path, STEEL_HEADER + "1/1/2018 8:15,147.31,2.95,0.5,0.07,99.98,100\n")

    (reading,) = read_steel(path)

    assert reading.stamp_ms == 1_514_762_100_000  # 2017-12-31T23:15Z
    assert (reading.amount, reading.register, reading.quality) == (147_310, None, Quality.MEASURED)
    assert reading.channels == (
        (Channel.REACTIVE_LAGGING_VARH, 2_950),
        (Channel.REACTIVE_LEADING_VARH, 500),
        (Channel.REPORTED_CO2_G, 70_000),
        (Channel.POWER_FACTOR_LAGGING_E4, 9_998),
        (Channel.POWER_FACTOR_LEADING_E4, 10_000),
    )


def test_midnight_with_the_date_of_the_day_before_belongs_to_the_next(tmp_path: Path) -> None:
    one = "1,1,1,0,70.71,70.71\n"
    rows = f"1/1/2018 23:45,{one}1/1/2018 0:00,{one}2/1/2018 0:15,{one}"

    stamps = [reading.stamp_ms for reading in read_steel(write(tmp_path, STEEL_HEADER + rows))]

    assert [later - stamps[0] for later in stamps] == [0, QUARTER_MS, 2 * QUARTER_MS]


def test_a_steel_stamp_that_repeats_is_refused(tmp_path: Path) -> None:
    rows = "1/1/2018 0:00,1,1,1,0,70.71,70.71\n1/1/2018 0:00,1,1,1,0,70.71,70.71\n"

    with pytest.raises(SourceError, match="line 3, date: expected a stamp later than that of the"):
        read_steel(write(tmp_path, STEEL_HEADER + rows))


def test_a_steel_stamp_of_another_layout_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="date: expected a stamp such as 31/01/2018 13:45, got"):
        read_steel(write(tmp_path, STEEL_HEADER + "2018-01-01,1,1,1,0,70.71,70.71\n"))


def test_the_steel_year_is_every_quarter_hour_once() -> None:
    readings = read_steel(DATA / "steel" / "readings.csv.gz")

    stamps = [reading.stamp_ms for reading in readings]
    assert len(stamps) == 35_040
    assert stamps == list(
        range(1_514_733_300_000, 1_514_733_300_000 + 35_040 * QUARTER_MS, 900_000)
    )


def test_a_forrestal_register_is_the_sum_of_its_halves(tmp_path: Path) -> None:
    row = (
        "NZA12,2013-10-01 00:00:00,1,630784,1114.25,631898.25,10.37,0.99,10,12,14,276.5,277,278,\n"
    )

    readings = read_forrestal(write(tmp_path, FORRESTAL_HEADER + row))

    assert readings["NZA12"][0].register == 63_189_825
    assert readings["NZA12"][0].channels == (
        (Channel.DEMAND_W, 10_370),
        (Channel.POWER_FACTOR_PERMILLE, 990),
        (Channel.CURRENT_A_MA, 10_000),
        (Channel.CURRENT_B_MA, 12_000),
        (Channel.CURRENT_C_MA, 14_000),
        (Channel.VOLTAGE_AN_CV, 27_650),
        (Channel.VOLTAGE_BN_CV, 27_700),
        (Channel.VOLTAGE_CN_CV, 27_800),
    )


@pytest.mark.parametrize(
    ("halves", "channel", "value"),
    [("630784,", Channel.REGISTER_HIGH, 63_078_400), (",2488.00", Channel.REGISTER_LOW, 248_800)],
)
def test_half_a_register_is_a_channel_and_no_register(
    tmp_path: Path, halves: str, channel: Channel, value: int
) -> None:
    row = f"NZA12,2014-11-02 00:00:02,1,{halves},,,,,,,,,,\n"

    (reading,) = read_forrestal(write(tmp_path, FORRESTAL_HEADER + row))["NZA12"]

    assert (reading.register, reading.channels) == (None, ((channel, value),))


def test_a_row_without_any_number_says_that_it_is_missing(tmp_path: Path) -> None:
    row = "NZA12,2014-11-02 00:00:02,1,,,,,,,,,,,,\n"

    (reading,) = read_forrestal(write(tmp_path, FORRESTAL_HEADER + row))["NZA12"]

    assert (reading.quality, reading.channels) == (Quality.MISSING, ())


def test_seconds_off_the_grid_are_kept() -> None:
    readings = read_forrestal(DATA / "forrestal" / "2014-11-02.csv.gz")

    off_grid = [
        reading
        for of_meter in readings.values()
        for reading in of_meter
        if reading.stamp_ms % 60_000
    ]

    assert len(off_grid) == 63


def test_the_night_of_the_clock_change_has_a_hundred_slots_more() -> None:
    readings = read_forrestal(DATA / "forrestal" / "2014-11-02.csv.gz")

    slots = {
        (name, (2 * reading.stamp_ms + QUARTER_MS) // (2 * QUARTER_MS))
        for name, of_meter in readings.items()
        for reading in of_meter
    }
    second_pass_ms = range(1_414_908_000_000, 1_414_911_600_000)  # 06:00Z to 07:00Z

    assert (len(readings), sum(map(len, readings.values()))) == (25, 2_596)
    assert len(slots) == 2_500
    assert len([slot for _, slot in slots if slot * QUARTER_MS in second_pass_ms]) == 100


def test_registers_never_fall_in_the_order_of_time() -> None:
    readings = read_forrestal(DATA / "forrestal" / "2014-11-02.csv.gz")

    falls: Counter[str] = Counter()
    for name, of_meter in readings.items():
        last = 0
        for reading in sorted(of_meter, key=lambda each: each.stamp_ms):
            falls[name] += reading.register is not None and reading.register < last
            last = reading.register or last

    assert falls.total() == 0


def test_each_meter_has_its_part_of_the_building() -> None:
    zones = read_zones(DATA / "forrestal" / "zones.csv.gz")

    assert len(zones) == 25
    assert zones["WZC25"] == "WZC West Building"


def test_power_becomes_the_energy_of_its_quarter_hour(tmp_path: Path) -> None:
    path = write(tmp_path, "2013-08-01 00:00:00,5.021\n2013-08-01 00:15:00,nan\n")

    (reading,) = read_lbnl(path)

    assert (reading.stamp_ms, reading.amount) == (1_375_340_400_000, 125_525)


def test_rows_without_a_number_are_not_sent() -> None:
    assert len(read_lbnl(DATA / "lbnl" / "kw.csv.gz")) == 5_472 - 743


def test_the_shipped_factors_name_source_and_evidence() -> None:
    factor = published_factor(DATA / "factors" / "grid_factors.csv", "KR")

    arguments = factor.to_arguments(
        "kr-grid", valid_from_ms=0, valid_to_ms=1, remark="applied to 2018"
    )

    assert (arguments.value, arguments.evidence) == (4_306, EvidenceGrade.SECONDARY)
    assert "NOT the official inventory factor" in arguments.source
    assert arguments.source.endswith("; applied to 2018")


def test_what_was_not_confirmed_is_graded_so(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "code,name,level,year,basis,value_int,unit,source,evidence\n"
        "XX,Nowhere,national,2020,average,1,1e-4 kgCO2/kWh,someone,model knowledge\n",
    )

    (factor,) = read_factors(path)

    arguments = factor.to_arguments("xx", valid_from_ms=0, valid_to_ms=1, remark="")
    assert arguments.evidence is EvidenceGrade.UNCONFIRMED


def test_a_factor_in_another_unit_is_refused(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "code,name,level,year,basis,value_int,unit,source,evidence\n"
        "XX,Nowhere,national,2020,average,1,g/kWh,someone,confirmed\n",
    )

    with pytest.raises(SourceError, match="unit: expected 1e-4 kgCO2/kWh, got 'g/kWh'"):
        read_factors(path)


def test_a_country_without_a_row_is_named() -> None:
    with pytest.raises(SourceError, match="expected a row of code ZZ, got none"):
        published_factor(DATA / "factors" / "grid_factors.csv", "ZZ")
