"""One line of text for each step of a simulated node."""

from collections import Counter
from collections.abc import Sequence

from chain.errors import DecodeError
from consensus.effects import ReportFault, StartTimer
from consensus.events import LinkChanged, TimerFired
from consensus.messages import Message
from node.kernel.effects import BroadcastPayload, KernelEffect, SendPayload
from node.kernel.events import BlockStored, KernelEvent, PayloadReceived, TransactionsSubmitted
from node.simulator.checkers import MessageReader, votes_of


def line_of(event: KernelEvent, effects: Sequence[KernelEffect], reader: MessageReader) -> str:
    """Returns what a node was told and what it does about it."""
    counts = Counter(_effect(effect, reader) for effect in effects)
    counts.pop("", None)
    done = ", ".join(f"{words} x{count}" if count > 1 else words for words, count in counts.items())
    return f"{_event(event, reader)} -> {done}" if done else _event(event, reader)


def message_words(message: Message) -> str:
    """Returns a message's kind and, where it votes, place and digest."""
    votes = votes_of(message)
    name = type(message).__name__
    if not votes:
        return name
    vote = votes[-1]
    return f"{name} {vote.height}/{vote.view} of {vote.signer} {vote.digest.hex()[:8]}"


def _event(event: KernelEvent, reader: MessageReader) -> str:
    match event:
        case PayloadReceived(peer=peer, payload=payload):
            try:
                return f"{message_words(reader.read(payload))} from {peer.hex()[:6]}"
            except DecodeError:
                return f"malformed bytes from {peer.hex()[:6]}"
        case TimerFired(timer=timer):
            return f"timer {timer.kind.name} {timer.height}/{timer.view}"
        case LinkChanged(peer=peer, is_up=is_up):
            return f"link to {peer.hex()[:6]} {'up' if is_up else 'down'}"
        case BlockStored(height=height):
            return f"stored {height}"
        case TransactionsSubmitted(wires=wires):
            return f"{len(wires)} transactions submitted"
        case _:
            return "tick"


def _effect(effect: KernelEffect, reader: MessageReader) -> str:
    match effect:
        case BroadcastPayload(payload=payload):
            return f"all: {message_words(reader.read(payload))}"
        case SendPayload(peer=peer, payload=payload):
            return f"{peer.hex()[:6]}: {message_words(reader.read(payload))}"
        case ReportFault(reason=reason):
            return f"fault: {reason}"
        case StartTimer(timer=timer):
            return "" if timer.kind.name == "STATUS" else f"start {timer.kind.name}"
        case _:
            return type(effect).__name__
