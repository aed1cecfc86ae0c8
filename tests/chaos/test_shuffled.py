from tests.chaos.shown import Form
from tests.chaos.shuffled import show


def test_any_order_of_deliveries_ends_in_the_same_records_and_obligations() -> None:
    shown = show(Form.SHORT)
    assert shown.losses == []
