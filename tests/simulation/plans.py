"""Plans made by hand: four validators in fair weather, to which a test adds what it is about."""

from chain.parameters import Parameters
from consensus.state import ReplicaConfig
from node.simulator.network import CALM
from node.simulator.plan import SECOND_US, NodePlan, Plan, Role, WorkloadPlan

T0_MS = 600


def node_plan(index: int, role: Role, suffix: str = "") -> NodePlan:
    return NodePlan(
        name=f"{role}-{index}{suffix}",
        role=role,
        key_name=f"node-{index}",
        boot_ms=1_000 * index,
        replica=ReplicaConfig(t0_ms=T0_MS, timeout_max_ms=8_000, censorship_timeout_ms=4 * T0_MS),
    )


def plan_with(
    *,
    seed: int = 0,
    validators: int = 4,
    twins: tuple[int, ...] = (),
    roles: dict[int, Role] | None = None,
    transactions: int = 40,
    seconds: int = 6,
) -> Plan:
    """A network without faults, except that some validators have a character."""
    characters = {**dict.fromkeys(twins, Role.TWIN), **(roles or {})}
    nodes = [node_plan(index, characters.get(index, Role.HONEST)) for index in range(validators)]
    nodes += [node_plan(index, Role.TWIN, "b") for index in twins]
    return Plan(
        seed=seed,
        nodes=tuple(nodes),
        validator_count=validators,
        parameters=Parameters(max_block_interval_ms=3_000),
        weather=CALM,
        workload=WorkloadPlan(
            client_count=3,
            transaction_count=transactions,
            retry_us=SECOND_US,
            short_lived_permille=0,
            bug_permille=0,
        ),
        faults=(),
        chaos_us=seconds * SECOND_US,
    )
