"""``tanlian factor restate``: of a value, of each gas, of a fuel; and nothing lost on the way."""

from typing import Any

import pytest

from commands.gas_option import gases_of
from commands.output import CommandFailed
from contracts.account import Role
from contracts.factor import EvidenceGrade, FactorBasis, FactorUncertainty, FuelBasis
from contracts.factor_content import GasPart
from contracts.factors import SetFactor
from contracts.meter import Unit
from tests.command_node import CommandNode
from tests.contract.test_rpc_readings import START_MS
from tests.unit.contracts.test_activities import AR5

EPA = SetFactor(
    factor_id="us-epa-ng",
    name="Natural gas",
    basis=FactorBasis.COMBUSTION,
    base_unit=Unit.KILOJOULE,
    value=0,
    gases=(
        GasPart(species="ch4", is_biogenic=False, mass=947_817),
        GasPart(species="co2", is_biogenic=False, mass=50_249_355),
        GasPart(species="n2o", is_biogenic=False, mass=94_782),
    ),
    gwp_set="ar5",
    valid_from_ms=START_MS,
    valid_to_ms=START_MS + 10**9,
    source="a table",
    evidence=EvidenceGrade.SECONDARY,
    uncertainty=FactorUncertainty(permille=20, source="its annex"),
)
WOOD = SetFactor(
    factor_id="wood",
    name="Wood",
    basis=FactorBasis.COMBUSTION,
    base_unit=Unit.KILOJOULE,
    value=0,
    gases=(GasPart(species="co2", is_biogenic=True, mass=90_000_000),),
    valid_from_ms=START_MS,
    valid_to_ms=START_MS + 10**9,
    source="a table",
    evidence=EvidenceGrade.SECONDARY,
)
COAL = SetFactor(
    factor_id="coal",
    name="Coal",
    basis=FactorBasis.COMBUSTION,
    base_unit=Unit.GRAM,
    value=0,
    gases=(GasPart(species="ch4", is_biogenic=False, mass=1_000),),
    fuel=FuelBasis(heating_value=2_100, carbon=2_600, oxidation=9_900, base_units=1_000_000),
    gwp_set="ar5",
    valid_from_ms=START_MS,
    valid_to_ms=START_MS + 10**9,
    source="a table",
    evidence=EvidenceGrade.SECONDARY,
)
GRID = SetFactor(
    factor_id="kr-grid",
    name="Grid",
    basis=FactorBasis.LOCATION_BASED,
    base_unit=Unit.WATT_HOUR,
    value=4_306,
    valid_from_ms=START_MS,
    valid_to_ms=START_MS + 10**9,
    source="a table",
    evidence=EvidenceGrade.SECONDARY,
)
SAID = ("--valid-from", "2023-11-14", "--reason", "corrected", "--source", "an erratum")


@pytest.fixture
def factors(node: CommandNode) -> CommandNode:
    """A chain with a factor of several gases, of biomass, of a fuel and of one value."""
    node.send("gwp.register", AR5)
    for factor in (EPA, WOOD, COAL, GRID):
        node.send("factor.set", factor)
    node.add_account("second", Role.ADMIN)
    return node


def restated(node: CommandNode, factor_id: str, *options: str) -> dict[str, Any]:
    """Restates, approves and applies; returns the factor in force."""
    node.run("factor", "restate", factor_id, *options, *SAID)
    node.run("factor", "approve", factor_id, "1", "--as", "second")
    node.run("factor", "apply", factor_id, "1")
    (factor,) = node.json("factor", "list", "--factor", factor_id)["factors"]
    assert (factor["version"], factor["source"]) == (2, "an erratum")
    return dict(factor)


def masses(factor: dict[str, Any]) -> dict[str, int]:
    return {each["species"]: each["mass"] for each in factor["gases"]}


def test_each_gas_is_restated(factors: CommandNode) -> None:
    gases = ("--gas", "co2=50.3", "--gas", "ch4=0.001", "--gas", "n2o=0")
    declared = ("--uncertainty", "30", "--uncertainty-source", "the erratum")
    factor = restated(factors, "us-epa-ng", *gases, *declared)

    assert masses(factor) == {"co2": 50_300_000_000, "ch4": 1_000_000, "n2o": 0}
    assert factor["gwp_set"] == "ar5"
    assert factor["co2e_per_unit"] == 503_000_000_000 + 1_000_000 * 280
    assert factor["uncertainty"] == {"permille": 30, "source": "the erratum"}


def test_biogenic_stays_biogenic(factors: CommandNode) -> None:
    factor = restated(factors, "wood", "--gas", "co2:biogenic=0.1")

    assert masses(factor) == {"co2": 100_000_000}
    assert (factor["gases"][0]["is_biogenic"], factor["co2e_per_unit"]) == (True, 0)


def test_a_fuel_is_restated_with_the_gases_beside_its_co2(factors: CommandNode) -> None:
    factor = restated(factors, "coal", "--fuel", "2100,2600,9800", "--gas", "ch4=0.000001")

    assert factor["fuel"]["oxidation"] == 9_800
    # 21 GJ/t x 26 t/TJ x 0.98 x 44/12 is 1.96196 g per g.
    assert masses(factor) == {"co2": 1_961_960_000, "ch4": 1_000}


def test_a_value_is_restated_and_an_uncertainty_is_said_anew(factors: CommandNode) -> None:
    factor = restated(factors, "kr-grid", "4200")

    assert (factor["value"], factor["gwp_set"], factor["uncertainty"]) == (4_200, None, None)
    assert [each["gas"] for each in factor["gases"]] == ["UNSPLIT"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("us-epa-ng",), "VALUE: expected either a value or what is emitted by --gas and --fuel"),
        (("us-epa-ng", "5", "--gas", "co2=1"), "got both"),
        (("us-epa-ng", "500"), "with 0 where it is none any more; ch4, n2o missing"),
        (("us-epa-ng", "--gas", "co2=1", "--gas", "n2o=0"), "ch4 missing"),
        (("wood", "900"), "co2:biogenic missing"),
        (("wood", "--gas", "co2=1"), "co2:biogenic missing"),
        (("coal", "--fuel", "1,2,3"), "ch4 missing"),
        (("coal", "--fuel", "1,2", "--gas", "ch4=0"), "--fuel: expected NCV,CC,OF such as"),
        (("kr-grid", "--fuel", "1,2,3"), "--fuel: expected a series that is computed from NCV"),
        (("kr-grid", "--gas", "ch4=1"), "gwp_set: expected a set of potentials"),
        (("kr-grid", "4200", "--gwp", "ar5"), "--gwp: expected gases that it weighs"),
        (("kr-grid", "4200", "--uncertainty", "5"), "--uncertainty: expected permille and its"),
        (("nothing", "4200"), "(there is none), got '2023-11-14'"),
    ],
)  # fmt: skip
def test_what_would_be_lost_or_is_wrong_is_refused(
    factors: CommandNode, options: tuple[str, ...], words: str
) -> None:
    height = factors.node.height
    assert words in factors.fails("factor", "restate", *options, *SAID)
    found = factors.json("factor", "restatements")["restatements"]
    assert (found, factors.node.height - height in {0, 1}) == ([], True)


@pytest.mark.parametrize(
    "text", ["co2", "co2=", "=1", "co2=1,5", "co2=-1", "co2=1.0000000001", "CO2=1", "co2:fossil=1"]
)
def test_what_is_no_gas_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(CommandFailed, match=r"--gas: expected SPECIES=GRAMS per base unit"):
        gases_of([text])


@pytest.mark.parametrize(
    ("text", "mass"), [("ch4=0.000947817", 947_817), ("co2=12", 12 * 10**9), ("n2o=0.5", 5 * 10**8)]
)
def test_a_mass_is_exact(text: str, mass: int) -> None:
    (gas,) = gases_of([text])
    assert (gas.mass, gas.is_biogenic) == (mass, False)
