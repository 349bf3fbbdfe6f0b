"""A node that signs nothing has nothing to remember, and to be asked to is a bug."""

import pytest

from node.journals import NoJournal


def test_the_journal_of_an_observer_is_always_empty() -> None:
    journal = NoJournal()
    journal.persist((), None)
    journal.recycle()
    journal.close()

    assert list(journal.load_journal()) == []
    assert journal.load_guard() is None


@pytest.mark.parametrize(("records", "guard"), [((b"vote",), None), ((), b"guard")])
def test_an_observer_that_is_to_remember_a_vote_stops(
    records: tuple[bytes, ...], guard: bytes | None
) -> None:
    with pytest.raises(AssertionError, match="observer"):
        NoJournal().persist(records, guard)
