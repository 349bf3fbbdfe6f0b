"""Ratios by commit, and what is worse than they were. No clock, no I/O.

Throughput says as much about a machine and its other tenants as about a commit. A ratio of two
figures of one run says less about them, so only ratios are kept and compared; each is defined so
that higher is better.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Final

from benchmarks.result import Result
from benchmarks.state_size import StateSizes

COMPARED: Final = 5
"""Entries whose median is the measure."""
DROP_MAX: Final = 0.15
"""A ratio may be lower by this share of the median; beyond it something has become slower."""
_DIGITS: Final = 4
_ROUNDING: Final = 1e-9
"""A drop of exactly the share that is allowed must not fail because 0.85 has no binary form."""


class MalformedHistory(Exception):
    """A line of the history is not an entry; names the line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """The ratios of one commit."""

    commit: str
    machine: str
    ratios: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Drop:
    """A ratio that is worse than it may be."""

    name: str
    now: float | None
    """None where the run has no such ratio any more."""
    before: float
    """Median of the last entries that have it."""

    def words(self) -> str:
        """Returns what to tell people."""
        if self.now is None:
            return f"{self.name}: expected about {self.before:.4g}, and this run has none"
        share = 1 - self.now / self.before
        return (
            f"{self.name}: {self.now:.4g} is {share:.1%} below {self.before:.4g}, the median of "
            f"the last {COMPARED}; {DROP_MAX:.0%} are allowed"
        )


def ratios_of(result: Result, sizes: StateSizes) -> dict[str, float]:
    """Returns the ratios of a run; docs/performance.md says what each means."""
    single, ceiling = result.single, result.ceiling_per_second
    ratios = {
        "share_of_ceiling": single.per_second / ceiling,
        "readings_per_signature_check": result.readings_per_second / ceiling,
        "verify_per_other_cpu": result.verify_us / result.cpu_us_without_verify,
        "overload_share_of_peak": result.overload.per_second / single.per_second,
        "small_state_per_large_state": 1 / sizes.apply_ratio,
        "small_root_per_large_root": 1 / sizes.root_ratio,
    }
    return {name: round(ratio, _DIGITS) for name, ratio in ratios.items()}


def parse_history(text: str) -> list[Entry]:
    """Returns the entries of a history, oldest first.

    Raises:
        MalformedHistory: a line that is no entry; an empty line is none.
    """
    return [_parse(number, line) for number, line in enumerate(text.splitlines(), 1)]


def format_entry(entry: Entry) -> str:
    """Returns an entry as one line, with its end."""
    return json.dumps(asdict(entry)) + "\n"


def medians_of(entries: Sequence[Entry]) -> dict[str, float]:
    """Returns the median of each ratio over the last entries; of those that have it."""
    last = entries[-COMPARED:]
    names = {name: None for entry in last for name in entry.ratios}
    return {
        name: median(entry.ratios[name] for entry in last if name in entry.ratios) for name in names
    }


def drops(entries: Sequence[Entry], ratios: Mapping[str, float]) -> list[Drop]:
    """Returns the ratios that are more than :data:`DROP_MAX` below the median of the last entries.

    A ratio that no entry has yet is measured against nothing; one that all had and the run has
    not is a drop, for a gate that nobody measures any more guards nothing.

    Args:
        entries: oldest first; fewer than :data:`COMPARED` are compared with as they are.
        ratios: of the run.
    """
    found: list[Drop] = []
    for name, before in medians_of(entries).items():
        now = ratios.get(name)
        if now is None or now < before * (1 - DROP_MAX) - _ROUNDING:
            found.append(Drop(name=name, now=now, before=before))
    return found


def _parse(number: int, line: str) -> Entry:
    try:
        document = json.loads(line)
    except ValueError as error:
        raise MalformedHistory(f"line {number}: expected JSON, got {line!r:.60}: {error}") from None
    match document:
        case {
            "commit": str(commit),
            "machine": str(machine),
            "ratios": dict(ratios),
            **others,
        } if not others and ratios:
            return Entry(
                commit=commit,
                machine=machine,
                ratios={str(name): _ratio(number, name, each) for name, each in ratios.items()},
            )
        case _:
            raise MalformedHistory(
                f"line {number}: expected commit, machine and ratios, got {line!r:.60}"
            )


def _ratio(number: int, name: str, value: object) -> float:
    if type(value) not in {int, float} or not 0 < float(str(value)) < float("inf"):
        raise MalformedHistory(f"line {number}: {name}: expected a ratio above 0, got {value!r}")
    return float(str(value))
