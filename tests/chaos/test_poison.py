from tests.chaos.poison import show
from tests.chaos.shown import Form


def test_one_poison_record_is_named_and_all_others_are_applied() -> None:
    shown = show(Form.SHORT)
    assert shown.losses == []
