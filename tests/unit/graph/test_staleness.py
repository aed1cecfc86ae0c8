"""When a record counts as stale."""

from datetime import timedelta

from hub.graph.staleness import Staleness
from tests.unit.graph.records import NOW


def test_a_record_is_stale_when_it_is_older_than_its_platform_may_be() -> None:
    staleness = Staleness({"credit": timedelta(minutes=10)}, lambda: NOW)
    assert not staleness.stale("credit", NOW - timedelta(minutes=10))
    assert staleness.stale("credit", NOW - timedelta(minutes=10, microseconds=1))


def test_what_has_no_setting_is_never_stale() -> None:
    assert not Staleness({}, lambda: NOW).stale("policy", NOW - timedelta(days=400))
