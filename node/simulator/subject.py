"""What a simulated chain is about: its contracts, and what clients ask of them.

Most seeds run the small ledger. :func:`accounts_subject` runs the contracts of production, so that
they too are executed by several nodes, proposed again, recovered and compared root by root.
"""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Final

from contracts.account import Role
from contracts.accounts import RegisterAccount, RevokeAccount
from contracts.runtime import ContractsRuntime
from node.kernel.contracts_port import NodeContracts
from node.simulator.ledger import APPEND, BREAK, PUT, REFUSE, LedgerContracts
from node.simulator.randomness import chance
from node.simulator.signatures import signer_of

ADMIN: Final = "admin"
"""Name of the key of the only organisation's first admin."""
ACCOUNT_COUNT: Final = 12
"""Keys that are registered and revoked; few, so that some calls are refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Contracts and calls."""

    contracts: NodeContracts
    draw_call: Callable[[Random, int], tuple[str, bytes]]
    """Draws method and arguments; takes how many of a thousand calls hit a bug."""
    is_for_admin: bool
    """Whether the admin makes all calls, because nobody else has an account."""


def ledger_subject() -> Subject:
    """Returns the small ledger."""
    return Subject(contracts=LedgerContracts(), draw_call=_draw_entry, is_for_admin=False)


def accounts_subject() -> Subject:
    """Returns the contracts of production; needs real keys."""
    return Subject(contracts=ContractsRuntime(), draw_call=_draw_account_call, is_for_admin=True)


def _draw_entry(random: Random, bug_permille: int) -> tuple[str, bytes]:
    method = random.choice((APPEND, APPEND, APPEND, PUT, REFUSE))
    if chance(random, bug_permille):
        method = BREAK
    return method, random.randbytes(random.randrange(1, 60))


def _draw_account_call(random: Random, _bug_permille: int) -> tuple[str, bytes]:
    key = signer_of(f"account-{random.randrange(ACCOUNT_COUNT)}", is_real=True).public_key
    if chance(random, 250):
        return "account.revoke", RevokeAccount(public_key=key, reason="drawn").encode()
    call = RegisterAccount(public_key=key, name="drawn", roles=(Role.OPERATOR,))
    return "account.register", call.encode()
