"""JSON in and out: strict where it comes from clients, compact and deterministic where it goes.

Two parsers that disagree about a repeated key disagree about what was signed or meant, so repeated
keys are refused; so are NaN and the infinities, which are no JSON.
"""

import json
from typing import Final, NoReturn, TypeAlias

Json: TypeAlias = dict[str, "Json"] | list["Json"] | str | int | float | bool | None

INTEGER_DIGITS_MAX: Final = 20
"""Digits of 2**64; longer numbers only cost time to parse."""


class MalformedJson(ValueError):
    """Bytes that are no strict JSON; the message says what came."""


def parse(body: bytes) -> Json:
    """Parses untrusted bytes whose number the caller has bounded.

    Raises:
        MalformedJson: not UTF-8, not JSON, a repeated key, NaN, or nested too deeply.
    """
    try:
        text = body.decode("utf-8")
        document: Json = json.loads(
            text,
            object_pairs_hook=_refuse_repeated,
            parse_constant=_refuse_constant,
            parse_int=_parse_integer,
        )
    except MalformedJson:
        raise
    except UnicodeDecodeError as error:
        raise MalformedJson(f"a byte at offset {error.start} that is not UTF-8") from None
    except json.JSONDecodeError as error:
        raise MalformedJson(f"{error.msg} at offset {error.pos}") from None
    except RecursionError:
        raise MalformedJson("nesting without end") from None
    return document


def dump(document: object) -> bytes:
    """Returns compact UTF-8 JSON; members stay in the order in which they were built."""
    text = json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode("utf-8")


def _refuse_repeated(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    members = dict(pairs)
    if len(members) != len(pairs):
        names = [name for name, _ in pairs]
        repeated = next(name for name in names if names.count(name) > 1)
        raise MalformedJson(f"the key {repeated[:40]!a} twice in one object")
    return members


def _refuse_constant(name: str) -> NoReturn:
    raise MalformedJson(f"{name}, which is no JSON number")


def _parse_integer(digits: str) -> int:
    count = len(digits.lstrip("-"))
    if count > INTEGER_DIGITS_MAX:
        raise MalformedJson(f"an integer of {count} digits")
    return int(digits)
