"""The command line: exit codes, one sentence for a fault, and nothing heavy at start."""

import json
import subprocess
import sys
import warnings
from getpass import GetPassWarning
from pathlib import Path

import pytest

from cli import run
from commands.network import way_out
from node.app import software_version


def output_of(capsys: pytest.CaptureFixture[str]) -> tuple[str, str]:
    captured = capsys.readouterr()
    return captured.out, captured.err


def test_help_names_every_group(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == 0

    out, _ = output_of(capsys)
    for name in ("demo", "network", "node", "key", "meter", "baseline", "reading", "alert"):
        assert name in out


def test_the_version_is_that_of_the_nodes(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0

    assert output_of(capsys) == (f"tanlian {software_version()}\n", "")


@pytest.mark.parametrize(
    "arguments",
    [
        ["no-such-command"],
        ["reading", "submit"],
        ["network", "init", "x", "--validators", "many"],
        ["simulate"],
        ["alert", "list", "--limit", "0"],
    ],
)
def test_wrong_usage_ends_with_two(arguments: list[str]) -> None:
    assert run(arguments) == 2


def test_ctrl_c_ends_with_a_word(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def press(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("commands.target.open_network", press)

    assert run(["network", "status", "x"]) == 1
    assert output_of(capsys) == ("", "Stopped.\n")


def test_help_does_not_wait_for_what_it_does_not_use() -> None:
    program = (
        "import sys, cli; cli.run(['--help']);"
        "print(sorted({'aiohttp', 'nacl', 'pydantic', 'plyvel', 'uvloop'} & set(sys.modules)))"
    )

    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.splitlines()[-1] == "[]"


def test_without_a_network_a_command_says_how_to_get_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)

    assert run(["alert", "list"]) == 1

    assert output_of(capsys)[1] == (
        "Error: --network: expected a network directory, or a file .tanlian here that names one, "
        "got neither; start with `tanlian network init DIR`\n"
    )


def test_a_directory_without_a_network_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["network", "status", str(tmp_path)]) == 1

    assert "network.json: expected a network" in output_of(capsys)[1]


@pytest.mark.parametrize("count", ["2", "3"])
def test_validators_of_which_none_may_fail_are_refused_before_anything_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], count: str
) -> None:
    directory = tmp_path / "network"

    assert run(["network", "init", str(directory), "--validators", count]) == 1

    assert f"expected 1 (for development) or at least 4, got {count}" in output_of(capsys)[1]
    assert not directory.exists()


def test_a_network_is_made_with_its_nodes_and_becomes_the_default_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)

    assert run(["network", "init", "try", "--validators", "1", "--observers", "0", "--json"]) == 0

    document = json.loads(output_of(capsys)[0])
    assert [node["name"] for node in document["nodes"]] == ["node-1"]
    assert (tmp_path / ".tanlian").read_text() == f"{tmp_path / 'try'}\n"


def test_a_network_is_never_made_over_something(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "try").mkdir()
    (tmp_path / "try" / "thesis.txt").write_text("mine")

    assert run(["network", "init", "try"]) == 1

    assert "expected a new or empty directory, found files in it" in output_of(capsys)[1]


def test_stopped_nodes_are_shown_and_end_with_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    run(["network", "init", "try", "--validators", "1", "--observers", "0"])
    capsys.readouterr()

    assert run(["network", "status", "try", "--json"]) == 1

    out, err = output_of(capsys)
    assert json.loads(out)["nodes"][0]["state"] == "stopped"
    assert "start the network with `tanlian network up try`" in err


STATUSES = [{"name": "node-1", "state": "ready"}, {"name": "node-2", "state": "stopped"}]


def test_one_stopped_node_is_started_again_and_one_that_hangs_is_looked_at() -> None:
    hanging = {"name": "node-3", "state": "running, does not answer"}

    assert way_out(Path("try"), [*STATUSES, hanging]) == (
        "start one again with `tanlian node run --config try/node-2/config.toml`"
    )
    assert way_out(Path("try"), [STATUSES[0], hanging]) == (
        "the process runs: look at its node.log, and end it where it hangs"
    )


def test_only_nodes_of_the_network_are_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    run(["network", "init", "try", "--validators", "1", "--observers", "1"])
    capsys.readouterr()

    assert run(["network", "down", "try", "--node", "observer"]) == 1
    assert output_of(capsys) == (
        "",
        "Error: --node: expected one of node-1, observer-1, got 'observer'\n",
    )
    assert run(["network", "down", "try", "--node", "observer-1"]) == 0
    assert output_of(capsys) == ("None of them was running.\n", "")


@pytest.mark.parametrize(
    ("key", "told"),
    [
        ("notes.txt", "notes.txt: expected a key file in JSON, got other bytes"),
        ("try/node-1/keys/tls.key", "--as: expected the key file of an account, got try/node-1/"),
    ],
)
def test_nobody_is_asked_for_the_passphrase_of_what_is_no_accounts_key(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    key: str,
    told: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    run(["network", "init", "try", "--validators", "1", "--observers", "0"])
    (tmp_path / "notes.txt").touch(mode=0o600)
    (tmp_path / "notes.txt").write_text("no key")
    capsys.readouterr()

    assert run(["alert", "ack", "office-main.04.000001", "--as", key]) == 1
    assert told in output_of(capsys)[1]


def test_a_url_of_another_scheme_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["node", "status", "--node", "ftp://x"]) == 1
    assert "a URL that begins with http://, got 'ftp://x'" in output_of(capsys)[1]


def test_a_key_is_made_once_and_shown_without_its_passphrase(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    passphrase = tmp_path / "passphrase"
    passphrase.touch(mode=0o600)
    passphrase.write_text("correct horse\n")
    private = tmp_path / "keys"
    private.mkdir(mode=0o700)
    key = private / "operator.key"

    assert run(["key", "new", str(key), "--passphrase-file", str(passphrase), "--json"]) == 0
    made = json.loads(output_of(capsys)[0])
    assert run(["key", "show", str(key), "--json"]) == 0
    shown = json.loads(output_of(capsys)[0])
    assert run(["key", "new", str(key), "--passphrase-file", str(passphrase)]) == 1

    assert made == shown
    assert "correct horse" not in key.read_text()


def test_a_missing_key_file_is_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["key", "show", str(tmp_path / "none.key")]) == 1

    assert output_of(capsys)[1].startswith("Error: ")


def test_a_cause_that_is_none_is_answered_with_those_that_are(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["alert", "explain", "m.08.000001", "--cause", "gremlins", "--note", "x"]) == 1

    assert "--cause: expected one of meter_fault, comms, clock" in output_of(capsys)[1]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["resolve", "m.08.000001"], 2, "expected exactly one of --baseline N"),
        (["resolve", "m.08.000001", "--baseline", "1", "--dismiss", "x"], 2, "got 2"),
        (["attach", "m.08.000001", "no-such-file"], 1, "no-such-file: expected the document to"),
        (["assign", "m.08.000001", "me"], 1, "--network: expected a network directory"),
        (["configure", "--reason", "x", "--hours", "high:1,2"], 1, "--hours: expected SEVERITY:"),
        (
            ["configure", "--reason", "x", "--hours", "awful:1,2,3"],
            1,
            "expected one of low, medium",
        ),
        (["configure", "--reason", "x", "--hours", "low:0,1,1"], 1, "an integer from 1000"),
    ],
)
def test_what_a_case_cannot_mean_is_refused_before_anything_is_sent(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    code: int,
    words: str,
) -> None:
    monkeypatch.chdir(tmp_path)

    assert run(["alert", *arguments]) == code

    assert words in " ".join(output_of(capsys)[1].replace("│", " ").split())


def test_a_node_that_does_not_answer_is_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("commands.target.PATIENCE_S", 0.1)

    assert run(["node", "status", "--node", "http://127.0.0.1:1"]) == 1

    assert output_of(capsys)[1] == (
        "Error: http://127.0.0.1:1: no answer; does it run? `tanlian network up DIR` starts a "
        "network\n"
    )


def test_arguments_that_are_no_text_are_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["alert", "show", "\udcff"]) == 2

    assert output_of(capsys)[1] == "Error: arguments: expected text in UTF-8, got other bytes\n"


def test_a_directory_that_is_no_home_has_not_simply_no_evidence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["evidence", "list", "--home", str(tmp_path)]) == 1

    assert output_of(capsys)[1] == (
        f"Error: {tmp_path}/config.toml: expected a node's configuration, got no file of this "
        "name; it is config.toml in the home of a node, such as try/node-1\n"
    )


def test_without_a_terminal_no_passphrase_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def ask(_prompt: str) -> str:
        warnings.warn("Can not control echo on the terminal.", GetPassWarning, stacklevel=1)
        return "seen by everybody"

    monkeypatch.setattr("getpass.getpass", ask)

    assert run(["key", "new", str(tmp_path / "keys" / "a.key")]) == 1

    assert output_of(capsys)[1] == (
        "Error: passphrase: expected a terminal to ask on, got none; name a file of mode 0600 with "
        "--passphrase-file\n"
    )


def test_a_seed_is_replayed_with_its_digest(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["simulate", "--seed", "2", "--json"]) == 0
    first = json.loads(output_of(capsys)[0])
    assert run(["simulate", "--seed", "2", "--json"]) == 0

    assert json.loads(output_of(capsys)[0]) == first
    assert first["seed"] == 2


@pytest.mark.parametrize("option", ["--plot", "--details"])
def test_a_benchmark_is_not_begun_for_a_file_that_cannot_be_written(
    option: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wanted = tmp_path / "none" / "file"

    assert run(["bench", option, str(wanted)]) == 1

    _, err = output_of(capsys)
    assert f"{option}: expected a file in a directory that exists, got {wanted}" in " ".join(
        err.split()
    )
