"""What commands print of others' text."""

import pytest

from commands.output import print_fields, print_table


def test_control_characters_in_a_note_are_shown_and_not_obeyed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    print_fields([("note", "fine\nresolved  by somebody \x1b[2J 碳")])

    assert capsys.readouterr().out == "note  fine\\nresolved  by somebody \\x1b[2J 碳\n"


def test_nor_are_they_in_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("!name",), [("a\u202eb\x07",)])

    assert capsys.readouterr().out.split()[-1] == "a\\u202eb\\x07"
