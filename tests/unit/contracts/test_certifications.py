"""Engagements: opened for what exists, their sample drawn and not chosen."""

from typing import Any

import pytest

from contracts import certifications
from contracts.certification import MONTHS_MAX, SEED_DISTANCE, Stage
from contracts.emissions import Scope
from contracts.final_block import FinalBlock
from contracts.sampling import draw
from tests import chain_samples as samples
from tests.unit.contracts.certification_world import (
    ID,
    MONTH,
    OPEN,
    OTHER_CERTIFIER,
    CertificationWorld,
)
from tests.unit.contracts.reading_world import DAY_MS, QUARTER_MS
from tests.unit.contracts.registry_world import CERTIFIER


@pytest.fixture
def world() -> CertificationWorld:
    return CertificationWorld()


def test_an_engagement_names_what_it_is_about(world: CertificationWorld) -> None:
    opened = world.open()

    assert (opened.certification_id, opened.body, opened.number) == (ID, "body", 1)
    assert opened.stage is Stage.OPEN
    assert opened.to_ms - opened.from_ms == 31 * DAY_MS
    assert world.events[-1].kind == "certification.opened"
    assert world.events[-1].subject == ID


def test_engagements_of_a_body_are_numbered(world: CertificationWorld) -> None:
    world.open()
    world.open()

    assert certifications.get_certification(world.state, "body.000002") is not None


@pytest.mark.parametrize(
    ("changes", "code", "detail"),
    [
        ({"organisation": "body"}, "NOT_PERMITTED", "organisation: expected an organisation that"),
        ({"organisation": "nobody"}, "NOT_PERMITTED", "got 'nobody'"),
        ({"organisation": "grid"}, "INVALID_ARGUMENTS", "sites: expected sites of grid"),
        ({"sites": ("elsewhere",)}, "UNKNOWN_SITE", "'elsewhere'"),
        ({"sites": ("plant", "plant")}, "INVALID_ARGUMENTS", "sites: expected each once"),
        (
            {"scopes": (Scope.PURCHASED_ENERGY, Scope.DIRECT)},
            "INVALID_ARGUMENTS",
            "scopes: expected each once",
        ),
        ({"to_month": MONTH - 1}, "INVALID_ARGUMENTS", "to_month: expected a month from 645"),
        ({"to_month": MONTH + MONTHS_MAX}, "INVALID_ARGUMENTS", "to 668, got 669"),
        ({"criteria": " "}, "INVALID_ARGUMENTS", "criteria: expected some words"),
    ],
)
def test_what_makes_no_sense_is_not_opened(
    world: CertificationWorld, changes: dict[str, Any], code: str, detail: str
) -> None:
    fields = {name: getattr(OPEN, name) for name in OPEN.__dataclass_fields__}
    arguments = certifications.OpenCertification(**{**fields, **changes})

    refused = world.refusal_of(certifications.open_certification, arguments, sender=CERTIFIER)

    assert refused[0] == code
    assert detail in refused[1]


def test_the_sample_is_drawn_from_the_hash_of_a_later_block(world: CertificationWorld) -> None:
    world.plan()

    plan = world.certification.plan
    assert plan is not None
    assert plan.seed_height == world.certification.opened_height + SEED_DISTANCE
    assert plan.seed == world.shown(plan.seed_height).header.hash
    (sampled,) = plan.meters
    first = world.certification.from_ms // QUARTER_MS
    indexes = draw(plan.seed, "main", population=31 * 96, count=5)
    assert sampled.starts_ms == tuple((first + index) * QUARTER_MS for index in indexes)
    assert world.certification.stage is Stage.PLANNED


def test_only_intervals_of_an_installed_meter_are_drawn(world: CertificationWorld) -> None:
    world.open(from_month=0, to_month=0)
    for _ in range(3):
        world.next_block()
    world.call(certifications.plan, world.plan_of(), sender=CERTIFIER)

    plan = world.certification.plan
    assert plan is not None
    assert min(plan.meters[0].starts_ms) >= 1_000


def test_another_block_than_the_fixed_one_gives_no_seed(world: CertificationWorld) -> None:
    world.open()
    for _ in range(3):
        world.next_block()
    height = world.certification.opened_height

    for other in (height, height + 2):
        refused = world.refusal_of(
            certifications.plan, world.plan_of(block=world.shown(other)), sender=CERTIFIER
        )
        assert refused == (
            "INVALID_ARGUMENTS",
            f"block.header.height: expected {height + 1}, the block after the opening, got {other}",
        )


def forged(world: CertificationWorld, fault: str) -> FinalBlock:
    good = world.shown(world.certification.opened_height + 1)
    match fault:
        case "chain_id":
            return world.shown(good.header.height, chain_id=b"\x01" * 32)
        case "validator_set_hash":
            return world.shown(good.header.height, validator_set_hash=b"\x01" * 32)
        case "certificate.height":
            other = world.shown(good.header.height - 1)
            return FinalBlock(header=good.header, certificate=other.certificate)
        case "certificate.block_hash":
            other = world.shown(good.header.height, state_root=b"\x02" * 32)
            return FinalBlock(header=other.header, certificate=good.certificate)
        case _:
            few = samples.certificate(good.header, signers=(1, 2))
            return FinalBlock(header=good.header, certificate=few)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("chain_id", "chain id: expected"),
        ("validator_set_hash", "validator set: expected"),
        ("certificate.height", "certificate's height: expected"),
        ("certificate.block_hash", "certificate's block: expected"),
        ("certificate", "certificate has 2 votes, needs 3"),
    ],
)
def test_a_block_that_is_not_final_here_gives_no_seed(
    world: CertificationWorld, fault: str, words: str
) -> None:
    world.open()
    for _ in range(3):
        world.next_block()

    code, detail = world.refusal_of(
        certifications.plan, world.plan_of(block=forged(world, fault)), sender=CERTIFIER
    )

    assert code == "INVALID_ARGUMENTS"
    assert detail.startswith(
        f"block: expected a block that the validators of this chain made final, got {words}"
    )


@pytest.mark.parametrize(
    ("changes", "code", "detail"),
    [
        ({"meters": ("none",)}, "UNKNOWN_METER", "meters: expected a registered meter"),
        ({"meters": ("main", "main")}, "INVALID_ARGUMENTS", "meters: expected each once"),
        ({"certification_id": "body.000009"}, "UNKNOWN_CERTIFICATION", "certification_id"),
    ],
)
def test_a_plan_names_meters_of_the_engagement(
    world: CertificationWorld, changes: dict[str, Any], code: str, detail: str
) -> None:
    world.open()
    for _ in range(3):
        world.next_block()

    refused = world.refusal_of(certifications.plan, world.plan_of(**changes), sender=CERTIFIER)

    assert refused[0] == code
    assert detail in refused[1]


def test_another_body_plans_nothing_here(world: CertificationWorld) -> None:
    world.open()

    refused = world.refusal_of(certifications.plan, world.plan_of(), sender=OTHER_CERTIFIER)

    assert refused == (
        "NOT_PERMITTED",
        "certification body.000001: expected a certifier of body, got one of rival",
    )


def test_a_sample_is_drawn_once(world: CertificationWorld) -> None:
    world.plan()

    code, detail = world.refusal_of(certifications.plan, world.plan_of(), sender=CERTIFIER)

    assert code == "WRONG_STATE"
    assert detail.endswith("expected stage OPEN, got PLANNED; call certification.conclude")
