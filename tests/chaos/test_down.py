"""The chaos test `down` in its short form."""

from tests.chaos.down import SIZES, lived, show
from tests.chaos.shown import Form


def test_a_platform_that_is_down_for_two_hours_holds_up_nobody_and_loses_nothing() -> None:
    shown = show(Form.SHORT)
    assert shown.losses == []
    assert "backlog of 100" in shown.scale


def test_the_backlog_is_one_of_the_outage() -> None:
    """With all platforms well nothing is left to drain: what is measured is the outage's doing."""
    assert lived(SIZES[Form.SHORT]._replace(breaches=20, causes=3), ill=False).backlog <= 1
