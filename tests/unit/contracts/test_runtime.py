from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest

from chain.codec import Record
from chain.crypto import Ed25519Signer
from chain.errors import ContractRefusal
from chain.execution import execute_block
from chain.parameters import Parameters
from chain.receipt import Status
from chain.state import RecordCache
from chain.state_tree import MemoryBucketReader, StateTree
from chain.transaction import Payload, Transaction, sign
from chain.types import U8
from contracts.account import Role
from contracts.call_cache import CACHED_BYTES_MAX, CallCache
from contracts.context import Context
from contracts.due_queue import DueKind, push
from contracts.meters import GoLive
from contracts.method import Method, method_of
from contracts.runtime import (
    DUE_HANDLERS,
    METHODS,
    ContractsRuntime,
    methods_by_name,
)
from tests.unit.contracts.registry_world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class Count(Record):
    value: U8


DECODED: list[int] = []


class CountingRecord(Count):
    """Notes each decoding."""

    @classmethod
    def decode(cls, data: bytes) -> "CountingRecord":
        DECODED.append(len(data))
        return super().decode(data)


def echo(context: Context, arguments: Count) -> bytes:
    context.emit("echoed", str(arguments.value), arguments)
    return bytes([arguments.value])


def stumble(context: Context, arguments: Count) -> bytes:
    raise ValueError(arguments.value, context.height)


TEST_METHODS = methods_by_name(
    (
        method_of(
            "test.echo",
            CountingRecord,
            echo,
            roles=frozenset({Role.GATEWAY, Role.OPERATOR}),
            work=lambda count: 1 + count.value,
            index_keys=lambda count: (b"main\x00", bytes([count.value])),
        ),
        method_of("test.stumble", Count, stumble, roles=frozenset({Role.OPERATOR})),
    )
)
SENDERS = {"ADMIN": 1, "OPERATOR": 3, "REVOKED": 11, "NOBODY": 99}


@pytest.fixture(autouse=True)
def _decoded() -> Iterator[None]:
    yield
    DECODED.clear()


def transaction(
    *,
    sender: str = "OPERATOR",
    method: str = "test.echo",
    arguments: bytes = b"\x91\x05",
    nonce: int = 0,
) -> Transaction:
    signer = Ed25519Signer(bytes([SENDERS[sender]]) * 32)
    payload = Payload(
        chain_id=bytes(32),
        sender=signer.public_key,
        nonce=bytes([nonce]) * 16,
        valid_until_ms=2**60,
        method=method,
        arguments=arguments,
    )
    return sign(signer, payload)


def runtime_of_tests() -> ContractsRuntime:
    return ContractsRuntime(TEST_METHODS, {})


def test_a_call_returns_result_and_events() -> None:
    world = World()

    result, events = runtime_of_tests().execute(world.state, world.block, transaction())

    assert result == b"\x05"
    assert [(event.kind, event.subject, event.content) for event in events] == [
        ("echoed", "5", b"\x91\x05")
    ]


REFUSED = [
    (
        transaction(sender="NOBODY"),
        "UNKNOWN_ACCOUNT",
        "sender: expected a registered key; an admin registers it with account.register, got ",
    ),
    (
        transaction(sender="REVOKED"),
        "ACCOUNT_REVOKED",
        "sender: expected an active account, got ",
    ),
    (
        transaction(method="test.nothing"),
        "UNKNOWN_METHOD",
        "method: expected one of test.echo, test.stumble, got 'test.nothing'",
    ),
    (
        transaction(sender="ADMIN"),
        "NOT_PERMITTED",
        "test.echo: role of the sender: expected OPERATOR or GATEWAY, got ADMIN",
    ),
    (
        transaction(arguments=b"\x91\xcd\x01\x00"),
        "INVALID_ARGUMENTS",
        "CountingRecord.value: expected an integer from 0 to 255, got 256",
    ),
    (
        transaction(arguments=b"\x91\xcc\x05"),
        "INVALID_ARGUMENTS",
        "CountingRecord: expected the shortest encoding of each value, got a longer one",
    ),
]


@pytest.mark.parametrize(
    ("refused", "code", "detail"),
    REFUSED,
    ids=[f"{code}-{i}" for i, (_, code, _) in enumerate(REFUSED)],
)
def test_each_reason_is_named_before_the_pool_and_in_a_block(
    refused: Transaction, code: str, detail: str
) -> None:
    world = World()
    runtime = runtime_of_tests()

    with pytest.raises(ContractRefusal) as before:
        runtime.check_admission(RecordCache(world.reader), refused)
    with pytest.raises(ContractRefusal) as within:
        runtime.execute(world.state, world.block, refused)

    assert before.value.code == within.value.code == code
    assert before.value.detail == within.value.detail
    assert within.value.detail.startswith(detail)


def test_what_passes_admission_is_not_executed() -> None:
    world = World()

    runtime_of_tests().check_admission(
        RecordCache(world.reader), transaction(method="test.stumble")
    )

    assert world.state.changes() == {}


def test_work_follows_the_arguments() -> None:
    runtime = runtime_of_tests()

    assert runtime.work_of(transaction()) == 6
    assert runtime.work_of(transaction(method="test.stumble")) == 1


def test_what_will_be_refused_is_one_unit_of_work() -> None:
    runtime = runtime_of_tests()

    assert runtime.work_of(transaction(method="test.nothing")) == 1
    assert runtime.work_of(transaction(arguments=b"")) == 1


def test_a_node_finds_a_transaction_by_what_its_arguments_name() -> None:
    runtime = runtime_of_tests()

    assert runtime.index_keys(transaction()) == (b"main\x00", b"\x05")
    assert runtime.index_keys(transaction(method="test.stumble")) == ()
    assert runtime.index_keys(transaction(method="test.nothing")) == ()
    assert runtime.index_keys(transaction(arguments=b"")) == ()


def test_arguments_are_decoded_once_per_transaction() -> None:
    world = World()
    runtime = runtime_of_tests()
    submitted = transaction()

    runtime.check_admission(RecordCache(world.reader), submitted)
    runtime.work_of(submitted)
    runtime.execute(world.state, world.block, submitted)

    assert DECODED == [2]


def test_arguments_that_do_not_decode_are_tried_once() -> None:
    runtime = runtime_of_tests()
    world = World()
    broken = transaction(arguments=b"\x90")

    for _ in range(2):
        with pytest.raises(ContractRefusal):
            runtime.check_admission(RecordCache(world.reader), broken)
    runtime.work_of(broken)

    assert DECODED == [1]


def test_the_cache_forgets_the_oldest_beyond_its_bytes() -> None:
    first, second, third = (transaction(nonce=nonce) for nonce in range(3))
    cache = CallCache(TEST_METHODS, limit_bytes=len(first.wire) * 2)

    for each in (first, second, second, third, third, second, first):
        cache.of(each)

    assert len(first.wire) == len(third.wire)
    assert len(DECODED) == 4


def test_what_alone_exceeds_the_cache_pushes_nothing_out() -> None:
    small, large = transaction(), transaction(method="test.stumble", arguments=bytes(100))
    cache = CallCache(TEST_METHODS, limit_bytes=len(small.wire))
    cache.of(small)

    for _ in range(2):
        call = cache.of(large)
        assert call is not None
        assert call.arguments is None
        assert call.fault is not None
    cache.of(small)

    assert DECODED == [2]


def test_the_cache_holds_two_full_blocks() -> None:
    assert CACHED_BYTES_MAX == 2 * Parameters().block_bytes_max == 4_194_304


def test_two_methods_of_one_name_are_a_mistake_of_ours() -> None:
    method = TEST_METHODS["test.echo"]

    with pytest.raises(AssertionError, match=r"two methods are called test\.echo"):
        methods_by_name((method,), (replace(method),))


def test_the_table_names_each_method_by_its_contract_and_verb() -> None:
    assert set(METHODS) >= {
        "account.register",
        "account.revoke",
        "calendar.register",
        "case.acknowledge",
        "case.explain",
        "case.close",
        "factor.set",
        "meter.approve_exchange",
        "meter.exchange",
        "meter.go_live",
        "meter.register",
        "site.register",
    }
    assert all(isinstance(method, Method) for method in METHODS.values())
    assert all(name == method.name for name, method in METHODS.items())


def test_auditors_send_nothing_and_every_method_has_a_role() -> None:
    assert all(method.roles for method in METHODS.values())
    assert not any(Role.AUDITOR in method.roles for method in METHODS.values())


def test_begin_block_asks_what_is_due() -> None:
    world = World()
    push(world.state, due_ms=1, kind=DueKind.MISSING, subject="main")
    asked: list[str] = []

    def handler(context: Context, subject: str) -> None:
        asked.append(f"{subject} at {context.height}")

    events = ContractsRuntime(TEST_METHODS, {DueKind.MISSING: handler}).begin_block(
        world.state, world.block
    )

    assert asked == ["main at 1"]
    assert events == ()


def test_every_kind_that_is_pushed_has_a_handler() -> None:
    assert set(DUE_HANDLERS) == set(DueKind)


class NoIndex:
    """No committed transactions."""

    def holds(self, transaction_id: bytes) -> bool:
        return len(transaction_id) != 32


def test_a_block_of_transactions_gets_a_receipt_for_each() -> None:
    world = World()
    world.add_meter()
    world.next_block()
    go_live = transaction(method="meter.go_live", arguments=GoLive(meter_id="main").encode())
    again = replace(go_live, id=b"\x01" * 32)

    execution = execute_block(
        context=replace(world.block, parent_time_ms=2**60 - 1),
        transactions=(go_live, again),
        committed=world.reader,
        tree=StateTree(MemoryBucketReader()),
        index=NoIndex(),
        runtime=ContractsRuntime(),
    )

    assert [(receipt.status, receipt.code) for receipt in execution.receipts] == [
        (Status.OK, ""),
        (Status.FAILED, "WRONG_STATE"),
        (Status.OK, ""),
    ]
    assert [event.kind for event in execution.receipts[0].events] == ["meter.live"]
    assert [key for key in execution.changes if key.startswith(b"due/")] != []
