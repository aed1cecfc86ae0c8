"""The short form of reading everything again while it changes."""

from tests.chaos.resnapshot import show
from tests.chaos.shown import Form


def test_nothing_goes_back_or_is_lost_while_everything_is_read_again() -> None:
    shown = show(Form.SHORT)
    assert shown.losses == []
    assert shown.said == "0 regressions, 0 missing there"
