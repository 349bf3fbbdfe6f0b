"""Journal and guard together: records first, and never a signature without a guard."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from node.durable_journal import DurableJournal
from node.journal_file import JournalMissing
from node.sign_guard_file import GuardMissing

if TYPE_CHECKING:
    from node.ports import JournalStore


@pytest.fixture
def home(tmp_path: Path) -> Path:
    DurableJournal.create(tmp_path, guard=b"nothing signed", preallocated_bytes=16_384)
    return tmp_path


@pytest.fixture
def journal(home: Path) -> Iterator[DurableJournal]:
    opened = DurableJournal(home)
    opened.load_journal()
    opened.load_guard()
    yield opened
    opened.close()


def reload(home: Path) -> tuple[list[bytes], bytes | None]:
    opened = DurableJournal(home)
    try:
        return list(opened.load_journal()), opened.load_guard()
    finally:
        opened.close()


def test_it_is_the_port_that_the_runtime_asks_for(journal: DurableJournal) -> None:
    port: JournalStore = journal

    assert port.load_guard() == b"nothing signed"


def test_a_new_home_holds_no_records_and_the_first_guard(home: Path) -> None:
    assert reload(home) == ([], b"nothing signed")


def test_records_and_guard_come_back(home: Path, journal: DurableJournal) -> None:
    journal.persist([b"proposal", b"prepare"], b"prepared 1")
    journal.persist([b"note"], None)
    journal.persist([], b"committed 1")

    assert reload(home) == ([b"proposal", b"prepare", b"note"], b"committed 1")


def test_recycling_leaves_the_guard(home: Path, journal: DurableJournal) -> None:
    journal.persist([b"height 1"], b"signed 1")
    journal.recycle()
    journal.persist([b"height 2"], None)

    assert reload(home) == ([b"height 2"], b"signed 1")


def test_a_crash_between_the_two_leaves_the_record_and_the_older_guard(
    home: Path, journal: DurableJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    fdatasync = os.fdatasync
    calls: list[int] = []

    def fail_at_the_second(descriptor: int) -> None:
        calls.append(descriptor)
        if len(calls) == 2:
            raise OSError(5, "Input/output error")
        fdatasync(descriptor)

    before = (home / "sign-guard").read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr(os, "fdatasync", fail_at_the_second)
        with pytest.raises(OSError, match="Input/output error"):
            journal.persist([b"prepare"], b"prepared 1")
    (home / "sign-guard").write_bytes(before)

    assert reload(home) == ([b"prepare"], b"nothing signed")


def test_a_lost_guard_is_none_and_says_why(home: Path) -> None:
    (home / "sign-guard").unlink()
    opened = DurableJournal(home)
    opened.load_journal()

    assert opened.load_guard() is None
    assert opened.guard_fault is not None
    assert "got no file" in opened.guard_fault
    opened.close()


def test_a_damaged_guard_is_none_and_says_why(home: Path) -> None:
    (home / "sign-guard").write_bytes(b"\0" * 16_384)
    opened = DurableJournal(home)
    opened.load_journal()

    assert opened.load_guard() is None
    assert opened.guard_fault is not None
    assert "4 damaged ones" in opened.guard_fault
    opened.close()


def test_nothing_is_signed_without_a_guard_but_records_may_be_kept(home: Path) -> None:
    (home / "sign-guard").unlink()
    opened = DurableJournal(home)
    opened.load_journal()
    opened.load_guard()

    with pytest.raises(GuardMissing, match="expected a guard in order before anything is signed"):
        opened.persist([b"prepare"], b"prepared 1")
    opened.persist([b"note"], None)
    opened.close()

    assert reload(home) == ([b"note"], None)
    assert not (home / "sign-guard").exists()


def test_a_guard_that_was_not_loaded_is_not_written(home: Path) -> None:
    opened = DurableJournal(home)
    opened.load_journal()

    with pytest.raises(GuardMissing, match="one that was not loaded"):
        opened.persist([b"prepare"], b"prepared 1")
    opened.close()


@pytest.mark.parametrize("content", [None, b"damaged"])
def test_an_accepted_new_guard_replaces_a_lost_one_and_keeps_what_is_left(
    home: Path, content: bytes | None
) -> None:
    (home / "sign-guard").unlink()
    if content is not None:
        (home / "sign-guard").write_bytes(content)
    opened = DurableJournal(home)
    opened.load_journal()
    opened.load_guard()

    opened.replace_lost_guard(b"nothing above 100")
    opened.persist([], b"signed 101")
    opened.close()

    assert reload(home) == ([], b"signed 101")
    assert (home / "sign-guard.damaged").exists() is (content is not None)


def test_a_guard_in_order_is_never_replaced(home: Path, journal: DurableJournal) -> None:
    with pytest.raises(RuntimeError, match="expected a lost guard"):
        journal.replace_lost_guard(b"anything")

    assert reload(home) == ([], b"nothing signed")


def test_a_home_without_a_journal_is_refused(tmp_path: Path) -> None:
    with pytest.raises(JournalMissing):
        DurableJournal(tmp_path)


def test_both_are_created_once(home: Path) -> None:
    with pytest.raises(FileExistsError):
        DurableJournal.create(home, guard=b"again", preallocated_bytes=16_384)

    assert reload(home) == ([], b"nothing signed")
