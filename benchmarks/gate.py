"""``python -m benchmarks.gate``: is this commit slower than those before it.

Runs the quick benchmark and compares its ratios with the history beside this file; with
``--record`` it adds them to the history instead. See docs/performance.md.
"""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Final

from benchmarks.commit import commit_of
from benchmarks.history import (
    Entry,
    MalformedHistory,
    drops,
    format_entry,
    medians_of,
    parse_history,
    ratios_of,
)
from benchmarks.process import machine
from benchmarks.rig import BenchmarkFailed
from benchmarks.run import QUICK, run
from benchmarks.state_size import measure_state_sizes

HISTORY: Final = Path(__file__).parent / "history.jsonl"
VALIDATORS: Final = 4


def main() -> int:
    """Measures, then compares or records.

    Returns:
        Exit code: 1 for a drop, a failed run or a damaged history.
    """
    options = ArgumentParser(prog="python -m benchmarks.gate", description=__doc__)
    options.add_argument("--record", action="store_true", help="add the ratios to the history")
    is_record = options.parse_args().record
    try:
        # Before the run: nobody should wait two minutes for a complaint about a file.
        entries = parse_history(HISTORY.read_text(encoding="utf-8")) if HISTORY.exists() else []
        ratios = _measure("python -m benchmarks.gate")
    except (MalformedHistory, BenchmarkFailed) as error:
        print(f"{HISTORY.name}: {error}" if isinstance(error, MalformedHistory) else error)
        return 1
    if is_record:
        return _record(ratios)
    return _compare(entries, ratios)


def _measure(command: str) -> dict[str, float]:
    def say(line: str) -> None:
        print(line, file=sys.stderr)

    result = run(QUICK, validators=VALIDATORS, command=command, say=say)
    say("A block over a small and a large state ...")
    return ratios_of(result, measure_state_sizes())


def _compare(entries: list[Entry], ratios: dict[str, float]) -> int:
    before = medians_of(entries)
    for name, ratio in ratios.items():
        known = f"{before[name]:10.4f}" if name in before else "      none"
        print(f"{name:<32} now {ratio:10.4f}   median before {known}")
    if not entries:
        print("nothing to compare with: `make bench-record` adds a first entry")
        return 0
    found = drops(entries, ratios)
    for drop in found:
        print(drop.words())
    return 1 if found else 0


def _record(ratios: dict[str, float]) -> int:
    commit = commit_of(Path(__file__).parent)
    entry = Entry(
        commit=commit,
        machine=machine(),
        ratios=ratios,
    )
    with HISTORY.open("a", encoding="utf-8") as history:
        history.write(format_entry(entry))
    print(format_entry(entry), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
