"""The handshake: each condition of a hello, violated alone."""

import pytest

from p2p.errors import HandshakeRefused
from p2p.handshake import LocalHello, validate_hello
from p2p.messages import Hello, Reason

LOCAL = LocalHello(chain_id=b"\x11" * 32, node_id=b"\x01" * 32, software="tanlian test")
PEER = b"\x02" * 32


def hello(
    *, version: int = 1, chain_id: bytes = b"\x11" * 32, node_id: bytes = b"\x02" * 32
) -> Hello:
    return Hello(version=version, chain_id=chain_id, node_id=node_id, software="other")


def test_the_hello_of_the_pinned_node_is_accepted() -> None:
    validate_hello(hello(), local=LOCAL, expected_node_id=PEER)


@pytest.mark.parametrize(
    ("invalid_hello", "reason"),
    [
        (hello(version=0), Reason.WRONG_VERSION),
        (hello(version=2), Reason.WRONG_VERSION),
        (hello(chain_id=b"\x12" * 32), Reason.WRONG_CHAIN),
        (hello(node_id=b"\x03" * 32), Reason.WRONG_IDENTITY),
        (hello(node_id=b"\x01" * 32), Reason.WRONG_IDENTITY),
    ],
)
def test_each_condition_is_refused_with_its_reason(invalid_hello: Hello, reason: Reason) -> None:
    with pytest.raises(HandshakeRefused) as caught:
        validate_hello(invalid_hello, local=LOCAL, expected_node_id=PEER)

    assert caught.value.reason == reason


def test_the_own_hello_says_version_chain_node_and_software() -> None:
    assert LOCAL.to_message() == Hello(
        version=1, chain_id=b"\x11" * 32, node_id=b"\x01" * 32, software="tanlian test"
    )
