"""Clients: they send signed bytes, the same ones elsewhere when nothing comes, and remember.

What was acknowledged to them must never be lost (architecture.md, Decisions).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

from chain.crypto import Signer
from chain.transaction import Payload, Transaction, sign
from chain.types import Hash, Height, PublicKey
from node.kernel.effects import AnswerSubmission
from node.simulator.ledger import BREAK
from node.simulator.plan import SECOND_US, WorkloadPlan
from node.simulator.randomness import chance
from node.simulator.scheduler import Scheduler
from node.simulator.shell import SimulatedNode

LONG_MS: Final = 3 * 3_600_000
"""Validity of an ordinary transaction: longer than any simulation."""


@dataclass(slots=True)
class Request:
    """One transaction and what its client knows of it."""

    transaction: Transaction
    is_short_lived: bool
    asked: SimulatedNode | None = None
    acknowledged_height: Height | None = None

    @property
    def must_commit(self) -> bool:
        """Returns whether the chain owes a receipt in the end."""
        return not self.is_short_lived and self.transaction.payload.method != BREAK


class Workload:
    """All clients of one simulation."""

    def __init__(  # noqa: PLR0913  # what clients need of a simulation
        self,
        *,
        plan: WorkloadPlan,
        draw_call: Callable[[Random, int], tuple[str, bytes]],
        chain_id: Hash,
        start_ms: int,
        signers: Sequence[Signer],
        nodes: Sequence[SimulatedNode],
        scheduler: Scheduler,
        random: Random,
    ) -> None:
        self.requests: list[Request] = []
        self.by_id: dict[Hash, Request] = {}
        self.refusal_codes: dict[str, int] = {}
        """How often nodes answered with which code."""
        self._plan = plan
        self._draw_call = draw_call
        self._chain_id = chain_id
        self._start_ms = start_ms
        self._signers = signers
        self._nodes = nodes
        self._scheduler = scheduler
        self._random = random

    @property
    def client_keys(self) -> tuple[PublicKey, ...]:
        """Returns the keys of all clients."""
        return tuple(signer.public_key for signer in self._signers)

    def begin(self, end_us: int) -> None:
        """Spreads the planned transactions over the time until the calm."""
        for _ in range(self._plan.transaction_count):
            self._scheduler.at(self._random.randrange(end_us), self.send_new)

    def send_new(self) -> None:
        """Makes a transaction and sends it somewhere."""
        is_short_lived = chance(self._random, self._plan.short_lived_permille)
        request = Request(self._make(is_short_lived=is_short_lived), is_short_lived)
        self.requests.append(request)
        self.by_id[request.transaction.id] = request
        self._send(request)
        if chance(self._random, 100):
            # An impatient client: the same bytes to two nodes at once.
            self._submit(request, self._pick_node())

    def unfinished(self) -> list[Request]:
        """Returns what the chain still owes."""
        return [
            request
            for request in self.requests
            if request.must_commit and request.acknowledged_height is None
        ]

    def _make(self, *, is_short_lived: bool) -> Transaction:
        signer = self._random.choice(self._signers)
        method, arguments = self._draw_call(self._random, self._plan.bug_permille)
        life_ms = self._random.randrange(500, 5_000) if is_short_lived else LONG_MS
        return sign(
            signer,
            Payload(
                chain_id=self._chain_id,
                sender=signer.public_key,
                nonce=self._random.randbytes(16),
                valid_until_ms=self._start_ms + self._scheduler.now_us // 1_000 + life_ms,
                method=method,
                arguments=arguments,
            ),
        )

    def _send(self, request: Request) -> None:
        request.asked = self._pick_node()
        self._submit(request, request.asked)
        delay = self._random.randrange(self._plan.retry_us // 2, self._plan.retry_us)
        self._scheduler.after(delay, lambda: self._look(request))

    def _look(self, request: Request) -> None:
        """Asks the node that was given it; sends it elsewhere where it is not committed."""
        node = request.asked
        assert node is not None
        if node.is_running and not node.is_byzantine:
            location = node.disk.store.locate(request.transaction.id)
            if location is not None:
                request.acknowledged_height = location.height
                return
        if request.must_commit or self._scheduler.now_us < 60 * SECOND_US:
            self._send(request)

    def _submit(self, request: Request, node: SimulatedNode) -> None:
        if node.is_running:
            node.submit((request.transaction.wire,), self._note_answer)

    def _note_answer(self, answer: AnswerSubmission) -> None:
        for admission in answer.admissions:
            code = admission.code or "ACCEPTED"
            self.refusal_codes[code] = self.refusal_codes.get(code, 0) + 1

    def _pick_node(self) -> SimulatedNode:
        return self._nodes[self._random.randrange(len(self._nodes))]
