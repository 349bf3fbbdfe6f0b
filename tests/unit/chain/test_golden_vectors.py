"""Golden bytes: what is signed, hashed and stored today is what must be read for ever.

A failure here means that a wire type, a hash or a tag has changed. Where that is meant (before the
first release only, or with a new version number), write the file anew and review the difference::

    python -m tests.unit.chain.test_golden_vectors > tests/vectors/chain.json
"""

import importlib
import json
import pkgutil
import sys
from pathlib import Path
from typing import Any

import pytest

import chain
from chain.block import CertifiedBlock, Header
from chain.certificate import CommitCertificate, commit_certificate_of, prepared_certificate_of
from chain.codec import Record
from chain.crypto import Domain
from chain.evidence import equivocation_of
from chain.genesis import build_genesis_state
from chain.merkle import merkle_root
from chain.parameters import Parameters
from chain.proof import prove_transaction
from chain.receipt import Event, Receipt, Status
from chain.state import State
from chain.state_tree import EMPTY_ROOT, MemoryBucketReader, StateTree
from chain.transaction import SignedPayload
from chain.vote import VoteKind
from consensus.messages import MESSAGES
from tests.chain_samples import VALIDATORS, certificate, genesis, header, transaction, vote

VECTORS = Path(__file__).parents[2] / "vectors" / "chain.json"

TRANSACTION = transaction(1, "note.set", b"arguments")
HEADER = header(transaction_count=1, transaction_root=merkle_root([TRANSACTION.id]))
EVENT = Event(kind="note.set", subject="steel.main", content=b"\x90")
RECORDS: tuple[Record, ...] = (
    VALIDATORS,
    vote(0),
    commit_certificate_of([vote(0), vote(1), vote(2)]),
    prepared_certificate_of(
        vote(1, VoteKind.PRE_PREPARE), [vote(0, VoteKind.PREPARE), vote(2, VoteKind.PREPARE)]
    ),
    equivocation_of(vote(1, digest=b"a" * 32), vote(1, digest=b"b" * 32)),
    TRANSACTION.payload,
    SignedPayload.decode(TRANSACTION.wire),
    EVENT,
    Receipt(
        transaction_id=TRANSACTION.id,
        status=Status.FAILED,
        code="UNKNOWN_METER",
        detail="meter: expected a registered one, got 'x'",
        result=b"\x90",
        events=(EVENT,),
    ),
    HEADER,
    CertifiedBlock(
        header=HEADER, certificate=certificate(HEADER), transactions=(TRANSACTION.wire,)
    ),
    Parameters(),
    genesis().members[0],
    genesis().organisations[0],
    genesis(),
    prove_transaction(HEADER, certificate(HEADER), [TRANSACTION.id, bytes(32)], 0),
    StateTree(MemoryBucketReader()).prove(b"meter/steel.main"),
)


class NoContracts:
    """Writes nothing into the genesis state."""

    def genesis_changes(self, state: State, genesis: Any) -> None:
        pass


def vectors() -> dict[str, dict[str, str]]:
    """The same as the file holds, made by the code as it is."""
    return {
        "domains": {domain.name: domain.value.hex() for domain in Domain},
        "message_tags": {str(tag): cls.__name__ for tag, cls in MESSAGES.classes.items()},
        "enumerations": {
            f"{kind.__name__}.{member.name}": str(int(member))
            for kind in (VoteKind, Status)
            for member in kind
        },
        "records": {type(record).__name__: record.encode().hex() for record in RECORDS},
        "hashes": {
            "transaction id": TRANSACTION.id.hex(),
            "block hash": HEADER.hash.hex(),
            "validator set": VALIDATORS.hash.hex(),
            "parameters": Parameters().hash.hex(),
            "chain id": genesis().chain_id.hex(),
            "empty state root": EMPTY_ROOT.hex(),
            "genesis state root": build_genesis_state(genesis(), NoContracts()).state_root.hex(),
        },
    }


@pytest.mark.parametrize("part", ["domains", "message_tags", "enumerations", "records", "hashes"])
def test_bytes_tags_and_hashes_are_as_they_ever_were(part: str) -> None:
    golden = json.loads(VECTORS.read_text())

    assert vectors()[part] == golden[part]


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: type(record).__name__)
def test_golden_bytes_are_read_back(record: Record) -> None:
    golden = json.loads(VECTORS.read_text())["records"][type(record).__name__]

    assert type(record).decode(bytes.fromhex(golden)) == record


def test_every_record_of_the_chain_has_golden_bytes() -> None:
    defined = {
        value.__name__
        for module in pkgutil.iter_modules(chain.__path__, "chain.")
        for value in vars(importlib.import_module(module.name)).values()
        if isinstance(value, type) and issubclass(value, Record) and value is not Record
    }

    assert {type(record).__name__ for record in RECORDS} == defined


def test_a_golden_certificate_still_verifies() -> None:
    records = json.loads(VECTORS.read_text())["records"]
    block = CertifiedBlock.decode(bytes.fromhex(records["CertifiedBlock"]))

    assert Header.decode(bytes.fromhex(records["Header"])) == block.header
    assert block.certificate.block_hash == block.header.hash
    assert CommitCertificate.decode(block.certificate.encode()) == block.certificate


if __name__ == "__main__":
    sys.stdout.write(json.dumps(vectors(), indent=2) + "\n")
