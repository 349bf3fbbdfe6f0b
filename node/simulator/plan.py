"""What a seed decides beforehand: the network, its members' characters, and when which fault comes.

Not every fault in every seed (swarm testing): each seed leaves some kinds out, so that what a kind
would mask is seen. At most f validators are faulty in a way that counts against f: twins, losers
of their disks, censors and those who speak to some only. Crashes, pauses, clocks and the network
count against nobody and may hit all.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from random import Random
from typing import Final

from chain.parameters import Parameters
from chain.validator_set import fault_tolerance
from consensus.state import ReplicaConfig
from node.simulator.network import Weather
from node.simulator.randomness import chance, stream

SECOND_US: Final = 1_000_000
REAL_SIGNATURES_PERMILLE: Final = 50


class Role(StrEnum):
    """Character of a member."""

    HONEST = "honest"
    OBSERVER = "observer"
    TWIN = "twin"
    """Two kernels with one key; restarted with an empty memory whenever one notices the other."""
    AMNESIAC = "amnesiac"
    """Comes back from a crash with an older journal and guard."""
    JOURNAL_LOSER = "journal-loser"
    """Comes back from a crash without its journal; its guard tells."""
    GUARD_LOSER = "guard-loser"
    """Comes back from a crash without its guard."""
    CENSOR = "censor"
    """Ignores what one client sends."""
    SELECTIVE = "selective"
    """Speaks to some of the others only, for ever."""


BYZANTINE: Final = (Role.TWIN, Role.AMNESIAC)
"""Characters that may sign two things in one place."""
FAULTY: Final = (
    Role.TWIN,
    Role.AMNESIAC,
    Role.JOURNAL_LOSER,
    Role.GUARD_LOSER,
    Role.CENSOR,
    Role.SELECTIVE,
)


class FaultKind(StrEnum):
    """What happens to some nodes for a while."""

    PARTITION = "partition"
    """The nodes are cut off from all others, and both sides notice."""
    SILENT_PARTITION = "silent-partition"
    """The nodes are cut off from all others, and nobody notices."""
    DEAF = "deaf"
    """The nodes receive nothing."""
    MUTE = "mute"
    """Nothing that the nodes send arrives."""
    CLOG = "clog"
    """What the nodes send is held back and arrives at the end."""
    CRASH = "crash"
    CRASH_AT_WRITE = "crash-at-write"
    """The nodes crash in the middle of the write after ``amount`` others."""
    PAUSE = "pause"
    SLOW_DISK = "slow-disk"
    """Writes take ``amount`` microseconds on average."""
    CLOCK_STEP = "clock-step"
    """The wall clocks step by ``amount`` milliseconds."""
    AMBUSH = "ambush"
    """See :mod:`node.simulator.ambush`; ``amount`` stages."""
    TWIN_SIDES = "twin-sides"
    """The first instance of the twin reaches only these nodes, the second only the others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault of the schedule."""

    kind: FaultKind
    at_us: int
    until_us: int
    nodes: tuple[int, ...]
    amount: int = 0

    def __str__(self) -> str:
        """Returns one line for people."""
        amount = f" amount={self.amount}" if self.amount else ""
        return (
            f"{self.at_us / SECOND_US:8.3f}s to {self.until_us / SECOND_US:.3f}s "
            f"{self.kind} nodes={list(self.nodes)}{amount}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class NodePlan:
    """One kernel of the network."""

    name: str
    role: Role
    key_name: str
    """Twins share it."""
    skew_ms: int = 0
    drift_ppm: int = 0
    boot_ms: int = 0
    write_us: int = 300
    replica: ReplicaConfig

    @property
    def is_validator(self) -> bool:
        """Returns whether it votes."""
        return self.role is not Role.OBSERVER


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkloadPlan:
    """What clients do."""

    client_count: int
    transaction_count: int
    retry_us: int
    """A client that has no answer asks another node after this long."""
    short_lived_permille: int
    bug_permille: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything that a seed decides beforehand."""

    seed: int
    nodes: tuple[NodePlan, ...]
    """Validators in the order of the set, then observers, then second instances of twins."""
    validator_count: int
    parameters: Parameters
    weather: Weather
    workload: WorkloadPlan
    faults: tuple[Fault, ...]
    chaos_us: int
    """When the faults end."""
    is_real: bool = False
    """Real Ed25519 instead of cheap tags."""

    def describe(self) -> str:
        """Returns the configuration and the schedule of faults, one thing a line."""
        roles = ", ".join(f"{index}:{node.name}" for index, node in enumerate(self.nodes))
        network = (
            f"validators={self.validator_count} real_signatures={self.is_real} "
            f"chaos={self.chaos_us / SECOND_US:.1f}s"
        )
        lines = [
            network,
            f"nodes: {roles}",
            f"parameters: {self.parameters}",
            f"weather: {self.weather}",
            f"workload: {self.workload}",
            *(str(fault) for fault in self.faults),
        ]
        return "\n".join("  " + line for line in lines)


def plan_of(seed: int) -> Plan:
    """Draws everything that a seed decides beforehand."""
    random = stream(seed, "config")
    validator_count = random.choice((1, 4, 4, 4, 4, 5, 5, 6, 7))
    chaos_us = random.randrange(5, 14) * SECOND_US
    nodes = _draw_nodes(seed, validator_count, observer_count=random.choice((0, 0, 1, 1, 2)))
    parameters = Parameters(
        max_block_interval_ms=random.choice((1_500, 3_000, 6_000)),
        rotation_blocks=random.choice((1, 2, 5, 128)),
        block_transactions_max=random.choice((2, 10, 100)),
    )
    workload = WorkloadPlan(
        client_count=random.randrange(1, 4),
        transaction_count=random.randrange(5, 40),
        retry_us=random.randrange(400_000, 2_000_000),
        short_lived_permille=random.choice((0, 0, 100)),
        bug_permille=random.choice((0, 0, 0, 60)),
    )
    if any(node.role is Role.CENSOR for node in nodes):
        # Censorship shows only while blocks flow without the censored.
        parameters = replace(parameters, rotation_blocks=128)
        workload = replace(workload, client_count=3, transaction_count=150)
    plan = Plan(
        seed=seed,
        nodes=nodes,
        validator_count=validator_count,
        parameters=parameters,
        weather=_draw_weather(stream(seed, "weather")),
        workload=workload,
        faults=(),
        chaos_us=chaos_us,
        is_real=chance(random, REAL_SIGNATURES_PERMILLE),
    )
    return replace(plan, faults=_draw_faults(plan))


def _draw_weather(random: Random) -> Weather:
    return Weather(
        latency_min_us=500,
        latency_mean_us=random.choice((1_000, 5_000, 20_000, 80_000)),
        loss_permille=random.choice((0, 0, 10, 50, 150)),
        duplicate_permille=random.choice((0, 0, 20, 200)),
        gossip_loss_permille=random.choice((0, 0, 300, 700)),
        is_reordering=chance(random, 500),
    )


def _draw_nodes(seed: int, validator_count: int, observer_count: int) -> tuple[NodePlan, ...]:
    random = stream(seed, "byzantine")
    roles = [Role.HONEST] * validator_count
    for _ in range(fault_tolerance(validator_count)):
        role = random.choice((*FAULTY, Role.TWIN, Role.HONEST, Role.HONEST, Role.HONEST))
        roles[random.randrange(validator_count)] = role
    roles += [Role.OBSERVER] * observer_count
    clocks = stream(seed, "clock")
    timing = stream(seed, "timing")
    t0_ms = timing.choice((400, 700, 1_200))
    timeouts = [t0_ms * timing.randrange(80, 125) // 100 for _ in roles]
    nodes = [
        NodePlan(
            name=f"{role}-{index}",
            role=role,
            key_name=f"node-{index}",
            skew_ms=clocks.randrange(-800, 800),
            drift_ppm=clocks.choice((0, 0, -200, 200)),
            boot_ms=clocks.randrange(10**9),
            write_us=timing.choice((100, 300, 2_000)),
            replica=ReplicaConfig(
                t0_ms=timeouts[index],
                timeout_max_ms=8_000,
                censorship_timeout_ms=4 * timeouts[index],
                status_interval_ms=timing.randrange(250, 450),
            ),
        )
        for index, role in enumerate(roles)
    ]
    seconds = [
        replace(node, name=f"{node.name}b", boot_ms=clocks.randrange(10**9))
        for node in nodes
        if node.role is Role.TWIN
    ]
    return (*nodes, *seconds)


def _draw_faults(plan: Plan) -> tuple[Fault, ...]:
    faults = [
        *_draw_network_faults(stream(plan.seed, "net"), plan),
        *_draw_crashes(stream(plan.seed, "crash"), plan),
        *_draw_slowness(stream(plan.seed, "slowness"), plan),
        *_draw_ambush(stream(plan.seed, "ambush"), plan),
        *_draw_sides(stream(plan.seed, "sides"), plan),
    ]
    return tuple(sorted(faults, key=lambda fault: (fault.at_us, fault.kind, fault.nodes)))


def _span(random: Random, plan: Plan, longest_us: int) -> tuple[int, int]:
    """Returns when a fault begins and ends, both before the calm."""
    at_us = random.randrange(plan.chaos_us)
    return at_us, min(at_us + random.randrange(100_000, longest_us), plan.chaos_us)


def _group(random: Random, plan: Plan) -> tuple[int, ...]:
    """Returns some nodes: often one, sometimes half of them."""
    count = len(plan.nodes)
    size = random.choice((1, 1, 1, max(1, count // 2), random.randrange(1, count + 1)))
    return tuple(sorted(random.sample(range(count), size)))


def _draw_network_faults(random: Random, plan: Plan) -> list[Fault]:
    kinds = (
        FaultKind.PARTITION,
        FaultKind.SILENT_PARTITION,
        FaultKind.DEAF,
        FaultKind.MUTE,
        FaultKind.CLOG,
    )
    chosen = [kind for kind in kinds if chance(random, 500)]
    faults: list[Fault] = []
    for kind in chosen:
        for _ in range(random.randrange(1, 3)):
            at_us, until_us = _span(random, plan, 5 * SECOND_US)
            faults.append(
                Fault(kind=kind, at_us=at_us, until_us=until_us, nodes=_group(random, plan))
            )
    return faults


def _draw_crashes(random: Random, plan: Plan) -> list[Fault]:
    faults: list[Fault] = []
    everybody = tuple(range(len(plan.nodes)))
    if chance(random, 600):
        for _ in range(random.randrange(1, 5)):
            at_us, until_us = _span(random, plan, 4 * SECOND_US)
            nodes = _group(random, plan)
            faults.append(Fault(kind=FaultKind.CRASH, at_us=at_us, until_us=until_us, nodes=nodes))
    if chance(random, 400):
        at_us, until_us = _span(random, plan, 2 * SECOND_US)
        faults.append(Fault(kind=FaultKind.CRASH, at_us=at_us, until_us=until_us, nodes=everybody))
    if chance(random, 600):
        for _ in range(random.randrange(1, 6)):
            at_us, until_us = _span(random, plan, 2 * SECOND_US)
            faults.append(
                Fault(
                    kind=FaultKind.CRASH_AT_WRITE,
                    at_us=at_us,
                    until_us=until_us,
                    nodes=random.choice((everybody, _group(random, plan))),
                    amount=random.randrange(8),
                )
            )
    for index, node in enumerate(plan.nodes):
        if node.role in {Role.AMNESIAC, Role.JOURNAL_LOSER, Role.GUARD_LOSER}:
            at_us, until_us = _span(random, plan, 2 * SECOND_US)
            faults.append(
                Fault(kind=FaultKind.CRASH, at_us=at_us, until_us=until_us, nodes=(index,))
            )
    return faults


def _draw_slowness(random: Random, plan: Plan) -> list[Fault]:
    faults: list[Fault] = []
    if chance(random, 300):
        at_us, until_us = _span(random, plan, 5 * SECOND_US)
        faults.append(
            Fault(kind=FaultKind.PAUSE, at_us=at_us, until_us=until_us, nodes=_group(random, plan))
        )
    if chance(random, 300):
        at_us, until_us = _span(random, plan, 5 * SECOND_US)
        faults.append(
            Fault(
                kind=FaultKind.SLOW_DISK,
                at_us=at_us,
                until_us=until_us,
                nodes=_group(random, plan),
                amount=random.choice((50_000, 300_000)),
            )
        )
    if chance(random, 300):
        for _ in range(random.randrange(1, 3)):
            at_us, _ = _span(random, plan, SECOND_US)
            faults.append(
                Fault(
                    kind=FaultKind.CLOCK_STEP,
                    at_us=at_us,
                    until_us=plan.chaos_us,
                    nodes=(random.randrange(len(plan.nodes)),),
                    amount=random.choice((-3_600_000, -5_000, 1_500, 5_000, 3_600_000)),
                )
            )
    return faults


def _draw_ambush(random: Random, plan: Plan) -> list[Fault]:
    if chance(random, 600):
        return []
    at_us, _ = _span(random, plan, SECOND_US)
    return [
        Fault(
            kind=FaultKind.AMBUSH,
            at_us=at_us,
            until_us=plan.chaos_us,
            nodes=(),
            amount=random.randrange(1, 3),
        )
    ]


def _draw_sides(random: Random, plan: Plan) -> list[Fault]:
    """Draws who hears which instance of a twin, anew every second or so."""
    faults: list[Fault] = []
    for index, node in enumerate(plan.nodes[: plan.validator_count]):
        if node.role is not Role.TWIN:
            continue
        others = [other for other in range(len(plan.nodes)) if other != index]
        at_us = 0
        while at_us < plan.chaos_us:
            until_us = min(at_us + random.randrange(300_000, 3 * SECOND_US), plan.chaos_us)
            side = tuple(sorted(random.sample(others, len(others) // 2)))
            faults.append(
                Fault(
                    kind=FaultKind.TWIN_SIDES,
                    at_us=at_us,
                    until_us=until_us,
                    nodes=side,
                    amount=index,
                )
            )
            at_us = until_us
    return faults
