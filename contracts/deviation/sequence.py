"""Check 1, sequence: a source numbers its readings and names the leaf of the one before.

A gap, a step back or a broken link is a flag and never a refusal; a gap is closed when the missing
number arrives. The signature itself was checked at admission.
"""

from chain.types import Hash
from contracts.deviation.observation import PASSED, Deviation, Verdict
from contracts.meter_state import MISSING_SEQUENCES_MAX, Memory
from contracts.reading import Outcome, RawReading


def follow_sequence(memory: Memory, reading: RawReading, leaf: Hash, outcome: Outcome) -> Verdict:
    """Judges the sequence number and link of a reading, and remembers them.

    Returns:
        None where the source does not count, or repeats a reading as it was; else whether it
        follows on. A deviation holds the number that came and the one expected, equal where
        the number is right and the link to the reading before is broken.
    """
    number = reading.sequence
    if number is None:
        return None
    expected = memory.next_sequence
    if expected is None:
        memory.next_sequence, memory.last_leaf = _after(number), leaf
        return PASSED
    if number < expected:
        return _late_number(memory, number, expected, outcome)
    is_linked = reading.previous_leaf is None or reading.previous_leaf == memory.last_leaf
    memory.next_sequence, memory.last_leaf = _after(number), leaf
    if number > expected:
        oldest = max(expected, number - MISSING_SEQUENCES_MAX)
        missing = (*memory.missing_sequences, *range(oldest, number))
        memory.missing_sequences = missing[-MISSING_SEQUENCES_MAX:]
        return Deviation(number, expected)
    return PASSED if is_linked else Deviation(number, expected)


def _late_number(memory: Memory, number: int, expected: int, outcome: Outcome) -> Verdict:
    if number in memory.missing_sequences:
        memory.missing_sequences = tuple(
            missing for missing in memory.missing_sequences if missing != number
        )
        return PASSED
    return None if outcome is Outcome.DUPLICATE else Deviation(number, expected)


def _after(number: int) -> int:
    """Returns the next number; the last of 64 bits stays, for a record holds no higher one."""
    return min(number + 1, 2**64 - 1)
