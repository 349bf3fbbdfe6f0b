"""Torn, flipped, moved and missing bytes of the journal: cut off, or named where they matter."""

from pathlib import Path

import pytest

from node.journal_file import PAGE_BYTES, JournalCorrupt, JournalFile, JournalMissing
from tests.journal_samples import FILE_BYTES, HEADER_BYTES, flip, load


def test_a_journal_cut_anywhere_in_its_last_append_loses_that_append_only(
    directory: Path, journal: JournalFile
) -> None:
    journal.append([b"one", b"two"])
    last = [b"three", b"four" * 40]
    journal.append(last)
    journal.close()
    path = directory / "journal-1"
    content = path.read_bytes()
    start = 2 * PAGE_BYTES
    frame_bytes = HEADER_BYTES + 4 + 5 + 4 + 160

    for length in range(frame_bytes):
        path.write_bytes(content[: start + length])
        assert load(directory) == [b"one", b"two"], length
        path.write_bytes(content[: start + length].ljust(FILE_BYTES, b"\0"))
        assert load(directory) == [b"one", b"two"], length

    path.write_bytes(content[: start + frame_bytes])
    assert load(directory) == [b"one", b"two", *last]


def test_a_torn_append_is_overwritten_by_the_next_one(
    directory: Path, journal: JournalFile
) -> None:
    journal.append([b"one"])
    journal.append([b"x" * (3 * PAGE_BYTES)])
    journal.close()
    flip(directory / "journal-1", 3 * PAGE_BYTES + 17)

    reopened = JournalFile(directory)
    assert reopened.load() == [b"one"]
    reopened.append([b"two"])
    reopened.append([b"three"])
    reopened.close()

    assert load(directory) == [b"one", b"two", b"three"]


def test_the_first_append_of_a_generation_torn_anywhere_leaves_the_one_before(
    directory: Path, journal: JournalFile
) -> None:
    path = directory / "journal-1"
    for record in (b"a", b"b", b"c"):
        journal.append([record])
    journal.recycle()
    journal.append([b"d"])
    journal.append([b"e"])
    journal.recycle()
    old = path.read_bytes()
    journal.append([b"f" * 50])
    journal.close()
    new = path.read_bytes()

    for length in range(HEADER_BYTES + 4 + 50):
        end = PAGE_BYTES + length
        path.write_bytes(new[:end] + old[end:])
        assert load(directory) == [b"d", b"e"], length

    path.write_bytes(new)
    assert load(directory) == [b"f" * 50]


def test_work_goes_on_after_a_torn_first_append_of_a_generation(
    directory: Path, journal: JournalFile
) -> None:
    for record in (b"a", b"b", b"c"):
        journal.append([record])
    journal.recycle()
    journal.append([b"d"])
    journal.recycle()
    journal.append([b"e"])
    journal.close()
    flip(directory / "journal-1", PAGE_BYTES + HEADER_BYTES)

    reopened = JournalFile(directory)
    assert reopened.load() == [b"d"]
    reopened.append([b"again"])
    reopened.recycle()
    reopened.append([b"f"])
    reopened.close()

    assert load(directory) == [b"f"]


def test_every_flipped_byte_is_harmless_cut_or_named(directory: Path, journal: JournalFile) -> None:
    journal.append([b"first"])
    journal.append([b"second"])
    journal.close()
    path = directory / "journal-1"
    content = path.read_bytes()
    body_bytes = HEADER_BYTES + 4
    first = range(PAGE_BYTES, PAGE_BYTES + body_bytes + 5)
    second = range(2 * PAGE_BYTES, 2 * PAGE_BYTES + body_bytes + 6)
    file_header = range(8 + 1 + 8 + 32 + 32)

    # Every byte that carries meaning, and a sample of the padding.
    offsets = {*file_header, *first, *second, *range(0, 3 * PAGE_BYTES + 1, 61)}
    for offset in sorted(offsets):
        damaged = bytearray(content)
        damaged[offset] ^= 0xFF
        path.write_bytes(damaged)
        if offset in first or offset in file_header:
            with pytest.raises(JournalCorrupt) as caught:
                load(directory)
            assert caught.value.offset == (PAGE_BYTES if offset in first else 0)
        elif offset in second:
            assert load(directory) == [b"first"], offset
        else:
            assert load(directory) == [b"first", b"second"], offset


def test_a_damaged_first_frame_of_the_newest_generation_is_not_taken_for_a_torn_one(
    directory: Path, journal: JournalFile
) -> None:
    journal.append([b"old"])
    journal.recycle()
    journal.append([b"new"])
    journal.append([b"newer"])
    journal.close()
    flip(directory / "journal-0", PAGE_BYTES + HEADER_BYTES + 4)

    with pytest.raises(JournalCorrupt, match="offset 4096: expected an intact frame") as caught:
        load(directory)
    assert caught.value.path == directory / "journal-0"


def test_damage_in_an_older_generation_does_not_matter(
    directory: Path, journal: JournalFile
) -> None:
    journal.append([b"old"])
    journal.append([b"older"])
    journal.recycle()
    journal.append([b"new"])
    journal.close()
    flip(directory / "journal-1", PAGE_BYTES + HEADER_BYTES)

    assert load(directory) == [b"new"]


def test_damage_is_named_even_when_the_frame_behind_it_is_torn(
    directory: Path, journal: JournalFile
) -> None:
    for record in (b"a", b"b", b"c"):
        journal.append([record])
    journal.close()
    flip(directory / "journal-1", 2 * PAGE_BYTES + 3)
    flip(directory / "journal-1", 3 * PAGE_BYTES + HEADER_BYTES)

    with pytest.raises(JournalCorrupt) as caught:
        load(directory)
    assert caught.value.offset == 2 * PAGE_BYTES


def test_bytes_inside_a_record_are_never_taken_for_a_frame(
    tmp_path: Path, directory: Path, journal: JournalFile
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    JournalFile.create(other, preallocated_bytes=FILE_BYTES)
    forger = JournalFile(other)
    forger.load()
    for record in (b"a", b"b", b"c"):
        forger.append([record])
    forger.close()
    forged = (other / "journal-1").read_bytes()[PAGE_BYTES:]
    journal.append([b"one"])
    journal.append([b"x" * (PAGE_BYTES - HEADER_BYTES - 4) + forged])
    journal.close()
    flip(directory / "journal-1", 2 * PAGE_BYTES)

    assert load(directory) == [b"one"]


def test_a_frame_moved_to_another_place_is_not_read(directory: Path, journal: JournalFile) -> None:
    journal.append([b"one"])
    journal.append([b"two"])
    journal.close()
    path = directory / "journal-1"
    content = path.read_bytes()
    first = content[PAGE_BYTES : 2 * PAGE_BYTES]
    path.write_bytes(content[: 2 * PAGE_BYTES] + first + content[3 * PAGE_BYTES :])

    assert load(directory) == [b"one"]


def test_swapped_files_are_refused(directory: Path) -> None:
    zero, one = directory / "journal-0", directory / "journal-1"
    zero.rename(directory / "kept")
    one.rename(zero)
    (directory / "kept").rename(one)

    with pytest.raises(JournalCorrupt, match="expected the header of journal file 0"):
        JournalFile(directory)


@pytest.mark.parametrize("name", ["journal-0", "journal-1"])
def test_a_missing_file_is_named(directory: Path, name: str) -> None:
    (directory / name).unlink()

    with pytest.raises(JournalMissing, match=name):
        JournalFile(directory)


@pytest.mark.parametrize("length", [0, 1, 80])
def test_a_file_shorter_than_its_header_is_refused(directory: Path, length: int) -> None:
    path = directory / "journal-0"
    path.write_bytes(path.read_bytes()[:length])

    with pytest.raises(JournalCorrupt):
        JournalFile(directory)
