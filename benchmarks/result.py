"""What a run found, its one line of JSON and its table."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Final, TypeAlias

from benchmarks.audit import Audit
from benchmarks.figures import Latency
from benchmarks.phases import Outage, Paced, Saturation

Line: TypeAlias = dict[str, dict[str, float | int | None]]
Row: TypeAlias = tuple[str, str, str]
HALF: Final = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """What a figure is worth nothing without."""

    machine: str
    python: str
    commit: str
    command: str
    validators: int
    cores: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """Everything that one run measured."""

    environment: Environment
    verify_us: float
    """CPU of one signature check, all cores busy; the mean of before and after the load."""
    ceiling_per_second: float
    slow: Paced
    """At 100 transactions a second."""
    single: Saturation
    paced: Mapping[float, Paced]
    """By share of saturation."""
    overload: Saturation
    batch: Saturation
    batch_all_checks: Saturation | None
    """The same with meters that every check applies to; None in a quick run."""
    readings_per_transaction: int
    killed_resume_s: float | None
    """From the kill of the primary to the first block of another; None where none came."""
    hung: Outage | None
    """The primary hung silently; None in a quick run."""
    hung_resume_s: float | None
    rss_peak_bytes: int
    """Largest of the nodes after saturation by single readings."""
    disk_bytes_per_transaction: float
    disk_bytes_per_reading: float
    wire_bytes: int
    """Of one transaction of one reading."""
    audit: Audit

    @property
    def readings_per_second(self) -> float:
        """Returns readings a second in batches."""
        return self.batch.per_second * self.readings_per_transaction

    @property
    def cpu_us_without_verify(self) -> float:
        """Returns CPU of a transaction and node outside signature checks."""
        return self.single.cpu_us_per_transaction_node - self.verify_us

    def line(self) -> Line:
        """Returns the figures that are compared from commit to commit."""
        single, half = self.single, self.paced.get(HALF)
        return {
            "single": {
                "tx_per_s": round(single.per_second, 1),
                "ceiling_tx_per_s": round(self.ceiling_per_second, 1),
                "share": round(single.per_second / self.ceiling_per_second, 4),
                "cpu_us_per_tx_node": round(single.cpu_us_per_transaction_node, 1),
                "cpu_us_per_tx_node_without_verify": round(self.cpu_us_without_verify, 1),
                "p50_ms": _round(self.slow.latency, "p50_ms"),
                "p99_ms": _round(self.slow.latency, "p99_ms"),
                "rss_mb_max": round(self.rss_peak_bytes / 2**20, 1),
                "disk_bytes_per_tx": round(self.disk_bytes_per_transaction, 1),
            },
            "batch": {
                "readings_per_s": round(self.readings_per_second, 1),
                "disk_bytes_per_reading": round(self.disk_bytes_per_reading, 1),
            },
            "half_load": {
                "p50_ms": _round(half.latency if half else None, "p50_ms"),
                "p99_ms": _round(half.latency if half else None, "p99_ms"),
            },
            "overload": {
                "share_of_peak": round(self.overload.per_second / single.per_second, 4),
                "rejected": self.overload.rejected,
            },
            "primary_killed": {
                "resume_s": None if self.killed_resume_s is None else round(self.killed_resume_s, 3)
            },
        }

    def details(self) -> dict[str, object]:
        """Returns everything, for a file."""
        document = asdict(self)
        document["line"] = self.line()
        return document

    def rows(self) -> list[Row]:
        """Returns (figure, value, remark) of a table for people."""
        return [
            *self._throughput_rows(),
            *self._latency_rows(),
            *self._outage_rows(),
            *self._cost_rows(),
            (
                "audit of the chain",
                f"{self.audit.transactions:,} transactions",
                f"each once and successful; {self.audit.transactions_per_block:,.0f} a block",
            ),
        ]

    def _throughput_rows(self) -> Iterator[Row]:
        single = self.single
        yield "signature check", f"{self.verify_us:.1f} us", "CPU, all cores busy"
        yield "signature ceiling", f"{self.ceiling_per_second:,.0f} tx/s", ""
        yield "one reading a transaction", f"{single.per_second:,.0f} tx/s", _window_words(single)
        yield "  share of the ceiling", f"{single.per_second / self.ceiling_per_second:.3f}", ""
        yield "  CPU a transaction and node", f"{single.cpu_us_per_transaction_node:.1f} us", ""
        yield "  outside signature checks", f"{self.cpu_us_without_verify:.1f} us", ""
        each = self.readings_per_transaction
        yield from self._batch_rows(f"{each} readings a transaction", self.batch)
        if self.batch_all_checks is not None:
            yield from self._batch_rows("  with all checks on", self.batch_all_checks)
        over = self.overload
        yield (
            "overload",
            f"{over.per_second:,.0f} tx/s",
            f"{over.per_second / single.per_second:.2f} of the peak, where "
            f"{over.offered_per_second:,.0f} tx/s are offered; refused "
            + (", ".join(f"{n:,} {code}" for code, n in over.refused.items()) or "none"),
        )

    def _batch_rows(self, name: str, batch: Saturation) -> Iterator[Row]:
        each = self.readings_per_transaction
        yield name, f"{batch.per_second * each:,.0f} readings/s", _window_words(batch)
        yield (
            "  CPU a reading and node",
            f"{batch.cpu_us_per_transaction_node / each:.1f} us",
            "",
        )

    def _latency_rows(self) -> Iterator[Row]:
        yield _latency_row("latency at 100 tx/s", self.slow)
        for share, paced in self.paced.items():
            yield _latency_row(f"latency at {share:.0%} of saturation", paced)
        if self.single.latency is not None:
            remark = "p50 / p95 / p99; behind the backlog that the benchmark keeps"
            yield "latency at saturation", _latency_words(self.single.latency), remark

    def _outage_rows(self) -> Iterator[Row]:
        remark = "until the first block of another one, at half of saturation"
        yield "primary killed", _seconds_words(self.killed_resume_s), remark
        if self.hung is not None:
            yield "primary hangs silently", _seconds_words(self.hung_resume_s), remark

    def _cost_rows(self) -> Iterator[Row]:
        growth = f"{self.overload.rss_growth_bytes / 2**20:.0f} MB"
        remark = f"at saturation; {self.overload.seconds:.0f} s of overload add {growth}"
        yield "memory of a node, peak", f"{self.rss_peak_bytes / 2**20:.0f} MB", remark
        ratio = self.disk_bytes_per_transaction / self.wire_bytes
        remark = f"{ratio:.2f} for each of its {self.wire_bytes} bytes"
        yield "disk a transaction", f"{self.disk_bytes_per_transaction:.0f} bytes", remark
        yield "disk a reading in a batch", f"{self.disk_bytes_per_reading:.0f} bytes", ""


def _window_words(measured: Saturation) -> str:
    lost = _lost_words(measured.view_changes)
    return (
        f"{measured.blocks} blocks in {measured.seconds:.1f} s{lost}; nodes use "
        f"{measured.node_cpu_share:.0%} of all cores, load {measured.load_cpu_share:.0%}"
    )


def _lost_words(view_changes: int) -> str:
    return f", {view_changes} changes of the primary" if view_changes else ""


def _latency_row(name: str, paced: Paced) -> Row:
    remark = (
        f"{paced.committed_per_second:,.0f} of {paced.rate:,.0f}/s committed, "
        f"{paced.probes_per_second:,.0f}/s one a request, {paced.failed} failed"
        + _lost_words(paced.view_changes)
    )
    if paced.latency is None:
        return name, "none", remark
    return name, _latency_words(paced.latency), f"p50 / p95 / p99; {remark}"


def _latency_words(latency: Latency) -> str:
    return f"{latency.p50_ms:.0f} / {latency.p95_ms:.0f} / {latency.p99_ms:.0f} ms"


def _seconds_words(seconds: float | None) -> str:
    return "never" if seconds is None else f"{seconds:.2f} s"


def _round(latency: Latency | None, name: str) -> float | None:
    return None if latency is None else round(float(getattr(latency, name)), 1)
