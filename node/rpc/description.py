"""The description of the interface (OpenAPI 3.1), made from the table of routes, and its page."""

import html
from collections.abc import Sequence
from typing import Final

from node.rpc.routes import Parameter, Route
from node.rpc.schemas import SubmissionBody

_PROBLEM_SCHEMA: Final = {
    "type": "object",
    "description": "RFC 9457 problem document",
    "required": ["type", "title", "status", "detail", "code"],
    "properties": {
        "type": {"type": "string", "examples": ["urn:tanlian:problem:unknown-meter"]},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "for people"},
        "code": {"type": "string", "description": "stable, upper case"},
        "field": {"type": "string"},
        "expected": {"type": "string"},
        "got": {"type": "string"},
        "transaction_id": {"type": "string"},
    },
}


def openapi_document(routes: Sequence[Route], *, version: str) -> dict[str, object]:
    """Returns the OpenAPI document of a table of routes."""
    paths: dict[str, dict[str, object]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Tanlian node", "version": version},
        "paths": paths,
        "components": {"schemas": {"Problem": _PROBLEM_SCHEMA}},
    }


def _operation(route: Route) -> dict[str, object]:
    operation: dict[str, object] = {
        "summary": route.summary,
        "parameters": [
            *(_path_parameter(name) for name in path_parameters(route.path)),
            *(_query_parameter(parameter) for parameter in route.query),
        ],
        "responses": {
            "2XX": {
                "description": route.answers,
                "content": {media_type: {} for media_type in route.media_types},
            },
            "default": {
                "description": "A problem.",
                "content": {
                    "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}
                },
            },
        },
    }
    if route.method == "POST":
        operation["requestBody"] = _request_body()
    return operation


def path_parameters(path: str) -> list[str]:
    """Returns the names in braces of a path, in order."""
    return [part[1:-1] for part in path.split("/") if part.startswith("{")]


def _path_parameter(name: str) -> dict[str, object]:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}


def _query_parameter(parameter: Parameter) -> dict[str, object]:
    return {
        "name": parameter.name,
        "in": "query",
        "description": parameter.words,
        "schema": {"type": "integer" if parameter.is_integer else "string"},
    }


def _request_body() -> dict[str, object]:
    return {
        "required": True,
        "content": {
            "application/json": {"schema": SubmissionBody.model_json_schema()},
            "application/msgpack": {
                "schema": {
                    "type": "array",
                    "description": "wire bytes of each transaction",
                    "items": {"type": "string", "format": "binary"},
                }
            },
        },
    }


def docs_page(routes: Sequence[Route], *, version: str) -> str:
    """Returns the same as one page of HTML that loads nothing from anywhere."""
    rows = "\n".join(
        f"<tr><td><code>{html.escape(route.label)}</code></td>"
        f"<td>{html.escape(route.summary)}<br><small>{html.escape(route.answers)}</small></td>"
        f"<td>{'<br>'.join(_words_for(parameter) for parameter in route.query)}</td></tr>"
        for route in routes
    )
    return _PAGE.format(version=html.escape(version), rows=rows)


def _words_for(parameter: Parameter) -> str:
    return f"<code>{html.escape(parameter.name)}</code> {html.escape(parameter.words)}"


_PAGE: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Tanlian node: interface</title>
<meta name="viewport" content="width=device-width, initial-scale=1"></head>
<body><h1>Tanlian node, {version}</h1>
<p>Machine-readable: <a href="/v1/openapi.json">/v1/openapi.json</a>.
Errors are problem documents (RFC 9457) with a stable <code>type</code> and <code>code</code>.</p>
<table border="1" cellpadding="6"><caption>Routes</caption>
<thead><tr><th scope="col">Route</th><th scope="col">What it does</th>
<th scope="col">Query parameters</th></tr></thead>
<tbody>
{rows}
</tbody></table></body></html>
"""
