"""Published emission factors: the table that ships with the examples."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from client.importers.source_file import SourceError, SourceRow, rows_of, scaled
from contracts.factor import EvidenceGrade, FactorBasis
from contracts.factors import SetFactor
from contracts.meter import Unit

_COLUMNS: Final = ("code", "name", "year", "basis", "value_int", "unit", "source", "evidence")
_UNIT: Final = "1e-4 kgCO2/kWh"
_SOURCE_BYTES_MAX: Final = 1_024


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedFactor:
    """One row of the table."""

    code: str
    """Country or grid, such as ``KR``."""
    name: str
    year: str
    basis: str
    """What the value is meant for, in the words of the table."""
    value: int
    """1e-4 kg CO2(e) per kWh."""
    source: str
    evidence: str
    """How far the value was confirmed, in the words of the table."""

    def to_arguments(
        self, factor_id: str, *, valid_from_ms: int, valid_to_ms: int, remark: str
    ) -> SetFactor:
        """Returns the arguments that set it on the chain.

        Args:
            factor_id: series on the chain.
            valid_from_ms: begin of the period it is applied to, UTC.
            valid_to_ms: its end, exclusive.
            remark: what a reader of the factor must know, such as that the year is another one.
        """
        source = f"{self.source}; {self.year}; {self.basis}; evidence: {self.evidence}; {remark}"
        return SetFactor(
            factor_id=factor_id,
            name=f"{self.name} {self.year}",
            basis=FactorBasis.LOCATION_BASED,
            base_unit=Unit.WATT_HOUR,
            value=self.value,
            valid_from_ms=valid_from_ms,
            valid_to_ms=valid_to_ms,
            source=source.encode()[:_SOURCE_BYTES_MAX].decode(errors="ignore"),
            evidence=self._grade(),
        )

    def _grade(self) -> EvidenceGrade:
        # The table's word "confirmed" is of the place that cites the publisher, not of the
        # publisher's own text.
        if self.evidence.startswith("confirmed"):
            return EvidenceGrade.SECONDARY
        return EvidenceGrade.UNCONFIRMED


def read_factors(path: Path) -> tuple[PublishedFactor, ...]:
    """Reads ``factors/grid_factors.csv``.

    Raises:
        SourceError: not that file.
    """
    return tuple(_factor_of(row) for row in rows_of(path, _COLUMNS, has_header=True))


def published_factor(path: Path, code: str) -> PublishedFactor:
    """Returns the latest factor of a country or grid.

    Raises:
        SourceError: not that file, or no such row.
    """
    found = [factor for factor in read_factors(path) if factor.code == code]
    if not found:
        raise SourceError(f"{path}: expected a row of code {code}, got none")
    return max(found, key=lambda factor: factor.year)


def _factor_of(row: SourceRow) -> PublishedFactor:
    if row["unit"] != _UNIT:
        raise row.fault("unit", expected=_UNIT)
    value = scaled(row, "value_int", 0)
    if value is None or value < 0:
        raise row.fault("value_int", expected="an integer of at least 0")
    return PublishedFactor(
        code=row["code"],
        name=row["name"],
        year=row["year"],
        basis=row["basis"],
        value=value,
        source=row["source"],
        evidence=row["evidence"],
    )
