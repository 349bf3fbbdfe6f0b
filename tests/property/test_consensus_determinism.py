"""The same events give the same effects, whatever seed Python hashes strings with."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
SCRIPT = """
import hashlib
from consensus.messages import MESSAGES
from tests.unit.consensus.cluster import Cluster
from tests.unit.consensus.forgery import message_of

cluster = Cluster(7, observers=1, rotation_blocks=2).start()
cluster.crash(1)
for number in range(6):
    cluster.submit(f"note {number}")
    cluster.advance(2_500)
cluster.restart(1)
cluster.link(0, 2, is_up=False)
cluster.link(3, 2, is_up=False)
cluster.submit("last")
cluster.advance(5_000)
trace = hashlib.sha256()
for node in cluster.nodes:
    for effect in node.effects:
        message = message_of(effect)
        trace.update(type(effect).__name__.encode())
        trace.update(b"" if message is None else MESSAGES.encode(message))
    for block in node.blocks:
        trace.update(block.encode())
print(cluster.heights, trace.hexdigest())
"""


def trace_under(seed: str) -> str:
    environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stdout


def test_traces_are_equal_under_different_hash_seeds() -> None:
    first = trace_under("0")

    assert first.startswith("[7, 7, 7, 7, 7, 7, 7, 7] ")
    assert len(first.split()[-1]) == hashlib.sha256().digest_size * 2
    assert trace_under("1") == first
    assert trace_under("4242") == first
