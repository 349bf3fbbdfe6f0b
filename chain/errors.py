"""Errors of the pure packages, as one small tree.

::

    ChainError
    ├── DecodeError          bytes that are no canonical encoding of what was asked for
    ├── InvalidSignature     a signature that does not verify, or a key that may not be used
    ├── InvalidTransaction   a transaction that no block may hold (format, signature, expiry)
    ├── InvalidBlock         a block that breaks a rule of the chain
    ├── InvalidCertificate   votes that do not make a certificate
    ├── InvalidProof         a proof that does not lead to the root it names
    ├── InvalidGenesis       a genesis record that contradicts itself
    └── ContractRefusal      a contract refuses a transaction on purpose: a failed receipt

A refusal is not a failure of the node: it becomes a receipt in a valid block (consensus.md 25).
Any other exception out of a contract is a bug and is handled where blocks are executed.
Messages say what was expected, what came, and, where it is not plain, what to do.
"""


class ChainError(Exception):
    """Root of all errors that the pure packages raise on purpose."""


class DecodeError(ChainError):
    """Bytes or values that are not a canonical encoding of the expected record."""

    def __init__(self, *, path: str, expected: str, got: str) -> None:
        self.path = path
        """Dotted path of the field, such as ``header.height``."""
        self.expected = expected
        self.got = got
        super().__init__(f"{path}: expected {expected}, got {got}")


class InvalidSignature(ChainError):
    """A signature that does not verify, or a public key that may not be registered."""


class InvalidTransaction(ChainError):
    """A transaction that no block may hold.

    ``code`` is stable and names the problem type over RPC, such as ``TRANSACTION_EXPIRED``.
    """

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        super().__init__(message)


class InvalidBlock(ChainError):
    """A block that breaks a rule of the chain; names the rule, what was expected and what came."""

    def __init__(self, rule: str, *, expected: str, got: str) -> None:
        self.rule = rule
        super().__init__(f"{rule}: expected {expected}, got {got}")


class InvalidCertificate(ChainError):
    """Votes that do not make a certificate: too few, repeated, of a non-member or mixed."""


class InvalidProof(ChainError):
    """A proof that does not lead to the root it is checked against."""


class InvalidGenesis(ChainError):
    """A genesis record that contradicts itself."""


class ContractRefusal(ChainError):
    """A contract refuses a transaction on purpose; it becomes a failed receipt.

    ``code`` is stable, upper case, such as ``UNKNOWN_METER``. ``detail`` is deterministic text
    made by the contract from the field's name, what was expected and what came; it is part of
    the receipt and so of the receipt root.
    """

    def __init__(self, code: str, detail: str) -> None:
        self.code = code
        self.detail = detail
        super().__init__(f"{code}: {detail}")
