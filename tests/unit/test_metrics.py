"""Every metric has a documented name, and shows what is so now."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from prometheus_client import Gauge

from hub.app import Hub
from hub.metrics import Metrics, reference
from hub.parts import World
from hub.settings import load_settings
from tests.settable_clock import SettableClock
from tests.unit.test_settings import complete

ROOT = Path(__file__).parents[2]


def shown(metrics: Metrics) -> set[str]:
    return {family.name for family in metrics.registry.collect()}


async def test_whatever_is_shown_is_documented(tmp_path: Path, clock: SettableClock) -> None:
    one = Hub(load_settings(complete(HUB_DATABASE_URL=f"sqlite:///{tmp_path / 'hub.db'}")), World(clock=clock, sleep=clock.sleep))
    async with one.opened():
        assert one.executor is not None  # it counts operations
        await one.refresh_metrics()
    assert shown(one.metrics) == set(one.metrics.described), "describe each metric in hub/metrics.py"
    assert all(each.meaning and each.kind for each in one.metrics.described.values())


def test_the_page_is_what_the_program_prints() -> None:
    page = (ROOT / "docs/metrics.md").read_text()
    assert page == reference(), "run: bihuan metrics > docs/metrics.md"
    assert all(f"| `{name}` |" in page for name in shown(Metrics()))


def test_an_undocumented_metric_is_found() -> None:
    metrics = Metrics()
    Gauge("bihuan_secretly_added", "Nobody knows", registry=metrics.registry)
    assert shown(metrics) != set(metrics.described)


def names_in(page: Path) -> set[str]:
    return set(re.findall(r"\bbihuan_[a-z_]+[a-z]\b", page.read_text()))


def test_every_metric_that_a_page_names_is_there() -> None:
    known = {name for each in Metrics().described.values() for name in (*each.samples, each.name)}
    named = {(page.name, name) for page in (ROOT / "docs").rglob("*.md") for name in names_in(page)}
    assert len(named) > 50
    assert {(page, name) for page, name in named if name not in known} == set()


def expressions() -> list[str]:
    """Return every expression of the dashboard, its variables filled in."""
    dashboard = json.loads((ROOT / "deploy/grafana/bihuan.json").read_text())
    found = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    return [each.replace("$platform", "credit|grid") for each in found]


def test_the_dashboard_asks_for_samples_that_there_are_and_their_labels() -> None:
    labels = {name: set(each.labels) for each in Metrics().described.values() for name in each.samples}
    assert len(expressions()) > 20
    for expression in expressions():
        used = re.findall(r"\b(bihuan_[a-z_]+)(?:\{([^}]*)\})?", expression)
        assert used, expression
        for name, chosen in used:
            assert name in labels, f"{expression}: Prometheus has no {name}"
            assert set(re.findall(r"(\w+)[=!]", chosen)) <= labels[name], expression


def test_prometheus_understands_the_dashboard(tmp_path: Path) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("no promtool here; Debian's package prometheus has it")
    rules = [{"record": f"dashboard:{number}", "expr": each} for number, each in enumerate(expressions())]
    (tmp_path / "rules.yml").write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}))
    done = subprocess.run([promtool, "check", "rules", "rules.yml"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
