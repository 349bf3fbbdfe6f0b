"""Names of enumerations on the command line."""

from enum import IntEnum
from typing import TypeVar

from commands.output import fail

ChoiceT = TypeVar("ChoiceT", bound=IntEnum)


def choice_of(choices: type[ChoiceT], text: str, option: str) -> ChoiceT:
    """Returns the member that a person names, in any case, with - for _.

    Raises:
        CommandFailed: names what may be said.
    """
    try:
        return choices[text.upper().replace("-", "_")]
    except KeyError:
        known = ", ".join(choice.name.lower() for choice in choices)
        fail(f"{option}: expected one of {known}, got {text!a}")
