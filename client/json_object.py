"""JSON objects in files: of objects, arrays, texts and integers, and nothing else.

What cannot be written back as canonical JSON cannot have been signed or hashed, so it is refused
where it is read: floats, repeated names, integers that a reader with doubles would change.
"""

import json
from typing import Any, NoReturn

from chain import jcs
from client.errors import ClientError

JsonObject = dict[str, Any]


class NoJsonObject(ClientError):
    """Bytes that are none; the message says what came instead."""


def parse(text: bytes) -> JsonObject:
    """Returns the object in untrusted bytes, whose number the caller has bounded.

    Raises:
        NoJsonObject: not UTF-8, not JSON, no object, a float, or a name twice.
        NotCanonicalJson: an object without canonical text; names the place in it.
    """
    try:
        found = json.loads(
            text.decode(),
            object_pairs_hook=_members,
            parse_float=_refuse_float,
            parse_constant=_refuse_float,
        )
    except RecursionError:
        raise NoJsonObject("nesting without end") from None
    except UnicodeDecodeError as error:
        raise NoJsonObject(f"bytes that are no UTF-8 at offset {error.start}") from None
    except json.JSONDecodeError as error:
        raise NoJsonObject(f"no JSON ({error.msg} at offset {error.pos})") from None
    except ValueError as error:  # digits without end, which Python refuses to convert
        raise NoJsonObject(f"no JSON ({error})") from None
    if not isinstance(found, dict):
        raise NoJsonObject(f"a JSON {type(found).__name__}")
    jcs.encode(found)
    return found


def _members(pairs: list[tuple[str, Any]]) -> JsonObject:
    members = dict(pairs)
    if len(members) != len(pairs):
        names = [name for name, _ in pairs]
        repeated = next(name for name in names if names.count(name) > 1)
        raise NoJsonObject(f"the name {repeated[:40]!a} twice in one object")
    return members


def _refuse_float(digits: str) -> NoReturn:
    raise NoJsonObject(f"the number {digits[:40]} where only integers may stand")
