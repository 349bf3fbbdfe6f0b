"""The example files work as they stand: a name in them that the code lacks is an error here."""

import re
import tomllib
from configparser import ConfigParser
from dataclasses import fields
from pathlib import Path

import pytest
from prometheus_client.metrics import MetricWrapperBase

from node.config import NodeConfig, NodeRole, load
from node.devnet import STOP_TIMEOUT_S
from node.metrics import NodeMetrics
from node.provisioning import PASSPHRASE_FILE

CONFIGS = Path(__file__).parents[2] / "configs"
SUFFIXES = {
    "counter": ("_total",),
    "gauge": ("",),
    "info": ("_info",),
    "histogram": ("_bucket", "_count", "_sum"),
}
RULE = re.compile(
    r"      - alert: (?P<name>\w+)\n"
    r"        expr: (?P<expression>.+)\n"
    r"(?:        for: \d+[smh]\n)?"
    r"        labels:\n"
    r"          severity: (?:critical|warning)\n"
    r"        annotations:\n"
    r'          summary: "(?P<summary>[^"\\]+)"\n'
    r'          description: "(?P<description>[^"\\]+\.)"\n'
)


def text_of(name: str) -> str:
    return (CONFIGS / name).read_text(encoding="utf-8")


class UnitParser(ConfigParser):
    """Reads a unit of systemd, whose keys have capitals."""

    def optionxform(self, optionstr: str) -> str:
        return optionstr


def unit() -> ConfigParser:
    parser = UnitParser(interpolation=None, comment_prefixes=("#",))
    parser.read_string(text_of("tanlian.service"))
    return parser


def test_every_file_here_is_known_to_a_test() -> None:
    assert sorted(path.name for path in CONFIGS.iterdir()) == [
        "alerts.yml",
        "development.toml",
        "observer.toml",
        "prometheus.yml",
        "tanlian.service",
        "validator.toml",
    ]


def test_the_validator_lists_every_key_and_the_defaults_are_what_it_says(tmp_path: Path) -> None:
    listed = tomllib.loads(text_of("validator.toml"))
    chosen = {"name", "home", "genesis_path", "tls_key_path", "consensus_key_path", "p2p_host"}
    required = {"role", "p2p_port", "rpc_port", "metrics_port", "passphrase_credential"}
    short = tmp_path / "short.toml"
    short.write_text(
        "".join(
            f"{key} = {value if type(value) is int else repr(value)}\n"
            for key, value in listed.items()
            if key in chosen | required
        )
    )

    assert listed.keys() == {each.name for each in fields(NodeConfig)} - {"passphrase_path"}
    assert load(CONFIGS / "validator.toml") == load(short)


def test_the_observer_differs_from_the_validator_in_what_it_says_only() -> None:
    validator, observer = load(CONFIGS / "validator.toml"), load(CONFIGS / "observer.toml")
    differing = {
        each.name
        for each in fields(NodeConfig)
        if getattr(validator, each.name) != getattr(observer, each.name)
    }

    assert observer.role is NodeRole.OBSERVER
    assert differing == {"role", "name", "consensus_key_path"}


def test_the_development_node_finds_what_network_init_makes() -> None:
    config = load(CONFIGS / "development.toml")

    assert config.role is NodeRole.VALIDATOR
    assert config.home == CONFIGS
    assert config.genesis_path == CONFIGS / ".." / "genesis.json"
    assert config.consensus_key_path == CONFIGS / "keys" / "consensus.key"
    assert config.tls_key_path == CONFIGS / "keys" / "tls.key"
    assert config.passphrase_path == CONFIGS / PASSPHRASE_FILE


def test_the_service_gives_the_credential_that_the_configuration_asks_for() -> None:
    service, config = unit()["Service"], load(CONFIGS / "validator.toml")

    assert service["LoadCredentialEncrypted"].split(":")[0] == config.passphrase_credential
    assert f"/var/lib/{service['StateDirectory']}" == str(config.home)
    assert service["ExecStart"].endswith("tanlian node run --config /etc/tanlian/validator.toml")


def test_the_service_waits_longer_for_a_node_than_a_node_takes_to_stop() -> None:
    assert float(unit()["Service"]["TimeoutStopSec"]) >= 2 * STOP_TIMEOUT_S


def test_the_service_does_not_pass_on_what_the_node_refuses_to_run_with() -> None:
    assert "PYTHONOPTIMIZE" in unit()["Service"]["UnsetEnvironment"].split()


def test_prometheus_scrapes_where_the_validator_listens() -> None:
    config = load(CONFIGS / "validator.toml")
    text = text_of("prometheus.yml")

    assert f'targets: ["{config.metrics_host}:{config.metrics_port}"]' in text
    assert "metrics_path: /metrics" in text
    assert "  - alerts.yml\n" in text
    assert 'up{job="tanlian"}' in text_of("alerts.yml")
    assert "job_name: tanlian\n" in text


def test_the_alerts_are_rules_from_the_first_line_to_the_last() -> None:
    text = re.sub(r"^#.*\n", "", text_of("alerts.yml"), flags=re.MULTILINE)
    head, _, rules = text.partition("    rules:\n")

    assert head == "groups:\n  - name: tanlian\n"
    assert RULE.sub("", rules).strip() == ""
    names = [match["name"] for match in RULE.finditer(rules)]
    assert len(names) == len(set(names)) == 15


@pytest.mark.parametrize(("opening", "closing"), ["()", "[]", "{}"])
def test_brackets_of_an_expression_are_closed(opening: str, closing: str) -> None:
    for match in RULE.finditer(text_of("alerts.yml")):
        for text in match.groupdict().values():
            assert text.count(opening) == text.count(closing), match["name"]


def test_every_metric_and_label_of_an_alert_exists() -> None:
    registry = NodeMetrics(version="0", node="node-1", role="validator").registry
    labels_by_sample = {
        f"{metric.name}{suffix}": collector._labelnames
        for collector in registry._collector_to_names
        if isinstance(collector, MetricWrapperBase)
        for metric in collector.describe()
        for suffix in SUFFIXES[metric.type]
    }
    rules = [match.groupdict() for match in RULE.finditer(text_of("alerts.yml"))]
    expressions = "\n".join(rule["expression"] for rule in rules)
    descriptions = "\n".join(rule["description"] for rule in rules)
    named = re.findall(r"\b(tanlian_\w+)(?:\{(\w+)=)?", expressions)

    assert len(named) >= 14
    for sample, label in named:
        assert sample in labels_by_sample
        assert not label or label in labels_by_sample[sample]
    for name in re.findall(r"\btanlian_\w+", descriptions):
        assert name in labels_by_sample or f"{name}_count" in labels_by_sample
