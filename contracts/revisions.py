"""Revisions as they come about: kept, told, and their consequences drawn.

Whoever used the old numbers -- a report, a certificate -- must learn of it, whatever the reason
was. So corrections, substitutes, restatements and readings after the close all end here, and here
is the one place where consequences are drawn.
"""

from contracts.certificates import suspend_covering
from contracts.context import Context
from contracts.reports import flag_covering
from contracts.revision import (
    RecordedRevision,
    Revision,
    RevisionCount,
    RevisionKind,
    count_key,
    revision_count,
    revision_key,
    revision_prefix,
)

__all__ = [
    "RecordedRevision",
    "Revision",
    "RevisionCount",
    "RevisionKind",
    "count_key",
    "record_revision",
    "revision_count",
    "revision_key",
    "revision_prefix",
]


def record_revision(context: Context, revision: Revision) -> RecordedRevision:
    """Keeps a revision, emits ``revision.recorded`` and draws the consequences."""
    assert revision.from_ms < revision.to_ms, "a revision covers some time"
    state = context.state
    number = revision_count(state, revision.site) + 1
    recorded = RecordedRevision(
        number=number,
        revision=revision,
        height=context.height,
        recorded_ms=context.time_ms,
        recorded_by=context.sender,
        transaction=context.transaction_id,
    )
    state.put(count_key(revision.site), RevisionCount(count=number))
    state.put(revision_key(revision.site, number), recorded)
    context.emit("revision.recorded", revision.site, recorded)
    if revision.kind is not RevisionKind.EQUITY:
        # A certificate is of whole sites, whoever holds them.
        suspend_covering(context, recorded)
    flag_covering(context, recorded)
    return recorded
