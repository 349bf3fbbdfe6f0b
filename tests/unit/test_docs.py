"""What documents say of the code is true, and what they point to is there."""

import re
from pathlib import Path

import pytest

from chain.crypto import Domain
from consensus.messages import MESSAGES
from contracts.check import Check
from contracts.check_settings import PARAMETERS
from contracts.recheck import ANSWERS
from node import storage
from p2p.frames import LANE_LIMITS, Lane

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.md")]
)
LINK = re.compile(r"\[[^\]]*\]\((?P<target>[^)\s]+)\)")
CODE = re.compile(r"`([^`\n]+)`")
PATH = re.compile(r"(?:[\w.-]+/)*[\w.-]+\.(?:py|md|toml|yml|json)|(?:[\w.-]+/)+")
HERE = re.compile(r"(?<![\w.~-])/(?:work|tmp|home|root|Users|mnt)\b(?:/[\w.-]+)?")
UNITS = {"B": 1, "KiB": 2**10, "MiB": 2**20}


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def words(message_name: str) -> str:
    """Returns a name without what documents and classes write differently."""
    return re.sub(r"[^a-z]", "", message_name.lower())


def test_the_search_found_the_documents() -> None:
    names = {path.relative_to(ROOT).as_posix() for path in DOCUMENTS}

    assert names >= {"ARCHITECTURE.md", "GLOSSARY.md", "docs/wire.md", "docs/storage.md"}


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_relative_links_lead_somewhere(path: Path) -> None:
    targets = [match["target"] for match in LINK.finditer(path.read_text(encoding="utf-8"))]
    relative = [each.partition("#")[0] for each in targets if "://" not in each]

    assert [each for each in relative if each and not (path.parent / each).exists()] == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_document_names_a_place_of_one_machine(path: Path) -> None:
    assert HERE.findall(path.read_text(encoding="utf-8")) == []


def test_places_of_one_machine_are_recognised() -> None:
    assert HERE.findall("see /home/somebody/x and (/tmp/y), `/work`") == [
        "/home/somebody",
        "/tmp/y",
        "/work",
    ]
    assert HERE.findall("~/home, a/tmp/b, /workers, https://example.org/home") == []


def test_the_table_of_messages_is_that_of_the_code() -> None:
    rows = re.findall(
        r"^\| (\d+) \| ([\w-]+) \| (\d*) ?\| ([\w-]*) ?\|$", text_of("docs/wire.md"), re.MULTILINE
    )
    told = {int(tag): words(name) for row in rows for tag, name in (row[:2], row[2:]) if tag}

    assert told == {tag: words(record.__name__) for tag, record in MESSAGES.classes.items()}


def test_every_domain_tag_of_the_wire_is_one_of_the_code() -> None:
    tags = re.findall(r"`(tanlian/[a-z0-9/-]+\\0)`", text_of("docs/wire.md"))
    known = {domain.value.decode().replace("\0", "\\0") for domain in Domain}

    assert len(tags) == 5
    assert set(tags) <= known


def test_the_table_of_lanes_is_that_of_the_code() -> None:
    rows = re.findall(
        r"^\| (\d) ([A-Z]+) \| .+ \| (\d+) (\w+) \|$", text_of("docs/wire.md"), re.MULTILINE
    )
    told = {(int(number), name): int(size) * UNITS[unit] for number, name, size, unit in rows}

    assert told == {(lane.value, lane.name): LANE_LIMITS[lane] for lane in Lane}


def test_the_tables_of_the_database_are_those_of_the_code() -> None:
    source = (ROOT / "node/storage.py").read_text(encoding="utf-8")
    code = source.replace(storage.__doc__ or "", "")
    told = re.findall(r"^\| `(\w)` \|", text_of("docs/storage.md"), re.MULTILINE)
    beside_the_code = re.findall(r"^``(\w)``", storage.__doc__ or "", re.MULTILINE)
    used = set(re.findall(r'\bb"([a-z])"', code)) | {
        name[0] for name in re.findall(r'= b"(m[a-z]+)"', code)
    }

    assert sorted(told) == sorted(used)
    assert told == beside_the_code


def test_every_file_that_the_architecture_names_exists() -> None:
    named = [
        name
        for code in CODE.findall(text_of("ARCHITECTURE.md"))
        for name in code.split()
        if PATH.fullmatch(name)
    ]
    named += re.findall(r"\bdocs/[\w-]+\.md\b", text_of("ARCHITECTURE.md"))
    # Within one row of the table a bare file name stands in the folder named before it.
    folders = {Path(name).parent for name in named if "/" in name} | {Path()}
    absent = [
        name
        for name in named
        if not any(
            (ROOT / folder / name).exists() for folder in ({Path()} if "/" in name else folders)
        )
    ]

    assert len(named) > 30
    assert absent == []


def test_the_table_of_parameters_is_that_of_the_code() -> None:
    rows = re.findall(
        r"^\| (\d+) \| `([a-z0-9_]+\.[a-z0-9_]+)` \| (\d+) \| (\d+) \| (\d+) \| (.+): (.+) \|$",
        text_of("docs/methodology.md"),
        re.MULTILINE,
    )

    assert [
        (name, *map(int, (check, *numbers)), words) for check, name, *numbers, _, words in rows
    ] == [
        (
            each.name,
            int(each.check),
            each.default,
            each.minimum,
            each.maximum,
            each.meaning,
        )
        for each in PARAMETERS.values()
    ]


def test_the_table_of_remedies_is_that_of_the_code() -> None:
    rows = re.findall(
        r"^\| ([\d, ]+) \| ([a-z, ]+) \| [^|]+ \|$", text_of("docs/methodology.md"), re.MULTILINE
    )
    told = {Check(int(each)): row[1] for row in rows for each in row[0].split(", ")}

    assert told == {
        check: ", ".join(remedy.name.lower() for remedy in answer.remedies)
        for check, answer in ANSWERS.items()
    }
