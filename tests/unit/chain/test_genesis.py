"""The genesis record: what it refuses, and the state that it founds."""

import dataclasses
from typing import Any

import pytest

from chain.crypto import Domain, Ed25519Signer, hash_of
from chain.errors import DecodeError, InvalidGenesis
from chain.genesis import Genesis, GenesisOrganisation, build_genesis_state
from chain.member import Member, MemberRole
from chain.parameters import Parameters
from chain.state import State
from chain.state_tree import MemoryBucketReader, StateTree
from chain.validator_set import ValidatorSet
from tests.chain_samples import SIGNERS, VALIDATORS, Note, genesis, member

FOUR = tuple(member(number) for number in range(1, 5))


class NoteFounder:
    """Contracts that write a note, and correct one of the chain's own records."""

    def genesis_changes(self, state: State, genesis: Genesis) -> None:
        state.put(b"note/network", Note(text=genesis.network))
        found = state.get(Member, b"member/node-4")
        assert found is not None
        state.put(b"member/node-4", dataclasses.replace(found, port=9_999))
        state.delete(b"member/node-3")


class NoContracts:
    """Writes nothing."""

    def genesis_changes(self, state: State, genesis: Genesis) -> None:
        pass


def observers(count: int) -> tuple[Member, ...]:
    return tuple(
        Member(
            node_id=f"observer-{number}",
            organisation="steel",
            role=MemberRole.OBSERVER,
            consensus_key=Ed25519Signer(number.to_bytes(32, "big")).public_key,
            tls_certificate=b"observer %d" % number,
            host="127.0.0.1",
            port=10_000 + number,
        )
        for number in range(1, count + 1)
    )


def validators(count: int) -> tuple[Member, ...]:
    return tuple(dataclasses.replace(each, role=MemberRole.VALIDATOR) for each in observers(count))


def test_a_sound_genesis_passes() -> None:
    genesis().check()


def test_the_chain_id_is_the_hash_of_the_record() -> None:
    assert genesis().chain_id == hash_of(Domain.GENESIS, genesis().encode())
    assert genesis(time_ms=1).chain_id != genesis().chain_id
    assert Genesis.decode(genesis().encode()) == genesis()


def test_validators_vote_in_the_order_of_the_record_and_observers_do_not() -> None:
    mixed = genesis(members=(*observers(1), *FOUR[::-1]))

    mixed.check()
    assert mixed.validator_set() == ValidatorSet(keys=VALIDATORS.keys[::-1])


@pytest.mark.parametrize("count", [1, 4, 5, 100])
def test_a_number_of_validators_that_makes_sense_passes(count: int) -> None:
    genesis(members=validators(count)).check()


@pytest.mark.parametrize(
    ("members", "words"),
    [
        (observers(1), "validators: expected at least 1, got 0; nobody could make a block"),
        (validators(2), "expected 1 .for development. or at least 4, got 2; with 2 one that fails"),
        (validators(3), "expected 1 .for development. or at least 4, got 3; with 3 one that fails"),
        (validators(101), "validators: expected at most 100, got 101"),
    ],
)
def test_a_number_of_validators_without_sense_is_refused(
    members: tuple[Member, ...], words: str
) -> None:
    with pytest.raises(InvalidGenesis, match=words):
        genesis(members=members).check()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"node_id": "node-1"}, "node id: expected each once, got 'node-1' twice"),
        ({"tls_certificate": b"certificate 1"}, "tls certificate: expected each once, got 6365"),
        ({"port": 7_001}, "address: expected each once, got '127.0.0.1:7001' twice"),
        (
            {"consensus_key": SIGNERS[0].public_key},
            f"public key: expected each once, got {SIGNERS[0].public_key.hex()} twice",
        ),
        (
            {"consensus_key": genesis().organisations[0].admin_key},
            "public key: expected each once, got",
        ),
        (
            {"consensus_key": bytes(32)},
            "member node-4: consensus_key: public key 0000.* expected a point of the prime",
        ),
        (
            {"organisation": "cement"},
            "member node-4: expected one of the 1 organisations of this genesis, got 'cement'",
        ),
    ],
)
def test_a_member_that_does_not_fit_is_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidGenesis, match=words):
        genesis(members=(*FOUR[:3], member(4, **changes))).check()


def organisation(**changes: Any) -> GenesisOrganisation:
    fields: dict[str, Any] = {
        "id": "cement",
        "name": "Cement works",
        "admin_key": Ed25519Signer(b"c" * 32).public_key,
    }
    return GenesisOrganisation(**{**fields, **changes})


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"id": "steel"}, "organisation id: expected each once, got 'steel' twice"),
        ({"admin_key": genesis().organisations[0].admin_key}, "public key: expected each once"),
        ({"admin_key": bytes(32)}, "organisation cement: admin_key: public key 0000"),
    ],
)
def test_an_organisation_that_does_not_fit_is_refused(changes: dict[str, Any], words: str) -> None:
    both = (genesis().organisations[0], organisation(**changes))

    with pytest.raises(InvalidGenesis, match=words):
        genesis(organisations=both).check()


def test_parameters_that_contradict_one_another_are_refused() -> None:
    parameters = dataclasses.replace(Parameters(), block_readings_max=1_000)

    with pytest.raises(InvalidGenesis, match="parameters: readings_per_transaction_max: expected"):
        genesis(parameters=parameters).check()


def test_a_second_organisation_passes() -> None:
    genesis(organisations=(genesis().organisations[0], organisation())).check()


@pytest.mark.parametrize("host", ["node-1.example.org", "10.0.0.1", "::1", "fe80::1", "a", "1"])
def test_a_host_is_a_name_or_an_address(host: str) -> None:
    assert Member.decode(member(1, host=host).encode()).host == host


@pytest.mark.parametrize(
    "changes",
    [
        {"host": ""},
        {"host": "-a"},
        {"host": "a b"},
        {"host": "a/b"},
        {"host": "a" * 254},
        {"port": 0},
        {"port": 65_536},
        {"role": 3},
        {"node_id": "Node"},
        {"tls_certificate": b""},
        {"tls_certificate": bytes(4_097)},
    ],
)
def test_a_malformed_member_is_no_record(changes: dict[str, Any]) -> None:
    with pytest.raises(DecodeError, match=rf"Member\.{next(iter(changes))}: expected"):
        Member.decode(member(1, **changes).encode())


def test_the_chains_own_part_of_the_state() -> None:
    state = genesis().initial_state()

    assert list(state) == [
        b"chain/parameters",
        b"chain/validators",
        b"member/node-1",
        b"member/node-2",
        b"member/node-3",
        b"member/node-4",
    ]
    assert state[b"chain/parameters"] == Parameters().encode()
    assert state[b"chain/validators"] == VALIDATORS.encode()
    assert Member.decode(state[b"member/node-2"]) == member(2)


def test_contracts_add_to_the_state_of_genesis() -> None:
    built = build_genesis_state(genesis(), NoteFounder())

    assert list(built.changes) == [
        b"chain/parameters",
        b"chain/validators",
        b"member/node-1",
        b"member/node-2",
        b"member/node-4",
        b"note/network",
    ]
    assert built.changes[b"note/network"] == Note(text="test").encode()
    assert Member.decode(built.changes[b"member/node-4"]).port == 9_999


def test_the_state_root_of_genesis_is_that_of_the_empty_tree_after_its_changes() -> None:
    built = build_genesis_state(genesis(), NoContracts())
    tree = StateTree(MemoryBucketReader())

    assert built.changes == genesis().initial_state()
    assert built.state_root == tree.update(built.changes).root
    tree.apply(built.tree_update)
    assert tree.key_count == 6
