"""Check 5, register: a counter rises, or starts again at its modulus, or was exchanged.

Compared are neighbours in *time*, whatever order they came in: sorting by local stamps makes 75
negative differences out of one good Forrestal night.
"""

from typing import NamedTuple

from contracts.exchange import Exchange


class Step(NamedTuple):
    """The way from one register to a later one."""

    advance: int | None
    """Submitted units between them; None where the counter went back."""
    is_rollover: bool


def step(before: int, after: int, modulus: int | None, rollover_permille: int) -> Step:
    """Returns how far a register went from one reading to a later one.

    A decrease is a rollover only where the modulus is known and the first reading stood above this
    part of it, nine tenths as a rule; otherwise the counter was reset.
    """
    if after >= before:
        return Step(after - before, is_rollover=False)
    if modulus is not None and before * 1_000 > modulus * rollover_permille and after < modulus:
        return Step(after - before + modulus, is_rollover=True)
    return Step(None, is_rollover=False)


def advance_across(
    before: int,
    after: int,
    exchanges: tuple[Exchange, ...],
    modulus: int | None,
    *,
    rollover_permille: int,
) -> Step:
    """Returns how far a register went between two readings with exchanges of the device between.

    Args:
        before: the earlier register.
        after: the later one.
        exchanges: those between the two, by time.
        modulus: of the device that gave the later one.
        rollover_permille: part of the modulus above which a decrease is a rollover.
    """
    if not exchanges:
        return step(before, after, modulus, rollover_permille)
    total = 0
    has_rollover = False
    for exchange in exchanges:
        last = step(
            before, exchange.last_register, exchange.old_register_modulus, rollover_permille
        )
        if last.advance is None:
            return last
        total += last.advance
        has_rollover = has_rollover or last.is_rollover
        before = exchange.first_register
    final = step(before, after, modulus, rollover_permille)
    if final.advance is None:
        return final
    return Step(total + final.advance, is_rollover=has_rollover or final.is_rollover)
