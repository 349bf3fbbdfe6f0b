"""Files of reports: canonical JSON, a table for spreadsheets, and the JSON that people file."""

import csv
import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from commands.output import fail

_COLUMNS: Final = (
    *("site", "month", "quantity", "scope", "iso_category", "scope3_category", "gas", "kind"),
    *("numerator_1e10_g", "grams", "tonnes", "mass_1e9_g"),
)


def write_report(document: Mapping[str, Any], body: bytes, folder: Path) -> tuple[Path, Path]:
    """Writes a document as canonical JSON and as CSV; returns both places."""
    period = document["period"]
    words = (document["organisation"]["id"], document["kind"], period["from"], period["to"])
    name = "-".join(words).lower().replace("_", "-")
    folder.mkdir(parents=True, exist_ok=True)
    json_path, csv_path = folder / f"{name}.json", folder / f"{name}.csv"
    json_path.write_bytes(body)
    with csv_path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, _COLUMNS, restval="")
        writer.writeheader()
        writer.writerows(_rows_of(document))
    return json_path, csv_path


def read_report(path: Path) -> tuple[dict[str, Any], bytes]:
    """Reads a document and checks that its bytes are the canonical ones.

    Raises:
        CommandFailed: it is no report, or not canonical.
    """
    from chain import jcs
    from chain.errors import ChainError
    from contracts.report_document import SCHEMA

    body = path.read_bytes()
    document = _parsed(body, path)
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        fail(f"{path}: expected a report of schema {SCHEMA}, got another document")
    try:
        canonical = jcs.encode(document)
    except ChainError as error:
        fail(f"{path}: {error}")
    if canonical != body:
        fail(
            f"{path}: expected canonical JSON (RFC 8785), got another spelling of it, whose hash "
            "says nothing; build the report again"
        )
    return document, body


def read_filing(path: Path) -> dict[str, Any]:
    """Reads a JSON object that a person files.

    Raises:
        CommandFailed: it is none.
    """
    document = _parsed(path.read_bytes(), path)
    if not isinstance(document, dict):
        fail(f"{path}: expected a JSON object, got another value")
    return document


def hash_of_file(path: Path | None) -> bytes:
    """Returns the SHA-256 of a file; zeros where none is named."""
    return bytes(32) if path is None else hashlib.sha256(path.read_bytes()).digest()


def differences(one: object, other: object, place: str = "") -> Iterator[str]:
    """Yields the JSON pointers at which two documents differ."""
    if isinstance(one, dict) and isinstance(other, dict):
        for name in sorted({*one, *other}):
            if name in one and name in other:
                yield from differences(one[name], other[name], f"{place}/{name}")
            else:
                yield f"{place}/{name}"
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for index, (left, right) in enumerate(zip(one, other, strict=True)):
            yield from differences(left, right, f"{place}/{index}")
    elif one != other:
        yield place or "/"


def _parsed(body: bytes, path: Path) -> object:
    try:
        return json.loads(body)
    except ValueError as error:
        fail(f"{path}: expected JSON, got what is none: {error}")


def _rows_of(document: Mapping[str, Any]) -> Iterator[dict[str, object]]:
    yield from _totals_of(document["totals"])
    for line in document.get("lines", ()):
        names = ("scope", "iso_category", "scope3_category", "gas", "kind", "mass_1e9_g")
        yield {"quantity": "line", **{name: line[name] for name in names}, **line["co2e"]}
    for site in document["sites"]:
        yield from _totals_of(site["totals"], site=site["site"])
        for month in site["months"]:
            for name, value in month.items():
                if name.endswith("_1e10_g"):
                    yield {
                        "site": site["site"],
                        "month": month["month"],
                        "quantity": name.removesuffix("_1e10_g"),
                        "numerator_1e10_g": value,
                    }


def _totals_of(totals: Mapping[str, Any], site: str = "") -> Iterator[dict[str, object]]:
    for name, value in totals.items():
        if isinstance(value, dict):
            yield {"site": site, "quantity": name, **value}
