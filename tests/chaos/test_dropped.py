"""The short form of dropped webhooks."""

from tests.chaos.dropped import show
from tests.chaos.shown import Form


def test_one_reading_closes_every_gap_that_dropped_webhooks_have_left() -> None:
    shown = show(Form.SHORT)
    assert shown.losses == []
    assert shown.said.endswith("0 after one sync; a second: 0 writes")
