from contracts.check import CHECK_COUNT, LABELS, READING_CHECKS, RUNNING, Check, bit, checks_in


def test_numbers_are_those_of_the_methodology() -> None:
    assert {check.name: int(check) for check in Check} == {
        "SIGNATURE_SEQUENCE": 1,
        "CLOCK": 2,
        "DUPLICATE": 3,
        "MISSING": 4,
        "REGISTER": 5,
        "PHYSICAL_CAP": 6,
        "UNIT_SLIP": 7,
        "STUCK": 8,
        "ZERO_DROP": 9,
        "SPIKE": 10,
        "BASELINE": 11,
        "CUSUM": 12,
        "EWMA": 13,
        "WEATHER": 14,
        "PARENT_SUM": 15,
        "REGISTER_DEMAND": 16,
        "VOLT_AMPERE": 17,
        "ENERGY_CO2": 18,
        "POWER_FACTOR": 19,
        "BILL": 20,
        "PEER": 21,
        "TARGET": 41,
        "DEPOSIT": 42,
        "ANNUAL": 43,
    }
    assert CHECK_COUNT == len(READING_CHECKS) == 21


def test_each_check_has_its_own_bit() -> None:
    assert bit(Check.SIGNATURE_SEQUENCE) == 1
    assert bit(Check.ENERGY_CO2) == 131_072
    assert bit(Check.PEER) == 1_048_576


def test_checks_of_a_mask_come_in_order() -> None:
    assert checks_in(0) == ()
    assert checks_in(0b1001) == (Check.SIGNATURE_SEQUENCE, Check.MISSING)


def test_every_check_has_a_label_of_its_own() -> None:
    assert list(LABELS) == list(Check)
    assert len(set(LABELS.values())) == len(Check)


def test_every_check_of_readings_runs() -> None:
    assert RUNNING == READING_CHECKS
