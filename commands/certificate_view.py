"""Engagements and certificates as people read them."""

from typing import Any

from commands.output import minute_text, print_fields, say, time_text


def months_of(entry: dict[str, Any]) -> str:
    """Returns the first and last month of an engagement or certificate."""
    from contracts.month import month_name

    return f"{month_name(entry['from_month'])} to {month_name(entry['to_month'])}"


def row(entry: dict[str, Any]) -> tuple[object, ...]:
    """Returns the cells of an engagement or certificate in a list."""
    is_certificate = "status" in entry
    return (
        entry["certificate_id" if is_certificate else "certification_id"],
        entry["organisation"],
        months_of(entry),
        entry["status"]["state"] if is_certificate else entry["stage"],
        minute_text(entry["valid_until_ms"])[:10] if is_certificate else None,
    )


def print_sample(engagement: dict[str, Any]) -> None:
    """Prints the intervals that were drawn."""
    plan = engagement["plan"]
    say(f"Sample from block {plan['seed_height']}, {plan['seed']}:")
    for sampled in plan["meters"]:
        starts = ", ".join(minute_text(each) for each in sampled["starts_ms"]) or "none"
        say(f"{sampled['meter']} (UTC): {starts}")


def print_engagement(engagement: dict[str, Any]) -> None:
    """Prints an engagement with its misstatements and its statement."""
    print_fields(
        [
            ("engagement", engagement["certification_id"]),
            ("organisation", f"{engagement['organisation']}, {', '.join(engagement['sites'])}"),
            ("months", months_of(engagement)),
            ("scopes", ", ".join(engagement["scopes"])),
            ("criteria", engagement["criteria"]),
            ("stage", engagement["stage"]),
            ("opened", time_text(engagement["opened_ms"])),
        ]
    )
    if engagement["plan"] is not None:
        print_sample(engagement)
    for each in engagement["misstatements"]:
        material = ", material" if each["is_material"] else ""
        ending = "" if each["correction"] is None else f"; corrected: {each['correction']}"
        words = f"{each['amount_g']} g, {each['kind']}{material}: {each['words']}{ending}"
        print_fields([(f"misstatement {each['number']}", words)])
    if (statement := engagement["statement"]) is not None:
        executed = statement["reexecution"]
        print_fields(
            [
                ("statement", f"{statement['opinion']}, {statement['level']} assurance"),
                ("basis", statement["basis"]),
                ("materiality", f"{statement['materiality_permille']} permille"),
                ("uncorrected", f"{statement['uncorrected_g']} g"),
                ("open cases", ", ".join(statement["exceptions"]) or "none"),
                ("executed by", f"{executed['node_id']} up to block {executed['height']}"),
                ("state root", executed["state_root"]),
            ]
        )


def print_certificate(certificate: dict[str, Any]) -> None:
    """Prints how a certificate stands, and each change."""
    checks, status = certificate["checks"], certificate["status"]
    passed = sum(checks["applied"]) - sum(checks["failed"])
    print_fields(
        [
            ("certificate", f"{status['state']}, {status['revision_count']} revisions since"),
            ("issued", f"{time_text(certificate['issued_ms'])} by {certificate['issued_by']}"),
            ("valid until", time_text(certificate["valid_until_ms"])),
            ("report", certificate["report"]),
            ("intervals", f"{checks['present']} of {checks['expected']} with a value"),
            ("checks", f"{passed} of {sum(checks['applied'])} passed"),
        ]
    )
    print_fields(
        [
            (
                time_text(change["changed_ms"]),
                f"{change['before']} to {change['after']}: {change['reason']}",
            )
            for change in certificate["changes"]
        ]
    )
