from tests.chaos.full_disk import show
from tests.chaos.shown import Form


def test_on_a_full_disk_nobody_is_acknowledged_and_nothing_is_lost() -> None:
    shown = show(Form.SHORT)
    assert shown.losses == []
