"""The short form of paging against an oracle: one history of every stream."""

from tests.chaos.paging import RIGS, show
from tests.chaos.shown import Form


def test_nothing_is_missed_whatever_happens_while_streams_are_paged() -> None:
    shown = show(Form.SHORT)
    assert shown.losses == []
    assert f"{len(RIGS)} histories" in shown.scale
    assert "broke off" in shown.scale
