"""One seed: a network is built, disturbed, calmed, and has to agree, forget nothing and go on.

Two phases. Chaos: everything that the plan holds happens, and only safety is asked for. Calm: all
faults end except the characters of the faulty, and within bounded virtual time every honest node
has to stand at the same head, with new blocks and every valid transaction committed.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

from chain.errors import ChainError
from chain.genesis import Genesis, GenesisOrganisation
from chain.member import Member, MemberRole
from chain.mempool import MempoolLimits
from chain.transaction import Transaction
from chain.types import PublicKey
from consensus.effects import Halt, Persist
from consensus.invariants import check
from consensus.messages import Bodies
from node.kernel.assembly import KernelSettings, build_kernel
from node.kernel.effects import BroadcastPayload, KernelEffect
from node.kernel.events import KernelEvent, PayloadReceived
from node.kernel.kernel import Kernel
from node.ports import StoredBlock
from node.simulator.checkers import Checkers, InvariantViolation
from node.simulator.clocks import NodeClock
from node.simulator.disk import SimulatedDisk
from node.simulator.nemesis import Nemesis
from node.simulator.network import Network
from node.simulator.plan import BYZANTINE, FAULTY, SECOND_US, NodePlan, Plan, Role, plan_of
from node.simulator.probes import Probes
from node.simulator.randomness import stream
from node.simulator.scheduler import Scheduler
from node.simulator.shell import SimulatedNode
from node.simulator.signatures import scheme_of, signer_of
from node.simulator.subject import ADMIN, Subject, ledger_subject
from node.simulator.trace import Trace
from node.simulator.words import line_of
from node.simulator.workload import Workload

GENESIS_MS: Final = 1_750_000_000_000
"""True time at virtual time 0."""
CALM_US_MAX: Final = 90 * SECOND_US
"""Bound of convergence: a few views at their longest timeout, 8 s here, for each faulty primary."""
SLICE_US: Final = SECOND_US // 4
SETTLE_US: Final = 2 * SECOND_US
"""What was under way when everything was committed may end in this time."""
QUIET_US: Final = 3 * SECOND_US
"""Time without a view change that follows, where nobody is faulty."""
NEW_BLOCKS_MIN: Final = 2
"""Blocks that the calm has to bring."""


class SimulationFailure(AssertionError):
    """A seed showed a violation; the message says everything that is needed to replay it."""

    def __init__(self, plan: Plan, cause: BaseException, trace: Trace) -> None:
        self.seed = plan.seed
        self.cause = cause
        super().__init__(
            f"seed {plan.seed}: {type(cause).__name__}: {cause}\n"
            f"configuration and faults:\n{plan.describe()}\n"
            f"last events:\n{trace.tail()}\n"
            f"replay: tanlian simulate --seed {plan.seed}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulationReport:
    """What a seed that passed has done."""

    seed: int
    validators: int
    blocks: int
    transactions: int
    """Committed, each counted once."""
    views: int
    """Highest view of any height."""
    events: int
    virtual_ms: int
    faults: tuple[tuple[str, int], ...]
    """Faults of the schedule by kind."""
    probes: tuple[tuple[str, int], ...]
    """What the run met, by name."""
    digest: str
    """Over the whole trace; the same on every host."""


def run_seed(
    seed: int, *, trace: bool = False, print_line: Callable[[str], None] = print
) -> SimulationReport:
    """Runs the simulation of a seed.

    Args:
        seed: decides everything.
        trace: print every event.
        print_line: where traced events go.

    Raises:
        SimulationFailure: an invariant was violated, or the calm brought no progress.
    """
    return run_plan(plan_of(seed), print_line=print_line if trace else None)


def run_plan(
    plan: Plan,
    *,
    print_line: Callable[[str], None] | None = None,
    is_over_budget: bool = False,
    subject: Subject | None = None,
) -> SimulationReport:
    """Runs a plan, drawn or made by hand.

    Args:
        plan: network and faults.
        print_line: takes every event as a line, or None.
        is_over_budget: more are faulty than the chain survives, so nodes may halt.
        subject: contracts and calls; the small ledger unless given.

    Raises:
        SimulationFailure: see :func:`run_seed`.
    """
    trace = Trace(print_line)
    try:
        simulation = Simulation(
            plan, trace, subject=subject or ledger_subject(), is_over_budget=is_over_budget
        )
        return simulation.run()
    except (
        AssertionError,
        ArithmeticError,
        LookupError,
        TypeError,
        ValueError,
        ChainError,
    ) as error:
        raise SimulationFailure(plan, error, trace) from error


class Simulation:
    """All parts of one run."""

    def __init__(self, plan: Plan, trace: Trace, *, subject: Subject, is_over_budget: bool) -> None:
        self._plan = plan
        self._trace = trace
        self._scheme = scheme_of(is_real=plan.is_real)
        self._genesis = genesis_of(plan)
        self._contracts = subject.contracts
        self._scheduler = Scheduler(stream(plan.seed, "order"))
        self._network = Network(self._scheduler, stream(plan.seed, "network"), plan.weather)
        self._checkers = Checkers(
            chain_id=self._genesis.chain_id,
            validators=self._genesis.validator_set(),
            scheme=self._scheme,
            time_ms=self._genesis.time_ms,
        )
        self._checkers.is_over_budget = is_over_budget
        self._probes = Probes(self._checkers.reader)
        self._nodes = [self._make_node(index, node) for index, node in enumerate(plan.nodes)]
        self._network.attach(self._nodes)
        self._nemesis = Nemesis(
            plan=plan,
            nodes=self._nodes,
            network=self._network,
            scheduler=self._scheduler,
            random=stream(plan.seed, "nemesis"),
            note=self._note,
        )
        self._workload = Workload(
            plan=plan.workload,
            draw_call=subject.draw_call,
            chain_id=self._genesis.chain_id,
            start_ms=GENESIS_MS,
            signers=[
                signer_of(
                    ADMIN if subject.is_for_admin else f"client-{number}", is_real=plan.is_real
                )
                for number in range(plan.workload.client_count)
            ],
            nodes=self._nodes,
            scheduler=self._scheduler,
            random=stream(plan.seed, "workload"),
        )
        for node in self._nodes:
            if plan.nodes[node.index].role is Role.CENSOR:
                node.ignores = self._is_of_censored_client

    # -- phases --------------------------------------------------------------------------------

    def run(self) -> SimulationReport:
        """Runs both phases and checks the end."""
        for node in self._nodes:
            node.start()
        self._workload.begin(self._plan.chaos_us)
        self._nemesis.begin()
        self._scheduler.run_until(self._plan.chaos_us)
        self._note(-1, "calm")
        self._nemesis.calm()
        self._run_calm()
        self._checkers.check_end(self._following(), self._workload.requests)
        return self._report()

    def _run_calm(self) -> None:
        height_before = len(self._checkers.agreed)
        for _ in range(NEW_BLOCKS_MIN):
            self._workload.send_new()
        end_us = self._scheduler.now_us + CALM_US_MAX
        while self._scheduler.now_us < end_us:
            self._scheduler.run_until(self._scheduler.now_us + SLICE_US)
            is_new = len(self._checkers.agreed) >= height_before + NEW_BLOCKS_MIN
            if is_new and not self._workload.unfinished() and self._has_converged():
                self._check_quiet()
                return
        raise InvariantViolation(f"progress: {self._stall(height_before)}")

    def _check_quiet(self) -> None:
        """Checks that a network without faulty members has come to rest."""
        has_faulty = any(node.role in FAULTY for node in self._plan.nodes)
        # Each pool quarantines a bug by itself, so each may cost a view.
        if has_faulty or self._plan.workload.bug_permille:
            return
        self._scheduler.run_until(self._scheduler.now_us + SETTLE_US)
        before = self._probes.counts["view change"]
        self._scheduler.run_until(self._scheduler.now_us + QUIET_US)
        count = self._probes.counts["view change"] - before
        if count:
            raise InvariantViolation(
                f"rest: expected no view change in the {QUIET_US // SECOND_US} s after all was "
                f"committed, got {count}; {self._stall(0)}"
            )

    def _has_converged(self) -> bool:
        return self._checkers.has_converged(self._following())

    def _following(self) -> list[SimulatedNode]:
        """Returns the nodes that have to come to the same head; twins need not."""
        return [node for node in self._nodes if self._plan.nodes[node.index].role is not Role.TWIN]

    def _stall(self, height_before: int) -> str:
        height = len(self._checkers.agreed)
        summary = (
            f"{CALM_US_MAX // SECOND_US} s after all faults ended the chain stands at height "
            f"{height}, {height - height_before} above that moment's, and "
            f"{len(self._workload.unfinished())} transactions wait"
        )
        lines = [summary]
        for node in self._nodes:
            kernel = node.kernel
            lines.append(
                f"  node {node.index} ({self._plan.nodes[node.index].name}): "
                f"height {self._checkers.height_of(node)}, view {kernel.replica.view}, "
                f"{kernel.pool.count} in the pool, observing: {kernel.replica.observing_reason}"
            )
        return "\n".join(lines)

    def _report(self) -> SimulationReport:
        counts = self._probes.counts
        counts["twin born again"] += self._nemesis.rebirth_count
        counts["ambush"] += self._nemesis.ambush.sprung_count
        counts["crash in a write"] += self._nemesis.crash_in_write_count
        counts["quarantine"] += sum(
            node.kernel.pool.is_quarantined(request.transaction.id)
            for node in self._nodes
            for request in self._workload.requests
        )
        counts["message lost"] += self._network.dropped_count
        counts["message doubled"] += self._network.duplicated_count
        faults = Counter(str(fault.kind) for fault in self._plan.faults)
        return SimulationReport(
            seed=self._plan.seed,
            validators=self._plan.validator_count,
            blocks=len(self._checkers.agreed),
            transactions=sum(
                request.acknowledged_height is not None for request in self._workload.requests
            ),
            views=self._probes.view_max,
            events=self._scheduler.action_count,
            virtual_ms=self._scheduler.now_us // 1_000,
            faults=tuple(sorted(faults.items())),
            probes=tuple(sorted(counts.items())),
            digest=self._trace.digest,
        )

    # -- what the nodes show (node.simulator.shell.Watch) --------------------------------------

    def started(self, node: SimulatedNode) -> None:
        """Checks a node that starts."""
        self._checkers.check_start(node)
        self._probes.started(node)
        is_honest = self._plan.nodes[node.index].role in {Role.HONEST, Role.OBSERVER}
        reason = node.kernel.replica.observing_reason
        if is_honest and reason is not None:
            raise InvariantViolation(
                f"recovery: node {node.index}, whose disk keeps what it synced, only observes: "
                f"{reason}"
            )

    def stepped(
        self, node: SimulatedNode, event: KernelEvent, effects: tuple[KernelEffect, ...]
    ) -> None:
        """Notes and counts a step."""
        content = event.payload if isinstance(event, PayloadReceived) else repr(event).encode()
        self._trace.note(
            self._scheduler.now_us,
            node.index,
            content,
            partial(line_of, event, effects, self._checkers.reader),
        )
        self._probes.stepped(node, event, effects)
        check(node.kernel.replica._state)  # noqa: SLF001  # invariants look inside

    def wants(self, node: SimulatedNode, effect: KernelEffect) -> None:
        """Checks an effect before it is performed."""
        self._checkers.check_effect(node, effect)
        if isinstance(effect, BroadcastPayload):
            self._nemesis.ambush.sends(node, self._checkers.reader.read(effect.payload))
        match effect:
            case Persist(guard=guard):
                self._trace.note(
                    self._scheduler.now_us, node.index, guard or b"", lambda: "persists"
                )
            case Halt(reason=reason):
                self._note(node.index, f"halts: {reason}")
                if self._plan.nodes[node.index].role is Role.TWIN:
                    self._nemesis.born_again(node)
            case _:
                pass

    def stored(self, node: SimulatedNode, block: StoredBlock) -> None:
        """Checks and counts a block that has become durable."""
        header = block.block.header
        self._note(
            node.index,
            f"stores height {header.height} {header.hash.hex()[:12]} with "
            f"{header.transaction_count} transactions",
        )
        is_first = header.height not in self._checkers.agreed
        self._checkers.check_stored(node, block, self._workload.by_id)
        if is_first:
            self._nemesis.ambush.commits(node)
        self._probes.stored(node, block)

    def _note(self, node: int, words: str) -> None:
        self._trace.note(self._scheduler.now_us, node, words.encode(), lambda: words)

    def _is_of_censored_client(self, payload: bytes) -> bool:
        """Returns whether a payload brings a body of the client that censors ignore."""
        message = self._checkers.reader.read(payload)
        censored = self._workload.client_keys[0]
        return isinstance(message, Bodies) and any(
            Transaction.parse(wire).payload.sender == censored for wire in message.transactions
        )

    # -- building ------------------------------------------------------------------------------

    def _make_node(self, index: int, plan: NodePlan) -> SimulatedNode:
        signer = signer_of(plan.key_name, is_real=self._plan.is_real)
        node = SimulatedNode(
            index=index,
            key=signer.public_key,
            is_validator=plan.is_validator,
            build=partial(self._build_kernel, plan),
            disk=SimulatedDisk(),
            clock=NodeClock(
                start_ms=GENESIS_MS,
                skew_ms=plan.skew_ms,
                drift_ppm=plan.drift_ppm,
                boot_ms=plan.boot_ms,
            ),
            scheduler=self._scheduler,
            network=self._network,
            watch=self,
            random=stream(self._plan.seed, f"disk-{index}"),
            write_us=plan.write_us,
        )
        node.is_byzantine = plan.role in BYZANTINE
        return node

    def _build_kernel(self, plan: NodePlan, disk: SimulatedDisk) -> Kernel:
        signer = signer_of(plan.key_name, is_real=self._plan.is_real)
        return build_kernel(
            genesis=self._genesis,
            store=disk.store,
            journal=disk,
            contracts=self._contracts,
            signer=signer if plan.is_validator else None,
            scheme=self._scheme,
            settings=KernelSettings(
                replica=plan.replica,
                pool=MempoolLimits(
                    transactions_max=200,
                    bytes_max=100_000,
                    per_sender_max=100,
                    per_sender_own_max=100 // len(self._plan.nodes),
                ),
            ),
        )


def genesis_of(plan: Plan) -> Genesis:
    """Returns the founding record of a plan's network."""
    members = tuple(
        Member(
            node_id=f"node-{index}",
            organisation="simulated",
            role=MemberRole.VALIDATOR if node.is_validator else MemberRole.OBSERVER,
            consensus_key=_key_of(node.key_name, plan),
            tls_certificate=b"certificate of node %d" % index,
            host="127.0.0.1",
            port=7_000 + index,
        )
        for index, node in enumerate(plan.nodes)
        if not node.name.endswith("b")
    )
    admin = GenesisOrganisation(id="simulated", name="Simulated", admin_key=_key_of(ADMIN, plan))
    return Genesis(
        network="simulated",
        time_ms=GENESIS_MS - SECOND_US // 1_000,
        parameters=plan.parameters,
        organisations=(admin,),
        members=members,
    )


def _key_of(name: str, plan: Plan) -> PublicKey:
    return signer_of(name, is_real=plan.is_real).public_key
