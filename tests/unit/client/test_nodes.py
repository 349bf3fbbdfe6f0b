"""Rotation over nodes, without any network."""

import asyncio
import socket
import time
from collections.abc import Mapping
from contextlib import ExitStack

import pytest

from client.errors import MalformedAnswer, NodeUnreachable
from client.nodes import Document, Nodes, integer_member, list_member, text_member


def nodes_of(*urls: str) -> Nodes:
    return Nodes(urls, request_timeout_s=1.0, patience_s=1.0)


def test_requests_go_round() -> None:
    nodes = nodes_of("http://a", "http://b/", "http://c")

    taken = [nodes.next_url() for _ in range(6)]

    assert set(taken[:3]) == {"http://a", "http://b", "http://c"}
    assert taken[:3] == taken[3:]


def test_a_node_that_failed_rests_and_one_that_served_does_not() -> None:
    nodes = nodes_of("http://a", "http://b")

    nodes.failed("http://a")
    assert [nodes.next_url() for _ in range(3)] == ["http://b"] * 3
    nodes.served("http://a")
    assert {nodes.next_url() for _ in range(2)} == {"http://a", "http://b"}


def test_when_all_rest_the_one_that_is_rested_first_is_asked() -> None:
    nodes = nodes_of("http://a", "http://b")

    for _ in range(4):
        nodes.failed("http://a")
    nodes.failed("http://b")

    assert nodes.next_url() == "http://b"


def test_rest_grows_to_its_bound_and_no_further() -> None:
    nodes = nodes_of("http://a")
    for _ in range(2_000):
        nodes.failed("http://a")

    assert 0 < nodes._nodes[0].rests_until_s - time.monotonic() <= 5.0


def test_a_client_needs_a_node() -> None:
    with pytest.raises(ValueError, match="at least one"):
        nodes_of()


def test_members_that_must_be_there_are_taken() -> None:
    document: Document = {"name": "a", "height": 3, "events": [{}]}

    assert text_member(document, "name") == "a"
    assert integer_member(document, "height") == 3
    assert list_member(document, "events") == [{}]


def test_members_of_another_kind_are_malformed() -> None:
    with pytest.raises(MalformedAnswer, match="name: expected a text, got 1"):
        text_member({"name": 1}, "name")
    with pytest.raises(MalformedAnswer, match="height: expected an integer, got True"):
        integer_member({"height": True}, "height")
    with pytest.raises(MalformedAnswer, match="expected a list, got None"):
        list_member({}, "events")
    with pytest.raises(MalformedAnswer, match="list of objects"):
        list_member({"events": [1]}, "events")


def test_reading_is_given_up_only_when_each_node_has_failed() -> None:
    class OneServes(Nodes):
        async def get_from(
            self, url: str, path: str, query: Mapping[str, str] | None = None
        ) -> Document:
            del path, query
            if url == serving:
                self.served(url)
                return {"from": url}
            raise NodeUnreachable(url)

    urls = ("http://a", "http://b", "http://c")
    for serving in urls:
        nodes = OneServes(urls, request_timeout_s=1.0, patience_s=0.0)
        assert asyncio.run(nodes.get("/v1/status")) == {"from": serving}
    serving = ""
    nodes = OneServes(urls, request_timeout_s=1.0, patience_s=0.0)
    with pytest.raises(NodeUnreachable, match="no answer"):
        asyncio.run(nodes.get("/v1/status"))
    assert nodes.have_all_failed


def test_a_host_that_takes_no_connection_costs_little_and_cannot_have_the_request(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("client.nodes.CONNECT_TIMEOUT_S", 0.2)
    with socket.create_server(("127.0.0.1", 0), backlog=0) as deaf, ExitStack() as waiting:
        # Behind these the system answers no further one, as a host that is switched off.
        for _ in range(2):
            ahead = waiting.enter_context(socket.socket())
            ahead.settimeout(0)
            ahead.connect_ex(deaf.getsockname())
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}"

        async def ask() -> None:
            nodes = Nodes((url,), request_timeout_s=30.0, patience_s=0.0)
            try:
                await asyncio.wait_for(nodes.get_from(url, "/v1/status"), timeout=10)
            finally:
                await nodes.close()

        with pytest.raises(NodeUnreachable) as unreachable:
            asyncio.run(ask())
    assert not unreachable.value.may_have_arrived
