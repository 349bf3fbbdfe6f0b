"""The due queue: what falls due by block time, kept in state and ordered by time.

Deadlines and missing readings are found here, so no block ever scans all meters. Each block takes
at most ``due_entries_per_block_max`` entries whose time has come, oldest first, and gives each to
the handler of its kind; the handler looks at the state as it is and says when to ask again. An
arriving reading therefore never writes to the queue (architecture.md, Decisions).

**A handler's bug must not stop the chain.** No transaction is to blame for it, so none can be left
out: every block from then on would meet the same entry. Each entry runs in a layer of its own; if
its handler fails with an exception that the same state raises on every machine, the layer is
dropped, the entry moves to the quarantine and ``due.quarantined`` says so. What may differ between
machines (memory, depth of the stack, a damaged database) is no business of the state and leaves
this module as it came: the node stops and the others go on.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from itertools import islice, takewhile
from typing import Annotated, Final

from chain.codec import Record
from chain.errors import ContractRefusal
from chain.execution import BlockContext
from chain.receipt import Event
from chain.state import State
from chain.types import HASH_BYTES, PUBLIC_KEY_BYTES, Length, Milliseconds
from contracts.context import Context


class DueKind(IntEnum):
    """What an entry is about; a number is never reused."""

    MISSING = 1
    """Subject is a meter: has it gone silent?"""
    CASE_DEADLINE = 2
    """Subject is an alert: was the next step of its case taken in time?"""
    DEPOSIT_DEADLINE = 3
    """Subject is a site: was the step of its monthly deposit taken?"""
    TARGET = 4
    """Subject is a site: does it keep the path of its target after the month that is over?"""
    CERTIFICATE = 5
    """Subject is a certificate: is its validity over?"""
    PEER = 6
    """Subject is a use of sites: which month of theirs can be compared?"""
    BALANCE = 7
    """Subject is a meter with sub-meters: which of its days can be judged?"""
    BILL = 8
    """Subject is a meter and a month: can its bill be judged?"""
    SECOND_METER = 9
    """Subject is a meter: which of its months can be compared with the second meter's?"""
    ANNUAL_DEADLINE = 10
    """Subject is a site: was the step of its annual filing taken?"""


@dataclass(frozen=True, slots=True, kw_only=True)
class DueEntry(Record):
    """One thing to look at when its time has come."""

    due_ms: Milliseconds
    """Block time from which it is due."""
    kind: DueKind
    subject: Annotated[str, Length(1, 128)]
    """What the handler is given, such as a meter id; safe as part of a state key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuarantinedEntry(Record):
    """An entry whose handler failed; kept so that a later version can take it up again."""

    entry: DueEntry
    quarantined_ms: Milliseconds
    """Block time of the failure."""


DueHandler = Callable[[Context, str], Milliseconds | None]
"""Looks at a subject; returns when to look again (block time), or None for never.

It never asks for a draft (:meth:`chain.state.State.edit`): its layer is dropped when it fails.
"""

DUE_PREFIX: Final = b"due/"
QUARANTINE_PREFIX: Final = b"due-quarantine/"

_SAME_EVERYWHERE: Final = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    ContractRefusal,
    LookupError,
    RuntimeError,
    TypeError,
    ValueError,
)
"""Exceptions that follow from code and state alone."""


def due_key(entry: DueEntry) -> bytes:
    """Returns the state key of an entry; keys sort by time."""
    return DUE_PREFIX + f"{entry.due_ms:020d}/{entry.kind:02d}/{entry.subject}".encode()


def quarantine_key(entry: DueEntry) -> bytes:
    """Returns the state key of an entry in quarantine."""
    return QUARANTINE_PREFIX + f"{entry.kind:02d}/{entry.subject}".encode()


def push(state: State, *, due_ms: Milliseconds, kind: DueKind, subject: str) -> None:
    """Puts an entry into the queue; the same entry twice is one."""
    entry = DueEntry(due_ms=due_ms, kind=kind, subject=subject)
    state.put(due_key(entry), entry)


def withdraw(state: State, *, due_ms: Milliseconds, kind: DueKind, subject: str) -> None:
    """Takes an entry out of the queue; one that is not there any more changes nothing."""
    state.delete(due_key(DueEntry(due_ms=due_ms, kind=kind, subject=subject)))


def run_due(
    state: State, block: BlockContext, handlers: Mapping[DueKind, DueHandler]
) -> tuple[Event, ...]:
    """Handles the entries that are due, oldest first, and returns the events of the handlers.

    Args:
        state: overlay of the block, outside any transaction.
        block: its time decides what is due, its parameters how many.
        handlers: function for each kind; an entry of another kind goes to the quarantine.
    """
    due = takewhile(
        lambda keyed: keyed[1].due_ms <= block.time_ms, state.iterate(DueEntry, DUE_PREFIX)
    )
    # Taken before the first handler runs: what handlers push waits for the next block.
    entries = [entry for _, entry in islice(due, block.parameters.due_entries_per_block_max)]
    events: list[Event] = []
    for entry in entries:
        events += _run_entry(state, block, handlers, entry)
    return tuple(events)


def _run_entry(
    state: State, block: BlockContext, handlers: Mapping[DueKind, DueHandler], entry: DueEntry
) -> list[Event]:
    context = Context(
        state=state,
        block=block,
        sender=bytes(PUBLIC_KEY_BYTES),
        transaction_id=bytes(HASH_BYTES),
    )
    state.begin()
    try:
        next_ms = handlers[entry.kind](context, entry.subject)
    except RecursionError:
        raise  # a RuntimeError, but how deep the stack is depends on the caller
    except _SAME_EVERYWHERE:
        state.drop()
        return _quarantine(state, block, entry)
    state.delete(due_key(entry))
    if next_ms is not None:
        # A handler that asks for the past would be due in every block from now on.
        due_ms = max(next_ms, block.time_ms + 1)
        push(state, due_ms=due_ms, kind=entry.kind, subject=entry.subject)
    state.keep()
    return context.events


def _quarantine(state: State, block: BlockContext, entry: DueEntry) -> list[Event]:
    record = QuarantinedEntry(entry=entry, quarantined_ms=block.time_ms)
    state.delete(due_key(entry))
    state.put(quarantine_key(entry), record)
    return [Event(kind="due.quarantined", subject=entry.subject, content=record.encode())]
