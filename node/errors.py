"""Errors of the impure half of the node.

::

    NodeError
    └── LocalError        this host's doing: configuration, key files, durable files, locks

A local error is told to the operator and ends the command or the process; it is never scored
against a peer. Messages say what was expected, what came and what to do. An ``OSError`` of a
write is not wrapped: it propagates, and whoever performs effects ends the process
(consensus.md 30).
"""


class NodeError(Exception):
    """Root of all errors that the packages ``node`` and ``p2p`` wire up raise on purpose."""


class LocalError(NodeError):
    """Something on this host is missing, damaged, unsafe or misconfigured."""


class StorageError(LocalError):
    """The database is absent, damaged, of another version, or a write failed.

    A failed write is final: what it left behind is unknown, so the process ends
    (consensus.md 30).
    """
