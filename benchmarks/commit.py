"""Which commit is measured, read as git itself stores it."""

from pathlib import Path


def commit_of(folder: Path) -> str:
    """Returns the commit that is checked out at a folder or above it, or "unknown"."""
    for parent in (folder, *folder.parents):
        entry = parent / ".git"
        if entry.is_file():
            # A further work tree of a repository keeps its head apart from the branches.
            git = parent / entry.read_text(encoding="utf-8").strip().removeprefix("gitdir: ")
            return _head_of(git, common=git.parent.parent)
        if entry.is_dir():
            return _head_of(entry, common=entry)
    return "unknown"


def _head_of(git: Path, *, common: Path) -> str:
    head = git / "HEAD"
    if not head.is_file():
        return "unknown"
    content = head.read_text(encoding="ascii").strip()
    if not content.startswith("ref: "):
        return content
    name = content.removeprefix("ref: ")
    if (common / name).is_file():
        return (common / name).read_text(encoding="ascii").strip()
    packed = common / "packed-refs"
    lines = packed.read_text(encoding="ascii").splitlines() if packed.is_file() else []
    return next((line.split()[0] for line in lines if line.endswith(f" {name}")), "unknown")
