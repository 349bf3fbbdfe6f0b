"""The overlay: transactions kept or dropped, and what a block has changed."""

from dataclasses import dataclass

import pytest

from chain.codec import Record
from chain.state import KEY_BYTES_MAX, MemoryStateReader, RecordCache, State, UnencodableRecord
from tests.chain_samples import Note


@dataclass(frozen=True, slots=True, kw_only=True)
class Other(Record):
    text: str


def note(text: str) -> Note:
    return Note(text=text)


def state_of(**entries: str) -> State:
    return State(
        MemoryStateReader(
            {key.replace("_", "/").encode(): note(text).encode() for key, text in entries.items()}
        )
    )


class NoteDraft:
    """A note whose number is counted up, and how often it was made into a record."""

    def __init__(self, record: Note | None = None) -> None:
        self.text = "new" if record is None else record.text
        self.number = 0 if record is None else record.number
        self.record_count = 0

    def record(self) -> Note:
        self.record_count += 1
        if self.number > 2**64:
            raise OverflowError("too many")
        return Note(text=self.text, number=self.number)


def count_up(state: State, key: bytes = b"note/a", by: int = 1) -> NoteDraft:
    draft = state.edit(Note, key, NoteDraft)
    draft.number += by
    return draft


class CountingReader(MemoryStateReader):
    """Counts reads of single keys."""

    reads = 0

    def get(self, key: bytes) -> bytes | None:
        self.reads += 1
        return super().get(key)


def test_a_committed_record_is_read_and_decoded_once() -> None:
    reader = CountingReader({b"note/a": note("a").encode()})
    state = State(reader)

    assert state.get(Note, b"note/a") == note("a")
    assert state.get(Note, b"note/a") is state.get(Note, b"note/a")
    assert reader.reads == 1


def test_an_absent_key_is_none() -> None:
    assert state_of().get(Note, b"note/a") is None


def test_writes_are_seen_at_once_and_by_the_next_transaction() -> None:
    state = state_of(note_a="old")
    state.begin()
    state.put(b"note/a", note("new"))
    assert state.get(Note, b"note/a") == note("new")
    state.keep()

    state.begin()

    assert state.get(Note, b"note/a") == note("new")


def test_a_dropped_transaction_leaves_no_trace() -> None:
    state = state_of(note_a="old", note_b="old")
    state.begin()
    state.put(b"note/a", note("new"))
    state.delete(b"note/b")
    state.put(b"note/c", note("new"))
    state.drop()

    assert state.get(Note, b"note/a") == note("old")
    assert state.get(Note, b"note/b") == note("old")
    assert state.get(Note, b"note/c") is None
    assert state.changes() == {}


def test_a_removed_key_is_absent() -> None:
    state = state_of(note_a="old")
    state.begin()
    state.delete(b"note/a")

    assert state.get(Note, b"note/a") is None


def test_changes_are_encoded_and_in_byte_order() -> None:
    state = state_of(note_b="old")
    state.put(b"note/c", note("new"))
    state.delete(b"note/b")
    state.put(b"note/a", note("new"))

    assert list(state.changes().items()) == [
        (b"note/a", note("new").encode()),
        (b"note/b", None),
        (b"note/c", note("new").encode()),
    ]


@pytest.mark.parametrize("read_first", [(), (b"note/a", b"note/b", b"note/c")])
def test_what_is_written_back_is_no_change(read_first: tuple[bytes, ...]) -> None:
    state = state_of(note_a="same", note_b="old")
    for key in read_first:
        state.get(Note, key)
    state.put(b"note/a", note("same"))
    state.put(b"note/b", note("new"))
    state.delete(b"note/c")

    assert state.changes() == {b"note/b": note("new").encode()}


def test_what_was_read_is_not_read_again_to_find_changes() -> None:
    reader = CountingReader({b"note/a": note("a").encode()})
    state = State(reader)
    state.get(Note, b"note/a")
    state.put(b"note/a", note("b"))

    assert state.changes() == {b"note/a": note("b").encode()}
    assert reader.reads == 1


def test_iteration_joins_layers_in_byte_order() -> None:
    state = state_of(note_b="old", note_d="old", note_f="old", other_x="old")
    state.put(b"note/a", note("block"))
    state.put(b"note/d", note("block"))
    state.begin()
    state.put(b"note/c", note("transaction"))
    state.put(b"note/g", note("transaction"))
    state.put(b"noto", note("transaction"))
    state.delete(b"note/f")

    assert [(key, found.text) for key, found in state.iterate(Note, b"note/")] == [
        (b"note/a", "block"),
        (b"note/b", "old"),
        (b"note/c", "transaction"),
        (b"note/d", "block"),
        (b"note/g", "transaction"),
    ]


def test_iteration_begins_where_it_is_told() -> None:
    state = state_of(note_a="old", note_b="old", note_d="old")
    state.put(b"note/c", note("block"))

    found = [key for key, _ in state.iterate(Note, b"note/", start=b"note/b")]

    assert found == [b"note/b", b"note/c", b"note/d"]


def test_a_write_under_way_does_not_disturb_an_iteration() -> None:
    state = state_of(note_a="old", note_b="old")

    for key, _ in state.iterate(Note, b"note/"):
        state.put(key + b"x", note("new"))

    assert len(list(state.iterate(Note, b"note/"))) == 4


def test_a_key_holds_one_class_of_record() -> None:
    state = state_of()
    state.put(b"note/a", Other(text="a"))

    with pytest.raises(AssertionError, match="holds another class"):
        state.get(Note, b"note/a")
    with pytest.raises(AssertionError, match="holds another class"):
        list(state.iterate(Note, b"note/"))


@pytest.mark.parametrize("size", [1, KEY_BYTES_MAX])
def test_a_key_may_be_as_long_as_the_limit(size: int) -> None:
    state = state_of()
    state.put(b"k" * size, note("a"))

    assert state.get(Note, b"k" * size) == note("a")


@pytest.mark.parametrize("size", [0, KEY_BYTES_MAX + 1])
def test_a_key_of_another_length_is_a_mistake(size: int) -> None:
    with pytest.raises(AssertionError, match=f"state key of {size} bytes"):
        state_of().put(b"k" * size, note("a"))


def test_transactions_do_not_nest_and_end_once() -> None:
    state = state_of()
    with pytest.raises(AssertionError, match="no transaction has begun"):
        state.keep()
    with pytest.raises(AssertionError, match="no transaction has begun"):
        state.drop()

    state.begin()
    with pytest.raises(AssertionError, match="do not nest"):
        state.begin()
    with pytest.raises(AssertionError, match="still open"):
        state.changes()


@pytest.mark.parametrize("writer", [b"w" * 32, None])
def test_a_record_without_encoding_names_its_key_and_writer(writer: bytes | None) -> None:
    state = state_of()
    state.begin()
    state.put(b"note/a", Note(text="a", number=2**64))
    state.keep(writer)

    with pytest.raises(UnencodableRecord, match="state key b'note/a': OverflowError") as caught:
        state.changes()

    assert caught.value.writer == writer


def test_a_memory_reader_takes_over_changes() -> None:
    reader = MemoryStateReader({b"a": b"1", b"b": b"2"})

    reader.apply({b"a": None, b"x": None, b"c": b"3"})

    assert list(reader.iterate(b"")) == [(b"b", b"2"), (b"c", b"3")]


# -- the cache over the committed state ---------------------------------------------------------


def cache_of(records_max: int = 8, **entries: str) -> tuple[RecordCache, CountingReader]:
    reader = CountingReader({key.encode(): note(text).encode() for key, text in entries.items()})
    return RecordCache(reader, records_max), reader


def test_a_cached_record_is_read_and_decoded_once_for_all_blocks() -> None:
    cache, reader = cache_of(a="x")

    first = State(cache).get(Note, b"a")

    assert first == note("x")
    assert State(cache).get(Note, b"a") is first
    assert cache.get(Note, b"a") is first
    assert reader.reads == 1


def test_that_a_key_is_absent_is_cached_too() -> None:
    cache, reader = cache_of()

    assert cache.get(Note, b"a") is None
    assert cache.get(Note, b"a") is None
    assert reader.reads == 1


def test_what_a_block_wrote_is_decoded_from_its_bytes_without_a_read() -> None:
    cache, reader = cache_of(a="old", b="old")
    cache.get(Note, b"a")
    written = note("new")

    cache.apply({b"a": written.encode(), b"b": None, b"c": written.encode()})

    assert cache.get(Note, b"a") == written
    assert cache.get(Note, b"a") is not written
    assert cache.get(Note, b"b") is None
    assert cache.get(Note, b"c") == written
    assert reader.reads == 1


def test_a_full_cache_forgets_what_nobody_asked_for() -> None:
    cache, reader = cache_of(records_max=2, a="x", b="x", c="x", d="x", e="x")
    for key in (b"a", b"b", b"c", b"a", b"d", b"e"):
        cache.get(Note, key)
    assert reader.reads == 5

    cache.get(Note, b"a")
    assert reader.reads == 5
    cache.get(Note, b"b")
    assert reader.reads == 6


def test_an_old_record_never_comes_back_after_a_write() -> None:
    cache, _ = cache_of(records_max=1, a="old", b="x")
    cache.get(Note, b"a")
    cache.get(Note, b"b")

    cache.apply({b"a": note("new").encode()})
    cache.get(Note, b"b")

    assert cache.get(Note, b"a") == note("new")


def test_a_record_of_another_class_is_a_mistake() -> None:
    cache, _ = cache_of(a="x")
    cache.get(Note, b"a")

    with pytest.raises(AssertionError, match="another class"):
        cache.get(Other, b"a")


def test_a_draft_is_one_for_all_transactions_and_becomes_a_record_once() -> None:
    state = state_of(note_a="old")
    drafts = []
    for _ in range(3):
        state.begin()
        drafts.append(count_up(state))
        state.keep()

    assert state.changes() == {b"note/a": Note(text="old", number=3).encode()}
    assert drafts == [drafts[0]] * 3
    assert drafts[0].record_count == 1


def test_whoever_reads_sees_what_a_draft_holds_then() -> None:
    state = state_of(note_b="old")
    count_up(state)
    assert state.get(Note, b"note/a") == Note(text="new", number=1)

    count_up(state)
    count_up(state, b"note/c")

    assert state.get(Note, b"note/a") == Note(text="new", number=2)
    assert [(key, found.number) for key, found in state.iterate(Note, b"note/")] == [
        (b"note/a", 2),
        (b"note/b", 0),
        (b"note/c", 1),
    ]
    assert [key for key, _ in state.iterate(Note, b"note/", start=b"note/b")] == [
        b"note/b",
        b"note/c",
    ]


def test_a_draft_begins_with_what_its_transaction_has_written() -> None:
    state = state_of(note_a="old")
    state.begin()
    state.put(b"note/a", Note(text="written", number=7))
    count_up(state)
    state.keep()

    assert state.get(Note, b"note/a") == Note(text="written", number=8)
    assert state.changes() == {b"note/a": Note(text="written", number=8).encode()}


def test_a_draft_that_changes_nothing_is_no_change() -> None:
    state = state_of(note_a="old")
    count_up(state, by=0)

    assert state.changes() == {}


def test_what_is_put_or_deleted_ends_the_draft() -> None:
    state = state_of()
    for key in (b"note/a", b"note/b"):
        count_up(state, key)
    state.put(b"note/a", Note(text="put", number=5))
    state.delete(b"note/b")
    assert state.get(Note, b"note/a") == Note(text="put", number=5)
    assert state.get(Note, b"note/b") is None

    for key in (b"note/a", b"note/b"):
        count_up(state, key)

    assert state.get(Note, b"note/a") == Note(text="put", number=6)
    assert state.get(Note, b"note/b") == Note(text="new", number=1)


def test_a_dropped_transaction_that_ended_a_draft_leaves_what_it_held() -> None:
    state = state_of()
    state.begin()
    count_up(state)
    state.keep(b"w" * 32)
    state.begin()
    state.put(b"note/a", note("put"))
    state.drop()
    state.begin()
    state.delete(b"note/a")
    state.drop()

    assert state.get(Note, b"note/a") == Note(text="new", number=1)
    assert state.changes() == {b"note/a": Note(text="new", number=1).encode()}


def test_changes_end_drafts_and_lose_nothing() -> None:
    state = state_of()
    first = count_up(state)
    assert state.changes() == {b"note/a": Note(text="new", number=1).encode()}

    second = count_up(state)

    assert second is not first
    assert state.changes() == {b"note/a": Note(text="new", number=2).encode()}


def test_a_transaction_with_a_draft_cannot_be_dropped() -> None:
    state = state_of()
    state.begin()
    count_up(state)

    with pytest.raises(AssertionError, match="cannot be forgotten"):
        state.drop()


def test_a_draft_that_no_record_can_hold_names_its_key_and_last_writer() -> None:
    state = state_of()
    for writer in (b"v" * 32, b"w" * 32):
        state.begin()
        count_up(state, by=2**64)
        state.keep(writer)

    with pytest.raises(UnencodableRecord, match="state key b'note/a': OverflowError") as caught:
        state.changes()

    assert caught.value.writer == b"w" * 32


def test_who_changes_a_kept_draft_is_its_last_writer() -> None:
    state = state_of()
    state.begin()
    draft = count_up(state)
    state.keep(b"v" * 32)
    state.begin()
    state.edit_again({b"note/a": None})
    draft.number += 2**64
    state.keep(b"w" * 32)

    with pytest.raises(UnencodableRecord) as caught:
        state.changes()

    assert caught.value.writer == b"w" * 32


def test_a_transaction_that_changed_a_kept_draft_cannot_be_dropped() -> None:
    state = state_of()
    count_up(state)
    state.begin()
    state.edit_again({b"note/a": None})

    with pytest.raises(AssertionError, match="cannot be forgotten"):
        state.drop()


def test_the_revision_stands_while_drafts_do() -> None:
    state = state_of(note_a="old")
    count_up(state)
    state.begin()
    state.get(Note, b"note/a")
    count_up(state)
    state.keep()
    assert state.revision == 0

    for write in (
        lambda: state.put(b"note/b", note("b")),
        lambda: state.delete(b"note/b"),
        state.changes,
    ):
        before = state.revision
        write()
        assert state.revision > before
