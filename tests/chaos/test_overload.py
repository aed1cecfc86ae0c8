from tests.chaos.overload import show
from tests.chaos.shown import Form


def test_more_than_fits_is_refused_in_time_and_memory_stays_bounded() -> None:
    shown = show(Form.SHORT)
    assert shown.losses == []
