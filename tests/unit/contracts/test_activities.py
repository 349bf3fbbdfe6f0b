"""Activities: fuel, refrigerants, the value chain and removals, by document."""

from dataclasses import replace

import pytest

from contracts import activities, factors, period, potentials
from contracts.activities import SubmitActivity, WithdrawActivity, spread
from contracts.activity import get_activity
from contracts.emissions import IsoCategory, Scope, grams_of
from contracts.factor import EvidenceGrade, FactorBasis, FuelBasis
from contracts.factor_content import GasPart
from contracts.gas import Gas
from contracts.meter import Unit
from contracts.period import ClosePeriod, late_prefix
from contracts.potentials import RegisterGwpSet, SpeciesPotential
from contracts.reading import Quality
from contracts.revisions import RecordedRevision, revision_key
from contracts.site_month import Booking, LineKind, SiteMonth, Sums, site_month_key, sums_of
from tests.unit.contracts.reading_world import ReadingWorld
from tests.unit.contracts.registry_world import FACTOR, OPERATOR, OTHER_ADMIN

OCTOBER = (2023 - 1970) * 12 + 9
ALWAYS = replace(FACTOR, valid_from_ms=0, valid_to_ms=2**60)
GAS_FUEL = FuelBasis(heating_value=38_931, carbon=1_530, oxidation=9_900, base_units=10_000_000)
DIRECT = Booking(scope=Scope.DIRECT, category=IsoCategory.DIRECT, s3_category=0, is_removal=False)
TRAVEL = Booking(
    scope=Scope.VALUE_CHAIN, category=IsoCategory.TRANSPORT, s3_category=6, is_removal=False
)
AR5 = RegisterGwpSet(
    set_id="ar5",
    name="Fifth Assessment Report",
    publisher="IPCC",
    version="AR5",
    source="open-grid-emissions ipcc_gwp.csv",
    licence="MIT",
    evidence=EvidenceGrade.CONFIRMED,
    evidence_note="",
    potentials=tuple(
        SpeciesPotential(
            species=species, gas=gas, potential=potential, evidence=EvidenceGrade.CONFIRMED
        )
        for species, gas, potential in (
            ("ch4", Gas.CH4, 280),
            ("co2", Gas.CO2, 10),
            ("hfc-134a", Gas.HFC, 13_000),
            ("n2o", Gas.N2O, 2_650),
        )
    ),
)
SUBMIT = SubmitActivity(
    site="plant",
    activity_id="invoice-7",
    name="Natural gas of the boiler",
    booking=DIRECT,
    amount=1_000,
    unit=Unit.CUBIC_METRE,
    scale=0,
    factor="natural-gas",
    from_month=OCTOBER,
    to_month=OCTOBER,
    quality=Quality.MEASURED,
    uncertainty_permille=20,
    source="invoice 7 of the supplier",
    evidence_hash=bytes(32),
)


class ActivityWorld(ReadingWorld):
    """A site with factors for gas, refrigerant, wood and travel."""

    def __init__(self) -> None:
        super().__init__()
        self.call(potentials.register_gwp_set, AR5)
        fuel = replace(
            ALWAYS, basis=FactorBasis.COMBUSTION, base_unit=Unit.CUBIC_DECIMETRE, value=0
        )
        self.call(factors.set_factor, replace(fuel, factor_id="natural-gas", fuel=GAS_FUEL))
        refrigerant = GasPart(species="hfc-134a", is_biogenic=False, mass=10**9)
        self.call(
            factors.set_factor,
            replace(
                fuel,
                factor_id="r134a",
                base_unit=Unit.GRAM,
                gases=(refrigerant,),
                gwp_set="ar5",
            ),
        )
        wood = (
            GasPart(species="ch4", is_biogenic=True, mass=300),
            GasPart(species="co2", is_biogenic=True, mass=1_500_000_000),
        )
        self.call(
            factors.set_factor,
            replace(fuel, factor_id="wood", base_unit=Unit.GRAM, gases=wood, gwp_set="ar5"),
        )
        self.call(
            factors.set_factor,
            replace(ALWAYS, factor_id="rail", base_unit=Unit.PERSON_KILOMETRE, value=350_000),
        )

    def sums(self, month: int = OCTOBER, prefix: bytes = b"") -> Sums:
        record = self.state.get(SiteMonth, prefix + site_month_key("plant", month))
        return Sums() if record is None else sums_of(record)


def test_natural_gas_emits_ad_x_ncv_x_cc_x_of_x_44_12() -> None:
    """The worked example of docs/methodology.md: 2.1622 kg per Nm3."""
    world = ActivityWorld()
    world.call(activities.submit, SUBMIT, sender=OPERATOR)
    lines = world.sums().lines
    key = (Scope.DIRECT, IsoCategory.DIRECT, 0, Gas.CO2, LineKind.EMISSION)
    assert lines == {key: (2_162_188_809 * 10**6, 2_162_188_809 * 10**7)}
    assert grams_of(lines[key][1]) == 2_162_189


def test_a_refrigerant_counts_its_mass_times_its_potential() -> None:
    world = ActivityWorld()
    refill = replace(SUBMIT, factor="r134a", unit=Unit.KILOGRAM, amount=2)
    world.call(activities.submit, refill)
    ((key, (mass, co2e)),) = world.sums().lines.items()
    assert key[3] is Gas.HFC
    assert (mass, grams_of(co2e)) == (2_000 * 10**9, 2_000 * 1_300)


def test_biogenic_co2_stands_apart_and_its_methane_does_not() -> None:
    world = ActivityWorld()
    world.call(activities.submit, replace(SUBMIT, factor="wood", unit=Unit.TONNE, amount=1))
    by_kind = {key[3:]: grams_of(co2e) for key, (_, co2e) in world.sums().lines.items()}
    assert by_kind == {
        (Gas.CH4, LineKind.EMISSION): 8,
        (Gas.CO2, LineKind.BIOGENIC): 1_500_000,
    }


def test_the_value_chain_and_removals_have_lines_of_their_own() -> None:
    world = ActivityWorld()
    travel = replace(SUBMIT, booking=TRAVEL, factor="rail", unit=Unit.PERSON_KILOMETRE, amount=100)
    world.call(activities.submit, travel)
    removal = replace(
        SUBMIT, activity_id="trees", factor="wood", booking=replace(DIRECT, is_removal=True),
        unit=Unit.GRAM,
    )  # fmt: skip
    world.call(activities.submit, removal)
    kinds = [(key[0], key[2], key[4]) for key in sorted(world.sums().lines)]
    assert kinds == [
        (Scope.DIRECT, 0, LineKind.REMOVAL),
        (Scope.DIRECT, 0, LineKind.REMOVAL),
        (Scope.VALUE_CHAIN, 6, LineKind.EMISSION),
    ]
    assert world.sums().location == 0


def test_an_amount_over_months_is_spread_without_a_rest() -> None:
    world = ActivityWorld()
    three = replace(SUBMIT, unit=Unit.CUBIC_DECIMETRE, amount=1_000, to_month=OCTOBER + 2)
    world.call(activities.submit, three)
    activity = get_activity(world.state, "plant", "invoice-7")
    assert activity is not None
    assert [share.amount for share in activity.shares] == [334, 333, 333]
    assert spread(2, 3) == (1, 1, 0)


def test_what_is_withdrawn_leaves_the_totals_and_a_revision() -> None:
    world = ActivityWorld()
    world.call(activities.submit, SUBMIT)
    world.next_block()
    withdrawal = WithdrawActivity(site="plant", activity_id="invoice-7", reason="booked twice")
    world.call(activities.withdraw, withdrawal)
    assert world.sums().lines == {}
    assert world.state.get(RecordedRevision, revision_key("plant", 1)) is not None
    activity = get_activity(world.state, "plant", "invoice-7")
    assert activity is not None
    assert activity.withdrawal_reason == "booked twice"
    assert world.refusal_of(activities.withdraw, withdrawal)[0] == "WRONG_STATE"
    assert world.refusal_of(activities.submit, SUBMIT)[0] == "ALREADY_EXISTS"


def test_what_belongs_to_a_closed_month_is_counted_apart() -> None:
    world = ActivityWorld()
    world.call(period.close, ClosePeriod(sites=("plant",), month=OCTOBER, note=""))
    world.call(activities.submit, SUBMIT)
    assert world.sums().lines == {}
    assert len(world.sums(prefix=late_prefix("plant", OCTOBER)).lines) == 1
    activity = get_activity(world.state, "plant", "invoice-7")
    assert activity is not None
    assert [share.is_late for share in activity.shares] == [True]


@pytest.mark.parametrize(
    ("arguments", "code", "field"),
    [
        (replace(SUBMIT, site="nowhere"), "UNKNOWN_SITE", "site"),
        (replace(SUBMIT, factor="nothing"), "UNKNOWN_FACTOR", "factor"),
        (replace(SUBMIT, unit=Unit.TONNE), "WRONG_UNIT", "unit"),
        (replace(SUBMIT, to_month=OCTOBER - 1), "INVALID_ARGUMENTS", "to_month"),
        (replace(SUBMIT, to_month=OCTOBER + 36), "INVALID_ARGUMENTS", "to_month"),
        (replace(SUBMIT, source=" "), "INVALID_ARGUMENTS", "source"),
        (replace(SUBMIT, amount=999, scale=-6), "INVALID_ARGUMENTS", "amount"),
        (replace(SUBMIT, amount=2**62), "INVALID_ARGUMENTS", "amount"),
        (replace(SUBMIT, quality=Quality.MISSING), "INVALID_ARGUMENTS", "quality"),
        (
            replace(SUBMIT, booking=replace(DIRECT, category=IsoCategory.TRANSPORT)),
            "INVALID_ARGUMENTS",
            "booking.category",
        ),
        (
            replace(SUBMIT, booking=replace(DIRECT, s3_category=1)),
            "INVALID_ARGUMENTS",
            "booking.s3_category",
        ),
        (
            replace(SUBMIT, booking=replace(TRAVEL, s3_category=0)),
            "INVALID_ARGUMENTS",
            "booking.s3_category",
        ),
        (
            replace(SUBMIT, booking=replace(TRAVEL, is_removal=True)),
            "INVALID_ARGUMENTS",
            "booking.is_removal",
        ),
    ],
)
def test_what_is_no_activity_is_refused(arguments: SubmitActivity, code: str, field: str) -> None:
    found_code, detail = ActivityWorld().refusal_of(activities.submit, arguments)
    assert (found_code, detail.partition(":")[0]) == (code, field)


def test_only_the_owner_submits_and_withdraws() -> None:
    world = ActivityWorld()
    assert world.refusal_of(activities.submit, SUBMIT, sender=OTHER_ADMIN)[0] == "NOT_PERMITTED"
    withdrawal = WithdrawActivity(site="plant", activity_id="invoice-7", reason="")
    assert world.refusal_of(activities.withdraw, withdrawal)[0] == "UNKNOWN_ACTIVITY"
    world.call(activities.submit, SUBMIT)
    assert world.refusal_of(activities.withdraw, withdrawal)[0] == "INVALID_ARGUMENTS"
