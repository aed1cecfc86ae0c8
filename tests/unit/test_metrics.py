"""Every metric has a documented name, and shows what is so now."""

import re
from pathlib import Path

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


def test_every_metric_that_a_page_or_a_dashboard_names_is_there() -> None:
    known = {sample for each in Metrics().described.values() for sample in (*each.samples, each.name)}
    pages = [*(ROOT / "docs").rglob("*.md"), *(ROOT / "deploy").rglob("*.json"), *(ROOT / "deploy").rglob("*.yml")]
    named = {(page.name, name) for page in pages for name in re.findall(r"\bbihuan_[a-z_]+[a-z]\b", page.read_text())}
    assert len(named) > 50
    assert {(page, name) for page, name in named if name not in known} == set()
