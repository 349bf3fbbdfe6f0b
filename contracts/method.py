"""How a contract offers a method: a name, an argument record, the roles that may call it.

A method is a plain function of ``(context, arguments)`` that returns result bytes. The registry in
:mod:`contracts.runtime` is built from these; nothing registers itself by being imported.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from chain.codec import Record
from contracts.account import Role
from contracts.context import Context

ArgumentsT = TypeVar("ArgumentsT", bound=Record)


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
    index_keys: Callable[[Record], tuple[bytes, ...]] = lambda _: ()
    """Keys under which a node's readings index finds the transaction, from its arguments alone."""


def method_of(
    name: str,
    arguments: type[ArgumentsT],
    call: Callable[[Context, ArgumentsT], bytes],
    *,
    roles: frozenset[Role],
    work: Callable[[ArgumentsT], int] = lambda _: 1,
    index_keys: Callable[[ArgumentsT], tuple[bytes, ...]] = lambda _: (),
) -> Method:
    """Builds a method from functions that name their own argument record.

    The registry holds methods of all argument records, so each is widened here once, where the
    types of schema and function are still known to agree.
    """

    def checked(record: Record) -> ArgumentsT:
        assert isinstance(record, arguments), f"{name} takes {arguments.__name__}"
        return record

    return Method(
        name=name,
        arguments=arguments,
        roles=roles,
        call=lambda context, record: call(context, checked(record)),
        work=lambda record: work(checked(record)),
        index_keys=lambda record: index_keys(checked(record)),
    )
