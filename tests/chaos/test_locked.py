from tests.chaos.locked import show
from tests.chaos.shown import Form


def test_while_the_database_is_locked_nobody_is_acknowledged_and_nothing_is_lost() -> None:
    shown = show(Form.SHORT)
    assert shown.losses == []
