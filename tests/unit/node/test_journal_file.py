"""The journal loses nothing that was synced, and knows its limits."""

import os
from pathlib import Path

import pytest

from node import journal_file
from node.journal_file import FRAME_BYTES_MAX, PAGE_BYTES, JournalFile, JournalFull
from tests.journal_samples import FILE_BYTES, load


def test_a_new_journal_is_empty(directory: Path) -> None:
    assert load(directory) == []


def test_files_are_private_and_preallocated(directory: Path) -> None:
    for name in ("journal-0", "journal-1"):
        status = (directory / name).stat()
        assert status.st_mode & 0o777 == 0o600
        assert status.st_size == FILE_BYTES


def test_records_come_back_in_order(directory: Path, journal: JournalFile) -> None:
    journal.append([b"one", b"two"])
    journal.append([b"three"])

    assert load(directory) == [b"one", b"two", b"three"]


def test_an_append_is_synced_once_and_before_it_returns(
    journal: JournalFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []
    pwrite, fdatasync = os.pwrite, os.fdatasync

    def note_write(descriptor: int, content: bytes, offset: int) -> int:
        calls.append("write")
        return pwrite(descriptor, content, offset)

    def note_sync(descriptor: int) -> None:
        calls.append("sync")
        fdatasync(descriptor)

    monkeypatch.setattr(os, "pwrite", note_write)
    monkeypatch.setattr(os, "fdatasync", note_sync)
    journal.append([b"one", b"two", b"three"])

    assert calls == ["write", "sync"]


def test_no_records_are_no_write(journal: JournalFile, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: object) -> int:
        raise OSError(5, "no write expected")

    monkeypatch.setattr(os, "pwrite", refuse)

    journal.append([])


def test_appending_goes_on_after_a_restart(directory: Path, journal: JournalFile) -> None:
    journal.append([b"one"])
    journal.close()

    reopened = JournalFile(directory)
    reopened.load()
    reopened.append([b"two"])
    reopened.close()

    assert load(directory) == [b"one", b"two"]


def test_a_journal_grows_beyond_its_preallocation(directory: Path, journal: JournalFile) -> None:
    large = b"x" * (2 * FILE_BYTES)

    journal.append([b"one"])
    journal.append([large])
    journal.append([b"three"])

    assert load(directory) == [b"one", large, b"three"]


def test_a_grown_file_is_cut_back_when_it_is_recycled(
    directory: Path, journal: JournalFile
) -> None:
    journal.append([b"x" * (2 * FILE_BYTES)])
    assert (directory / "journal-1").stat().st_size > FILE_BYTES

    journal.recycle()
    journal.append([b"next height"])
    journal.recycle()

    assert (directory / "journal-1").stat().st_size == FILE_BYTES
    assert load(directory) == [b"next height"]


def test_recycling_writes_nothing_and_keeps_the_old_records_for_a_crash(
    directory: Path, journal: JournalFile
) -> None:
    journal.append([b"old"])
    before = [(directory / name).read_bytes() for name in ("journal-0", "journal-1")]

    journal.recycle()

    assert [(directory / name).read_bytes() for name in ("journal-0", "journal-1")] == before
    assert load(directory) == [b"old"]


def test_only_the_newest_generation_comes_back(directory: Path, journal: JournalFile) -> None:
    for height in range(1, 8):
        journal.append([b"first of %d" % height])
        journal.append([b"second of %d" % height])
        if height < 7:
            journal.recycle()

    assert load(directory) == [b"first of 7", b"second of 7"]


def test_a_short_generation_hides_the_longer_one_under_it(
    directory: Path, journal: JournalFile
) -> None:
    for record in (b"a", b"b", b"c", b"d"):
        journal.append([record])
    journal.recycle()
    journal.append([b"e"])
    journal.recycle()
    journal.append([b"f"])

    assert load(directory) == [b"f"]


def test_recycling_an_empty_generation_changes_nothing(
    directory: Path, journal: JournalFile
) -> None:
    journal.append([b"a"])
    journal.append([b"b"])
    journal.recycle()
    journal.recycle()
    journal.recycle()
    journal.append([b"torn " * 2000])
    path = directory / "journal-0"
    path.write_bytes(path.read_bytes()[: PAGE_BYTES + 100].ljust(FILE_BYTES, b"\0"))

    assert load(directory) == [b"a", b"b"]


def test_recycling_after_a_restart_starts_a_newer_generation(
    directory: Path, journal: JournalFile
) -> None:
    journal.append([b"old"])
    journal.close()

    reopened = JournalFile(directory)
    assert reopened.load() == [b"old"]
    reopened.recycle()
    reopened.append([b"new"])
    reopened.close()

    assert load(directory) == [b"new"]


def test_a_journal_is_created_once(directory: Path, journal: JournalFile) -> None:
    journal.append([b"kept"])

    with pytest.raises(FileExistsError):
        JournalFile.create(directory, preallocated_bytes=FILE_BYTES)

    assert load(directory) == [b"kept"]


@pytest.mark.parametrize("size", [0, PAGE_BYTES, 2 * PAGE_BYTES + 1, 2**30 + PAGE_BYTES])
def test_an_unfit_size_is_refused(tmp_path: Path, size: int) -> None:
    with pytest.raises(ValueError, match="preallocated_bytes: expected a multiple of 4096"):
        JournalFile.create(tmp_path, preallocated_bytes=size)


def test_the_smallest_size_is_accepted(tmp_path: Path) -> None:
    JournalFile.create(tmp_path, preallocated_bytes=2 * PAGE_BYTES)

    assert load(tmp_path) == []


def test_an_empty_record_is_refused_and_nothing_is_written(
    directory: Path, journal: JournalFile
) -> None:
    with pytest.raises(ValueError, match="expected at least 1 byte, got 0"):
        journal.append([b"one", b""])

    journal.append([b"two"])
    assert load(directory) == [b"two"]


def test_an_append_of_the_largest_size_is_taken_and_one_byte_more_is_not(
    directory: Path, journal: JournalFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert FRAME_BYTES_MAX == 67_108_864
    monkeypatch.setattr(journal_file, "FRAME_BYTES_MAX", 100)
    largest = b"x" * 96

    journal.append([largest])
    with pytest.raises(ValueError, match="expected at most 100 bytes, got 101"):
        journal.append([largest + b"x"])

    assert load(directory) == [largest]


def test_a_full_file_is_refused_before_anything_is_written(
    directory: Path, journal: JournalFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_file, "FILE_BYTES_MAX", 3 * PAGE_BYTES)

    journal.append([b"one"])
    journal.append([b"two"])
    with pytest.raises(JournalFull, match="expected at most 12288 bytes for one height, got 16384"):
        journal.append([b"three"])

    assert load(directory) == [b"one", b"two"]


def test_a_journal_is_loaded_before_it_is_written(directory: Path) -> None:
    journal = JournalFile(directory)

    with pytest.raises(RuntimeError, match=r"expected load\(\)"):
        journal.append([b"one"])
    with pytest.raises(RuntimeError, match=r"expected load\(\)"):
        journal.recycle()
    journal.close()


@pytest.mark.parametrize("call", ["pwrite", "fdatasync"])
def test_an_error_of_the_disk_propagates_and_ends_all_appending(
    journal: JournalFile, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    def fail(*_arguments: object) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, call, fail)
        with pytest.raises(OSError, match="No space left"):
            journal.append([b"one"])

    with pytest.raises(RuntimeError, match="no failed append before"):
        journal.append([b"two"])


def test_a_write_of_no_bytes_is_an_error(
    journal: JournalFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "pwrite", lambda *_arguments: 0)

    with pytest.raises(OSError, match="a write of length 0"):
        journal.append([b"one"])


def test_a_short_write_is_continued(
    directory: Path, journal: JournalFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    pwrite = os.pwrite

    def write_a_little(descriptor: int, content: memoryview, offset: int) -> int:
        return pwrite(descriptor, content[:1000], offset)

    monkeypatch.setattr(os, "pwrite", write_a_little)
    journal.append([b"one" * 1000])

    assert load(directory) == [b"one" * 1000]


def test_loading_syncs_what_a_crashed_process_left_in_the_page_cache(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    monkeypatch.setattr(os, "fdatasync", synced.append)

    load(directory)

    assert len(synced) == 2


def test_a_closed_journal_takes_nothing(journal: JournalFile) -> None:
    journal.close()
    journal.close()

    with pytest.raises(RuntimeError):
        journal.append([b"one"])
