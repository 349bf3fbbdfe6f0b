"""Check 15, parent = sum of its children: what goes in comes out again, but for a little.

With P and C_i the amounts of one window, the residual r = P - sum C_i - loss, where loss is what of
0 to 2 % of P makes r smallest. It is a fault where r^2 > k^2 (u_P^2 + sum u_i^2), k = 3. The
uncertainty of an amount is its class of accuracy and one step of its register, for a counter of
whole kWh cannot say more: u^2 = (class x E)^2 + step^2. Everything is multiplied out (carbon.md
4.1), so nothing is rounded.
"""

from collections.abc import Sequence
from typing import NamedTuple

from contracts.check_settings import Settings
from contracts.deviation.observation import PASSED, Deviation, Verdict


class Share(NamedTuple):
    """What one meter counted in a window."""

    amount: int
    """Base units; of a child in the other direction, below zero."""
    class_permille: int
    """Class of accuracy."""
    resolution: int
    """Base units of one submitted unit."""


def residual_of(parent: int, children: int, loss_permille: int) -> int:
    """Returns what is left over in thousandths of a base unit, after the loss that suits best."""
    excess = (parent - children) * 1_000
    loss = abs(parent) * loss_permille
    if 0 <= excess <= loss:
        return 0
    return excess - loss if excess > loss else excess


def judge_balance(parent: Share, children: Sequence[Share], settings: Settings) -> Verdict:
    """Holds a parent against its children; the deviation is between its amount and their sum."""
    total = sum(child.amount for child in children)
    residual = residual_of(parent.amount, total, settings.parent_sum_loss_permille)
    uncertainty = sum(
        (share.class_permille * share.amount) ** 2 + (1_000 * share.resolution) ** 2
        for share in (parent, *children)
    )
    k_tenths = settings.parent_sum_k_tenths
    if 100 * residual * residual > k_tenths * k_tenths * uncertainty:
        return Deviation(parent.amount, total)
    return PASSED
