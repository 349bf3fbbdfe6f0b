"""What a contract method receives: the state, the block, the sender, and a place for events."""

from dataclasses import dataclass, field

from chain.codec import Record
from chain.execution import BlockContext
from chain.receipt import Event
from chain.state import State
from chain.types import Hash, Height, Milliseconds, PublicKey


@dataclass(slots=True, kw_only=True)
class Context:
    """Surroundings of one call; a contract reaches nothing else."""

    state: State
    block: BlockContext
    sender: PublicKey
    """Key that signed; for the block's own work, 32 zero bytes."""
    transaction_id: Hash
    """For the block's own work, 32 zero bytes."""
    events: list[Event] = field(default_factory=list)

    @property
    def time_ms(self) -> Milliseconds:
        """Returns the block time, milliseconds UTC."""
        return self.block.time_ms

    @property
    def height(self) -> Height:
        """Returns the height of the block."""
        return self.block.height

    def emit(self, kind: str, subject: str, content: Record) -> None:
        """Adds an event to the receipt."""
        self.events.append(Event(kind=kind, subject=subject, content=content.encode()))
