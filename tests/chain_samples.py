"""Small chain objects that tests of several packages build on; every key and byte is fixed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from chain.block import Header, transaction_root
from chain.certificate import CommitCertificate, commit_certificate_of
from chain.codec import Record
from chain.crypto import Ed25519Signer
from chain.errors import ContractRefusal
from chain.execution import BlockContext
from chain.genesis import Genesis, GenesisOrganisation
from chain.member import Member, MemberRole
from chain.merkle import merkle_root
from chain.parameters import Parameters
from chain.receipt import Event
from chain.state import State
from chain.transaction import Payload, Transaction, sign
from chain.types import Hash, Text
from chain.validator_set import ValidatorSet
from chain.vote import Vote, VoteKind, sign_vote

SIGNERS = tuple(Ed25519Signer(bytes([number]) * 32) for number in range(1, 8))
"""Keys of validators; the first four make up :data:`VALIDATORS`."""
VALIDATORS = ValidatorSet(keys=tuple(signer.public_key for signer in SIGNERS[:4]))
SENDER = Ed25519Signer(b"s" * 32)
OTHER_SENDER = Ed25519Signer(b"o" * 32)
CHAIN_ID = b"c" * 32
GENESIS_TIME_MS = 1_700_000_000_000


def member(number: int, **changes: object) -> Member:
    """A founding validator, numbered from 1."""
    fields: dict[str, Any] = {
        "node_id": f"node-{number}",
        "organisation": "steel",
        "role": MemberRole.VALIDATOR,
        "consensus_key": SIGNERS[number - 1].public_key,
        "tls_certificate": b"certificate %d" % number,
        "host": "127.0.0.1",
        "port": 7_000 + number,
    }
    return Member(**{**fields, **changes})


def genesis(**changes: object) -> Genesis:
    """A network of four validators and one organisation."""
    fields: dict[str, Any] = {
        "network": "test",
        "time_ms": GENESIS_TIME_MS,
        "parameters": Parameters(),
        "organisations": (
            GenesisOrganisation(id="steel", name="Steel plant", admin_key=SENDER.public_key),
        ),
        "members": tuple(member(number) for number in range(1, 5)),
    }
    return Genesis(**{**fields, **changes})


def header(**changes: object) -> Header:
    """The first block's header of a chain named :data:`CHAIN_ID`, without transactions."""
    fields: dict[str, Any] = {
        "chain_id": CHAIN_ID,
        "height": 1,
        "parent_hash": CHAIN_ID,
        "time_ms": GENESIS_TIME_MS + 1_000,
        "proposer": VALIDATORS.keys[1],
        "transaction_count": 0,
        "transaction_root": transaction_root(()),
        "receipt_root": merkle_root(()),
        "state_root": b"r" * 32,
        "validator_set_hash": VALIDATORS.hash,
        "next_validator_set_hash": VALIDATORS.hash,
        "parameters_hash": Parameters().hash,
    }
    return Header(**{**fields, **changes})


def vote(number: int, kind: VoteKind = VoteKind.COMMIT, **changes: object) -> Vote:
    """A vote of the validator with this index."""
    fields: dict[str, Any] = {
        "chain_id": CHAIN_ID,
        "validators": VALIDATORS,
        "kind": kind,
        "height": 5,
        "view": 2,
        "digest": b"d" * 32,
    }
    return sign_vote(SIGNERS[number], **{**fields, **changes})


def certificate(of: Header, signers: Sequence[int] = (0, 1, 2)) -> CommitCertificate:
    """A commit certificate of a header, by the validators with these indexes."""
    return commit_certificate_of(
        [
            vote(number, chain_id=of.chain_id, height=of.height, view=0, digest=of.hash)
            for number in signers
        ]
    )


def transaction(
    number: int,
    method: str = "note.set",
    arguments: bytes = b"",
    *,
    sender: Ed25519Signer = SENDER,
    valid_until_ms: int = GENESIS_TIME_MS + 60_000,
) -> Transaction:
    """A signed transaction whose nonce is its number."""
    return sign(
        sender,
        Payload(
            chain_id=CHAIN_ID,
            sender=sender.public_key,
            nonce=number.to_bytes(16, "big"),
            valid_until_ms=valid_until_ms,
            method=method,
            arguments=arguments,
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Note(Record):
    """What :class:`NoteRuntime` keeps in the state."""

    text: Text
    number: int = 0


class NoteRuntime:
    """The smallest runtime: methods that set a note, refuse, or break.

    ``note.set`` writes its arguments, as text, under ``note/<arguments>`` and tells it.
    """

    def begin_block(self, state: State, block: BlockContext) -> tuple[Event, ...]:
        """Counts blocks."""
        state.put(b"note/height", Note(text="height", number=block.height))
        return (Event(kind="block.began", subject="", content=b""),)

    def execute(
        self, state: State, block: BlockContext, transaction: Transaction
    ) -> tuple[bytes, tuple[Event, ...]]:
        """Runs one of the methods."""
        text = transaction.payload.arguments.decode()
        state.put(b"note/" + text.encode(), Note(text=text))
        match transaction.payload.method:
            case "note.set":
                return b"set", (Event(kind="note.set", subject=text, content=b""),)
            case "note.overflow":
                state.put(b"note/overflow", Note(text=text, number=2**64))
                return b"", ()
            case "note.refuse":
                raise ContractRefusal("REFUSED", f"time {block.time_ms}: {text}")
            case "note.ramble":
                raise ContractRefusal("REFUSED", "碳" * 500)
            case method:
                raise KeyError(method)

    def work_of(self, transaction: Transaction) -> int:
        """One, and one for each byte of the arguments."""
        return 1 + len(transaction.payload.arguments)


class CommittedIds:
    """A transaction index over given ids."""

    def __init__(self, *ids: Hash) -> None:
        self._ids = frozenset(ids)

    def holds(self, transaction_id: Hash) -> bool:
        """Whether the id was given."""
        return transaction_id in self._ids
