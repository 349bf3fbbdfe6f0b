"""What one phase leaves over the next one finds, and nothing is signed twice."""

from benchmarks.supply import Supply
from benchmarks.workload import Workload
from chain.crypto import Ed25519Signer

SIGNERS = tuple(Ed25519Signer(bytes([number]) * 32) for number in range(4))


def supply(meters: int = 40) -> Supply:
    return Supply(Workload(chain_id=bytes(32), signers=SIGNERS, meters=meters))


def test_a_phase_finds_what_the_one_before_left() -> None:
    stock = supply()
    first = list(stock.reserve(8)[0])

    again = stock.reserve(20)

    assert [len(queue) for queue in again] == [5, 5, 5, 5]
    assert list(again[0])[:2] == first


def test_enough_is_never_signed_again() -> None:
    stock = supply()
    before = [list(queue) for queue in stock.reserve(100)]

    assert [list(queue) for queue in stock.reserve(40)] == before
