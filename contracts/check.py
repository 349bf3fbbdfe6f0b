"""The checks that a reading can fail, with the numbers that masks, alerts and documents share.

Each reading keeps one bit for each check that flagged it and one for each that applied, so a
certificate can say what was checked and not only what was found. The numbers are those of the
methodology (carbon.md 4.1) and are never reused.
"""

from enum import IntEnum
from typing import Final


class Check(IntEnum):
    """One rule that readings are held against."""

    SIGNATURE_SEQUENCE = 1
    """Source sequence and previous hash follow on from the meter's last reading."""
    CLOCK = 2
    """The interval lies on the grid and block time is neither before nor long after its end."""
    DUPLICATE = 3
    """Another value for the same meter and interval; equal repeats are no fault."""
    MISSING = 4
    """Expected intervals without a reading."""
    REGISTER = 5
    """A counter rises, or rolls over at its modulus."""
    PHYSICAL_CAP = 6
    """No more than the nameplate allows."""
    UNIT_SLIP = 7
    """Off by a power of ten or by 3.6."""
    STUCK = 8
    """Equal values that go on too long."""
    ZERO_DROP = 9
    """Far below the trailing week."""
    SPIKE = 10
    """A jump beyond the usual rate of change."""
    BASELINE = 11
    """Away from the accepted baseline of its hour and day type."""
    CUSUM = 12
    """Slow drift, by cumulative sums."""
    EWMA = 13
    """Slow drift, by a moving average."""
    WEATHER = 14
    """A day that is away from what its temperature or its production explains."""
    PARENT_SUM = 15
    """A parent is the sum of its children."""
    REGISTER_DEMAND = 16
    """Register difference and integral of the demand agree."""
    VOLT_AMPERE = 17
    """Voltage, current and power factor agree with power."""
    ENERGY_CO2 = 18
    """Reported CO2 is energy times the factor."""
    POWER_FACTOR = 19
    """Power factor follows from active and reactive energy."""
    BILL = 20
    """The month agrees with the signed bill."""
    PEER = 21
    """Like sites of the same use."""
    TARGET = 41
    """A site leaves the path of its targets."""
    DEPOSIT = 42
    """A step of a site's monthly deposit is overdue."""
    ANNUAL = 43
    """A step of a site's annual filing is overdue."""


CHECK_COUNT: Final = 21
"""Checks of readings, and bits of a check mask."""
READING_CHECKS: Final = tuple(check for check in Check if check <= CHECK_COUNT)
"""Checks of readings, ascending; the others are conditions of a site and have no bit."""

LABELS: Final[dict[Check, str]] = {
    Check.SIGNATURE_SEQUENCE: "sequence",
    Check.CLOCK: "clock",
    Check.DUPLICATE: "conflicting duplicate",
    Check.MISSING: "missing readings",
    Check.REGISTER: "register",
    Check.PHYSICAL_CAP: "above nameplate",
    Check.UNIT_SLIP: "unit slip",
    Check.STUCK: "stuck value",
    Check.ZERO_DROP: "drop to zero",
    Check.SPIKE: "spike",
    Check.BASELINE: "off baseline",
    Check.CUSUM: "drift (CUSUM)",
    Check.EWMA: "drift (EWMA)",
    Check.WEATHER: "off weather or production model",
    Check.PARENT_SUM: "sub-meter balance",
    Check.REGISTER_DEMAND: "register against demand",
    Check.VOLT_AMPERE: "volts and amperes against power",
    Check.ENERGY_CO2: "CO2 against energy",
    Check.POWER_FACTOR: "power factor",
    Check.BILL: "utility bill",
    Check.PEER: "peer comparison",
    Check.TARGET: "off the path of targets",
    Check.DEPOSIT: "deposit overdue",
    Check.ANNUAL: "annual filing overdue",
}
"""Short names for people, in tables and notices."""

RUNNING: Final = READING_CHECKS
"""Checks that this version of the contracts runs, ascending."""


def bit(check: Check) -> int:
    """Returns the check's bit in a mask."""
    return 1 << (check - 1)


def checks_in(mask: int) -> tuple[Check, ...]:
    """Returns the checks whose bits are set in a mask, ascending."""
    return tuple(check for check in READING_CHECKS if mask & bit(check))
