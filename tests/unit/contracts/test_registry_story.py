"""From genesis to a meter that is live, by signed transactions in blocks, as a node runs them."""

import pytest

from chain.codec import Record
from chain.crypto import Ed25519Signer
from chain.execution import BlockContext, execute_block
from chain.genesis import Genesis, GenesisOrganisation, build_genesis_state
from chain.member import Member, MemberRole
from chain.parameters import Parameters
from chain.state import MemoryStateReader
from chain.state_tree import MemoryBucketReader, StateTree
from chain.transaction import Payload, Transaction, sign
from contracts import queries
from contracts.account import Role
from contracts.accounts import RegisterAccount
from contracts.meters import ApproveExchange, GoLive
from contracts.runtime import METHODS, ContractsRuntime
from tests.unit.contracts.registry_world import (
    CALENDAR,
    EXCHANGE,
    FACTOR,
    METER,
    OPERATOR,
    SECOND_ADMIN,
    SITE,
    START_MS,
    key_of,
)

ADMIN_SEED, SECOND_ADMIN_SEED, OPERATOR_SEED, STRANGER_SEED = 1, 2, 3, 12
GENESIS = Genesis(
    network="story",
    time_ms=START_MS - 1_000,
    parameters=Parameters(),
    organisations=(GenesisOrganisation(id="steel", name="Steel", admin_key=key_of(ADMIN_SEED)),),
    members=(
        Member(
            node_id="node-1",
            organisation="steel",
            role=MemberRole.VALIDATOR,
            consensus_key=key_of(100),
            tls_certificate=b"\x01",
            host="127.0.0.1",
            port=1,
        ),
    ),
)
ROLES = {
    "account.register": "ADMIN",
    "account.revoke": "ADMIN",
    "calendar.register": "ADMIN CERTIFIER",
    "case.acknowledge": "ADMIN OPERATOR GATEWAY",
    "case.assign": "ADMIN OPERATOR GATEWAY",
    "case.attach": "ADMIN OPERATOR GATEWAY CERTIFIER",
    "case.close": "ADMIN OPERATOR CERTIFIER",
    "case.comment": "ADMIN OPERATOR GATEWAY CERTIFIER",
    "case.configure": "ADMIN",
    "case.correct": "ADMIN OPERATOR GATEWAY",
    "case.dismiss": "ADMIN CERTIFIER",
    "case.explain": "ADMIN OPERATOR GATEWAY",
    "case.investigate": "ADMIN OPERATOR GATEWAY",
    "case.rebaseline": "ADMIN OPERATOR GATEWAY",
    "case.recheck": "ADMIN OPERATOR GATEWAY CERTIFIER",
    "case.return": "ADMIN CERTIFIER",
    "factor.set": "ADMIN CERTIFIER",
    "meter.approve_exchange": "ADMIN",
    "meter.exchange": "ADMIN OPERATOR",
    "meter.go_live": "ADMIN OPERATOR",
    "meter.register": "ADMIN",
    "site.register": "ADMIN",
}


class Chain:
    """A chain of one: executes blocks and takes over their changes."""

    def __init__(self) -> None:
        self.runtime = ContractsRuntime()
        self.buckets = MemoryBucketReader()
        self.tree = StateTree(self.buckets)
        self.time_ms = START_MS
        self.count = 0
        founded = build_genesis_state(GENESIS, self.runtime)
        self.reader = MemoryStateReader(founded.changes)
        self.tree.apply(founded.tree_update)
        self.buckets.apply(founded.tree_update.buckets)

    def holds(self, transaction_id: bytes) -> bool:
        """Knows no committed transaction, as an index."""
        return len(transaction_id) != 32

    def transaction(self, seed: int, method: str, arguments: Record) -> Transaction:
        self.count += 1
        signer = Ed25519Signer(bytes([seed]) * 32)
        payload = Payload(
            chain_id=GENESIS.chain_id,
            sender=signer.public_key,
            nonce=self.count.to_bytes(16, "big"),
            valid_until_ms=self.time_ms + 60_000,
            method=method,
            arguments=arguments.encode(),
        )
        return sign(signer, payload)

    def run(self, *transactions: Transaction) -> list[str]:
        """Executes a block; returns the code of each receipt, or its events."""
        execution = execute_block(
            context=BlockContext(
                chain_id=GENESIS.chain_id,
                height=1,
                time_ms=self.time_ms,
                parent_time_ms=self.time_ms - 1_000,
                parameters=GENESIS.parameters,
            ),
            transactions=transactions,
            committed=self.reader,
            tree=self.tree,
            index=self,
            runtime=self.runtime,
        )
        self.reader.apply(execution.changes)
        self.tree.apply(execution.tree_update)
        self.buckets.apply(execution.tree_update.buckets)
        self.time_ms += 1_000
        return [
            receipt.code or ", ".join(event.kind for event in receipt.events)
            for receipt in execution.receipts[:-1]
        ]


def account(public_key: bytes, role: Role) -> RegisterAccount:
    return RegisterAccount(public_key=public_key, name="somebody", roles=(role,))


def tell(chain: Chain) -> list[list[str]]:
    """Founds a plant in three blocks; returns what each receipt says."""
    admin, second, operator = ADMIN_SEED, SECOND_ADMIN_SEED, OPERATOR_SEED
    stranger = STRANGER_SEED
    exchange = chain.transaction(operator, "meter.exchange", EXCHANGE)
    return [
        chain.run(
            chain.transaction(operator, "meter.go_live", GoLive(meter_id="main")),
            chain.transaction(admin, "account.register", account(SECOND_ADMIN, Role.ADMIN)),
            chain.transaction(admin, "account.register", account(OPERATOR, Role.OPERATOR)),
            chain.transaction(operator, "site.register", SITE),
            chain.transaction(admin, "calendar.register", CALENDAR),
            chain.transaction(admin, "site.register", SITE),
            chain.transaction(second, "factor.set", FACTOR),
        ),
        chain.run(
            chain.transaction(second, "meter.register", METER),
            chain.transaction(operator, "meter.go_live", GoLive(meter_id="main")),
            chain.transaction(stranger, "meter.go_live", GoLive(meter_id="main")),
            exchange,
        ),
        chain.run(
            chain.transaction(
                admin,
                "meter.approve_exchange",
                ApproveExchange(meter_id="main", proposal=exchange.id),
            ),
            chain.transaction(operator, "meter.nothing", GoLive(meter_id="main")),
        ),
    ]


def test_a_plant_is_founded_by_signed_transactions() -> None:
    chain = Chain()

    outcomes = tell(chain)

    assert outcomes == [
        [
            "UNKNOWN_ACCOUNT",
            "account.registered",
            "account.registered",
            "NOT_PERMITTED",
            "calendar.registered",
            "site.registered",
            "factor.set",
        ],
        ["meter.registered", "meter.live", "UNKNOWN_ACCOUNT", "meter.exchange_proposed"],
        ["meter.exchanged", "UNKNOWN_METHOD"],
    ]
    meter = queries.find_meter(chain.reader, "main")
    assert meter is not None
    assert (meter.serial, meter.live_from_ms) == ("B-2", START_MS + 1_000)


def test_two_nodes_that_hear_the_same_story_have_the_same_root() -> None:
    first, second = Chain(), Chain()

    assert tell(first) == tell(second)
    assert first.tree.root == second.tree.root
    assert first.tree.root != Chain().tree.root


@pytest.mark.parametrize("method", sorted(ROLES))
def test_each_method_is_for_the_roles_that_are_written_down(method: str) -> None:
    roles = METHODS[method].roles

    assert " ".join(role.name for role in Role if role in roles) == ROLES[method]
