from dataclasses import replace

import pytest

from contracts.revisions import (
    RecordedRevision,
    Revision,
    RevisionKind,
    record_revision,
    revision_count,
    revision_key,
    revision_prefix,
)
from tests.unit.contracts.registry_world import OPERATOR, START_MS, World

REVISION = Revision(
    organisation="steel",
    site="plant",
    from_ms=1_000,
    to_ms=2_000,
    subject="correction/main/000001",
    kind=RevisionKind.CORRECTION,
)
CALL_ID = b"\x07" * 32


def test_a_revision_says_what_changed_and_who_brought_it_about() -> None:
    world = World()

    recorded = record_revision(world.context(OPERATOR, CALL_ID), REVISION)

    assert recorded == RecordedRevision(
        number=1,
        revision=REVISION,
        height=1,
        recorded_ms=START_MS,
        recorded_by=OPERATOR,
        transaction=CALL_ID,
    )
    assert world.state.get(RecordedRevision, revision_key("plant", 1)) == recorded
    assert [(event.kind, event.subject) for event in world.events] == [
        ("revision.recorded", "plant")
    ]
    assert RecordedRevision.decode(world.events[0].content) == recorded


def test_revisions_are_counted_by_site_and_kept_in_order() -> None:
    world = World()
    for site in ("plant", "plant-2", "plant"):
        record_revision(world.context(), replace(REVISION, site=site))
        world.next_block()

    kept = [
        recorded.number
        for _, recorded in world.state.iterate(RecordedRevision, revision_prefix("plant"))
    ]
    assert kept == [1, 2]
    assert [revision_count(world.state, site) for site in ("plant", "plant-2", "other")] == [
        2,
        1,
        0,
    ]


def test_a_revision_of_no_time_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(AssertionError, match="covers some time"):
        record_revision(World().context(), replace(REVISION, to_ms=1_000))
