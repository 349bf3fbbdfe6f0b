"""Random streams of one seed: a stream for each purpose.

Because each kind of fault draws from a stream of its own, leaving one kind out does not shift the
others, and a failing seed can be made smaller (faults.md 3.2).
"""

from hashlib import blake2b
from random import Random


def stream(seed: int, name: str) -> Random:
    """Returns the generator that a seed gives to a purpose; the same on every host."""
    digest = blake2b(f"{seed}/{name}".encode(), digest_size=16).digest()
    return Random(int.from_bytes(digest, "big"))  # noqa: S311  # reproducible on purpose


def chance(random: Random, permille: int) -> bool:
    """Returns True in so many of a thousand draws."""
    return random.randrange(1_000) < permille
