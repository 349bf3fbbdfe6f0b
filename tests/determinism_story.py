"""A program that executes a fixed story in blocks and prints what each block comes to.

Run by ``tests/contract/test_determinism.py`` as a process of its own, because hash seed, time zone
and language are fixed at the start of one: ``python -m tests.determinism_story [WATT_HOURS]``.
"""

import sys
from dataclasses import replace

from chain.certificate import commit_certificate_of
from chain.codec import Record
from chain.crypto import Ed25519Signer
from chain.genesis import Genesis, GenesisOrganisation, build_genesis_state
from chain.transaction import Payload, Transaction, sign
from chain.vote import VoteKind, sign_vote
from contracts.account import Role
from contracts.accounts import RegisterAccount
from contracts.baselines import FitBaseline
from contracts.correction import AmountUnit
from contracts.corrections import ApproveCorrection, CorrectReadings
from contracts.meter import Unit
from contracts.meters import GoLive
from contracts.reading import Channel, MethodCode, Quality, RawReading, SubmitReadings
from contracts.runtime import ContractsRuntime
from contracts.substitutes import SubstituteReadings
from node.kernel.candidates import Workshop
from node.kernel.storing import stored_block
from node.memory_database import MemoryDatabase
from node.storage import ChainStore
from tests import chain_samples as samples
from tests.unit.contracts import registry_world as world

HOUR_MS = 3_600_000
FIRST_STAMP_MS = world.START_MS - world.START_MS % HOUR_MS - 100 * 24 * HOUR_MS
WATT_HOURS = 1_000
"""What the story's last reading says unless told otherwise."""


def genesis() -> Genesis:
    """One validator, and the organisation whose first admin the registry's samples know."""
    return samples.genesis(
        members=(replace(samples.member(4), organisation="steel"),),
        organisations=(GenesisOrganisation(id="steel", name="Steel", admin_key=world.ADMIN),),
        time_ms=world.START_MS - 1_000,
    )


class Chain:
    """A node's workshop and store, and whoever signs what happens."""

    def __init__(self) -> None:
        self.genesis = genesis()
        self.contracts = ContractsRuntime()
        self.store = ChainStore(MemoryDatabase())
        founded = build_genesis_state(self.genesis, self.contracts)
        self.store.initialise(self.genesis.encode(), dict(founded.changes), founded.tree_update)
        self.workshop = Workshop(
            genesis=self.genesis,
            store=self.store,
            tree=self.store.open_tree(),
            contracts=self.contracts,
        )
        self.count = 0

    def transaction(self, seed: int, method: str, arguments: Record) -> Transaction:
        """A signed call; the seed is that of a key of the registry's samples."""
        self.count += 1
        signer = Ed25519Signer(bytes([seed]) * 32)
        payload = Payload(
            chain_id=self.genesis.chain_id,
            sender=signer.public_key,
            nonce=self.count.to_bytes(16, "big"),
            valid_until_ms=self.workshop.parent.time_ms + 60_000,
            method=method,
            arguments=arguments.encode(),
        )
        return sign(signer, payload)

    def block(self, *transactions: Transaction) -> str:
        """Executes and stores a block; returns its roots and what its receipts say."""
        signer = samples.SIGNERS[3]
        parent = self.workshop.parent
        candidate = self.workshop.build(
            transactions, time_ms=parent.time_ms + 1_000, proposer=signer.public_key
        )
        vote = sign_vote(
            signer,
            chain_id=self.genesis.chain_id,
            validators=parent.validators,
            kind=VoteKind.COMMIT,
            height=candidate.header.height,
            view=0,
            digest=candidate.header.hash,
        )
        self.store.commit(stored_block(candidate, commit_certificate_of([vote]), self.contracts))
        self.workshop.advance(candidate)
        codes = [each.code or "OK" for each in candidate.execution.receipts]
        execution = candidate.execution
        return f"{execution.receipt_root.hex()} {execution.state_root.hex()} {','.join(codes)}"


def reading(hour: int, watt_hours: int) -> RawReading:
    """An hour's amount, with two channels."""
    return RawReading(
        stamp_ms=FIRST_STAMP_MS + (hour + 1) * HOUR_MS,
        register=None,
        amount=watt_hours,
        quality=Quality.MEASURED,
        sequence=hour,
        previous_leaf=None,
        channels=((Channel.DEMAND_W, watt_hours), (Channel.REPORTED_CO2_G, hour % 7)),
    )


def readings(meter_id: str, hours: range, watt_hours: int | None = None) -> SubmitReadings:
    """A run of hours; with a shape of days, and a jump in the middle, unless all are the same."""
    return SubmitReadings(
        meter_id=meter_id,
        unit=Unit.WATT_HOUR,
        readings=tuple(
            reading(
                hour,
                watt_hours or (900_000 if hour == hours[len(hours) // 2] else 1_000 + hour % 24),
            )
            for hour in hours
        ),
    )


def correction(meter_id: str, hours: range) -> CorrectReadings:
    """Other amounts for a run of hours."""
    return CorrectReadings(
        meter_id=meter_id,
        unit=AmountUnit.BASE,
        intervals=tuple((FIRST_STAMP_MS + hour * HOUR_MS, 7 * hour) for hour in hours),
        method_code=MethodCode.INVOICE,
        reason="billed otherwise",
        evidence=bytes(32),
    )


def approval(meter_id: str, proposal: bytes) -> ApproveCorrection:
    """The second signature under a meter's first correction."""
    return ApproveCorrection(meter_id=meter_id, number=1, proposal=proposal)


def tell(last_watt_hours: int) -> list[str]:
    """Returns a line for each block of the story."""
    chain, admin, operator = Chain(), 1, 3
    factor = replace(
        world.FACTOR, valid_from_ms=FIRST_STAMP_MS - HOUR_MS, valid_to_ms=world.START_MS
    )
    meters = [
        replace(
            world.INTERVAL_METER,
            meter_id=f"meter-{number}",
            unit=Unit.WATT_HOUR,
            scale=0,
            interval_ms=HOUR_MS,
            co2_check=None,
        )
        for number in range(5)
    ]
    call = chain.transaction
    account = RegisterAccount(
        public_key=world.OPERATOR, name="operator", roles=(Role.OPERATOR, Role.GATEWAY)
    )
    fill = SubstituteReadings(
        meter_id="meter-2",
        from_ms=FIRST_STAMP_MS + 200 * HOUR_MS,
        to_ms=FIRST_STAMP_MS + 300 * HOUR_MS,
        reason="no power",
    )
    proposed = call(operator, "reading.correct", correction("meter-1", range(90, 130)))
    filled = call(operator, "reading.substitute", fill)
    return [
        chain.block(
            call(admin, "account.register", account),
            call(admin, "calendar.register", world.CALENDAR),
            call(admin, "site.register", world.SITE),
            call(admin, "factor.set", factor),
            call(operator, "site.register", world.SITE),
        ),
        chain.block(*(call(admin, "meter.register", each) for each in meters)),
        chain.block(
            *(
                call(operator, "readings.submit", readings(each.meter_id, range(200)))
                for each in meters
            )
        ),
        chain.block(
            call(operator, "readings.submit", readings("meter-1", range(150, 260))),
            call(operator, "readings.submit", readings("meter-2", range(300, 420), 777)),
            call(operator, "readings.submit", readings("nobody", range(3))),
            call(operator, "meter.go_live", GoLive(meter_id="meter-3")),
        ),
        chain.block(),
        chain.block(
            call(operator, "readings.submit", readings("meter-0", range(200, 28 * 24))),
            call(
                operator, "readings.submit", readings("meter-4", range(500, 501), last_watt_hours)
            ),
        ),
        chain.block(
            call(
                operator,
                "baseline.fit",
                FitBaseline(
                    meter_id="meter-0",
                    from_ms=FIRST_STAMP_MS,
                    to_ms=FIRST_STAMP_MS + 28 * 24 * HOUR_MS,
                ),
            )
        ),
        chain.block(proposed, filled),
        chain.block(
            call(admin, "reading.approve_correction", approval("meter-1", proposed.id)),
            call(admin, "reading.approve_correction", approval("meter-2", filled.id)),
            call(operator, "reading.correct", correction("meter-1", range(100, 110))),
        ),
    ]


if __name__ == "__main__":
    for line in tell(int(sys.argv[1]) if len(sys.argv) > 1 else WATT_HOURS):
        sys.stdout.write(line + "\n")
