"""The description says what the table of routes says."""

from aiohttp import web

from node.rpc.context import RpcContext
from node.rpc.description import docs_page, openapi_document, path_parameters
from node.rpc.routes import ROUTES, Route


def test_every_route_is_described_with_its_parameters() -> None:
    document = openapi_document(ROUTES, version="1.2.3")

    paths = document["paths"]
    assert isinstance(paths, dict)
    for route in ROUTES:
        operation = paths[route.path][route.method.lower()]
        named = [each["name"] for each in operation["parameters"]]
        assert named == path_parameters(route.path) + [each.name for each in route.query]
        assert operation["summary"] == route.summary


def test_every_route_has_words_and_a_name_of_its_own() -> None:
    assert all(route.summary.endswith(".") for route in ROUTES)
    assert all(route.answers for route in ROUTES)
    assert len({route.label for route in ROUTES}) == len(ROUTES)


def test_parameters_of_a_path_are_those_in_braces() -> None:
    assert path_parameters("/v1/a/{id}/b/{key}") == ["id", "key"]
    assert path_parameters("/v1/a") == []


def test_the_page_escapes_what_it_shows() -> None:
    async def handler(_context: RpcContext, _request: web.Request) -> web.StreamResponse:
        """Does <b>this</b>."""
        raise NotImplementedError

    route = Route(path="/x", handler=handler, answers="a & b")

    page = docs_page([route], version="<1>")

    assert "&lt;b&gt;this&lt;/b&gt;" in page
    assert "a &amp; b" in page
    assert "Tanlian node, &lt;1&gt;" in page
