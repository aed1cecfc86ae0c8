"""Where a grid event goes."""

import pytest

from hub.domain.routing import Route, department_for
from tests.unit.domain.policies import small_policy

POLICY = small_policy()


@pytest.mark.parametrize("named", [None, "", "  "])
def test_an_event_that_names_nobody_goes_where_its_category_routes(named: str | None) -> None:
    assert department_for(named, "ZFJ-01", POLICY) == Route("ZFJ", "category", differs=False, category_department="ZFJ")


def test_the_department_that_the_event_names_wins_and_the_difference_is_told() -> None:
    assert department_for("WH", "ZFJ-01", POLICY) == Route("WH", "event", differs=True, category_department="ZFJ")


def test_event_and_category_may_agree() -> None:
    assert department_for("ZFJ", "ZFJ-01", POLICY) == Route("ZFJ", "event", differs=False, category_department="ZFJ")


def test_an_unknown_category_does_not_hold_an_event_that_names_its_department() -> None:
    assert department_for("WH", "JT-99", POLICY) == Route("WH", "event", differs=False, category_department=None)


def test_an_event_that_nobody_can_place_has_no_route() -> None:
    assert department_for(None, "JT-99", POLICY) is None
