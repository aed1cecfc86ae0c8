"""The replayed city: the hub's statistics arrive at each published figure by counting, and at none with a record left out."""

import io
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, time
from decimal import Decimal
from pathlib import Path

import pytest
from rich.console import Console

from hub.cases.play import BEIJING
from hub.demo_city import Compared, LeftOpen, compared_city
from hub.published_figures import Published
from hub.simulation.clock import in_simulated_time
from mocks.published_plan import (
    DRAWN_POINTS,
    FIRST,
    LEAVE_OUT,
    SELF_CHECK,
    SELF_REPORT,
    SNAPSHOT,
    Figures,
    PublishedPlan,
    left_out,
    make_plan,
)

SMALL = Figures(
    approvals=24,
    checked=19,
    broken=2,
    hotels_on_commitment=3,
    hotels_by_procedure=2,
    events=8,
    events_dispatched=6,
    coordinations=4,
    coordinations_handled=3,
    scored=14,
    points=Decimal("148.5"),
    institutions=2,
    institution_points=Decimal("42.5"),
    enterprises=5,
    cases=2,
    rectified=1,
    self_checks=30,
    self_reports=8,
    self_governed=20,
    check_items=6,
    repaired_first=Decimal("40.5"),
    repaired=Decimal("52.0"),
    heads=3,
)
LEFT = LeftOpen(events=2, checks=5, coordinations=1)


def expected(plan: PublishedPlan, figures: Figures) -> Iterator[Published]:
    """Yield what a whole plan must count as, counted here by hand."""
    findings = [(one, item, points) for one in plan.inspections for item, points in one.findings]
    drawn = Decimal(DRAWN_POINTS * (figures.cases + figures.rectified))
    early = [row for row in plan.rows if row.day <= SNAPSHOT]
    yield Published(
        "approvals",
        "",
        {
            "verificationsReceived": figures.approvals,
            "verificationsDone": figures.checked,
            "commitmentsNotKept": figures.broken,
            "blacklistings": figures.broken,
            "eventsReceived": figures.events,
            "eventsDispatched": figures.events_dispatched,
            "coordinationsIssued": figures.coordinations,
            "coordinationsHandled": figures.coordinations_handled,
            "headInspections": figures.heads,
            "campaignSubjectsChecked": figures.enterprises,
        },
    )
    taken = sum((points for _, _, points in findings), drawn)
    yield Published(
        "points",
        "",
        {
            "subjectsScored": len({one.subject.uscc for one, _, _ in findings}),
            "pointsTaken": f"{taken:.1f}",
            "pointsRepaired": f"{sum((row.points for row in plan.rows if row.points), Decimal(0)):.1f}",
        },
    )
    yield Published(
        "self-governance",
        f'to: "{SNAPSHOT}"',
        {
            "selfChecks": sum(row.kind == SELF_CHECK for row in early),
            "selfReports": sum(row.kind == SELF_REPORT for row in early),
            "pointsRepaired": f"{sum((row.points for row in early if row.points), Decimal(0)):.1f}",
        },
    )


def replayed(plan: PublishedPlan, whole: PublishedPlan) -> list[Compared]:
    console = Console(file=io.StringIO())
    work = compared_city(plan, list(expected(whole, SMALL)), LEFT, 7, console)
    return in_simulated_time(work, datetime.combine(FIRST, time(8), BEIJING))


def test_a_small_city_counts_as_it_was_made() -> None:
    whole = make_plan(7, SMALL)
    assert [each for each in replayed(whole, whole) if not each.agrees] == []


@pytest.mark.parametrize("kind", LEAVE_OUT)
def test_one_record_left_out_is_noticed(kind: str) -> None:
    whole = make_plan(7, SMALL)
    assert [each for each in replayed(left_out(whole, kind), whole) if not each.agrees] != []


def test_the_plan_adds_up_to_the_published_figures() -> None:
    plan = make_plan(7)
    findings = [(one, item, points) for one in plan.inspections for item, points in one.findings]
    assert sum(points for _, _, points in findings) + DRAWN_POINTS * 20 == Decimal(11553)
    assert len({one.subject.uscc for one, _, _ in findings}) == 1299
    assert len({item for _, item, _ in findings}) == 104


def test_the_whole_city_arrives_at_every_published_figure(tmp_path: Path) -> None:
    told = tmp_path / "city.json"
    command = [str(Path(sys.executable).with_name("bihuan")), "demo", "--city", "--check", "--json", str(told)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=3000, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert '"agrees": false' not in told.read_text()
