"""What can go wrong for a client, as exceptions.

::

    ClientError
    ├── RpcProblem             a node refused a request; carries the problem document's fields
    ├── NodeUnreachable        no node answered within the patience of this client
    ├── MalformedAnswer        a node answered with something that is none of its interface
    ├── WrongChain             a node belongs to another network than this client expects
    ├── InvalidCredential      a document that is no credential, or one that does not hold
    ├── InvalidArguments       arguments that no transaction can carry; nothing was sent
    └── TransactionError
        ├── TransactionRefused     no node takes it, and none can have taken it before
        ├── TransactionFailed      it is in a block, and its contract refused it; final
        ├── TransactionExpired     block time has passed its end and no block holds it; final
        └── TransactionUnresolved  nobody can tell yet; keep the bytes and ask again
"""

from chain.transaction import Transaction
from client.outcome import Outcome


class ClientError(Exception):
    """Root of all errors that this library raises on purpose."""


class RpcProblem(ClientError):
    """A node refused a request (RFC 9457)."""

    def __init__(self, *, status: int, code: str, detail: str, type_urn: str, field: str) -> None:
        self.status = status
        """HTTP status."""
        self.code = code
        """Stable, upper case, such as ``UNKNOWN_METER``."""
        self.detail = detail
        self.type_urn = type_urn
        """Stable, such as ``urn:tanlian:problem:unknown-meter``."""
        self.field = field
        """Part of the request that is meant; empty where none is."""
        super().__init__(f"{code}: {detail}")


class NodeUnreachable(ClientError):
    """No node answered."""

    def __init__(self, message: str, *, may_have_arrived: bool = True) -> None:
        self.may_have_arrived = may_have_arrived
        """Whether the node may have the request: False where no connection came about."""
        super().__init__(message)


class MalformedAnswer(ClientError):
    """An answer that no node of this interface gives."""


class WrongChain(ClientError):
    """A node of another network."""


class InvalidCredential(ClientError):
    """A document that is no credential of ours, or one that does not hold."""


class InvalidArguments(ClientError):
    """A number beyond 64 bits or a text that is no UTF-8; nothing was signed or sent."""


class TransactionError(ClientError):
    """A transaction that was not committed as asked; carries it and what is known of it."""

    def __init__(self, transaction: Transaction, outcome: Outcome) -> None:
        self.transaction = transaction
        """With its signed bytes: the same bytes may be sent again at any time."""
        self.outcome = outcome
        super().__init__(
            f"transaction {transaction.id.hex()} is {outcome.state.name.lower()}"
            + (f": {outcome.code}: {outcome.detail}" if outcome.code else "")
        )


class TransactionRefused(TransactionError):
    """No node takes it; it is in no block and will be in none."""


class TransactionFailed(TransactionError):
    """It is in a final block, and its contract refused it."""


class TransactionExpired(TransactionError):
    """No block holds it, and none can any more; it may be signed anew."""


class TransactionUnresolved(TransactionError):
    """It may or may not be committed; signing it anew now could do the thing twice."""
