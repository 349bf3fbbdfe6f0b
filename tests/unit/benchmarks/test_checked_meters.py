"""Every rule applies to the readings of these meters, and all of them pass."""

import time

from benchmarks.checked_meters import (
    CHECKED,
    TRAINING_READINGS,
    CheckedReadings,
    checked_meter,
    fit_of,
    set_of,
    training,
)
from benchmarks.lone_chain import LoneChain
from benchmarks.workload import Workload, meter_name
from chain.receipt import Receipt, Status
from chain.transaction import Transaction
from contracts.check import Check, checks_in
from contracts.deviation.table import RULES
from contracts.meter import Meter, meter_key
from contracts.reading_query import ReadingView, Submission, readings_between
from node.memory_database import MemoryDatabase

END_MS = 2**41
METER = meter_name(0, CHECKED)
NOT_OF_THESE_METERS = {Check.CUSUM, Check.EWMA, Check.WEATHER}
"""They have no model of days, and no fortnight of whole days since their baseline."""
ALL = {rule.check for rule in RULES} - NOT_OF_THESE_METERS | {
    Check.SIGNATURE_SEQUENCE,
    Check.CLOCK,
    Check.DUPLICATE,
    Check.MISSING,
}


def commit(chain: LoneChain, transactions: list[Transaction]) -> tuple[Receipt, ...]:
    candidate = chain.build(transactions)
    chain.commit(candidate)
    receipts = candidate.execution.receipts
    assert [each.detail for each in receipts if each.status is not Status.OK] == []
    return receipts


def take(chain: LoneChain, transactions: list[Transaction]) -> list[ReadingView]:
    """Commits readings, and returns what became of each."""
    receipts = commit(chain, transactions)
    submissions = [
        Submission(
            transaction_id=each.id,
            height=chain.store.head_height(),
            arguments=each.payload.arguments,
            result=receipt.result,
        )
        for each, receipt in zip(transactions, receipts[:-1], strict=True)
    ]
    stored = chain.store.get(meter_key(METER))
    assert stored is not None
    return list(readings_between(chain.store, Meter.decode(stored), (0, END_MS), submissions))


def test_all_rules_apply_and_none_fails() -> None:
    chain = LoneChain(MemoryDatabase(), time.time_ns() // 1_000_000)
    load = Workload(
        chain_id=chain.workload.chain_id,
        signers=(chain.operator,),
        prefix=CHECKED,
        meters=1,
        reading=CheckedReadings(),
    )
    meter = checked_meter("member-1", METER, chain.operator.public_key)
    commit(chain, [chain.call(chain.admin, "meter.register", meter)])
    (lane,) = training(load)
    assert len(lane) * 100 == TRAINING_READINGS
    commit(chain, [Transaction.parse(wire) for wire in lane])
    commit(chain, [chain.call(chain.operator, "baseline.fit", fit_of(METER))])
    commit(chain, [chain.call(chain.admin, "baseline.set", set_of(METER))])
    (measured,) = load.sign_lanes(2, 100)

    views = take(chain, [Transaction.parse(wire) for wire in measured])

    assert len(views) == 200
    assert {each.failed for each in views} == {0}
    applied = [set(checks_in(each.applied or 0)) for each in views]
    assert set().union(*applied) == ALL
    # The register is held against the demand once in 22 hours, everything else at each reading.
    assert all(each >= ALL - {Check.REGISTER_DEMAND} for each in applied)
