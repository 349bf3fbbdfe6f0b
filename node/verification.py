"""Offline verification of a node's data: everything is computed anew and compared byte by byte.

Starting from the genesis record, each block's certificate, place, transaction signatures and every
root are checked by executing it again into an empty database in memory; at the end the two
databases must agree in each single entry. So a flipped byte is found wherever it is: by LevelDB's
checksums, by a hash on the way, or by the comparison.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from chain.block import CertifiedBlock
from chain.crypto import SignatureScheme
from chain.errors import ChainError
from chain.genesis import Genesis, build_genesis_state
from chain.transaction import Transaction
from chain.types import Hash, Height
from node.errors import LocalError
from node.kernel.admission import check_signature
from node.kernel.candidates import Workshop
from node.kernel.contracts_port import NodeContracts
from node.kernel.storing import stored_block
from node.memory_database import MemoryDatabase
from node.storage import BODIES, ChainStore, KeyValue, decompressed

TABLES: Final = "mcbrtskn" + "x"
"""Letters of all tables (:mod:`node.storage`)."""


class VerificationError(LocalError):
    """The data is not what the certified chain says; names the place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationReport:
    """What was verified."""

    chain_id: Hash
    height: Height
    block_hash: Hash
    state_root: Hash
    block_count: int
    transaction_count: int
    entry_count: int
    """Database entries compared."""


def verify_database(
    database: KeyValue,
    *,
    genesis: Genesis,
    contracts: NodeContracts,
    scheme: SignatureScheme,
    on_block: Callable[[Height, Height], None] = lambda _height, _head: None,
) -> VerificationReport:
    """Verifies a node's whole database.

    Args:
        database: the node's data; only read.
        genesis: the founding record that the verifier trusts.
        contracts: the contracts that executed it.
        scheme: the signature scheme of the chain.
        on_block: told (height, head height) after each block, for progress.

    Raises:
        VerificationError: names the first thing that is wrong.
        StorageError: the database itself reports damage.
    """
    replayed = MemoryDatabase()
    head = ChainStore(database).head_height()
    chain = _Chain(database, genesis, contracts, scheme)
    replay = _replay(chain, replayed, head, on_block)
    return VerificationReport(
        chain_id=genesis.chain_id,
        height=head,
        block_hash=replay.workshop.parent.hash,
        state_root=replay.store.open_tree().root,
        block_count=head,
        transaction_count=replay.transaction_count,
        entry_count=_compare(database, replayed),
    )


def replay_until(
    database: KeyValue,
    height: Height,
    *,
    genesis: Genesis,
    contracts: NodeContracts,
    scheme: SignatureScheme,
    on_block: Callable[[Height, Height], None] = lambda _height, _head: None,
) -> ChainStore:
    """Executes a node's chain again up to a block, and returns the store as it was after it.

    Args:
        database: the node's data; only read.
        height: of the last block that is executed.
        genesis: the founding record that the caller trusts.
        contracts: the contracts that executed it.
        scheme: the signature scheme of the chain.
        on_block: told (height, last height) after each block, for progress.

    Raises:
        VerificationError: names the first thing that is wrong, or that there is no such block.
    """
    head = ChainStore(database).head_height()
    if not 1 <= height <= head:
        raise VerificationError(f"block {height}: expected one from 1 to the head, {head}")
    chain = _Chain(database, genesis, contracts, scheme)
    return _replay(chain, MemoryDatabase(), height, on_block).store


@dataclass(frozen=True, slots=True)
class _Chain:
    """What is executed again."""

    database: KeyValue
    genesis: Genesis
    contracts: NodeContracts
    scheme: SignatureScheme


@dataclass(frozen=True, slots=True)
class _Replay:
    """A chain that was executed again."""

    store: ChainStore
    workshop: Workshop
    transaction_count: int


def _replay(
    chain: _Chain,
    replayed: KeyValue,
    until: Height,
    on_block: Callable[[Height, Height], None],
) -> _Replay:
    genesis, contracts = chain.genesis, chain.contracts
    store = ChainStore(chain.database)
    if store.genesis() != genesis.encode():
        raise VerificationError(
            f"genesis: expected the record of chain {genesis.chain_id.hex()}, got another one; "
            "this data belongs to another chain, or its first record is damaged"
        )
    replica = ChainStore(replayed)
    founded = build_genesis_state(genesis, contracts)
    replica.initialise(genesis.encode(), dict(founded.changes), founded.tree_update)
    workshop = Workshop(
        genesis=genesis, store=replica, tree=replica.open_tree(), contracts=contracts
    )
    transaction_count = 0
    for height in range(1, until + 1):
        transaction_count += _verify_block(
            store, replica, workshop, height, contracts, chain.scheme
        )
        on_block(height, until)
    return _Replay(replica, workshop, transaction_count)


def _verify_block(
    store: ChainStore,
    replica: ChainStore,
    workshop: Workshop,
    height: Height,
    contracts: NodeContracts,
    scheme: SignatureScheme,
) -> int:
    try:
        block = store.block(height)
        if block is None:
            raise VerificationError(f"block {height}: expected a block, found none")
        block.certificate.verify(
            chain_id=workshop.chain_id, validators=workshop.parent.validators, scheme=scheme
        )
        _verify_place(block, workshop)
        transactions = block.parse_transactions()
        _verify_signatures(transactions, scheme)
        candidate = workshop.check(block.header, transactions)
    except ChainError as error:
        raise VerificationError(f"block {height}: {error}") from error
    replica.commit(stored_block(candidate, block.certificate, contracts))
    workshop.advance(candidate)
    return len(transactions)


def _verify_place(block: CertifiedBlock, workshop: Workshop) -> None:
    header, certificate = block.header, block.certificate
    if (certificate.height, certificate.block_hash) != (header.height, header.hash):
        raise VerificationError(
            f"block {header.height}: its certificate is for block {certificate.height} "
            f"({certificate.block_hash.hex()}), not for this one ({header.hash.hex()})"
        )
    if header.time_ms <= workshop.parent.time_ms:
        raise VerificationError(
            f"block {header.height}: time_ms: expected more than the parent's "
            f"{workshop.parent.time_ms}, got {header.time_ms}"
        )


def _verify_signatures(transactions: tuple[Transaction, ...], scheme: SignatureScheme) -> None:
    for transaction in transactions:
        check_signature(transaction, scheme)


def _compare(database: KeyValue, replayed: KeyValue) -> int:
    count = 0
    for letter in TABLES:
        table = letter.encode()
        stored = dict(database.iterate(table, table))
        expected = dict(replayed.iterate(table, table))
        for key in sorted(stored.keys() | expected.keys()):
            if not _is_same(table, stored.get(key), expected.get(key)):
                raise VerificationError(
                    f"table {letter}, key {key[1:]!r}: expected "
                    f"{_words(expected.get(key))} by re-execution, got {_words(stored.get(key))}"
                )
        count += len(stored)
    return count


def _is_same(table: bytes, stored: bytes | None, expected: bytes | None) -> bool:
    """Compares what is compressed by its content: libraries compress differently."""
    if table == BODIES and stored is not None and expected is not None:
        return decompressed(stored) == decompressed(expected)
    return stored == expected


def _words(value: bytes | None) -> str:
    if value is None:
        return "no entry"
    return f"{len(value)} bytes {value[:24].hex()}{'...' if len(value) > 24 else ''}"
