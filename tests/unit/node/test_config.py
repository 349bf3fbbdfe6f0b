"""A node's settings: all faults at once, each with file, key, expected and got."""

import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from node.config import ConfigError, NodeConfig, NodeRole, dump, load

MINIMAL = {
    "role": '"validator"',
    "name": '"north-1"',
    "consensus_key_path": '"keys/consensus.json"',
    "tls_key_path": '"keys/tls.json"',
    "p2p_port": "26601",
    "rpc_port": "26602",
    "metrics_port": "26603",
}


def write(tmp_path: Path, **changes: str | None) -> Path:
    """Writes the smallest valid file with keys replaced, added, or (None) left out."""
    table = {**MINIMAL, **changes}
    path = tmp_path / "node.toml"
    path.write_text("".join(f"{key} = {value}\n" for key, value in table.items() if value))
    return path


def faults_of(path: Path) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        load(path)
    assert caught.value.path == path
    return caught.value.faults


def test_a_minimal_file_gets_the_documented_defaults(tmp_path: Path) -> None:
    assert load(write(tmp_path)) == NodeConfig(
        home=tmp_path,
        role=NodeRole.VALIDATOR,
        name="north-1",
        genesis_path=tmp_path / "genesis.json",
        consensus_key_path=tmp_path / "keys/consensus.json",
        tls_key_path=tmp_path / "keys/tls.json",
        passphrase_path=None,
        passphrase_credential=None,
        p2p_host="127.0.0.1",
        p2p_port=26601,
        rpc_host="127.0.0.1",
        rpc_port=26602,
        metrics_host="127.0.0.1",
        metrics_port=26603,
        t0_ms=2000,
        censorship_timeout_ms=10_000,
        status_interval_ms=300,
        mempool_transactions_max=50_000,
        mempool_bytes_max=134_217_728,
        mempool_sender_transactions_max=10_000,
        verify_threads=0,
        log_level="info",
        disk_free_bytes_min=536_870_912,
    )


def test_an_observer_has_no_consensus_key(tmp_path: Path) -> None:
    config = load(write(tmp_path, role='"observer"', consensus_key_path=None))

    assert config.role is NodeRole.OBSERVER
    assert config.consensus_key_path is None


def test_paths_are_relative_to_the_file_and_absolute_ones_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = tmp_path / "north"
    directory.mkdir()
    write(directory, home='"state"', passphrase_path='"/etc/tanlian/passphrase"')
    monkeypatch.chdir(tmp_path)

    config = load(Path("north/node.toml"))

    assert config.home == directory / "state"
    assert config.passphrase_path == Path("/etc/tanlian/passphrase")


@pytest.mark.parametrize(
    ("quota", "member_count", "share"),
    [(10_000, 1, 10_000), (10_000, 4, 2_500), (10_000, 7, 1_428), (10_000, 40, 500), (300, 5, 300)],
)
def test_a_sender_has_its_share_of_a_quota_at_each_node(
    tmp_path: Path, quota: int, member_count: int, share: int
) -> None:
    config = load(write(tmp_path, mempool_sender_transactions_max=str(quota)))

    assert config.sender_share(member_count) == share


def test_what_is_dumped_is_loaded_again(tmp_path: Path) -> None:
    config = load(write(tmp_path, passphrase_credential='"tanlian-passphrase"', t0_ms="700"))
    path = tmp_path / "copy.toml"

    path.write_text(dump(config))

    assert load(path) == config


def test_a_dump_lists_fields_in_order_and_leaves_out_what_is_absent(tmp_path: Path) -> None:
    lines = dump(load(write(tmp_path)), directory=tmp_path).splitlines()

    assert lines[:6] == [
        'home = "."',
        'role = "validator"',
        'name = "north-1"',
        'genesis_path = "genesis.json"',
        'consensus_key_path = "keys/consensus.json"',
        'tls_key_path = "keys/tls.json"',
    ]
    assert lines[-1] == "disk_free_bytes_min = 536870912"
    assert not any(line.startswith("passphrase") for line in lines)


def test_a_dump_relative_to_its_directory_can_be_moved(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    old.mkdir()
    config = load(write(old))
    (old / "node.toml").write_text(dump(config, directory=old))
    old.rename(new)

    moved = load(new / "node.toml")

    assert moved.home == new
    assert moved.tls_key_path == new / "keys/tls.json"


@pytest.mark.parametrize(
    "name", ['with "quotes"', "back\\slash", "new\nline", "\x1b[31m", "\x7f", "碳链", "tab\t", "'"]
)
def test_strange_paths_survive_a_dump(tmp_path: Path, name: str) -> None:
    config = replace(load(write(tmp_path)), genesis_path=tmp_path / name)
    path = tmp_path / "copy.toml"

    path.write_text(dump(config), encoding="utf-8")

    assert load(path) == config
    assert len(dump(config).splitlines()) == 21
    assert tomllib.loads(dump(config))["genesis_path"] == str(tmp_path / name)


def test_an_error_names_file_key_expected_and_got(tmp_path: Path) -> None:
    path = write(tmp_path, t0_ms='"2 s"')

    with pytest.raises(ConfigError) as caught:
        load(path)

    assert str(caught.value) == f"{path}: t0_ms: expected an integer, got '2 s'"


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    path = write(tmp_path, role='"miner"', name=None, p2p_port="0")

    assert faults_of(path) == (
        "role: expected 'validator' or 'observer', got 'miner'",
        "name: expected a value, got nothing",
        "p2p_port: expected at least 1, got 0",
    )


def test_an_unknown_key_is_an_error(tmp_path: Path) -> None:
    (fault,) = faults_of(write(tmp_path, t0="2000"))

    assert fault.startswith("'t0': expected one of the keys home, role, name, ")
    assert fault.endswith("disk_free_bytes_min, got an unknown one")


@pytest.mark.parametrize(
    ("key", "value", "fault"),
    [
        ("name", '"North"', "a text that matches ^[a-z0-9][a-z0-9._-]{0,63}$, got 'North'"),
        ("name", '""', "a text that matches ^[a-z0-9][a-z0-9._-]{0,63}$, got ''"),
        ("name", '"a\\n"', "a text that matches ^[a-z0-9][a-z0-9._-]{0,63}$, got 'a\\n'"),
        ("name", "7", "a text, got 7"),
        ("home", '""', "at least 1 character, got ''"),
        ("p2p_port", "65536", "at most 65535, got 65536"),
        ("p2p_port", "true", "an integer, got True"),
        ("p2p_port", "26601.0", "an integer, got 26601.0"),
        ("rpc_host", '"a host"', "a text that matches ^[0-9A-Za-z.:-]{1,253}$, got 'a host'"),
        ("t0_ms", "99", "at least 100, got 99"),
        ("t0_ms", "60001", "at most 60000, got 60001"),
        ("censorship_timeout_ms", "600001", "at most 600000, got 600001"),
        ("status_interval_ms", "19", "at least 20, got 19"),
        ("mempool_transactions_max", "0", "at least 1, got 0"),
        ("mempool_bytes_max", "1048575", "at least 1048576, got 1048575"),
        ("mempool_sender_transactions_max", "0", "at least 1, got 0"),
        ("verify_threads", "-1", "at least 0, got -1"),
        ("verify_threads", "65", "at most 64, got 65"),
        ("log_level", '"INFO"', "'debug', 'info', 'warning' or 'error', got 'INFO'"),
        ("disk_free_bytes_min", "-1", "at least 0, got -1"),
        ("home", "{ path = 1 }", "a text, got {'path': 1}"),
        ("passphrase_credential", '"../x"', "a text that matches ^[A-Za-z0-9]"),
    ],
)
def test_a_value_out_of_bounds_is_refused(tmp_path: Path, key: str, value: str, fault: str) -> None:
    (found,) = faults_of(write(tmp_path, **{key: value}))

    assert found.startswith(f"{key}: expected {fault}")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("name", "a" * 64),
        ("p2p_port", 65535),
        ("p2p_port", 1),
        ("censorship_timeout_ms", 600_000),
        ("status_interval_ms", 20),
        ("status_interval_ms", 1000),
        ("mempool_bytes_max", 1_048_576),
        ("mempool_sender_transactions_max", 50_000),
        ("verify_threads", 0),
        ("verify_threads", 64),
        ("disk_free_bytes_min", 0),
        ("rpc_host", "::1"),
        ("censorship_timeout_ms", 2001),
    ],
)
def test_a_value_at_its_bound_is_accepted(tmp_path: Path, key: str, value: int | str) -> None:
    text = str(value) if isinstance(value, int) else f'"{value}"'

    assert getattr(load(write(tmp_path, **{key: text})), key) == value


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        (
            {"consensus_key_path": None},
            "consensus_key_path: expected a key file, because role is 'validator', got nothing",
        ),
        (
            {"role": '"observer"'},
            (
                "consensus_key_path: expected nothing, because role is 'observer', got "
                "'keys/consensus.json'"
            ),
        ),
        (
            {"tls_key_path": '"keys/consensus.json"'},
            (
                "tls_key_path: expected another file than consensus_key_path, got "
                "'keys/consensus.json' for both"
            ),
        ),
        (
            {"passphrase_path": '"p"', "passphrase_credential": '"c"'},
            (
                "passphrase_credential: expected nothing beside passphrase_path, got 'c'; keep one "
                "of the two"
            ),
        ),
        (
            {"rpc_port": "26601"},
            "rpc_port: expected another port than p2p_port, got 26601 for both",
        ),
        (
            {"metrics_port": "26602"},
            "metrics_port: expected another port than rpc_port, got 26602 for both",
        ),
        (
            {"status_interval_ms": "1001"},
            "t0_ms: expected at least twice status_interval_ms (2002), got 2000",
        ),
        (
            {"censorship_timeout_ms": "2000"},
            "censorship_timeout_ms: expected more than t0_ms (2000), got 2000",
        ),
        (
            {"mempool_transactions_max": "9999"},
            (
                "mempool_sender_transactions_max: expected at most mempool_transactions_max "
                "(9999), got 10000"
            ),
        ),
    ],
)
def test_relations_between_keys_are_checked_and_worded(
    tmp_path: Path, changes: dict[str, str | None], fault: str
) -> None:
    assert faults_of(write(tmp_path, **changes)) == (fault,)


def test_several_broken_relations_are_told_at_once(tmp_path: Path) -> None:
    path = write(tmp_path, rpc_port="26601", metrics_port="26601", consensus_key_path=None)

    assert len(faults_of(path)) == 3


def test_a_long_value_is_shown_shortened_and_escaped(tmp_path: Path) -> None:
    (fault,) = faults_of(write(tmp_path, name='"' + "\\u001b[31m" * 100 + '"'))

    assert "\x1b" not in fault
    assert fault.endswith("...")
    assert len(fault) < 200


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    assert faults_of(tmp_path / "absent.toml") == (
        "expected a readable file, got: No such file or directory",
    )


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"role = ", "expected TOML, got: Invalid value"),
        (b'role = "a"\nrole = "b"\n', "expected TOML, got: Cannot overwrite a value"),
        (b"\xff", "expected UTF-8, got another byte at offset 0"),
        (b"#" * 65_537, "expected at most 65536 bytes, got 65537"),
        (b"a = " + b"[" * 30_000, "expected TOML, got: "),
    ],
)
def test_a_file_that_is_no_toml_is_refused(tmp_path: Path, content: bytes, fault: str) -> None:
    path = tmp_path / "node.toml"
    path.write_bytes(content)

    (found,) = faults_of(path)

    assert found.startswith(fault)
