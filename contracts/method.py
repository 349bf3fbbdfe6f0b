"""How a contract offers a method: a name, an argument record, the roles that may call it.

A method is a plain function of ``(context, arguments)`` that returns result bytes. The registry in
:mod:`contracts.runtime` is built from these; nothing registers itself by being imported.
"""

from collections.abc import Callable
from dataclasses import dataclass

from chain.codec import Record
from contracts.accounts import Role
from contracts.context import Context


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """One callable of a contract."""

    name: str
    """Contract and verb, such as ``meter.register``."""
    arguments: type[Record]
    """Schema of the argument bytes."""
    roles: frozenset[Role]
    """The sender needs at least one of these; ownership is the function's own check."""
    call: Callable[[Context, Record], bytes]
    """Raises ContractRefusal to refuse."""
    work: Callable[[Record], int] = lambda _: 1
    """Work units of a call, from its arguments alone."""
