from dataclasses import dataclass

import pytest

from chain.codec import Record
from chain.types import U8
from contracts.account import Role
from contracts.context import Context
from contracts.method import Method, method_of
from tests.unit.contracts.registry_world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class Number(Record):
    value: U8


@dataclass(frozen=True, slots=True, kw_only=True)
class Other(Record):
    value: U8


def double(context: Context, arguments: Number) -> bytes:
    return bytes([arguments.value * 2, context.height])


def test_a_method_calls_its_function_with_its_own_record() -> None:
    method = method_of("number.double", Number, double, roles=frozenset({Role.ADMIN}))

    assert method.name == "number.double"
    assert method.arguments is Number
    assert method.roles == {Role.ADMIN}
    assert method.call(World().context(), Number(value=4)) == b"\x08\x01"


def test_work_is_one_unless_the_method_says_otherwise() -> None:
    plain = method_of("number.double", Number, double, roles=frozenset({Role.ADMIN}))
    heavy = method_of(
        "number.double",
        Number,
        double,
        roles=frozenset({Role.ADMIN}),
        work=lambda number: 1 + number.value,
    )
    bare = Method(name="n", arguments=Number, roles=frozenset({Role.ADMIN}), call=lambda _, __: b"")

    assert plain.work(Number(value=4)) == 1
    assert heavy.work(Number(value=4)) == 5
    assert bare.work(Number(value=4)) == 1


def test_a_method_is_found_again_by_nothing_unless_it_says_otherwise() -> None:
    plain = method_of("number.double", Number, double, roles=frozenset({Role.ADMIN}))
    found = method_of(
        "number.double",
        Number,
        double,
        roles=frozenset({Role.ADMIN}),
        index_keys=lambda number: (bytes([number.value]),),
    )
    bare = Method(name="n", arguments=Number, roles=frozenset({Role.ADMIN}), call=lambda _, __: b"")

    assert plain.index_keys(Number(value=4)) == ()
    assert found.index_keys(Number(value=4)) == (b"\x04",)
    assert bare.index_keys(Number(value=4)) == ()


def test_another_record_is_a_mistake_of_ours() -> None:
    method = method_of("number.double", Number, double, roles=frozenset({Role.ADMIN}))

    with pytest.raises(AssertionError, match=r"number\.double takes Number"):
        method.call(World().context(), Other(value=4))
