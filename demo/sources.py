"""The readings of the demonstration, read from the examples."""

from dataclasses import dataclass
from typing import Final

from client.importers.forrestal import read_forrestal, read_zones
from client.importers.lbnl import read_lbnl
from client.importers.steel import read_steel
from contracts.reading import RawReading
from demo.cast import DATA
from demo.findings import repeated_rows, zero_co2_rows
from demo.marked_copy import marked_copy

FORRESTAL_DAYS: Final = ("2013-10-01", "2014-11-02", "2014-12-27")
CLOCK_CHANGE_DAY: Final = "2014-11-02"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """All readings, and what is known to be wrong in them."""

    steel: tuple[RawReading, ...]
    forrestal: dict[str, tuple[tuple[RawReading, ...], ...]]
    """By the meter's name in the source: one tuple for each of :data:`FORRESTAL_DAYS`."""
    zones: dict[str, str]
    office: tuple[RawReading, ...]
    marked: tuple[RawReading, ...]
    zero_co2: frozenset[int]
    """Rows of the steel plant that are labelled."""
    repeats: int
    """True repeats of the clock-change day."""

    @property
    def forrestal_count(self) -> int:
        """Returns the readings of the building, all meters and days."""
        return sum(len(day) for days in self.forrestal.values() for day in days)

    @property
    def count(self) -> int:
        """Returns all readings."""
        return len(self.steel) + self.forrestal_count + len(self.office) + len(self.marked)


def load_sources() -> Sources:
    """Reads everything; takes about two seconds.

    Raises:
        SourceError: a file of the examples is damaged.
    """
    days = [read_forrestal(DATA / "forrestal" / f"{day}.csv.gz") for day in FORRESTAL_DAYS]
    office = read_lbnl(DATA / "lbnl" / "kw.csv.gz")
    return Sources(
        steel=read_steel(DATA / "steel" / "readings.csv.gz"),
        forrestal={name: tuple(day.get(name, ()) for day in days) for name in days[0]},
        zones=read_zones(DATA / "forrestal" / "zones.csv.gz"),
        office=office,
        marked=marked_copy(office),
        zero_co2=zero_co2_rows(DATA / "steel" / "labels.csv.gz"),
        repeats=repeated_rows(DATA / "forrestal" / f"{CLOCK_CHANGE_DAY}.csv.gz"),
    )
