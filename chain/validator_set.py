"""Who may vote at a height, and how many votes decide.

The quorum formula stands here and nowhere else. With ``n`` validators at most ``f = (n-1)//3``
may be faulty in any way. A quorum ``q`` must satisfy

* safety: two quorums meet in an honest validator, ``2q - n >= f + 1``;
* liveness: the honest ones alone make a quorum, ``q <= n - f``.

``q = ceil((n + f + 1) / 2)`` is the smallest number with the first property. It has the second:
``n >= 3f + 1`` gives ``n + f + 1 <= 2n - 2f``, and the ceiling of half of it is at most ``n - f``
because that is an integer. The folklore ``2f + 1`` is right only where ``n = 3f + 1``: at n = 6 it
is 3, and two quorums of 3 need not meet (consensus.md 1).
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Final

from chain.codec import Record
from chain.crypto import Domain, hash_of
from chain.types import Hash, Length, PublicKey

VALIDATORS_KEY: Final = b"chain/validators"
"""State key of the set that votes on the next block."""
VALIDATORS_MAX: Final = 100
"""Votes are all to all; a consortium beyond this size needs another protocol."""


def fault_tolerance(count: int) -> int:
    """Returns f, the number of faulty validators that a set of this size survives."""
    assert count >= 1
    return (count - 1) // 3


def quorum_of(count: int) -> int:
    """Returns q, the number of votes that decide in a set of this size."""
    return (count + fault_tolerance(count) + 2) // 2


def weak_quorum_of(count: int) -> int:
    """Returns f + 1, the number of validators among which at least one is honest."""
    return fault_tolerance(count) + 1


@dataclass(frozen=True, kw_only=True)
class ValidatorSet(Record):
    """The public keys that vote, in an order that all members share; each counts once."""

    keys: Annotated[tuple[PublicKey, ...], Length(1, VALIDATORS_MAX)]
    """Consensus keys; a validator's *index* is its position here."""

    @cached_property
    def hash(self) -> Hash:
        """Returns the digest that headers and votes carry."""
        return hash_of(Domain.VALIDATOR_SET, self.encode())

    @cached_property
    def _index_by_key(self) -> dict[PublicKey, int]:
        return {key: index for index, key in enumerate(self.keys)}

    def index_of(self, key: PublicKey) -> int | None:
        """Returns the index of a key, or None where it is no member."""
        return self._index_by_key.get(key)

    @property
    def count(self) -> int:
        """Returns n."""
        return len(self.keys)

    @property
    def quorum(self) -> int:
        """Returns q of this set."""
        return quorum_of(len(self.keys))

    @property
    def weak_quorum(self) -> int:
        """Returns f + 1 of this set."""
        return weak_quorum_of(len(self.keys))
