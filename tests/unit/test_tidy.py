"""Checks of the code itself that no linter makes."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PURE = ("chain", "consensus", "contracts")
PACKAGES = (*PURE, "p2p", "node", "client", "demo", "benchmarks", "commands")
SOURCES = sorted(
    [path for name in PACKAGES for path in (ROOT / name).rglob("*.py")] + list(ROOT.glob("*.py"))
)
TESTS = sorted((ROOT / "tests").rglob("*.py"))
FUNCTION_LINES_MAX = 70
FILE_LINES_MAX = 500
SUPPRESSIONS_MAX = 25
STARTS_PROCESSES = ("cli.py", "node/devnet*", "node/demo*")
COMPILES = Path("chain/record_source.py")
"""Compiles source made of our own annotations, and nothing that is read from anywhere."""
IMPURE = (
    *("asyncio", "json", "logging", "math", "os", "pathlib", "random", "secrets", "socket"),
    *("ssl", "threading", "time", "uuid", "zoneinfo"),
)
PROCESS_STARTERS = (
    r"(subprocess|multiprocessing)(\..*)?"
    r"|os\.(fork|system|popen|posix_spawn|spawn\w+|exec\w+)"
    r"|asyncio\.create_subprocess_\w+"
)
VAGUE = ("utils", "util", "helpers", "helper", "manager", "common", "misc")
SUPPRESSION = re.compile(r"#\s*(noqa|type:\s*ignore)\b(?P<rest>.*)")
CODE_AND_REASON = re.compile(r"^(:\s*[A-Z]+\d+(,\s*[A-Z]+\d+)*|\[[a-z, -]+\])\s+#?\s*\S+\s+\S+")


def test_the_search_found_the_sources() -> None:
    folders = {path.relative_to(ROOT).parts[0] for path in SOURCES}

    assert folders.issuperset(PACKAGES)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_source_is_tidy(path: Path) -> None:
    assert list(faults_of(path.read_text(), path.relative_to(ROOT))) == []


@pytest.mark.parametrize("path", TESTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_test_file_is_of_readable_length(path: Path) -> None:
    assert path.read_text().count("\n") <= FILE_LINES_MAX


def test_suppressions_are_few_and_name_their_rule_and_reason() -> None:
    found = [
        (f"{path.relative_to(ROOT)}:{number}", match["rest"])
        for path in SOURCES + TESTS
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if (match := SUPPRESSION.search(line))
    ]

    assert [place for place, rest in found if not CODE_AND_REASON.match(rest)] == []
    assert len(found) <= SUPPRESSIONS_MAX, [place for place, _ in found]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_package_file_holds_only_its_docstring(path: Path) -> None:
    if path.name == "__init__.py":
        kinds = [type(node) for node in ast.parse(path.read_text()).body]

        assert kinds == [ast.Expr]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("async def f(): pass", "line 1: pure code does not await"),
        ("X = 0.5", "line 1: floats differ between machines"),
        ("X = 1 / 2", "line 1: floats differ between machines"),
        ("X = 1\nX /= 2", "line 2: floats differ between machines"),
        ("X = hash(b'')", "line 1: hash() has no place in pure code"),
        ("for x in {1, 2}: pass", "line 1: a set has no order; sort it first"),
        ("X = [x for x in set(y)]", "line 1: a set has no order; sort it first"),
        ("X = tuple({1, 2})", "line 1: a set has no order; sort it first"),
        ("import json", "line 1: json has no place in pure code"),
        ("from os import path", "line 1: os has no place in pure code"),
    ],
)
def test_impurity_is_found_in_pure_packages_only(text: str, fault: str) -> None:
    assert fault in list(faults_of(text, Path("chain/sample.py")))
    assert fault in list(faults_of(text, Path("node/kernel.py")))
    assert fault in list(faults_of(text, Path("node/kernel_sync.py")))
    assert list(faults_of(text, Path("node/runtime.py"))) == []


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("eval('1')", "line 1: eval runs what it reads"),
        ("exec('1')", "line 1: exec runs what it reads"),
        ("import pickle", "line 1: pickle runs what it reads"),
        ("yaml.load(x)", "line 1: yaml.load runs what it reads"),
        ("import subprocess", "line 1: only the development network starts processes"),
        ("from subprocess import run", "line 1: only the development network starts processes"),
        (
            "asyncio.create_subprocess_exec()",
            "line 1: only the development network starts processes",
        ),
        ("os.fork()", "line 1: only the development network starts processes"),
        ("from cli import main", "line 1: nothing imports the command line"),
        ("X = 1  # TODO later", "line 1: a TODO names its issue, as in TODO(#12)"),
        ("X = 1\n" * 501, "longer than 500 lines"),
        ("def f():\n" + "    x = 1\n" * 70, "line 1: f has 71 lines"),
    ],
)
def test_each_fault_is_found(text: str, fault: str) -> None:
    assert list(faults_of(text, Path("node/runtime.py"))) == [fault]


def test_what_is_allowed_is_not_a_fault() -> None:
    assert list(faults_of("import subprocess", Path("node/devnet.py"))) == []
    assert list(faults_of("X = 1\n" * 500, Path("node/runtime.py"))) == []
    assert list(faults_of("def f():\n" + "    x = 1\n" * 69, Path("node/runtime.py"))) == []
    assert list(faults_of("X = 1  # TODO(#12): later", Path("node/runtime.py"))) == []
    assert list(faults_of("X = sorted({1, 2})", Path("chain/sample.py"))) == []


def faults_of(text: str, path: Path) -> Iterator[str]:
    if text.count("\n") > FILE_LINES_MAX:
        yield f"longer than {FILE_LINES_MAX} lines"
    if path.stem in VAGUE:
        yield f"{path.stem} names no concept"
    for number, line in enumerate(text.splitlines(), 1):
        if re.search(r"\b(TODO|FIXME|XXX)\b(?!\(#\d+\))", line):
            yield f"line {number}: a TODO names its issue, as in TODO(#12)"
    is_pure = path.parts[0] in PURE or path.as_posix().startswith("node/kernel")
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > FUNCTION_LINES_MAX:
                yield f"line {node.lineno}: {node.name} has {lines} lines"
        yield from dangers_of(node, path)
        if is_pure:
            yield from nondeterminism_of(node)


def dangers_of(node: ast.AST, path: Path) -> Iterator[str]:
    for line, name in names_used_by(node):
        top = name.partition(".")[0]
        is_compiler = name == "exec" and path == COMPILES
        if (name in ("eval", "exec", "yaml.load") and not is_compiler) or top in (
            "pickle",
            "marshal",
            "shelve",
        ):
            yield f"line {line}: {name} runs what it reads"
        elif top == "cli":
            yield f"line {line}: nothing imports the command line"
        elif starts_process(name) and not any(path.match(glob) for glob in STARTS_PROCESSES):
            yield f"line {line}: only the development network starts processes"


def starts_process(name: str) -> bool:
    return re.fullmatch(PROCESS_STARTERS, name) is not None


def names_used_by(node: ast.AST) -> Iterator[tuple[int, str]]:
    match node:
        case ast.Import(names=names):
            yield from ((node.lineno, alias.name) for alias in names)
        case ast.ImportFrom(module=str(module)):
            yield node.lineno, module
        case ast.Call(func=ast.Name(id=name)):
            yield node.lineno, name
        case ast.Call(func=ast.Attribute(value=ast.Name(id=owner), attr=name)):
            yield node.lineno, f"{owner}.{name}"
        case _:
            pass


def nondeterminism_of(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.AsyncFunctionDef() | ast.Await():
            yield f"line {node.lineno}: pure code does not await"
        case ast.Constant(value=float()) | ast.BinOp(op=ast.Div()) | ast.AugAssign(op=ast.Div()):
            yield f"line {node.lineno}: floats differ between machines"
        case ast.Call(
            func=ast.Name(id="hash" | "id" | "float" | "open" | "print" | "input" as name)
        ):
            yield f"line {node.lineno}: {name}() has no place in pure code"
        case ast.Import() | ast.ImportFrom():
            for line, module in names_used_by(node):
                if module.partition(".")[0] in IMPURE:
                    yield f"line {line}: {module} has no place in pure code"
        case (
            ast.For(iter=source)
            | ast.comprehension(iter=source)
            | ast.Call(func=ast.Name(id="tuple" | "list" | "enumerate"), args=[source, *_])
        ) if is_set(source):
            yield f"line {source.lineno}: a set has no order; sort it first"
        case _:
            pass


def is_set(node: ast.expr) -> bool:
    match node:
        case ast.Set() | ast.SetComp() | ast.Call(func=ast.Name(id="set" | "frozenset")):
            return True
        case _:
            return False
