"""Files of reports: canonical JSON, a table for spreadsheets, and the JSON that people file."""

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from commands.input_file import REPORT, read_document
from commands.output import fail

_COLUMNS: Final = (
    *("site", "month", "quantity", "scope", "iso_category", "scope3_category", "gas", "kind"),
    *("numerator_1e10_g", "grams", "tonnes", "mass_1e9_g"),
)

HEADLINE: Final = {
    "direct": "direct",
    "location_based": "scope2_location_based",
    "market_based": "scope2_market_based",
    "value_chain": "value_chain",
    "biogenic": "biogenic",
    "removals": "removals",
}
"""Members of a document's totals by field of the anchored headline."""
_MEMBERS: Final = {
    "kind": str,
    "organisation/id": str,
    "period/from": str,
    "period/to": str,
    "computed_at/chain_id": str,
    "computed_at/height": int,
    "computed_at/state_root": str,
    **{f"totals/{name}/numerator_1e10_g": str for name in HEADLINE.values()},
}
"""Members of a document that commands go by, with their types."""


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
        CommandFailed: it is no report, not canonical, or lacks a member that commands go by.
    """
    from chain import jcs
    from contracts.report_document import SCHEMA

    body, document = read_document(path, REPORT)
    if document.get("schema") != SCHEMA:
        fail(f"{path}: expected a report of schema {SCHEMA}, got another document")
    if jcs.encode(document) != body:
        fail(
            f"{path}: expected canonical JSON (RFC 8785), got another spelling of it, whose hash "
            "says nothing; build the report again"
        )
    for place, kind in _MEMBERS.items():
        _check_member(document, place, kind, path)
    return document, body


def _check_member(document: object, place: str, kind: type, path: Path) -> None:
    for name in place.split("/"):
        document = document.get(name) if isinstance(document, dict) else None
    if type(document) is not kind:
        fail(
            f"{path}: {place}: expected {'text' if kind is str else 'an integer'}, got "
            f"{document!a:.60}; {REPORT.remedy}"
        )


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
