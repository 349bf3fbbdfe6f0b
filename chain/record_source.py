"""Functions of a record class as straight-line source, compiled once from its annotations.

What a general loop over fields decides anew for each record is decided here once, as the standard
library does for dataclasses: checking and building one record of seven fields costs a fifth. There
are three functions: one that sets the fields of a frozen instance, one that checks a plain value,
and one that gives the plain value back. The check only says yes or no; what is wrong with a value
is told by :mod:`chain.codec`, whose parsers a property test holds against these.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import MISSING, Field, fields, is_dataclass
from enum import IntEnum
from itertools import count
from types import NoneType, UnionType
from typing import Annotated, Any, Final, TypeVar, Union, get_args, get_origin, get_type_hints

from chain.types import I64_MIN, U64_MAX, Length, Pattern, Range

ClassT = TypeVar("ClassT", bound=type)

FastParser = Callable[[object], Any]
"""Returns the record that a plain value means, or None where it means none."""
Dumper = Callable[[Any], Any]

_INDENT: Final = "    "


def is_plain(cls: type) -> bool:
    """Returns whether a class is a dataclass whose fields are slots of its own: it has a twin."""
    own = cls.__dict__
    is_slotted_dataclass = "__dataclass_fields__" in own and "__slots__" in own
    return is_slotted_dataclass and not any(map(is_dataclass, cls.__bases__))


def with_fast_init(cls: ClassT) -> ClassT:
    """Gives a frozen, plain dataclass an ``__init__`` of half the cost, and less with many fields.

    The one of the standard library goes through ``object.__setattr__`` for each field. This one
    fills an instance of a class of the same layout that is not frozen, and makes it one of the
    frozen class when all fields are set.
    """
    source = _Source()
    described = fields(cls)
    names = [each.name for each in described]
    same = ", ".join(f"{name}={name}" for name in names)
    standard = vars(cls)["__init__"]
    twin, frozen = source.bind(_open_twin_of(cls), "twin"), source.bind(cls, "cls")
    source.bind_as("_set_class", object.__dict__["__class__"].__set__)
    lines = [f"{each.name} = {_argument(source, each)}" for each in described if _is_made(each)]
    lines += [
        f"if self.__class__ is not {frozen}:",  # a subclass may have another layout
        f"{_INDENT}return {source.bind(standard, 'standard')}(self, {same})",
        f"_set_class(self, {twin})",
        *(f"self.{name} = {name}" for name in names),
        f"self.__class__ = {frozen}",
    ]
    if hasattr(cls, "__post_init__"):
        lines.append("self.__post_init__()")
    parameters = ", ".join(["self", *(["*"] if names else []), *_parameters(source, described)])
    init = source.function(cls, f"__init__({parameters})", lines)
    init.__annotations__ = standard.__annotations__
    type.__setattr__(cls, "__init__", init)
    return cls


def fast_parser_of(cls: type) -> FastParser:
    """Returns the function that checks a plain value and builds the record, or returns None."""
    source = _Source()
    hints = get_type_hints(cls, include_extras=True)
    names = [f"f_{name}" for name in hints]
    lines = [f"if type(value) is not tuple or len(value) != {len(names)}: return None"]
    if names:
        lines.append(f"{', '.join(names)}, = value")
    for name, hint in zip(names, hints.values(), strict=True):
        lines += _check(source, name, hint)
    lines += _built(source, cls, list(hints))
    return source.function(cls, "parse(value)", lines)


def dumper_of(cls: type) -> Dumper:
    """Returns the function that gives the fields of a record as a plain value."""
    source = _Source()
    hints = get_type_hints(cls, include_extras=True)
    values = [_dumped(source, f"record.{name}", hint) for name, hint in hints.items()]
    return source.function(cls, "dump(record)", [f"return ({''.join(f'{v}, ' for v in values)})"])


class _Source:
    """Source of one function, and the objects that it names."""

    def __init__(self) -> None:
        self._namespace: dict[str, Any] = {}
        self._numbers = count()

    def bind(self, value: object, stem: str) -> str:
        """Returns a fresh name for an object."""
        name = self.fresh(stem)
        self._namespace[name] = value
        return name

    def bind_as(self, name: str, value: object) -> None:
        """Gives an object a name of the caller's choice."""
        self._namespace[name] = value

    def fresh(self, stem: str) -> str:
        """Returns a name that nothing has yet."""
        return f"_{stem}_{next(self._numbers)}"  # no field begins with an underscore

    def function(self, cls: type, head: str, lines: list[str]) -> Callable[..., Any]:
        """Compiles a function from its head and body."""
        name = head.partition("(")[0]
        body = "\n".join(_INDENT + line for line in lines)
        code = compile(f"def {head}:\n{body}\n", f"<{name} of {cls.__qualname__}>", "exec")
        exec(code, self._namespace)  # source of our own annotations only
        function: Callable[..., Any] = self._namespace[name]
        return function


def _built(source: _Source, cls: type, names: list[str]) -> list[str]:
    """Returns statements that return an instance with fields of local variables."""
    frozen = source.bind(cls, "cls")
    if not is_plain(cls):
        return [f"return {frozen}({', '.join(f'{name}=f_{name}' for name in names)})"]
    source.bind_as("_new", object.__new__)
    return [
        f"record = _new({source.bind(_open_twin_of(cls), 'twin')})",
        *(f"record.{name} = f_{name}" for name in names),
        f"record.__class__ = {frozen}",
        *(["record.__post_init__()"] if hasattr(cls, "__post_init__") else []),
        "return record",
    ]


def _open_twin_of(cls: type) -> type:
    """Returns a class of the same layout whose fields can be set."""
    return type(f"Open{cls.__name__}", cls.__bases__, {"__slots__": cls.__dict__["__slots__"]})


def _is_made(described: "Field[Any]") -> bool:
    return described.default_factory is not MISSING


def _parameters(source: _Source, described: "tuple[Field[Any], ...]") -> Iterator[str]:
    for each in described:
        if _is_made(each):
            source.bind_as("_absent", MISSING)
            yield f"{each.name}=_absent"
        elif each.default is not MISSING:
            yield f"{each.name}={source.bind(each.default, 'default')}"
        else:
            yield each.name


def _argument(source: _Source, described: "Field[Any]") -> str:
    factory = source.bind(described.default_factory, "factory")
    return f"{factory}() if {described.name} is _absent else {described.name}"


# -- checks ------------------------------------------------------------------------------------


def _check(source: _Source, name: str, hint: Any) -> list[str]:
    """Returns statements that return None unless a variable fits, and convert it where it does."""
    origin = get_origin(hint)
    if origin is Annotated and get_origin(get_args(hint)[0]) is tuple:
        base, bounds = get_args(hint)
        return _check_tuple(source, name, get_args(base), bounds)
    if origin is tuple:
        return _check_tuple(source, name, get_args(hint), Length(0, 2**32 - 1))
    if origin in {Union, UnionType}:
        (inner,) = (each for each in get_args(hint) if each is not NoneType)
        return [f"if {name} is not None:", *_indented(_check(source, name, inner))]
    if isinstance(hint, type) and is_dataclass(hint):
        parser = source.bind(fast_parser_of(hint), "parse")
        return [f"{name} = {parser}({name})", f"if {name} is None: return None"]
    if isinstance(hint, type) and issubclass(hint, IntEnum):
        members = source.bind({int(member): member for member in hint}, "members")
        return [
            f"if type({name}) is not int: return None",
            f"{name} = {members}.get({name})",
            f"if {name} is None: return None",
        ]
    return [f"if {_misfit(source, name, hint)}: return None"]


def _misfit(source: _Source, name: str, hint: Any) -> str:
    """Returns the expression that is true where a variable does not fit a plain annotation."""
    base, bounds = get_args(hint) if get_origin(hint) is Annotated else (hint, None)
    is_other = f"type({name}) is not {base.__name__}"
    if base is int:
        minimum, maximum = (
            (bounds.minimum, bounds.maximum) if isinstance(bounds, Range) else (I64_MIN, U64_MAX)
        )
        return f"{is_other} or not {minimum} <= {name} <= {maximum}"
    match bounds:
        case None:
            return is_other
        case Pattern():
            match_whole = re.compile(bounds.expression, re.ASCII).fullmatch
            return f"{is_other} or {source.bind(match_whole, 'match')}({name}) is None"
        case Length():
            size = f"len({name})" if base is bytes else f"len({name}.encode())"
            return f"{is_other} or {_outside(size, bounds)}"
        case _:
            raise TypeError(f"no canonical encoding for the annotation {hint!r}")


def _check_tuple(
    source: _Source, name: str, arguments: tuple[Any, ...], bounds: Length
) -> list[str]:
    if len(arguments) == 2 and arguments[1] is Ellipsis:
        return [
            f"if type({name}) is not tuple or {_outside(f'len({name})', bounds)}: return None",
            *_check_elements(source, name, arguments[0]),
        ]
    elements = [source.fresh("e") for _ in arguments]
    lines = [f"if type({name}) is not tuple or len({name}) != {len(arguments)}: return None"]
    lines.append(f"{', '.join(elements)}, = {name}")
    for element, hint in zip(elements, arguments, strict=True):
        lines += _check(source, element, hint)
    lines.append(f"{name} = ({', '.join(elements)},)")
    return lines


def _check_elements(source: _Source, name: str, hint: Any) -> list[str]:
    element, found = source.fresh("e"), source.fresh("found")
    checks = _check(source, element, hint)
    if _dumped(source, element, hint) == element:  # what needs no dumping needs no converting
        return [f"for {element} in {name}:", *_indented(checks)]
    return [
        f"{found} = []",
        f"for {element} in {name}:",
        *_indented([*checks, f"{found}.append({element})"]),
        f"{name} = tuple({found})",
    ]


def _outside(size: str, bounds: Length) -> str:
    if bounds.minimum == bounds.maximum:
        return f"{size} != {bounds.minimum}"
    return f"not {bounds.minimum} <= {size} <= {bounds.maximum}"


def _indented(lines: list[str]) -> Iterator[str]:
    return (_INDENT + line for line in lines)


# -- plain values ------------------------------------------------------------------------------


def _dumped(source: _Source, expression: str, hint: Any) -> str:
    """Returns the expression of a field's plain value; the same one where it is plain already."""
    origin = get_origin(hint)
    if origin is Annotated:
        return _dumped(source, expression, get_args(hint)[0])
    if origin in {Union, UnionType}:
        (inner,) = (each for each in get_args(hint) if each is not NoneType)
        dumped = _dumped(source, expression, inner)
        return dumped if dumped == expression else f"(None if {expression} is None else {dumped})"
    if origin is tuple:
        return _dumped_tuple(source, expression, get_args(hint))
    if isinstance(hint, type) and is_dataclass(hint):
        return f"{source.bind(dumper_of(hint), 'dump')}({expression})"
    if isinstance(hint, type) and issubclass(hint, IntEnum):
        return f"int({expression})"
    return expression


def _dumped_tuple(source: _Source, expression: str, arguments: tuple[Any, ...]) -> str:
    if len(arguments) == 2 and arguments[1] is Ellipsis:
        element = source.fresh("e")
        dumped = _dumped(source, element, arguments[0])
        return (
            expression if dumped == element else f"tuple([{dumped} for {element} in {expression}])"
        )
    places = [f"{expression}[{index}]" for index in range(len(arguments))]
    values = [_dumped(source, place, hint) for place, hint in zip(places, arguments, strict=True)]
    return expression if values == places else f"({', '.join(values)},)"
