"""The short form of a pause in the middle of the work."""

from tests.chaos.levers import show
from tests.chaos.shown import Form


def test_a_paused_platform_is_left_alone_and_its_backlog_drains_within_the_quota_afterwards() -> None:
    shown = show(Form.SHORT)
    assert shown.losses == []
    assert shown.said.startswith("0 calls while paused, ")
