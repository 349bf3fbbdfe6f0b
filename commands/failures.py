"""Which errors of the layers below are told to a person as they stand.

Their messages say what was expected, what came and what to do. Anything else is a fault of ours and
keeps its traceback.
"""

from typing import Final

from chain.errors import ChainError
from client.errors import ClientError, NodeUnreachable, TransactionError, TransactionUnresolved
from client.importers.source_file import SourceError
from client.importers.wall_clock import NoSuchTime, UnknownZone
from commands.submission import still_open
from demo.stage import DemoFailed
from node.errors import NodeError

_WORDED = (ChainError, ClientError, DemoFailed, NodeError, SourceError, NoSuchTime, UnknownZone)

_WHY_NO_BLOCK: Final = (
    "in no block so far, and `tanlian node status` says what the next one awaits "
)


def sentence_of(error: Exception) -> str | None:
    """Returns what to tell a person, or None where the error is a fault of the program."""
    if isinstance(error, TransactionError):
        return _fate_of(error)
    if isinstance(error, NodeUnreachable):
        return f"{error}; does it run? `tanlian network up DIR` starts a network"
    if isinstance(error, _WORDED):
        return str(error)
    if isinstance(error, OSError):
        place = f"{error.filename}: " if error.filename else ""
        return f"{place}{error.strerror or error}"
    return None


def _fate_of(error: TransactionError) -> str:
    outcome = error.outcome
    reason = f"{outcome.code}: {outcome.detail} " if outcome.code else _WHY_NO_BLOCK
    fate = f"{outcome.state.name.lower()}: {reason}(transaction {outcome.transaction_id.hex()})"
    if isinstance(error, TransactionUnresolved):
        return f"{fate}; {still_open(outcome.transaction_id)}"
    return fate
