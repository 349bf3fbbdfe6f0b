"""The commit is found however git stores it."""

from pathlib import Path

from benchmarks.commit import commit_of

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def test_a_branch_a_packed_branch_and_no_branch(tmp_path: Path) -> None:
    head = tmp_path / ".git" / "HEAD"
    write(head, COMMIT + "\n")
    assert commit_of(tmp_path / "benchmarks") == COMMIT

    write(head, "ref: refs/heads/main\n")
    assert commit_of(tmp_path) == "unknown"

    write(tmp_path / ".git" / "packed-refs", f"# pack\n{COMMIT} refs/heads/main\n")
    assert commit_of(tmp_path) == COMMIT

    write(tmp_path / ".git" / "refs/heads/main", COMMIT[::-1] + "\n")
    assert commit_of(tmp_path) == COMMIT[::-1]


def test_a_further_work_tree(tmp_path: Path) -> None:
    git = tmp_path / "main" / ".git"
    write(git / "worktrees" / "other" / "HEAD", "ref: refs/heads/other\n")
    write(git / "refs/heads/other", COMMIT + "\n")
    write(tmp_path / "other" / ".git", f"gitdir: {git / 'worktrees' / 'other'}\n")

    assert commit_of(tmp_path / "other") == COMMIT


def test_no_repository(tmp_path: Path) -> None:
    write(tmp_path / ".git", "gitdir: nowhere\n")

    assert commit_of(tmp_path) == "unknown"
