"""The finding: what is found out about one reading, step by step."""

from contracts.check import Check, bit
from contracts.deviation.observation import Verdict
from contracts.deviation.table import Failure
from contracts.reading import Outcome
from contracts.reading_page import MutablePage


class Finding:
    """What is found out about one reading."""

    __slots__ = (
        "amount",
        "applied",
        "failures",
        "first_missing_ms",
        "outcome",
        "page",
        "slot",
        "start_ms",
        "was_newest",
    )

    def __init__(
        self, outcome: Outcome, start_ms: int, page: MutablePage | None = None, slot: int = 0
    ) -> None:
        self.outcome = outcome
        self.start_ms = start_ms
        self.page = page
        """Page whose slot keeps the masks; None where the reading has no slot."""
        self.slot = slot
        self.first_missing_ms = 0
        """Start of the gap that failed check 4."""
        self.was_newest = False
        """Whether its interval became the newest of the meter."""
        self.amount: int | None = None
        """What it counts, base units; None where that is unknown or it is no interval's value."""
        self.applied = 0
        self.failures: list[Failure] = []

    def add(self, check: Check, verdict: Verdict) -> None:
        """Takes up the verdict of one check."""
        if verdict is None:
            return
        self.applied |= 1 << (check - 1)
        if verdict is not True:
            self.failures.append((check, verdict))

    def leave_out(self, off: int) -> None:
        """Forgets the verdicts of checks that are off: they neither apply nor fail."""
        self.applied &= ~off
        self.failures = [each for each in self.failures if not off & bit(each[0])]


def mask_of(failures: list[Failure]) -> int:
    """Returns the mask of the checks that failed."""
    mask = 0
    for check, _ in failures:
        mask |= bit(check)
    return mask
