"""Journal and sign guard of one home directory, as the port that the runtime persists through.

The order inside one :meth:`DurableJournal.persist` is: records, then guard. A crash in between
leaves a record whose signature the guard does not know yet; nothing was sent on it, and the same
bytes may be signed again. The other order could leave a guard that knows a signature whose bytes
are nowhere, and the node would have to observe until others have gone on (consensus.md 6).
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from chain.evidence import Equivocation
from node.disk import fsync_directory
from node.evidence_files import keep_evidence
from node.journal_file import PREALLOCATED_BYTES_DEFAULT, JournalFile
from node.sign_guard_file import GuardCorrupt, GuardMissing, SignGuardFile

GUARD_NAME: Final = "sign-guard"
DAMAGED_SUFFIX: Final = ".damaged"


class DurableJournal:
    """The open journal and guard; the caller holds the home's lock."""

    def __init__(self, home: Path) -> None:
        """Opens both.

        Args:
            home: A directory in which :meth:`create` was called.

        Raises:
            JournalMissing: When a journal file is absent.
            JournalCorrupt: When the first page of a journal file is damaged.
            OSError: When a file cannot be opened.
        """
        self._home = home
        self._guard: SignGuardFile | None = None
        self.guard_fault: str | None = None
        """Why the guard counts as lost, for the operator; None while it is in order."""
        self._journal = JournalFile(home)

    @staticmethod
    def create(
        home: Path, *, guard: bytes, preallocated_bytes: int = PREALLOCATED_BYTES_DEFAULT
    ) -> None:
        """Creates both, once, together with the consensus key.

        Args:
            home: An existing directory.
            guard: The guard's first state: nothing signed.
            preallocated_bytes: Size of each journal file, as :meth:`JournalFile.create` takes it.

        Raises:
            FileExistsError: When one exists already.
            OSError: When writing or syncing fails.
        """
        SignGuardFile.create(home / GUARD_NAME, guard)
        JournalFile.create(home, preallocated_bytes=preallocated_bytes)

    def load_journal(self) -> Sequence[bytes]:
        """Returns the records since the last commit, or older ones, as JournalFile.load does.

        Raises:
            JournalCorrupt: When durable bytes are damaged.
            OSError: When reading or syncing fails.
        """
        return self._journal.load()

    def load_guard(self) -> bytes | None:
        """Returns the guard's newest state, or None where it is absent or wholly damaged.

        Raises:
            OSError: When reading or syncing fails.
        """
        self._close_guard()
        try:
            guard = SignGuardFile(self._home / GUARD_NAME)
        except GuardMissing as error:
            self.guard_fault = str(error)
            return None
        try:
            state = guard.load()
        except GuardCorrupt as error:
            guard.close()
            self.guard_fault = str(error)
            return None
        except BaseException:
            guard.close()
            raise
        self._guard = guard
        self.guard_fault = None
        return state

    def replace_lost_guard(self, guard: bytes) -> None:
        """Starts a new guard in place of a lost one, when the operator has accepted that.

        Args:
            guard: The first state; it must refuse every height that was accepted as lost.

        Raises:
            RuntimeError: When the guard is in order.
            OSError: When renaming, writing or syncing fails.
        """
        if self._guard is not None or self.guard_fault is None:
            raise RuntimeError("expected a lost guard, got one in order or not loaded")
        path = self._home / GUARD_NAME
        if path.exists():
            # Kept: what is left of it may tell an investigator what was signed.
            path.rename(path.with_name(GUARD_NAME + DAMAGED_SUFFIX))
            fsync_directory(self._home)
        SignGuardFile.create(path, guard)
        self.load_guard()

    def persist(self, records: Sequence[bytes], guard: bytes | None) -> None:
        """Appends records, then writes the guard; both are durable on return.

        Args:
            records: Opaque journal records, possibly none.
            guard: The guard's new state, or None where nothing new is signed.

        Raises:
            GuardMissing: When there is a state to write and the guard is lost; nothing is written.
            OSError: When writing or syncing fails; the caller ends the process.
        """
        if guard is not None and self._guard is None:
            raise GuardMissing(
                f"{self._home / GUARD_NAME}: expected a guard in order before anything is signed, "
                f"got: {self.guard_fault or 'one that was not loaded'}"
            )
        self._journal.append(records)
        if guard is not None and self._guard is not None:
            self._guard.write(guard)

    def recycle(self) -> None:
        """Forgets the records of the height that has just been committed."""
        self._journal.recycle()

    def keep_evidence(self, evidence: Equivocation) -> None:
        """Keeps evidence in a file of its own.

        Args:
            evidence: Verified by the replica.

        Raises:
            OSError: When writing or syncing fails; the caller ends the process.
        """
        keep_evidence(self._home, evidence)

    def close(self) -> None:
        """Closes all files; a second call does nothing."""
        self._close_guard()
        self._journal.close()

    def _close_guard(self) -> None:
        if self._guard is not None:
            self._guard.close()
            self._guard = None
