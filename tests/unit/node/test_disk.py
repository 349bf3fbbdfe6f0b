"""One process holds a home; what is created is private and durable."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from node.disk import (
    DirectoryLock,
    HomeLocked,
    create_private_directory,
    create_private_file,
    free_bytes,
    fsync_directory,
)
from node.errors import LocalError


def test_free_bytes_are_blocks_for_ordinary_users(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        os, "statvfs", lambda _path: os.statvfs_result((4096, 1024, 100, 9, 7, 0, 0, 0, 0, 255))
    )

    assert free_bytes(tmp_path) == 7168


def test_free_bytes_of_a_missing_path_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        free_bytes(tmp_path / "absent")


def test_a_lock_names_its_holder(tmp_path: Path) -> None:
    with DirectoryLock(tmp_path) as lock:
        assert lock.path == tmp_path / "LOCK"
        assert (tmp_path / "LOCK").read_text() == f"{os.getpid()}\n"
        assert (tmp_path / "LOCK").stat().st_mode & 0o777 == 0o600


def test_a_second_holder_is_refused_with_the_process_id_of_the_first(tmp_path: Path) -> None:
    with DirectoryLock(tmp_path), pytest.raises(HomeLocked) as caught:
        DirectoryLock(tmp_path)

    assert caught.value.holder_pid == os.getpid()
    assert str(caught.value).startswith(
        f"{tmp_path}/LOCK: expected a free lock, got one held by process {os.getpid()}; "
    )


def test_another_process_is_refused(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from node.disk import DirectoryLock\n"
        "try: DirectoryLock(Path(sys.argv[1]))\n"
        "except Exception as error: print(type(error).__name__, error.holder_pid)\n"
    )

    with DirectoryLock(tmp_path):
        result = subprocess.run(
            [sys.executable, "-c", program, str(tmp_path)],
            capture_output=True,
            text=True,
            check=True,
            timeout=30,
            cwd=Path(__file__).parents[3],
        )

    assert result.stdout == f"HomeLocked {os.getpid()}\n"


@pytest.mark.parametrize("content", ["", "no number", "12 34"])
def test_an_unreadable_holder_is_unknown(tmp_path: Path, content: str) -> None:
    with DirectoryLock(tmp_path):
        (tmp_path / "LOCK").write_text(content)
        with pytest.raises(HomeLocked, match="unknown process id") as caught:
            DirectoryLock(tmp_path)

    assert caught.value.holder_pid is None


def test_a_released_lock_is_free_again_and_release_is_repeatable(tmp_path: Path) -> None:
    first = DirectoryLock(tmp_path)
    first.release()
    first.release()

    with DirectoryLock(tmp_path):
        assert (tmp_path / "LOCK").exists()


def test_a_lock_replaces_a_longer_process_id(tmp_path: Path) -> None:
    (tmp_path / "LOCK").write_text("99999999999999999999\n")

    with DirectoryLock(tmp_path):
        assert (tmp_path / "LOCK").read_text() == f"{os.getpid()}\n"


def test_a_lock_in_a_missing_home_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        DirectoryLock(tmp_path / "absent")


def test_a_private_file_is_created_once_with_mode_0600(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    create_private_file(path, b"one")

    with pytest.raises(FileExistsError):
        create_private_file(path, b"two")

    assert path.read_bytes() == b"one"
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_private_file_does_not_follow_a_link(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "target")

    with pytest.raises(FileExistsError):
        create_private_file(tmp_path / "link", b"one")

    assert not (tmp_path / "target").exists()


def test_a_private_file_and_its_directory_are_synced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[bool] = []
    monkeypatch.setattr(
        os, "fsync", lambda descriptor: synced.append(os.fstat(descriptor).st_size == 3)
    )

    create_private_file(tmp_path / "secret", b"one")

    assert synced[0] is True
    assert len(synced) == 2


def test_a_private_directory_has_mode_0700_and_may_exist(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    create_private_directory(path)
    create_private_directory(path)

    assert path.stat().st_mode & 0o777 == 0o700


def test_a_directory_open_to_others_is_refused_with_the_command_that_helps(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    path.mkdir()
    path.chmod(0o750)

    with pytest.raises(LocalError) as caught:
        create_private_directory(path)

    assert str(caught.value) == (
        f"{path}: expected a directory of mode 0700, got 0750; run: chmod 700 {path}"
    )


def test_a_file_in_the_place_of_a_private_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("")

    with pytest.raises(LocalError, match="expected a directory, got another kind of file"):
        create_private_directory(tmp_path / "keys")


def test_syncing_a_missing_directory_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        fsync_directory(tmp_path / "absent")
