"""The short form of failover.py."""

from tests.chaos.failover import show
from tests.chaos.shown import Form


def test_a_standby_takes_over_and_nothing_is_lost_or_doubled_or_restarted() -> None:
    assert show(Form.SHORT).losses == []
