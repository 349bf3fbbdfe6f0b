"""Proofs of what the state holds, from the store alone.

The kernel owns the live tree and must not be asked from here; so a tree is opened from the stored
hashes, once per block at most (2 MB). The store may move on while a proof is made; then the proof
does not lead to the header's root, which is checked, and it is made again on the new head.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from chain.block import Header
from chain.certificate import CommitCertificate
from chain.errors import InvalidProof
from chain.state_tree import StateProof, StateTree, verify_state_proof
from node.ports import BlockStore
from node.rpc.problems import Problem, ProblemError

ATTEMPTS_MAX: Final = 5
"""A proof takes milliseconds and blocks come in tens of them at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvenState:
    """What a key holds at the head, and why to believe it."""

    value: bytes | None
    """None: the key is absent, and that is what is proved."""
    proof: StateProof
    header: Header
    certificate: CommitCertificate


class StateProver:
    """Makes proofs; safe to call from several threads."""

    def __init__(self, store: BlockStore) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._tree: tuple[int, StateTree] | None = None

    def prove(self, key: bytes) -> ProvenState:
        """Proves the value of a key, or its absence, at the newest block.

        Raises:
            ProblemError: as :meth:`prove_all` does.
        """
        return self.prove_all((key,))[0]

    def prove_all(self, keys: Sequence[bytes]) -> tuple[ProvenState, ...]:
        """Proves what keys hold at the newest block, the same one for all of them.

        Raises:
            ProblemError: NO_BLOCK_YET at genesis; OVERLOADED where blocks come faster than a
                proof can be made.
        """
        with self._lock:
            for _ in range(ATTEMPTS_MAX):
                proven = self._try(keys)
                if proven is not None:
                    return proven
                self._tree = None
        raise ProblemError(
            Problem(code="OVERLOADED", detail="blocks come faster than a proof can be made; again")
        )

    def _try(self, keys: Sequence[bytes]) -> tuple[ProvenState, ...] | None:
        head = self._store.head()
        if head is None:
            raise ProblemError(
                Problem(
                    code="NO_BLOCK_YET",
                    detail="state proof: expected a committed block to prove it against, got none; "
                    "the state of genesis follows from the genesis record",
                )
            )
        header, certificate = head
        if self._tree is None or self._tree[0] != header.height:
            self._tree = (header.height, self._store.open_tree())
        found: list[ProvenState] = []
        for key in keys:
            value = self._store.get(key)
            proof = self._tree[1].prove(key)
            try:
                verify_state_proof(header.state_root, key, value, proof)
            except InvalidProof:
                return None
            found.append(
                ProvenState(value=value, proof=proof, header=header, certificate=certificate)
            )
        return tuple(found)
