"""Baselines in words: units that people read, and what the gate says."""

from dataclasses import replace
from typing import Any

import pytest

from commands.baseline_words import (
    MODELS,
    POINTS,
    amount_words,
    measure_words,
    parameter_words,
    reason_words,
    since_words,
    verdict_words,
)
from contracts.baseline import Model, Reason, Resolution
from contracts.meter import Meter, MeterMode, Quantity, Unit
from tests.unit.contracts.registry_world import INTERVAL_METER

METER = Meter.from_value((*INTERVAL_METER.to_value(), "steel", int(MeterMode.BACKFILL), None))
OUTDOOR = replace(METER, quantity=Quantity.TEMPERATURE, unit=Unit.DECI_CELSIUS)


def shown(**changes: Any) -> dict[str, Any]:
    model = {
        "levels": [183_066, 82_432, None],
        "heating_slope": 0,
        "heating_point": None,
        "cooling_slope": 774_734_467,
        "cooling_point": 145,
    }
    return {
        "resolution": "DAY",
        "reason": None,
        "approvals": [],
        "medians": None,
        "parameter_count": 4,
        "day_model": model,
        "cv_rmse_permille": 62,
        "nmbe_permille": -1,
        "fsu_permille": 193,
        **changes,
    }


def test_each_model_and_resolution_has_a_name() -> None:
    assert set(MODELS) == set(Model)
    assert set(POINTS) == set(Resolution)
    assert len(set(MODELS.values())) == len(Model)


def test_a_change_point_is_told_in_degrees_and_kilowatt_hours() -> None:
    assert parameter_words(shown(), METER, OUTDOOR) == (
        "above 14.5 degC 7.747 kWh/degC-day; workday 183.066 kWh; Saturday 82.432 kWh"
    )


def test_a_mean_day_of_a_month_has_one_level() -> None:
    model = shown()["day_model"] | {"levels": [1_500, None, None], "cooling_point": -25}
    monthly = shown(resolution="MONTH", day_model=model)
    assert parameter_words(monthly, METER, OUTDOOR) == (
        "above -2.5 degC 7.747 kWh/degC-day; day 1.500 kWh"
    )


@pytest.mark.parametrize(
    ("unit", "slope", "words"),
    [
        (Unit.PIECE, 980_000_000, "0.980 kWh per piece"),
        (Unit.TONNE, 450_000, "0.450 kWh per kg"),
    ],
)
def test_intensity_is_told_per_piece_or_kilogram(unit: Unit, slope: int, words: str) -> None:
    output = replace(METER, quantity=Quantity.PRODUCTION, unit=unit)
    model = shown()["day_model"] | {"cooling_slope": slope, "cooling_point": 0}
    assert parameter_words(shown(day_model=model), METER, output).startswith(words)


def test_what_was_not_found_is_said() -> None:
    assert parameter_words(shown(day_model=None), METER, OUTDOOR) == "none found"
    profile = shown(day_model=None, medians={}, parameter_count=0)
    assert parameter_words(profile, METER, None) == "none found"
    assert parameter_words(profile | {"medians": {"MONDAY": []}}, METER, None) == "0 medians"


def test_amounts_are_rounded_and_keep_their_sign() -> None:
    assert amount_words(-1_234_567_800, METER) == "-1.235 kWh"
    pieces = replace(METER, quantity=Quantity.PRODUCTION, unit=Unit.PIECE)
    assert amount_words(2_500_000, pieces) == "2.500 piece"


def test_a_verdict_names_the_limit_of_its_resolution() -> None:
    assert verdict_words(shown()) == "qualifies"
    assert verdict_words(shown(approvals=[{"from_ms": 0}])) == "in force"
    assert since_words(shown()) == ""
    assert since_words(shown(approvals=[{"from_ms": 0}])) == "in force from 1970-01-01 00:00"
    assert reason_words(Reason.SCATTER_TOO_HIGH, Resolution.DAY) == "CV(RMSE) above 20.0 %"
    assert reason_words(Reason.BIAS_TOO_HIGH, Resolution.INTERVAL) == "NMBE beyond 10.0 %"
    refused = shown(reason="NO_RESPONSE", cv_rmse_permille=0)
    assert verdict_words(refused) == "refused: no response"
    assert measure_words(refused) == ("-", "-", "-")
    assert measure_words(shown()) == ("6.2 %", "-0.1 %", "19.3 %")
