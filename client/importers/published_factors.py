"""Tables of published factors, as they ship in examples/data/factors, as arguments for the chain.

Which table a file is, its header tells. Each row keeps the words of its evidence column, and a
grade made of them: what only a model recalled is UNCONFIRMED, whatever somebody else cites from the
publisher is SECONDARY. Nothing here is CONFIRMED, because nobody held the publishers' own documents
beside the tables.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Final

from client.importers.source_file import SourceError, SourceRow, rows_of, scaled
from contracts.emissions import rounded_half_even
from contracts.factor import (
    UNCERTAINTY_PERMILLE_MAX,
    EvidenceGrade,
    FactorBasis,
    FactorUncertainty,
    FuelBasis,
)
from contracts.factor_content import GasPart
from contracts.factors import SetFactor
from contracts.gas import Gas
from contracts.meter import Unit
from contracts.potentials import RegisterFactorSet, RegisterGwpSet, SpeciesPotential

TEXT_BYTES_MAX: Final = 1_024
_NAME_BYTES_MAX: Final = 128
_DIGITS_MAX: Final = 13
_UNCERTAINTY: Final = "uncertainty_permille"
_UNCERTAINTY_SOURCE: Final = "uncertainty_source"
"""Columns that any table of factors may have; the shipped ones state no uncertainty."""
_GRID_UNIT: Final = "1e-4 kgCO2/kWh"
_UNDATED_YEARS: Final = (2000, 2100)
"""Years for which a table without years is applied, the second exclusive."""
_OFFSET_HOURS: Final = {
    **dict.fromkeys(("CN", "HK", "SG"), 8),
    **dict.fromkeys(("KR", "JP"), 9),
    **dict.fromkeys(("DE", "FR"), 1),
    "AU": 10,
}
"""Hours that the standard time of a country (its capital's) is ahead of UTC; 0 where absent."""
_GRIDS: Final = {
    "华北": "north",
    "东北": "northeast",
    "华东": "east",
    "华中": "central",
    "西北": "northwest",
    "南方": "south",
    "西南": "southwest",
}
_MMBTU_KJ: Final = Fraction("1055055.85262")
"""A million British thermal units (International Table)."""
_SHORT_TON_G: Final = Fraction("907184.74")
_POUND_G: Final = Fraction("453.59237")
_BIOMASS: Final = frozenset({"AB", "BLQ", "LFG", "MSB", "OBG", "OBL", "OBS", "SLW", "WDL", "WDS"})
"""EPA's codes of fuels from biomass; that their CO2 is biogenic is general knowledge."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportPlan:
    """How tables are applied."""

    until_year: int | None = None
    """Last year that the latest row of a series is applied to; None for its own."""
    gwp_set: str = "ar5"
    """Set of potentials that gases are weighed by."""


@dataclass(slots=True, kw_only=True)
class Published:
    """What tables hold, in the order in which the chain takes it."""

    sets: list[RegisterFactorSet] = field(default_factory=list)
    gwp_sets: list[RegisterGwpSet] = field(default_factory=list)
    factors: list[SetFactor] = field(default_factory=list)


def read_published(paths: Iterable[Path], plan: ImportPlan) -> Published:
    """Reads tables of published factors.

    Raises:
        SourceError: a file is no such table; says which tables there are.
    """
    published = Published()
    potentials: dict[str, list[SpeciesPotential]] = {}
    for path in paths:
        header = _header_of(path)
        match header[:2]:
            case ["code", "name"]:
                published.sets.append(_GRID_SET)
                published.factors += _grid_factors(path, plan)
            case ["fuel", "name_zh"]:
                published.sets.append(_CN_FUEL_SET)
                published.factors += _cn_fuels(path)
            case ["Fuel Type", "energy_source_code"]:
                published.sets.append(_EPA_SET)
                published.factors += _epa_fuels(path, plan)
            case ["ipcc_version", "year" | "species"]:
                for version, potential in _potentials(path):
                    potentials.setdefault(version, []).append(potential)
            case _:
                raise SourceError(
                    f"{path}: expected the header of grid_factors.csv, fuel_factors_cn.csv, "
                    f"fuel_factors_us_epa.csv, ipcc_gwp.csv or gwp_further.csv, got {header!a:.80}"
                )
    published.gwp_sets += [_gwp_set(version, found) for version, found in potentials.items()]
    return published


def grade_of(evidence: str) -> EvidenceGrade:
    """Returns the grade of what a table's evidence column says."""
    words = evidence.lower()
    if "model knowledge" in words or not words:
        return EvidenceGrade.UNCONFIRMED
    if any(word in words for word in ("confirmed", "github", "secondary", "163.com", "repo")):
        return EvidenceGrade.SECONDARY
    return EvidenceGrade.UNCONFIRMED


def _header_of(path: Path) -> list[str]:
    (first,) = [row for row, _ in zip(_lines(path), range(1), strict=False)] or [""]
    return [cell.strip() for cell in first.split(",")]


def _lines(path: Path) -> Iterator[str]:
    try:
        with path.open(encoding="utf-8-sig") as text:
            yield from text
    except OSError as error:
        reason = error.strerror or str(error)
        raise SourceError(f"{path}: expected a readable file, got: {reason}") from None
    except UnicodeDecodeError as error:
        raise SourceError(f"{path}: expected CSV text in UTF-8, got: {error}") from None


def year_ms(year: int, offset_hours: int = 0) -> int:
    """Returns when a year begins at an offset from UTC, milliseconds UTC."""
    begins = datetime(year, 1, 1, tzinfo=UTC) - timedelta(hours=offset_hours)
    return int(begins.timestamp()) * 1_000


def _uncertainty_of(row: SourceRow) -> FactorUncertainty | None:
    """Returns what the columns that a table may have beside its own say; None where they do not."""
    if not row.cells.get(_UNCERTAINTY):
        return None
    permille = _integer(row, _UNCERTAINTY)
    if permille > UNCERTAINTY_PERMILLE_MAX:
        raise row.fault(_UNCERTAINTY, expected=f"at most {UNCERTAINTY_PERMILLE_MAX}")
    source = row.cells.get(_UNCERTAINTY_SOURCE, "")
    if not source:
        raise row.fault(
            _UNCERTAINTY, expected=f"its publisher and document in {_UNCERTAINTY_SOURCE}"
        )
    return FactorUncertainty(permille=permille, source=_cut(source, TEXT_BYTES_MAX))


def _cut(text: str, limit: int) -> str:
    return text.encode()[:limit].decode(errors="ignore")


# -- grids ----------------------------------------------------------------------------------------


def _grid_factors(path: Path, plan: ImportPlan) -> list[SetFactor]:
    columns = ("code", "name", "year", "basis", "value_int", "unit", "source", "evidence")
    series: dict[str, dict[int, SetFactor]] = {}
    for row in rows_of(path, columns, has_header=True):
        if row["unit"] != _GRID_UNIT:
            raise row.fault("unit", expected=_GRID_UNIT)
        year = _integer(row, "year")
        factor = _grid_factor(row, year)
        series.setdefault(factor.factor_id, {})[year] = factor
    return [factor for years in series.values() for factor in _extended(years, plan.until_year)]


def _grid_factor(row: SourceRow, year: int) -> SetFactor:
    kind, basis = _kind_of(row["basis"])
    offset = _OFFSET_HOURS.get(row["code"][:2], 0)
    is_co2 = row["code"].startswith("CN") and kind != "life-cycle"
    return SetFactor(
        factor_id=_grid_id(row["code"], kind),
        name=_cut(f"{row['name']} {year}, {row['basis']}", _NAME_BYTES_MAX),
        basis=basis,
        base_unit=Unit.WATT_HOUR,
        value=_integer(row, "value_int"),
        is_co2=is_co2,
        valid_from_ms=year_ms(year, offset),
        valid_to_ms=year_ms(year + 1, offset),
        source=_cut(f"{row['source']}; {row['basis']}", TEXT_BYTES_MAX),
        evidence=grade_of(row["evidence"]),
        evidence_note=_cut(row["evidence"], TEXT_BYTES_MAX),
        factor_set=_GRID_SET.set_id,
        uncertainty=_uncertainty_of(row),
    )


def _grid_id(code: str, kind: str) -> str:
    for name, word in _GRIDS.items():
        code = code.replace(name, word)
    return f"{code.lower()}-{kind}"


def _kind_of(basis: str) -> tuple[str, FactorBasis]:
    for beginning, kind, factor_basis in (
        ("location-average", "average", FactorBasis.LOCATION_BASED),
        ("average excl.", "residual", FactorBasis.RESIDUAL_MIX),
        ("ETS", "ets", FactorBasis.LOCATION_BASED),
        ("life-cycle", "life-cycle", FactorBasis.LOCATION_BASED),
    ):
        if basis.startswith(beginning):
            return kind, factor_basis
    return "other", FactorBasis.LOCATION_BASED


def _extended(years: dict[int, SetFactor], until_year: int | None) -> list[SetFactor]:
    """Returns the factors of a series; the latest is applied to later years where that is asked."""
    last = max(years)
    if until_year is not None and until_year > last:
        latest = years[last]
        span_ms = year_ms(until_year + 1) - year_ms(last + 1)
        remark = f"applied until {until_year}, for which the table has no row"
        years[last] = replace(
            latest,
            valid_to_ms=latest.valid_to_ms + span_ms,
            source=_cut(f"{latest.source}; {remark}", TEXT_BYTES_MAX),
        )
    return [years[year] for year in sorted(years)]


# -- fuels ----------------------------------------------------------------------------------------


def _cn_fuels(path: Path) -> Iterator[SetFactor]:
    columns = (
        *("fuel", "name_zh", "activity_unit", "ncv_int", "carbon_int", "oxidation_int"),
        *("derived_check", "evidence"),
    )
    for row in rows_of(path, columns, has_header=True):
        factor = SetFactor(
            factor_id=f"cn-fuel-{row['fuel'].replace('_', '-')}",
            name=_cut(f"{row['name_zh']} {row['fuel']}", _NAME_BYTES_MAX),
            basis=FactorBasis.COMBUSTION,
            base_unit=Unit.GRAM,
            value=0,
            valid_from_ms=year_ms(_UNDATED_YEARS[0], 8),
            valid_to_ms=year_ms(_UNDATED_YEARS[1], 8),
            source="guideline defaults of China's 24 industries, as compiled in the table",
            evidence=grade_of(row["evidence"]),
            evidence_note=_cut(row["evidence"], TEXT_BYTES_MAX),
            factor_set=_CN_FUEL_SET.set_id,
            uncertainty=_uncertainty_of(row),
        )
        yield _with_fuel(row, factor)


def _with_fuel(row: SourceRow, factor: SetFactor) -> SetFactor:
    match row["activity_unit"]:
        case "10^4 Nm3":
            unit, base_units = Unit.CUBIC_DECIMETRE, 10_000_000
        case "t":
            unit, base_units = Unit.GRAM, 1_000_000
        case "GJ":
            # Heat has a factor of its own: 0.11 t per GJ is 0.11 g per kJ.
            number = row["derived_check"].partition(" ")[0]
            value = Fraction(number) * 10_000
            return replace(
                factor, base_unit=Unit.KILOJOULE, value=int(value), is_co2=True,
                basis=FactorBasis.LOCATION_BASED,
            )  # fmt: skip
        case _:
            raise row.fault("activity_unit", expected="10^4 Nm3, t or GJ")
    fuel = FuelBasis(
        heating_value=_integer(row, "ncv_int"),
        carbon=_integer(row, "carbon_int"),
        oxidation=_integer(row, "oxidation_int"),
        base_units=base_units,
    )
    return replace(factor, base_unit=unit, fuel=fuel)


def _epa_fuels(path: Path, plan: ImportPlan) -> Iterator[SetFactor]:
    columns = (
        *("Fuel Type", "energy_source_code", "co2_tons_per_mmbtu", "ch4_lb_per_mmbtu"),
        *("n2o_lb_per_mmbtu", "Source"),
    )
    for row in rows_of(path, columns, has_header=True):
        masses = [
            ("ch4", _per_kj(row, "ch4_lb_per_mmbtu", _POUND_G)),
            ("co2", _per_kj(row, "co2_tons_per_mmbtu", _SHORT_TON_G)),
            ("n2o", _per_kj(row, "n2o_lb_per_mmbtu", _POUND_G)),
        ]
        code = row["energy_source_code"]
        if not any(mass for _, mass in masses):
            continue  # the table says that there is no factor
        yield SetFactor(
            factor_id=f"us-epa-{code.lower()}",
            name=_cut(row["Fuel Type"].strip(), _NAME_BYTES_MAX),
            basis=FactorBasis.COMBUSTION,
            base_unit=Unit.KILOJOULE,
            value=0,
            gases=tuple(
                GasPart(species=species, is_biogenic=code in _BIOMASS, mass=mass)
                for species, mass in masses
            ),
            gwp_set=plan.gwp_set,
            valid_from_ms=year_ms(_UNDATED_YEARS[0]),
            valid_to_ms=year_ms(_UNDATED_YEARS[1]),
            source=_cut(f"{row['Source']}; per heat input of the fuel", TEXT_BYTES_MAX),
            evidence=EvidenceGrade.SECONDARY,
            evidence_note="open-grid-emissions @9bfd60e7, which cites it; whether the heat is the "
            "higher heating value is not confirmed",
            factor_set=_EPA_SET.set_id,
            uncertainty=_uncertainty_of(row),
        )


def _per_kj(row: SourceRow, column: str, unit_g: Fraction) -> int:
    """Returns 1e-9 g per kJ, half to even."""
    value = scaled(row, column, 9)
    if value is None or value < 0:
        raise row.fault(column, expected="a decimal number of at least 0")
    mass = Fraction(value) * unit_g / _MMBTU_KJ
    return rounded_half_even(mass.numerator, mass.denominator)


# -- potentials -----------------------------------------------------------------------------------


def _potentials(path: Path) -> Iterator[tuple[str, SpeciesPotential]]:
    is_further = _header_of(path)[1] == "species"
    columns = ("ipcc_version", "gas", "gwp")
    further = ("species", "evidence") if is_further else ("gwp_horizon",)
    for row in rows_of(path, (*columns, *further), has_header=True):
        if not is_further and row["gwp_horizon"] != "100":
            continue
        potential = scaled(row, "gwp", 1)
        if potential is None or potential < 0:
            raise row.fault("gwp", expected="a number of at least 0")
        if row["gas"].upper() not in Gas.__members__:
            raise row.fault("gas", expected=" or ".join(Gas.__members__).lower())
        evidence = EvidenceGrade.UNCONFIRMED if is_further else EvidenceGrade.SECONDARY
        yield (
            row["ipcc_version"],
            SpeciesPotential(
                species=row["species"] if is_further else row["gas"],
                gas=Gas[row["gas"].upper()],
                potential=potential,
                evidence=evidence,
            ),
        )


def _gwp_set(version: str, found: list[SpeciesPotential]) -> RegisterGwpSet:
    weakest = max(each.evidence for each in found)
    return RegisterGwpSet(
        set_id=version.lower().replace("_", "-"),
        name=f"Global warming potentials over 100 years, {version}",
        publisher="IPCC",
        version=version,
        source="open-grid-emissions ipcc_gwp.csv @9bfd60e7 and gwp_further.csv",
        licence="MIT (ipcc_gwp.csv)",
        evidence=weakest,
        evidence_note="CO2, CH4 and N2O as open-grid-emissions cites them; further gases are not "
        "confirmed against the reports",
        potentials=tuple(sorted(found, key=lambda each: each.species)),
    )


def _integer(row: SourceRow, column: str) -> int:
    text = row[column]
    if not text.isascii() or not text.isdecimal() or len(text) > _DIGITS_MAX:
        raise row.fault(column, expected="an integer of at least 0")
    return int(text)


_GRID_SET: Final = RegisterFactorSet(
    set_id="grid-factors-2025",
    name="Published grid factors",
    publisher="MEE and NBS of China, DESNZ, Ember; compiled",
    version="2025",
    source="grid_factors.csv",
    licence="facts; life-cycle rows CC BY 4.0 (Ember, Our World in Data)",
    evidence=EvidenceGrade.UNCONFIRMED,
    evidence_note="each row says where its value was seen; none was held against the publisher's "
    "own document",
)
_CN_FUEL_SET: Final = RegisterFactorSet(
    set_id="cn-fuels",
    name="Default heating values, carbon contents and oxidation of fuels",
    publisher="NDRC guidelines of 24 industries; compiled",
    version="compiled 2026",
    source="fuel_factors_cn.csv",
    licence="facts",
    evidence=EvidenceGrade.UNCONFIRMED,
    evidence_note="natural gas was seen in public code; the other fuels are model knowledge",
)
_EPA_SET: Final = RegisterFactorSet(
    set_id="us-epa-fuels",
    name="Emission factors of fuels by heat input",
    publisher="US EPA and IPCC, as compiled by open-grid-emissions",
    version="9bfd60e7",
    source="fuel_factors_us_epa.csv",
    licence="MIT",
    evidence=EvidenceGrade.SECONDARY,
    evidence_note="open-grid-emissions cites EPA 2009 and IPCC 2007",
)
