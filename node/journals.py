"""The journal of a node that signs nothing."""

from collections.abc import Sequence

from chain.evidence import Equivocation


class NoJournal:
    """An observer's journal: always empty, and nobody may write to it."""

    def load_journal(self) -> Sequence[bytes]:
        """Returns nothing."""
        return ()

    def load_guard(self) -> bytes | None:
        """Returns None: there is no key to guard."""
        return None

    def persist(self, records: Sequence[bytes], guard: bytes | None) -> None:
        """Refuses: an observer has no vote to remember."""
        assert not records, f"an observer persists no votes, got {len(records)} records"
        assert guard is None, "an observer has no sign guard"

    def recycle(self) -> None:
        """Does nothing."""

    def keep_evidence(self, evidence: Equivocation) -> None:
        """Does nothing: an observer hears no votes, so it is never the one who saw it."""

    def close(self) -> None:
        """Does nothing."""
