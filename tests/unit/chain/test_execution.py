"""Execution: every outcome of a transaction, every limit of a block, and no client who stops it."""

import dataclasses
import os
import subprocess
import sys
from typing import Any

import pytest

from chain.errors import InvalidBlock
from chain.execution import (
    BlockBug,
    BlockContext,
    Execution,
    TransactionBug,
    check_limits,
    execute_block,
)
from chain.merkle import merkle_root
from chain.parameters import Parameters
from chain.receipt import Event, Receipt, Status
from chain.state import MemoryStateReader, State
from chain.state_tree import MemoryBucketReader, StateTree
from chain.transaction import Transaction
from tests.chain_samples import (
    CHAIN_ID,
    GENESIS_TIME_MS,
    CommittedIds,
    Note,
    NoteRuntime,
    transaction,
)

CONTEXT = BlockContext(
    chain_id=CHAIN_ID,
    height=7,
    time_ms=GENESIS_TIME_MS + 1_000,
    parent_time_ms=GENESIS_TIME_MS,
    parameters=Parameters(),
)
BLOCK_RECEIPT = Receipt(
    transaction_id=bytes(32),
    status=Status.OK,
    events=(Event(kind="block.began", subject="", content=b""),),
)


def execute(*transactions: Transaction, **changes: Any) -> Execution:
    arguments: dict[str, Any] = {
        "context": CONTEXT,
        "transactions": transactions,
        "committed": MemoryStateReader(),
        "tree": StateTree(MemoryBucketReader()),
        "index": CommittedIds(),
        "runtime": NoteRuntime(),
    }
    return execute_block(**{**arguments, **changes})


def context(**parameters: int) -> BlockContext:
    return dataclasses.replace(CONTEXT, parameters=dataclasses.replace(Parameters(), **parameters))


def test_a_transaction_that_succeeds_has_its_receipt_and_its_change() -> None:
    result = execute(transaction(1, "note.set", b"a"))

    assert result.receipts == (
        Receipt(
            transaction_id=transaction(1, "note.set", b"a").id,
            status=Status.OK,
            result=b"set",
            events=(Event(kind="note.set", subject="a", content=b""),),
        ),
        BLOCK_RECEIPT,
    )
    assert result.changes == {
        b"note/a": Note(text="a").encode(),
        b"note/height": Note(text="height", number=7).encode(),
    }


def test_a_block_without_transactions_still_does_its_own_work() -> None:
    result = execute()

    assert result.receipts == (BLOCK_RECEIPT,)
    assert list(result.changes) == [b"note/height"]


def test_the_roots_are_those_of_receipts_and_tree() -> None:
    tree = StateTree(MemoryBucketReader())
    result = execute(transaction(1, "note.set", b"a"), tree=tree)

    assert result.encoded_receipts == tuple(receipt.encode() for receipt in result.receipts)
    assert result.receipt_root == merkle_root(result.encoded_receipts)
    assert result.state_root == tree.update(result.changes).root == result.tree_update.root


def test_a_refused_transaction_changes_nothing_and_says_why() -> None:
    result = execute(transaction(1, "note.refuse", b"a"))

    assert result.receipts[0] == Receipt(
        transaction_id=transaction(1, "note.refuse", b"a").id,
        status=Status.FAILED,
        code="REFUSED",
        detail="time 1700000001000: a",
    )
    assert list(result.changes) == [b"note/height"]


def test_a_long_refusal_is_clipped_to_what_a_receipt_holds() -> None:
    long = execute(transaction(1, "note.ramble"))

    assert long.receipts[0].detail == "碳" * 341
    assert Receipt.decode(long.encoded_receipts[0]) == long.receipts[0]


def test_a_transaction_sees_what_earlier_ones_of_its_block_wrote() -> None:
    result = execute(transaction(1, "note.set", b"a"), transaction(2, "note.refuse", b"a"))

    assert result.changes[b"note/a"] == Note(text="a").encode()


def test_a_committed_id_is_a_duplicate_and_runs_no_more() -> None:
    repeated = transaction(1, "note.set", b"a")
    result = execute(repeated, index=CommittedIds(repeated.id))

    assert result.receipts[0] == Receipt(
        transaction_id=repeated.id,
        status=Status.DUPLICATE,
        code="DUPLICATE",
        detail="an earlier transaction of this chain has the same id",
    )
    assert list(result.changes) == [b"note/height"]


def test_the_second_of_two_in_one_block_is_a_duplicate() -> None:
    repeated = transaction(1, "note.set", b"a")

    statuses = [receipt.status for receipt in execute(repeated, repeated).receipts]

    assert statuses == [Status.OK, Status.DUPLICATE, Status.OK]


@pytest.mark.parametrize(
    ("valid_until_ms", "words"),
    [
        (CONTEXT.time_ms - 1, "valid_until_ms: expected at least the block time"),
        (CONTEXT.parent_time_ms + 86_400_001, "valid_until_ms: expected at most"),
    ],
)
def test_a_transaction_outside_its_window_makes_the_block_invalid(
    valid_until_ms: int, words: str
) -> None:
    outside = transaction(1, valid_until_ms=valid_until_ms)

    with pytest.raises(InvalidBlock, match=words) as caught:
        execute(transaction(2), outside)

    assert caught.value.rule == "validity window"
    assert outside.id.hex() in str(caught.value)


@pytest.mark.parametrize("valid_until_ms", [CONTEXT.time_ms, CONTEXT.parent_time_ms + 86_400_000])
def test_a_transaction_on_the_edge_of_its_window_is_valid(valid_until_ms: int) -> None:
    result = execute(transaction(1, valid_until_ms=valid_until_ms))

    assert result.receipts[0].status is Status.OK


def test_a_duplicate_outside_its_window_makes_the_block_invalid_too() -> None:
    expired = transaction(1, valid_until_ms=CONTEXT.time_ms - 1)

    with pytest.raises(InvalidBlock, match="validity window"):
        execute(expired, index=CommittedIds(expired.id))


def test_a_bug_names_its_transaction_and_its_cause() -> None:
    broken = transaction(1, "note.unknown", b"a")

    with pytest.raises(TransactionBug, match=r"KeyError: 'note.unknown'") as caught:
        execute(transaction(2, "note.set", b"b"), broken)

    assert caught.value.transaction_id == broken.id
    assert isinstance(caught.value.cause, KeyError)


def test_a_record_that_cannot_be_encoded_is_a_bug_of_who_wrote_it() -> None:
    broken = transaction(1, "note.overflow", b"a")

    with pytest.raises(TransactionBug, match=r"state key b'note/overflow'") as caught:
        execute(broken, transaction(2, "note.set", b"b"))

    assert caught.value.transaction_id == broken.id


class BrokenBlocks(NoteRuntime):
    """Fails in the block's own work, at once or when its record is encoded."""

    def __init__(self, number: int) -> None:
        self.number = number

    def begin_block(self, state: State, block: BlockContext) -> tuple[Event, ...]:
        if self.number == 0:
            raise ValueError(f"broken at height {block.height}")
        state.put(b"note/height", Note(text="height", number=self.number))
        return ()


@pytest.mark.parametrize(
    ("number", "cause"), [(0, "ValueError: broken at height 7"), (2**64, "note/height")]
)
def test_a_bug_in_the_blocks_own_work_is_told_from_that_of_a_transaction(
    number: int, cause: str
) -> None:
    with pytest.raises(BlockBug, match=f"the block's own work: .*{cause}"):
        execute(transaction(1), runtime=BrokenBlocks(number))


def test_a_failed_execution_leaves_reader_and_tree_as_they_were() -> None:
    reader, tree = MemoryStateReader(), StateTree(MemoryBucketReader())
    root = tree.root

    execute(transaction(1, "note.set", b"a"), committed=reader, tree=tree)
    with pytest.raises(TransactionBug):
        execute(transaction(1, "note.unknown"), committed=reader, tree=tree)

    assert reader.entries == {}
    assert tree.root == root


SIZE = len(transaction(1, arguments=b"xx").wire)


@pytest.mark.parametrize(
    ("parameters", "rule", "got"),
    [
        ({"block_transactions_max": 1}, "transaction count", "at most 1, got 2"),
        (
            {"block_bytes_max": 2 * SIZE - 1},
            "block bytes",
            f"at most {2 * SIZE - 1}, got {2 * SIZE}",
        ),
        ({"block_readings_max": 5}, "block work", "at most 5, got 6"),
    ],
)
def test_a_block_above_a_limit_is_invalid(parameters: dict[str, int], rule: str, got: str) -> None:
    two = [transaction(number, arguments=b"xx") for number in (1, 2)]

    with pytest.raises(InvalidBlock, match=f"{rule}: expected {got}"):
        execute(*two, context=context(**parameters))


def test_a_block_at_its_limits_is_valid() -> None:
    two = [transaction(number, arguments=b"xx") for number in (1, 2)]
    parameters = context(
        block_transactions_max=2, block_bytes_max=2 * SIZE, block_readings_max=6
    ).parameters

    check_limits(two, parameters, NoteRuntime())


PROGRAM = """
from chain.execution import BlockContext, execute_block
from chain.parameters import Parameters
from chain.state import MemoryStateReader
from chain.state_tree import MemoryBucketReader, StateTree
from tests.chain_samples import CHAIN_ID, CommittedIds, NoteRuntime, transaction

methods = ("note.set", "note.refuse")
transactions = [transaction(i, methods[i % 2], b"%d" % (i % 7)) for i in range(20)]
result = execute_block(
    context=BlockContext(
        chain_id=CHAIN_ID,
        height=7,
        time_ms=1_700_000_000_001,
        parent_time_ms=1_700_000_000_000,
        parameters=Parameters(),
    ),
    transactions=transactions,
    committed=MemoryStateReader(),
    tree=StateTree(MemoryBucketReader()),
    index=CommittedIds(transactions[3].id),
    runtime=NoteRuntime(),
)
print(result.state_root.hex(), result.receipt_root.hex())
"""


def roots_in_another_process(**environment: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **environment},
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def test_the_same_block_has_the_same_roots_in_every_environment() -> None:
    roots = {
        roots_in_another_process(PYTHONHASHSEED="0", TZ="UTC", LANG="C"),
        roots_in_another_process(PYTHONHASHSEED="1", TZ="Asia/Shanghai", LANG="zh_CN.UTF-8"),
        roots_in_another_process(PYTHONHASHSEED="42", TZ="America/New_York", LANG="tr_TR.UTF-8"),
    }

    assert len(roots) == 1
    assert len(roots.pop().split()) == 2
