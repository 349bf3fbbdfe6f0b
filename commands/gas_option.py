"""Gases of a factor as people write them on the command line."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from commands.output import fail

if TYPE_CHECKING:
    from contracts.factor_content import GasPart

_DECIMALS: Final = 9
"""A factor's masses are in 1e-9 g."""
_GAS: Final = re.compile(
    r"(?P<species>[a-z0-9.-]+)(?P<biogenic>:biogenic)?=(?P<whole>\d{1,9})(\.(?P<rest>\d{1,9}))?",
    re.ASCII,
)


def gases_of(texts: Sequence[str]) -> "tuple[GasPart, ...]":
    """Returns ``co2=50.249355`` and ``co2:biogenic=1`` as gases: grams per base unit.

    Raises:
        CommandFailed: one is no gas with its mass.
    """
    return tuple(_gas_of(text) for text in texts)


def check_complete(
    gases: "Sequence[GasPart]", period: dict[str, Any], *, says_co2: bool = False
) -> None:
    """Checks that no gas of a period in force would be lost because nobody named it.

    Args:
        gases: that a person named.
        period: the factor, as a node tells it.
        says_co2: whether fossil CO2 is said another way, by a fuel or a value.

    Raises:
        CommandFailed: names the gases that are missing.
    """
    named = {(each.species, each.is_biogenic) for each in gases}
    if says_co2:
        named.add(("co2", False))
    missing = [
        each["species"] + (":biogenic" if each["is_biogenic"] else "")
        for each in period["gases"]
        if each["gas"] != "UNSPLIT" and (each["species"], each["is_biogenic"]) not in named
    ]
    if missing:
        fail(
            f"--gas: expected each gas that the period has, with 0 where it is none any more; "
            f"{', '.join(missing)} missing"
        )


def _gas_of(text: str) -> "GasPart":
    from contracts.factor_content import GasPart

    found = _GAS.fullmatch(text)
    if found is None:
        fail(
            "--gas: expected SPECIES=GRAMS per base unit of at most nine decimals, such as "
            f"ch4=0.000947817 or co2:biogenic=50.2, got {text!a}"
        )
    return GasPart(
        species=found["species"],
        is_biogenic=found["biogenic"] is not None,
        mass=int(found["whole"] + (found["rest"] or "").ljust(_DECIMALS, "0")),
    )
