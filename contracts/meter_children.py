"""The children of a meter: its sub-meters, listed where a balance finds them."""

from dataclasses import dataclass
from typing import Annotated, Final

from chain.codec import Record
from chain.state import State
from chain.types import Identifier, Length
from contracts.calendars import HOUR_MS
from contracts.context import Context
from contracts.due_queue import DueKind, push
from contracts.refusal import Code, refusal

CHILDREN_MAX: Final = 32
"""Sub-meters of one meter; bounds what its balance looks at."""
BALANCE_MS: Final = HOUR_MS
"""Block time between two looks at a balance that is up to date (:mod:`contracts.balance`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterChildren(Record):
    """The sub-meters of one meter."""

    children: Annotated[tuple[Identifier, ...], Length(1, CHILDREN_MAX)]
    """In the order in which they were registered."""


def children_key(meter_id: str) -> bytes:
    """Returns the state key of a meter's children."""
    return b"meter-children/" + meter_id.encode()


def children_of(state: State, meter_id: str) -> tuple[str, ...]:
    """Returns the ids of a meter's sub-meters."""
    record = state.get(MeterChildren, children_key(meter_id))
    return () if record is None else record.children


def check_room(state: State, parent_id: str) -> None:
    """Checks that a meter may have one more sub-meter.

    Raises:
        ContractRefusal: ``LIMIT_REACHED``.
    """
    if len(children_of(state, parent_id)) >= CHILDREN_MAX:
        raise refusal(
            Code.LIMIT_REACHED,
            "parent",
            expected=f"a meter of fewer than {CHILDREN_MAX} sub-meters; group them below another",
            got=repr(parent_id),
        )


def add_child(context: Context, parent_id: str, child_id: str) -> None:
    """Lists a sub-meter; :func:`check_room` was asked. The first one begins the balance."""
    state = context.state
    children = children_of(state, parent_id)
    if not children:
        due_ms = context.time_ms + BALANCE_MS
        push(state, due_ms=due_ms, kind=DueKind.BALANCE, subject=parent_id)
    state.put(children_key(parent_id), MeterChildren(children=(*children, child_id)))
