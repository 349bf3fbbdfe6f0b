"""Equivocation on chain: verified by everybody, once, and nobody is removed by it."""

from dataclasses import replace
from typing import Any

import pytest

from chain.errors import ContractRefusal
from chain.evidence import Equivocation, equivocation_of
from chain.validator_set import VALIDATORS_KEY
from chain.vote import Vote, VoteKind, sign_vote
from contracts.evidence import (
    EVIDENCE_PREFIX,
    RecordedEvidence,
    RecordEquivocation,
    record,
)
from tests import chain_samples as samples
from tests.unit.contracts.registry_world import ADMIN, World


@pytest.fixture
def world() -> World:
    made = World()
    made.state.put(VALIDATORS_KEY, samples.VALIDATORS)
    return made


def vote(world: World, digest: bytes, **changes: Any) -> Vote:
    fields: dict[str, Any] = {"kind": VoteKind.PREPARE, "height": 5, "view": 2}
    return sign_vote(
        samples.SIGNERS[1],
        chain_id=world.context(ADMIN).block.chain_id,
        validators=samples.VALIDATORS,
        digest=digest,
        **{**fields, **changes},
    )


def pair(world: World) -> Equivocation:
    return equivocation_of(vote(world, b"a" * 32), vote(world, b"b" * 32))


def test_verified_evidence_is_kept_and_told(world: World) -> None:
    context = world.context(ADMIN)

    record(context, RecordEquivocation(evidence=pair(world)))

    ((_, kept),) = world.state.iterate(RecordedEvidence, EVIDENCE_PREFIX)
    assert kept.validator == samples.VALIDATORS.keys[1]
    assert kept.evidence == pair(world)
    assert [event.kind for event in context.events] == ["evidence.recorded"]


def test_the_same_place_is_recorded_once(world: World) -> None:
    record(world.context(ADMIN), RecordEquivocation(evidence=pair(world)))
    other = equivocation_of(vote(world, b"a" * 32), vote(world, b"c" * 32))

    with pytest.raises(ContractRefusal, match="ALREADY_EXISTS"):
        record(world.context(ADMIN), RecordEquivocation(evidence=other))


def test_votes_that_prove_nothing_are_refused(world: World) -> None:
    good = pair(world)
    forged = replace(good.second, signature=b"x" * 64)
    elsewhere = vote(world, b"b" * 32, height=6)
    for invalid in (
        Equivocation(first=good.first, second=good.first),
        Equivocation(first=good.second, second=good.first),
        Equivocation(first=good.first, second=forged),
        Equivocation(first=good.first, second=elsewhere),
    ):
        with pytest.raises(ContractRefusal, match="INVALID_ARGUMENTS"):
            record(world.context(ADMIN), RecordEquivocation(evidence=invalid))
