"""A node's clocks: a steady one that drifts, and a wall clock that is wrong and steps."""

from consensus.events import Now

MILLION = 1_000_000


class NodeClock:
    """Both clocks of one node on virtual time.

    Args:
        start_ms: true UTC at virtual time 0.
        skew_ms: how far the wall clock is ahead.
        drift_ppm: how much faster than true time both clocks run.
        boot_ms: what the steady clock shows at virtual time 0.
    """

    def __init__(self, *, start_ms: int, skew_ms: int, drift_ppm: int, boot_ms: int) -> None:
        self._start_ms = start_ms
        self._skew_ms = skew_ms
        self._drift_ppm = drift_ppm
        self._boot_ms = boot_ms

    def now(self, time_us: int) -> Now:
        """Returns what the clocks show at a moment of virtual time."""
        elapsed_ms = time_us * (MILLION + self._drift_ppm) // MILLION // 1_000
        return Now(
            wall_ms=self._start_ms + self._skew_ms + elapsed_ms,
            monotonic_ms=self._boot_ms + elapsed_ms,
        )

    def true_us(self, delay_ms: int) -> int:
        """Returns how much virtual time passes while this clock counts a delay."""
        return delay_ms * 1_000 * MILLION // (MILLION + self._drift_ppm)

    def step(self, by_ms: int) -> None:
        """Moves the wall clock, as an operator or a time server does."""
        self._skew_ms += by_ms

    def correct(self) -> None:
        """Sets the wall clock right."""
        self._skew_ms = 0
