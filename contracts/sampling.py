"""The draw: which intervals a verifier looks at, from a seed that nobody could choose.

Index ``i`` of a population is drawn by SHA-256 over the seed, a label and a counter: the first
eight bytes, big-endian, modulo the population. Values in the last, incomplete stretch of 2**64 are
passed over, so that every index is equally likely, and an index that was drawn already is too, so
that the sample is one without replacement.
"""

from typing import Final

from chain.crypto import Domain, hash_of
from chain.types import Hash

_SPACE: Final = 2**64


def draw(seed: Hash, label: str, *, population: int, count: int) -> tuple[int, ...]:
    """Returns distinct indexes below the population, ascending.

    Args:
        seed: hash of a block that did not exist when the sample was announced.
        label: tells draws of one seed apart, such as the meter's id.
        population: things to choose from.
        count: indexes wanted; the whole population where it has no more.
    """
    if count >= population:
        return tuple(range(population))
    fair_end = _SPACE - _SPACE % population
    drawn: dict[int, None] = {}
    counter = 0
    while len(drawn) < count:
        digest = hash_of(
            Domain.CERTIFICATION_SAMPLE, seed, counter.to_bytes(8, "big"), label.encode()
        )
        value = int.from_bytes(digest[:8], "big")
        if value < fair_end:
            drawn[value % population] = None
        counter += 1
    return tuple(sorted(drawn))
