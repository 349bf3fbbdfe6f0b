"""Configuration of one node: a TOML file, checked as a whole, then a frozen record.

These settings concern this node alone; no value of them can stall or split the chain (what all
nodes must agree on is in the genesis record). Unknown keys are errors, because a misspelt limit
is otherwise a default that nobody chose. Every fault found is told at once, each with file, key,
what was expected and what came.

Relative paths are relative to the file, so that a home directory can be moved.
"""

import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from node.errors import LocalError

CONFIG_BYTES_MAX: Final = 64 * 1024
"""A full file takes about 1 KiB."""
SENDER_SHARE_MIN: Final = 500
"""Transactions that one sender may have pending through one node, in however large a consortium."""
MEMPOOL_BYTES_MIN: Final = 2**20
"""One transaction of the largest size fits with room."""
DISK_FREE_BYTES_MIN_DEFAULT: Final = 512 * 2**20
"""consensus.md 30: below it the node takes no transactions."""
_GOT_CHARACTERS_MAX: Final = 60


class ConfigError(LocalError):
    """A configuration file that cannot be used."""

    def __init__(self, path: Path, faults: tuple[str, ...]) -> None:
        self.path = path
        self.faults = faults
        """One sentence for each fault: key, expected, got."""
        super().__init__("\n".join(f"{path}: {fault}" for fault in faults))


class NodeRole(StrEnum):
    """What a node does in the network."""

    VALIDATOR = "validator"
    """Proposes and votes."""
    OBSERVER = "observer"
    """Follows, verifies and serves; has no consensus key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeConfig:
    """Checked settings of one node; paths are absolute."""

    home: Path
    """Directory of database, journal, sign guard and lock."""
    role: NodeRole
    name: str
    """Name of the node in logs and in its own status: 1 to 64 of a-z 0-9 . _ -."""
    genesis_path: Path
    """The genesis record; its hash is the chain id."""
    consensus_key_path: Path | None
    """Key file of the votes; None exactly for an observer."""
    tls_key_path: Path
    """Key file of the links between nodes."""
    passphrase_path: Path | None
    """File of mode 0600 with the passphrase of the key files; None: see the next field."""
    passphrase_credential: str | None
    """Name of a systemd credential with the passphrase; None in both: ask at start."""
    p2p_host: str
    """Address on which other nodes connect."""
    p2p_port: int
    rpc_host: str
    """Address on which clients connect."""
    rpc_port: int
    metrics_host: str
    """Address for Prometheus; a listener of its own, because what it shows is not for clients."""
    metrics_port: int
    t0_ms: int
    """Milliseconds that the first view of a height may take (T0)."""
    censorship_timeout_ms: int
    """Milliseconds that a valid transaction may be passed over before this node complains."""
    status_interval_ms: int
    """Milliseconds between two STATUS messages."""
    mempool_transactions_max: int
    mempool_bytes_max: int
    mempool_sender_transactions_max: int
    """Transactions that one sender may have pending here."""
    verify_threads: int
    """Threads that check signatures; 0: as many as the machine has cores to spare."""
    log_level: str
    """debug, info, warning or error; changeable at run time."""
    disk_free_bytes_min: int
    """Free bytes under which the node takes no transactions and is not ready."""

    def sender_share(self, member_count: int) -> int:
        """Returns how many transactions of one sender this node's own clients may have pending.

        The shares of all members together find room in every pool. In a large consortium the least
        share counts, which is for one busy gateway: only a flood at most nodes exceeds the sum.

        Args:
            member_count: nodes of the chain, each of which takes transactions.
        """
        quota = self.mempool_sender_transactions_max
        return min(quota, max(quota // member_count, SENDER_SHARE_MIN))


_Port = Annotated[int, Field(ge=1, le=65_535)]
_Host = Annotated[str, Field(pattern=r"^[0-9A-Za-z.:-]{1,253}$")]
_PathText = Annotated[str, Field(min_length=1, max_length=4096, pattern=r"^[^\x00]+$")]
_Identifier = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
_CredentialName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,254}$")]


class _ConfigFile(BaseModel):
    """The file's keys, types and single bounds; relations stand in :func:`_relation_faults`."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    home: _PathText = "."
    role: Literal["validator", "observer"]
    name: _Identifier
    genesis_path: _PathText = "genesis.json"
    consensus_key_path: _PathText | None = None
    tls_key_path: _PathText
    passphrase_path: _PathText | None = None
    passphrase_credential: _CredentialName | None = None
    p2p_host: _Host = "127.0.0.1"
    p2p_port: _Port
    rpc_host: _Host = "127.0.0.1"
    rpc_port: _Port
    metrics_host: _Host = "127.0.0.1"
    metrics_port: _Port
    t0_ms: Annotated[int, Field(ge=100, le=60_000)] = 2_000
    censorship_timeout_ms: Annotated[int, Field(ge=100, le=600_000)] = 10_000
    status_interval_ms: Annotated[int, Field(ge=20, le=10_000)] = 300
    mempool_transactions_max: Annotated[int, Field(ge=1, le=10_000_000)] = 50_000
    mempool_bytes_max: Annotated[int, Field(ge=MEMPOOL_BYTES_MIN, le=2**36)] = 128 * 2**20
    mempool_sender_transactions_max: Annotated[int, Field(ge=1, le=10_000_000)] = 10_000
    verify_threads: Annotated[int, Field(ge=0, le=64)] = 0
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    disk_free_bytes_min: Annotated[int, Field(ge=0, le=2**50)] = DISK_FREE_BYTES_MIN_DEFAULT


_PATH_FIELDS: Final = (
    "home",
    "genesis_path",
    "consensus_key_path",
    "tls_key_path",
    "passphrase_path",
)


def load(path: Path) -> NodeConfig:
    """Reads and checks a configuration file.

    Args:
        path: The TOML file.

    Returns:
        The settings, with absolute paths. That the paths exist is not checked here: the
        commands that create them read the same file.

    Raises:
        ConfigError: When the file cannot be read or holds any fault; it lists them all.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ConfigError(path, (f"expected a readable file, got: {error.strerror}",)) from None
    if len(content) > CONFIG_BYTES_MAX:
        raise ConfigError(path, (f"expected at most {CONFIG_BYTES_MAX} bytes, got {len(content)}",))
    try:
        table = tomllib.loads(content.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise ConfigError(
            path, (f"expected UTF-8, got another byte at offset {error.start}",)
        ) from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigError(path, (f"expected TOML, got: {error}",)) from None
    try:
        file = _ConfigFile.model_validate(table)
    except ValidationError as error:
        details = error.errors(include_url=False, include_context=True)
        raise ConfigError(path, tuple(_worded(detail) for detail in details)) from None
    faults = tuple(_relation_faults(file))
    if faults:
        raise ConfigError(path, faults)
    return _resolved(file, path.absolute().parent)


def dump(config: NodeConfig, *, directory: Path | None = None) -> str:
    """Writes settings as the TOML text that :func:`load` reads.

    Args:
        config: Checked settings.
        directory: Where the text will be stored; paths under it are written relative to it, so
            that the directory can be moved. Without it all paths are written absolute.

    Returns:
        One ``key = value`` a line, in the order of the record's fields; None is left out.
    """
    lines: list[str] = []
    for entry in fields(config):
        value = getattr(config, entry.name)
        if value is None:
            continue
        if isinstance(value, Path):
            if directory is not None and value.is_relative_to(directory.absolute()):
                value = value.relative_to(directory.absolute())
            value = str(value)
        lines.append(f"{entry.name} = {value if type(value) is int else _quoted(value)}\n")
    return "".join(lines)


def _resolved(file: _ConfigFile, directory: Path) -> NodeConfig:
    values: dict[str, Any] = file.model_dump()
    for name in _PATH_FIELDS:
        if values[name] is not None:
            values[name] = directory / values[name]
    values["role"] = NodeRole(file.role)
    return NodeConfig(**values)


def _relation_faults(file: _ConfigFile) -> Iterator[str]:
    """Yields a sentence for each rule between two keys that is broken."""
    if file.role == "validator" and file.consensus_key_path is None:
        yield "consensus_key_path: expected a key file, because role is 'validator', got nothing"
    if file.role == "observer" and file.consensus_key_path is not None:
        yield (
            "consensus_key_path: expected nothing, because role is 'observer', got "
            f"{_shown(file.consensus_key_path)}"
        )
    if file.consensus_key_path == file.tls_key_path:
        yield (
            "tls_key_path: expected another file than consensus_key_path, got "
            f"{_shown(file.tls_key_path)} for both"
        )
    if file.passphrase_path is not None and file.passphrase_credential is not None:
        yield (
            "passphrase_credential: expected nothing beside passphrase_path, got "
            f"{_shown(file.passphrase_credential)}; keep one of the two"
        )
    yield from _port_faults(file)
    if file.t0_ms < 2 * file.status_interval_ms:
        yield (
            f"t0_ms: expected at least twice status_interval_ms ({2 * file.status_interval_ms}), "
            f"got {file.t0_ms}"
        )
    if file.censorship_timeout_ms <= file.t0_ms:
        yield (
            f"censorship_timeout_ms: expected more than t0_ms ({file.t0_ms}), got "
            f"{file.censorship_timeout_ms}"
        )
    if file.mempool_sender_transactions_max > file.mempool_transactions_max:
        yield (
            "mempool_sender_transactions_max: expected at most mempool_transactions_max "
            f"({file.mempool_transactions_max}), got {file.mempool_sender_transactions_max}"
        )


def _port_faults(file: _ConfigFile) -> Iterator[str]:
    """Yields a sentence for each listener whose port an earlier one has taken.

    Equal ports on different hosts are refused too: a host may be a name or a wildcard, and
    whether two overlap shows only when the second one fails to listen.
    """
    taken: dict[int, str] = {}
    for name, port in (
        ("p2p_port", file.p2p_port),
        ("rpc_port", file.rpc_port),
        ("metrics_port", file.metrics_port),
    ):
        if port in taken:
            yield f"{name}: expected another port than {taken[port]}, got {port} for both"
        taken.setdefault(port, name)


_EXPECTATIONS: Final[dict[str, Callable[[dict[str, Any]], str]]] = {
    "bool_type": lambda _context: "true or false",
    "int_type": lambda _context: "an integer",
    "string_type": lambda _context: "a text",
    "string_too_short": lambda context: f"at least {context['min_length']} character",
    "string_too_long": lambda context: f"at most {context['max_length']} characters",
    "string_pattern_mismatch": lambda context: f"a text that matches {context['pattern']}",
    "greater_than_equal": lambda context: f"at least {context['ge']}",
    "less_than_equal": lambda context: f"at most {context['le']}",
    "literal_error": lambda context: str(context["expected"]),
}


def _worded(detail: ErrorDetails) -> str:
    key = ".".join(str(part) for part in detail["loc"])
    kind = detail["type"]
    if kind == "missing":
        return f"{key}: expected a value, got nothing"
    if kind == "extra_forbidden":
        known = ", ".join(_ConfigFile.model_fields)
        return f"{_shown(key)}: expected one of the keys {known}, got an unknown one"
    expectation = _EXPECTATIONS.get(kind)
    expected = detail["msg"] if expectation is None else expectation(detail.get("ctx", {}))
    return f"{key}: expected {expected}, got {_shown(detail['input'])}"


def _shown(value: object) -> str:
    text = ascii(value)
    if len(text) <= _GOT_CHARACTERS_MAX:
        return text
    return text[:_GOT_CHARACTERS_MAX] + "..."


def _quoted(text: str) -> str:
    """Returns a TOML basic string."""
    parts = [
        "\\" + character
        if character in '"\\'
        else character
        if character >= " " and character != "\x7f"
        else f"\\u{ord(character):04X}"
        for character in text
    ]
    return '"' + "".join(parts) + '"'
