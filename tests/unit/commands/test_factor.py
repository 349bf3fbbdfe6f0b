"""``tanlian factor``: what a person sets stands in the state, and what is wrong is said."""

from pathlib import Path

import pytest

from tests.command_node import CommandNode

SET = ("factor", "set", "kr-grid", "4306", "--source", "a publisher")
PERIOD = ("--valid-from", "2023-01-01", "--valid-to", "2024-01-01")
DECLARED = ("--uncertainty", "50", "--uncertainty-source", "its methods annex")


def test_a_factor_is_set_with_its_uncertainty_and_listed(node: CommandNode) -> None:
    assert "factor.set kr-grid" in node.run(*SET, *PERIOD, *DECLARED)
    node.run(*SET, "--valid-from", "2024-01-01", "--valid-to", "2025-01-01")

    first, second = node.json("factor", "list")["factors"]
    assert first["uncertainty"] == {"permille": 50, "source": "its methods annex"}
    assert second["uncertainty"] is None
    assert "kr-grid: uncertainty 50 permille: its methods annex" in node.run("factor", "list")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (DECLARED[:2], "--uncertainty: expected permille and its --uncertainty-source, or neither"),
        (DECLARED[2:], "got None and 'its methods annex'"),
        ((*DECLARED[:3], " "), "got 50 and ' '"),
    ],
)
def test_a_number_without_its_source_is_refused(
    node: CommandNode, options: tuple[str, ...], words: str
) -> None:
    assert words in node.fails(*SET, *PERIOD, *options)
    assert node.node.height == 0


TABLE = """code,name,year,basis,value_int,unit,source,evidence,\
uncertainty_permille,uncertainty_source
KR,Korea,2023,location-average,4306,1e-4 kgCO2/kWh,a publisher,github,{permille},{source}
KR,Korea,2024,location-average,4200,1e-4 kgCO2/kWh,a publisher,github,,
"""


def test_a_table_may_declare_uncertainties_row_by_row(node: CommandNode, tmp_path: Path) -> None:
    path = tmp_path / "grid.csv"
    path.write_text(TABLE.format(permille=70, source="annex B"), encoding="utf-8")

    assert "3 committed, 0 factors there already." in node.run("factor", "import", str(path))
    assert "1 committed" not in node.run("factor", "import", str(path))
    found = [each["uncertainty"] for each in node.json("factor", "list")["factors"]]
    assert found == [{"permille": 70, "source": "annex B"}, None]


@pytest.mark.parametrize(
    ("permille", "source", "words"),
    [
        ("10001", "annex B", "uncertainty_permille: expected at most 10000, got '10001'"),
        ("-1", "annex B", "uncertainty_permille: expected an integer of at least 0, got '-1'"),
        ("7.5", "annex B", "uncertainty_permille: expected an integer of at least 0, got '7.5'"),
        ("70", "", "expected its publisher and document in uncertainty_source, got '70'"),
    ],
)
def test_a_wrong_row_is_named(
    node: CommandNode, tmp_path: Path, permille: str, source: str, words: str
) -> None:
    path = tmp_path / "grid.csv"
    path.write_text(TABLE.format(permille=permille, source=source), encoding="utf-8")

    assert words in node.fails("factor", "import", str(path))
    assert node.node.height == 0
