"""Calls: transactions with their method and decoded arguments, decoded once for each.

Admission, the limits of a block, its execution and the indexes all need them.
"""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from chain.codec import Record
from chain.errors import DecodeError
from chain.record_source import with_fast_init
from chain.transaction import Transaction
from chain.types import Hash
from contracts.method import Method

CACHED_BYTES_MAX: Final = 4_194_304
"""Wire bytes of the transactions whose calls are kept: two full blocks of the default size. As
objects they take about ten times the memory."""


@with_fast_init
@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What a transaction asks of the contracts."""

    method: Method
    arguments: Record | None
    """None where its bytes are no arguments of the method."""
    fault: DecodeError | None
    """What is wrong with the bytes, if anything."""
    work: int
    """Work units; one where it will be refused anyway."""
    wire_bytes: int
    """Size of the transaction."""


class CallCache:
    """The calls of the newest transactions.

    An id fixes method and argument bytes, so what is kept can never be out of date; the oldest
    make room.

    Args:
        methods: by name.
        limit_bytes: wire bytes of the transactions whose calls are kept.
    """

    def __init__(self, methods: Mapping[str, Method], limit_bytes: int = CACHED_BYTES_MAX) -> None:
        self._methods = methods
        self._limit_bytes = limit_bytes
        self._calls: OrderedDict[Hash, Call] = OrderedDict()
        self._held_bytes = 0

    def of(self, transaction: Transaction) -> Call | None:
        """Returns the call of a transaction, or None where there is no such method."""
        call = self._calls.get(transaction.id)
        if call is not None:
            return call
        method = self._methods.get(transaction.payload.method)
        if method is None:
            return None
        call = _decoded(transaction, method)
        self._keep(transaction.id, call)
        return call

    def _keep(self, transaction_id: Hash, call: Call) -> None:
        if call.wire_bytes > self._limit_bytes:
            return
        self._calls[transaction_id] = call
        self._held_bytes += call.wire_bytes
        while self._held_bytes > self._limit_bytes:
            _, oldest = self._calls.popitem(last=False)
            self._held_bytes -= oldest.wire_bytes


def _decoded(transaction: Transaction, method: Method) -> Call:
    size = len(transaction.wire)
    try:
        arguments = method.arguments.decode(transaction.payload.arguments)
    except DecodeError as error:
        fault = error.with_traceback(None)
        return Call(method=method, arguments=None, fault=fault, work=1, wire_bytes=size)
    work = method.work(arguments)
    return Call(method=method, arguments=arguments, fault=None, work=work, wire_bytes=size)
