"""What means trouble: judged by the hub as Prometheus judges the rules that are written from the same conditions."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

from hub.alerts.judging import Sample, Samples, holding
from hub.alerts.rules import ALERTS, SILENCED, Alert
from hub.alerts.writing import expression, prometheus_rules, table
from hub.metrics import Metrics, Whose
from hub.mirror.alerts import Which

ROOT = Path(__file__).parents[3]
RULES = ROOT / "deploy/alerts/bihuan.rules.yml"


class World(NamedTuple):
    """Samples that are shown for ten minutes, and whether the alert must stand then."""

    alert: Alert
    what: str
    samples: Samples
    stands: bool


def labels_of(alert: Alert) -> dict[str, str]:
    chosen = {alert.figure.label: alert.figure.value} if alert.figure.label else {}
    return {**({alert.by: "credit"} if alert.by else {}), **chosen}


def shown(alert: Alert, number: float, limit: float, *, silenced: float = 0) -> Samples:
    found = {alert.figure.metric: [Sample(labels_of(alert), number)]}
    if isinstance(alert.limit, str):
        found[alert.limit] = [Sample({alert.by: "credit"} if alert.by else {}, limit)]
    return found | {SILENCED: [Sample({"platform": "credit"}, silenced), Sample({"platform": "grid"}, 1)]}


def worlds(alert: Alert) -> list[World]:
    limit = 100.0 if isinstance(alert.limit, str) else alert.limit
    beyond, within = (limit - 1, limit) if alert.is_ == "<" else (limit + 1, limit - 1 if alert.is_ == ">=" else limit)
    silent = alert.silenced and alert.by == "platform"
    found = [
        World(alert, "beyond", shown(alert, beyond, limit), True),
        World(alert, "within", shown(alert, within, limit), False),
        World(alert, "silenced", shown(alert, beyond, limit, silenced=1), not silent),
        World(alert, "unknown", shown(alert, float("nan"), limit), False),
    ]
    two = shown(alert, within, limit)
    two[alert.figure.metric].append(Sample({**labels_of(alert), "process": "2"}, beyond))
    found.append(World(alert, "one process of two says so", two, True))
    if isinstance(alert.limit, str):
        without = {name: some for name, some in shown(alert, beyond, limit).items() if name != alert.limit}
        found.append(World(alert, "without its limit", without, False))
    return found


WORLDS = [world for alert in ALERTS for world in worlds(alert)]


@pytest.mark.parametrize("world", WORLDS, ids=lambda world: f"{world.alert.name}: {world.what}")
def test_the_hub_judges_a_condition(world: World) -> None:
    platform = "credit" if world.alert.by == "platform" else ""
    stands = Which(world.alert.name, platform) in holding(world.samples)
    assert stands is world.stands


def series(world: World) -> list[dict[str, str]]:
    found = []
    for metric, samples in world.samples.items():
        for sample in samples:
            labels = ",".join(f"{name}={json.dumps(value)}" for name, value in sample.labels.items())
            found.append({"series": f"{metric}{{{labels}}}", "values": f"{sample.number:g}+0x60".replace("nan+0", "NaN+0")})
    return found


def test_prometheus_judges_every_condition_alike(tmp_path: Path) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("no promtool here; Debian's package prometheus has it")
    tests = []
    for world in WORLDS:
        labels = {"alertname": world.alert.name, "alertstate": "firing", "severity": world.alert.severity.value}
        of: dict[str, str] = {world.alert.by: "credit"} if world.alert.by else {}
        told = ",".join(f"{name}={json.dumps(value)}" for name, value in sorted({**labels, **of}.items()))
        expected = [{"labels": f"ALERTS{{{told}}}", "value": 1}] if world.stands else []
        asked = f'ALERTS{{alertname="{world.alert.name}", alertstate="firing"}}'
        tests.append(
            {
                "name": f"{world.alert.name}: {world.what}",
                "interval": "15s",
                "input_series": series(world),
                "promql_expr_test": [{"expr": asked, "eval_time": "10m", "exp_samples": expected}],
            }
        )
    (tmp_path / "rules.yml").write_text(RULES.read_text())
    (tmp_path / "tests.yml").write_text(yaml.safe_dump({"rule_files": ["rules.yml"], "tests": tests}))
    done = subprocess.run([promtool, "test", "rules", "tests.yml"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_rules_file_is_what_the_conditions_say() -> None:
    assert RULES.read_text() == prometheus_rules(), "run: bihuan alerts rules > deploy/alerts/bihuan.rules.yml"
    rules = yaml.safe_load(RULES.read_text())["groups"][0]["rules"]
    assert [(rule["alert"], rule["expr"]) for rule in rules] == [(alert.name, expression(alert)) for alert in ALERTS]
    assert all(rule["annotations"]["summary"] and "{number}" not in rule["annotations"]["summary"] for rule in rules)


def test_the_page_of_alerts_holds_their_table() -> None:
    assert table() in (ROOT / "docs/alerts.md").read_text(), "put what `bihuan alerts table` prints into docs/alerts.md"


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.name)
def test_every_alert_has_a_page_that_says_what_to_do(alert: Alert) -> None:
    page = (ROOT / alert.runbook).read_text()
    headings = re.findall(r"^## (.*)$", page, re.MULTILINE)
    assert headings == ["What it means", "How to look", "What to do", "How it clears"]
    assert page.startswith(f"# {alert.name}\n")
    assert f"`{alert.figure.metric}" in page


def test_no_page_is_left_of_an_alert_that_is_gone() -> None:
    assert {page.stem for page in (ROOT / "docs/runbooks").glob("*.md")} == {alert.name for alert in ALERTS}


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.name)
def test_a_condition_is_about_metrics_that_there_are(alert: Alert) -> None:
    """Of the database, so that whichever process judges sees the same; or of each process by itself."""
    described = Metrics().described
    for name in (alert.figure.metric, *([alert.limit] if isinstance(alert.limit, str) else [])):
        assert described[name].whose is (Whose.PROCESS if alert.by == "instance" else Whose.DATABASE)
        assert alert.by != "platform" or "platform" in described[name].labels
