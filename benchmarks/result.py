"""What a run found, its one line of JSON and its table."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TypeAlias

from benchmarks.audit import Audit
from benchmarks.figures import Latency
from benchmarks.phases import Paced, Saturation

Line: TypeAlias = dict[str, dict[str, float | int | None]]
Row: TypeAlias = tuple[str, str, str]
HALF: float = 0.5


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
    readings_per_transaction: int
    resume_s: float | None
    """From the kill of the primary to the first block of another; None where none came."""
    rss_peak_bytes: int
    """Largest of the nodes after saturation by single readings."""
    rss_peak_after_overload_bytes: int
    disk_bytes_per_transaction: float
    disk_bytes_per_reading: float
    wire_bytes: int
    """Of one transaction of one reading."""
    audit: Audit

    @property
    def readings_per_second(self) -> float:
        """Returns readings a second in batches."""
        return self.batch.per_second * self.readings_per_transaction

    def line(self) -> Line:
        """Returns the figures that are compared from commit to commit."""
        single, half = self.single, self.paced.get(HALF)
        cpu_us = single.cpu_us_per_transaction_node
        return {
            "single": {
                "tx_per_s": round(single.per_second, 1),
                "ceiling_tx_per_s": round(self.ceiling_per_second, 1),
                "share": round(single.per_second / self.ceiling_per_second, 4),
                "cpu_us_per_tx_node": round(cpu_us, 1),
                "cpu_us_per_tx_node_without_verify": round(cpu_us - self.verify_us, 1),
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
                "rejected": sum(self.overload.refused.values()),
            },
            "primary_killed": {
                "resume_s": None if self.resume_s is None else round(self.resume_s, 3)
            },
        }

    def details(self) -> dict[str, object]:
        """Returns everything, for a file."""
        document = asdict(self)
        document["line"] = self.line()
        return document

    def rows(self) -> list[Row]:
        """Returns (figure, value, remark) of a table for people."""
        single, batch, over = self.single, self.batch, self.overload
        share = single.per_second / self.ceiling_per_second
        outside_us = single.cpu_us_per_transaction_node - self.verify_us
        wire_ratio = self.disk_bytes_per_transaction / self.wire_bytes
        growth_mb = (self.rss_peak_after_overload_bytes - self.rss_peak_bytes) / 2**20
        return [
            ("signature check", f"{self.verify_us:.1f} us", "CPU, all cores busy"),
            ("signature ceiling", f"{self.ceiling_per_second:,.0f} tx/s", ""),
            ("one reading a transaction", f"{single.per_second:,.0f} tx/s", _cores_words(single)),
            ("share of the ceiling", f"{share:.3f}", ""),
            ("CPU a transaction and node", f"{single.cpu_us_per_transaction_node:.1f} us", ""),
            ("  outside signature checks", f"{outside_us:.1f} us", ""),
            (
                f"{self.readings_per_transaction} readings a transaction",
                f"{self.readings_per_second:,.0f} readings/s",
                _cores_words(batch),
            ),
            (
                "  CPU a reading and node",
                f"{batch.cpu_us_per_transaction_node / self.readings_per_transaction:.1f} us",
                "",
            ),
            _latency_row("latency at 100 tx/s", self.slow),
            *(
                _latency_row(f"latency at {share:.0%} of saturation", paced)
                for share, paced in self.paced.items()
            ),
            (
                "overload, twice saturation",
                f"{over.per_second:,.0f} tx/s",
                f"{over.per_second / single.per_second:.2f} of the peak; refused "
                + (", ".join(f"{n} {code}" for code, n in over.refused.items()) or "none"),
            ),
            (
                "primary killed",
                "never" if self.resume_s is None else f"{self.resume_s:.2f} s",
                "until the first block of another one, at half of saturation",
            ),
            (
                "memory of a node, peak",
                f"{self.rss_peak_bytes / 2**20:.0f} MB",
                f"at saturation; overload adds {growth_mb:.0f} MB",
            ),
            (
                "disk a transaction",
                f"{self.disk_bytes_per_transaction:.0f} bytes",
                f"{wire_ratio:.2f} for each of its {self.wire_bytes} bytes",
            ),
            ("disk a reading in a batch", f"{self.disk_bytes_per_reading:.0f} bytes", ""),
            (
                "audit of the chain",
                f"{self.audit.transactions:,} transactions",
                f"each once and successful; {self.audit.transactions_per_block:,.0f} a block",
            ),
        ]


def _cores_words(measured: Saturation) -> str:
    return (
        f"{measured.seconds:.1f} s; nodes use {measured.node_cpu_share:.0%} of all cores, "
        f"load {measured.load_cpu_share:.0%}"
    )


def _latency_row(name: str, paced: Paced) -> Row:
    remark = f"{paced.answered_per_second:,.0f} of {paced.rate:,.0f}/s, {paced.failed} failed"
    if paced.latency is None:
        return name, "none", remark
    found = paced.latency
    return (
        name,
        f"{found.p50_ms:.0f} / {found.p95_ms:.0f} / {found.p99_ms:.0f} ms",
        f"p50 / p95 / p99; {remark}",
    )


def _round(latency: Latency | None, name: str) -> float | None:
    return None if latency is None else round(float(getattr(latency, name)), 1)
