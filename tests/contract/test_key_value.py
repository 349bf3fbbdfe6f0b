"""One behaviour of an ordered database, on LevelDB and on its fake."""

from collections.abc import Iterator
from pathlib import Path

import plyvel
import pytest

from node.errors import StorageError
from node.leveldb import LevelDatabase
from node.memory_database import MemoryDatabase
from node.storage import KeyValue


@pytest.fixture(params=["leveldb", "memory"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[KeyValue]:
    if request.param == "memory":
        yield MemoryDatabase()
        return
    opened = LevelDatabase(tmp_path / "database", create=True)
    yield opened
    opened.close()


def test_what_was_written_is_read(database: KeyValue) -> None:
    database.write([(b"a", b"1"), (b"b", b"")])

    assert database.get(b"a") == b"1"
    assert database.get(b"b") == b""
    assert database.get(b"c") is None


def test_none_removes_and_removing_what_is_absent_is_nothing(database: KeyValue) -> None:
    database.write([(b"a", b"1")])

    database.write([(b"a", None), (b"z", None)])

    assert database.get(b"a") is None
    assert list(database.iterate(b"", b"")) == []


def test_the_last_write_of_a_batch_counts(database: KeyValue) -> None:
    database.write([(b"a", b"1"), (b"a", b"2"), (b"b", b"1"), (b"b", None)])

    assert list(database.iterate(b"", b"")) == [(b"a", b"2")]


def test_iteration_is_in_byte_order_within_the_prefix(database: KeyValue) -> None:
    keys = [b"p\xff\xff", b"p\x00", b"q", b"o", b"p", b"pa"]
    database.write([(key, b"") for key in keys])

    assert [key for key, _ in database.iterate(b"p", b"p")] == [
        b"p",
        b"p\x00",
        b"pa",
        b"p\xff\xff",
    ]


def test_iteration_begins_at_the_start_key(database: KeyValue) -> None:
    database.write([(b"p1", b""), (b"p3", b""), (b"p5", b"")])

    assert [key for key, _ in database.iterate(b"p", b"p2")] == [b"p3", b"p5"]
    assert [key for key, _ in database.iterate(b"p", b"p3")] == [b"p3", b"p5"]


def test_a_prefix_of_the_highest_bytes_has_no_end_but_the_last_key(database: KeyValue) -> None:
    database.write([(b"\xff\xff", b"1"), (b"\xff\xff\x01", b"2"), (b"\xfe", b"3")])

    assert [value for _, value in database.iterate(b"\xff\xff", b"\xff\xff")] == [b"1", b"2"]


def test_an_iteration_shows_the_entries_as_they_were_when_it_began(database: KeyValue) -> None:
    database.write([(b"a", b""), (b"b", b"")])
    entries = database.iterate(b"", b"")
    assert next(entries) == (b"a", b"")

    database.write([(b"b", None), (b"c", b"")])

    assert list(entries) == [(b"b", b"")]


def test_leveldb_keeps_its_entries_across_a_restart(tmp_path: Path) -> None:
    first = LevelDatabase(tmp_path / "database", create=True)
    first.write([(b"a", b"1")])
    first.close()

    second = LevelDatabase(tmp_path / "database", create=False)

    assert second.get(b"a") == b"1"
    second.close()


def test_an_absent_database_is_not_made_by_accident(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="expected a database, found none"):
        LevelDatabase(tmp_path / "database", create=False)


def test_a_database_in_use_is_refused_with_its_path(tmp_path: Path) -> None:
    first = LevelDatabase(tmp_path / "database", create=True)

    with pytest.raises(StorageError, match=str(tmp_path)):
        LevelDatabase(tmp_path / "database", create=True)

    first.close()


class FullDisk:
    """A database on a disk that has no room."""

    def write_batch(self, **_: bool) -> None:
        raise plyvel.IOError(b"IO error: 000006.log: No space left on device")


def test_a_full_disk_is_told_in_words_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = LevelDatabase(tmp_path / "database", create=True)
    database.write([(b"a", b"1")])
    whole, database._database = database._database, FullDisk()

    with pytest.raises(StorageError) as refused:
        database.write([(b"b", b"2")])

    assert str(refused.value) == (
        f"{tmp_path}/database: writing failed: IO error: 000006.log: No space left on device; the "
        "node stops, because what a failed write left behind is unknown; nothing that was "
        "acknowledged is lost: free some space and start the node again"
    )
    whole.close()

    def no_room(*_: object, **__: object) -> None:
        raise plyvel.IOError(b"IO error: 000008.ldb: No space left on device")

    monkeypatch.setattr("node.leveldb.plyvel.DB", no_room)
    with pytest.raises(StorageError, match="No space left on device; nothing that was"):
        LevelDatabase(tmp_path / "database", create=False)
    monkeypatch.undo()
    again = LevelDatabase(tmp_path / "database", create=False)
    assert again.get(b"a") == b"1"
    again.close()


def test_a_damaged_database_is_told_what_can_be_done(tmp_path: Path) -> None:
    LevelDatabase(tmp_path / "database", create=True).close()
    (tmp_path / "database" / "CURRENT").write_bytes(b"nonsense")

    with pytest.raises(StorageError, match="restore a backup or let the node sync anew") as damaged:
        LevelDatabase(tmp_path / "database", create=False)

    assert "b'" not in str(damaged.value)
