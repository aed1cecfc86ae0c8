"""What findings cost and how dozens fill."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.domain.calendar import BEIJING
from hub.domain.errors import PointsInvalid, PolicyMissing
from hub.domain.points import full_dozens, period_of, points_for, repair_until, standing_points
from hub.domain.policy_values import Item, PointsPolicy
from tests.unit.domain.policies import POINTS, small_policy

POLICY = small_policy()
EXCEED = replace(POINTS, dozen_counts_at="exceed")


def test_a_findings_own_points_win() -> None:
    assert points_for(Decimal("2.5"), POLICY.item("WH-001"), "SERIOUS", POLICY) == Decimal("2.5")


def test_a_finding_of_no_points_costs_none() -> None:
    assert points_for(Decimal(0), POLICY.item("WH-001"), "SERIOUS", POLICY) == 0


def test_the_items_points_win_over_any_severity() -> None:
    assert points_for(None, POLICY.item("WH-001"), "SERIOUS", POLICY) == Decimal("6.0")


@pytest.mark.parametrize(("severity", "points"), [("MINOR", 1), ("GENERAL", 3), ("MAJOR", 6), ("SERIOUS", 12)])
def test_the_findings_tier_speaks_where_nobody_names_points(severity: str, points: int) -> None:
    assert points_for(None, POLICY.item("WH-002"), severity, POLICY) == points
    assert points_for(None, None, severity, POLICY) == points


def test_the_items_tier_speaks_where_the_finding_has_none() -> None:
    assert points_for(None, POLICY.item("WH-002"), None, POLICY) == 6


@pytest.mark.parametrize("severity", [None, "DREADFUL"])
def test_points_that_nothing_names_are_not_guessed(severity: str | None) -> None:
    with pytest.raises(PolicyMissing, match=r"item WH-003.*items\.csv"):
        points_for(None, POLICY.item("WH-003"), severity, POLICY)


@pytest.mark.parametrize("points", ["0.3", "-1", "2.25", "NaN", "Infinity"])
def test_points_off_the_half_steps_are_refused(points: str) -> None:
    with pytest.raises(PointsInvalid, match=r"steps of 0\.5"):
        points_for(Decimal(points), None, None, POLICY)


@pytest.mark.parametrize("points", ["0.3", "-1"])
def test_an_items_points_off_the_half_steps_are_refused_as_well(points: str) -> None:
    item = Item(code="SC-1", name="x", department="", points=Decimal(points), severity="MINOR")
    with pytest.raises(PointsInvalid, match=r"item SC-1 names .* steps of 0\.5"):
        points_for(None, item, "MINOR", POLICY)


@pytest.mark.parametrize(
    ("points", "reach", "exceed"),
    [("0", 0, 0), ("11.5", 0, 0), ("12", 1, 0), ("12.5", 1, 1), ("24", 2, 1), ("33", 2, 2), ("36", 3, 2), ("-3", 0, 0)],
)
def test_a_dozen_counts_at_twelve_or_above_it_as_policy_says(points: str, reach: int, exceed: int) -> None:
    assert full_dozens(Decimal(points), POINTS) == reach
    assert full_dozens(Decimal(points), EXCEED) == exceed


def test_thirty_three_points_are_two_dozens_four_comprehensive_points_and_nine_standing() -> None:
    assert full_dozens(Decimal(33), POINTS) * POINTS.dozen_deduction == 4
    assert standing_points(Decimal(33), POINTS) == 9


@given(st.integers(0, 1000).map(lambda halves: Decimal(halves) / 2), st.sampled_from((POINTS, EXCEED)))
def test_dozens_never_fall_while_points_rise_and_at_most_one_dozen_stands(points: Decimal, policy: PointsPolicy) -> None:
    assert full_dozens(points, policy) <= full_dozens(points + Decimal("0.5"), policy)
    assert 0 <= standing_points(points, policy) <= 12


def test_the_period_is_the_beijing_year() -> None:
    assert period_of(datetime(2019, 12, 31, 15, 59, 59, tzinfo=UTC)) == "2019"
    assert period_of(datetime(2019, 12, 31, 16, 0, tzinfo=UTC)) == "2020"


def test_a_repair_is_open_until_the_same_day_a_year_later() -> None:
    assert repair_until(datetime(2019, 9, 11, 9, tzinfo=BEIJING), POLICY) == datetime(2020, 9, 11, 23, 59, 59, tzinfo=BEIJING)
