"""A result of the benchmark with round figures."""

from benchmarks.audit import Audit
from benchmarks.figures import Latency
from benchmarks.phases import Outage, Paced, Saturation
from benchmarks.result import Environment, Result

LATENCY = Latency(count=500, p50_ms=9.64, p95_ms=20.0, p99_ms=27.55, max_ms=30.0)


def saturation(per_second: float, **refused: int) -> Saturation:
    return Saturation(
        seconds=10.0,
        heights=(30, 42),
        view_changes=0,
        committed=int(per_second * 10),
        per_second=per_second,
        offered_per_second=2 * per_second,
        cpu_us_per_transaction_node=150.04,
        node_cpu_share=0.9,
        load_cpu_share=0.01,
        rss_growth_bytes=3 * 2**20,
        refused=refused,
        latency=LATENCY,
    )


def paced(latency: Latency | None, rate: float = 100.0) -> Paced:
    return Paced(
        rate=rate,
        probes_per_second=100.0,
        offered_per_second=rate,
        committed_per_second=rate * 0.995,
        seconds=5.0,
        blocks=50,
        view_changes=0,
        cpu_us_per_block=30_000.0,
        failed=0,
        latency=latency,
    )


def result(
    *, half: Latency | None = LATENCY, resume_s: float | None = 0.81234, is_full: bool = False
) -> Result:
    return Result(
        environment=Environment(
            machine="a machine",
            python="3.11.7",
            commit="0" * 40,
            command="tanlian bench",
            validators=4,
            cores=2,
        ),
        verify_us=50.0,
        ceiling_per_second=10_000.0,
        slow=paced(LATENCY),
        single=saturation(2_500.0),
        paced={0.5: paced(half, 1_250.0)},
        overload=saturation(2_000.0, SENDER_QUOTA=70, BUSY=5, DUPLICATE=3, UNREACHABLE=2),
        batch=saturation(150.0),
        batch_all_checks=saturation(120.0) if is_full else None,
        readings_per_transaction=100,
        killed_resume_s=resume_s,
        hung=Outage(lane=1, at_s=5.0, height=7, seen=((8, 9.5),)) if is_full else None,
        hung_resume_s=4.5 if is_full else None,
        rss_peak_bytes=150 * 2**20,
        disk_bytes_per_transaction=432.0,
        disk_bytes_per_reading=44.44,
        wire_bytes=216,
        audit=Audit(blocks=100, transactions=50_000, transactions_per_block=500.0),
    )
