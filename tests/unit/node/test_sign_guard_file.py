"""The guard's file gives the newest state or none; never an older one by surprise."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from node.sign_guard_file import (
    FILE_BYTES,
    PAGE_BYTES,
    PAYLOAD_BYTES_MAX,
    GuardCorrupt,
    GuardMissing,
    SignGuardFile,
)

HEADER_BYTES = 8 + 2 + 8 + 4 + 32


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "sign-guard"
    SignGuardFile.create(path, b"first")
    return path


@pytest.fixture
def guard(path: Path) -> Iterator[SignGuardFile]:
    guard = SignGuardFile(path)
    guard.load()
    yield guard
    guard.close()


def load(path: Path) -> tuple[bytes, tuple[int, ...]]:
    guard = SignGuardFile(path)
    try:
        return guard.load(), guard.damaged_pages
    finally:
        guard.close()


def test_a_new_guard_holds_its_first_state_in_a_private_file(path: Path) -> None:
    assert load(path) == (b"first", ())
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.stat().st_size == 16_384 == FILE_BYTES


def test_the_last_write_comes_back(path: Path, guard: SignGuardFile) -> None:
    for number in range(1, 6):
        guard.write(b"state %d" % number)
        assert load(path) == (b"state %d" % number, ())


def test_writing_goes_on_after_a_restart(path: Path, guard: SignGuardFile) -> None:
    guard.write(b"second")
    guard.close()

    reopened = SignGuardFile(path)
    reopened.load()
    reopened.write(b"third")
    reopened.close()

    assert load(path) == (b"third", ())


def test_a_write_is_synced_once_and_before_it_returns(
    guard: SignGuardFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []
    pwrite = os.pwrite

    def note_write(descriptor: int, content: bytes, offset: int) -> int:
        calls.append("write")
        return pwrite(descriptor, content, offset)

    monkeypatch.setattr(os, "pwrite", note_write)
    monkeypatch.setattr(os, "fdatasync", lambda _descriptor: calls.append("sync"))
    guard.write(b"second")

    assert calls == ["write", "sync"]


@pytest.mark.parametrize("writes", [1, 2])
def test_a_write_torn_anywhere_leaves_the_old_state_or_the_new(
    path: Path, guard: SignGuardFile, writes: int
) -> None:
    for number in range(writes):
        guard.write(b"old %d" % number)
    old_state = b"old %d" % (writes - 1)
    old = path.read_bytes()
    guard.write(b"new")
    new = path.read_bytes()
    start = 0 if old[:PAGE_BYTES] != new[:PAGE_BYTES] else 2 * PAGE_BYTES
    page_end = start + HEADER_BYTES + 3

    for end in range(start, page_end):
        path.write_bytes(new[:end] + old[end:])
        assert load(path)[0] == old_state, end
    for end in range(page_end, start + 2 * PAGE_BYTES + 1, 7):
        path.write_bytes(new[:end] + old[end:])
        assert load(path)[0] == b"new", end


def test_no_flipped_byte_brings_an_older_state_back(path: Path, guard: SignGuardFile) -> None:
    guard.write(b"second")
    guard.write(b"third")
    content = path.read_bytes()

    for page in range(4):
        for offset in range(HEADER_BYTES + 7):
            damaged = bytearray(content)
            damaged[page * PAGE_BYTES + offset] ^= 0xFF
            path.write_bytes(damaged)
            state, damaged_pages = load(path)
            assert state == b"third", (page, offset)
            assert damaged_pages in ((page,), ()), (page, offset)


def test_a_damaged_page_is_told_and_healed_by_later_writes(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[2 * PAGE_BYTES] ^= 1
    path.write_bytes(content)
    guard = SignGuardFile(path)

    assert guard.load() == b"first"
    assert guard.damaged_pages == (2,)
    guard.write(b"second")
    guard.write(b"third")
    guard.close()

    assert load(path) == (b"third", ())


def test_a_page_in_the_wrong_place_is_damage(path: Path, guard: SignGuardFile) -> None:
    guard.write(b"second")
    content = path.read_bytes()
    newest = content[:PAGE_BYTES]
    path.write_bytes(content[: 2 * PAGE_BYTES] + newest + newest)

    assert load(path) == (b"second", (2, 3))


def test_two_different_states_of_one_number_are_refused(
    path: Path, tmp_path: Path, guard: SignGuardFile
) -> None:
    copy = tmp_path / "clone"
    copy.write_bytes(path.read_bytes())
    clone = SignGuardFile(copy)
    clone.load()
    clone.write(b"theirs")
    clone.close()
    guard.write(b"ours")
    ours, theirs = path.read_bytes(), copy.read_bytes()
    path.write_bytes(ours[:PAGE_BYTES] + theirs[PAGE_BYTES:])

    with pytest.raises(GuardCorrupt, match="expected one state 2, got two different ones"):
        load(path)


@pytest.mark.parametrize("content", [b"", b"\0" * FILE_BYTES, b"garbage" * 1000])
def test_a_file_without_an_intact_page_is_corrupt(path: Path, content: bytes) -> None:
    path.write_bytes(content)

    with pytest.raises(GuardCorrupt, match="expected an intact page, got 4 damaged ones"):
        load(path)


def test_a_longer_file_is_corrupt(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\0")

    with pytest.raises(GuardCorrupt, match="expected 16384 bytes, got more"):
        load(path)


def test_a_file_cut_short_still_gives_its_newest_state_where_a_copy_is_whole(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: 3 * PAGE_BYTES])

    assert load(path) == (b"first", (3,))


def test_a_missing_guard_is_lost_and_not_made_anew(tmp_path: Path) -> None:
    with pytest.raises(GuardMissing, match="sign-guard"):
        SignGuardFile(tmp_path / "sign-guard")

    assert list(tmp_path.iterdir()) == []


def test_a_guard_is_created_once(path: Path, guard: SignGuardFile) -> None:
    guard.write(b"second")

    with pytest.raises(FileExistsError):
        SignGuardFile.create(path, b"first")

    assert load(path) == (b"second", ())


def test_the_longest_state_is_taken_and_one_byte_more_is_not(
    path: Path, guard: SignGuardFile
) -> None:
    assert PAYLOAD_BYTES_MAX == 4042
    longest = b"x" * PAYLOAD_BYTES_MAX

    guard.write(longest)
    with pytest.raises(ValueError, match="expected at most 4042 bytes, got 4043"):
        guard.write(longest + b"x")

    assert load(path) == (longest, ())
    guard.write(b"still usable")


def test_an_empty_state_is_a_state(path: Path, guard: SignGuardFile) -> None:
    guard.write(b"")

    assert load(path) == (b"", ())


def test_a_guard_is_loaded_before_it_is_written(path: Path) -> None:
    guard = SignGuardFile(path)

    with pytest.raises(RuntimeError, match=r"expected load\(\)"):
        guard.write(b"second")
    guard.close()
    guard.close()


@pytest.mark.parametrize("call", ["pwrite", "fdatasync"])
def test_an_error_of_the_disk_propagates_and_ends_all_writing(
    guard: SignGuardFile, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    def fail(*_arguments: object) -> int:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(os, call, fail)
        with pytest.raises(OSError, match="Input/output error"):
            guard.write(b"second")

    with pytest.raises(RuntimeError, match="no failed write"):
        guard.write(b"third")


def test_loading_syncs_what_a_crashed_process_left_in_the_page_cache(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    monkeypatch.setattr(os, "fdatasync", synced.append)

    load(path)

    assert len(synced) == 1
