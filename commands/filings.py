"""What people file as JSON: monitoring plans, designs of inventories, figures of deposits."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from commands.choices import choice_of
from commands.output import fail

if TYPE_CHECKING:
    from contracts.deposit import Figure
    from contracts.inventory_design import DefineInventory
    from contracts.monitoring_plan import FilePlan


def design_of(document: Mapping[str, Any], path: Path) -> "DefineInventory":
    """Returns the arguments of ``report.define`` from a file.

    Raises:
        CommandFailed: a member is missing or of another type.
    """
    from contracts.inventory_design import Consolidation, DefineInventory

    sites = document.get("sites")
    if not isinstance(sites, list) or not all(isinstance(each, str) for each in sites):
        fail(f"{path}: sites: expected a list of site ids, got {sites!a:.80}")
    consolidation = choice_of(
        Consolidation, str(document.get("consolidation", "")), f"{path}: consolidation"
    )
    exclusions = tuple(
        (
            each.get("subject"),
            each.get("iso_category"),
            each.get("reason"),
            each.get("estimate_permille"),
        )
        for each in _objects(document, "exclusions", path)
    )
    return DefineInventory.from_value(
        (
            tuple(sorted(sites)),
            int(consolidation),
            document.get("boundary"),
            document.get("significance"),
            document.get("base_year"),
            document.get("base_year_reason"),
            document.get("recalculation"),
            document.get("gwp"),
            exclusions,
            document.get("responsible"),
        ),
        str(path),
    )


def plan_of(
    document: Mapping[str, Any], path: Path, *, site: str, digest: bytes, reason: str
) -> "FilePlan":
    """Returns the arguments of ``plan.file`` from a file.

    Raises:
        CommandFailed: a member is missing or of another type.
    """
    from contracts.monitoring_plan import Determination, FilePlan

    rows = sorted(
        _objects(document, "parameters", path), key=lambda each: str(each.get("parameter"))
    )
    parameters = tuple(
        (
            each.get("parameter"),
            each.get("meter"),
            each.get("unit"),
            int(
                choice_of(
                    Determination, str(each.get("determination", "")), f"{path}: determination"
                )
            ),
            each.get("instrument", "none"),
            each.get("frequency"),
            each.get("calibration", "none"),
            each.get("substitute"),
            each.get("uncertainty_permille"),
            each.get("tier"),
        )
        for each in rows
    )
    valid_from_ms = document.get("valid_from_ms")
    return FilePlan.from_value((site, digest, valid_from_ms, parameters, reason), str(path))


def figures_of(document: Mapping[str, Any], path: Path) -> tuple["Figure", ...]:
    """Returns the figures of a deposit from a file.

    Raises:
        CommandFailed: a member is missing or of another type.
    """
    from contracts.deposit import Figure

    rows = sorted(_objects(document, "figures", path), key=lambda each: str(each.get("parameter")))
    return tuple(
        Figure.from_value(
            (
                each.get("parameter"),
                each.get("unit"),
                each.get("value"),
                each.get("scale", 0),
                _digest_of(each.get("evidence"), path),
            ),
            f"{path}: figures[{index}]",
        )
        for index, each in enumerate(rows)
    )


def _digest_of(text: object, path: Path) -> bytes:
    if text is None:
        return bytes(32)
    try:
        return bytes.fromhex(str(text))
    except ValueError:
        fail(f"{path}: evidence: expected 64 hexadecimal digits, got {text!a:.80}")


def _objects(document: Mapping[str, Any], name: str, path: Path) -> list[dict[str, Any]]:
    rows = document.get(name, [])
    if not isinstance(rows, list) or not all(isinstance(each, dict) for each in rows):
        fail(f"{path}: {name}: expected a list of objects, got another value")
    return rows
