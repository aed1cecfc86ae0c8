from tests.chaos.fuzz import show
from tests.chaos.shown import Form


def test_no_body_is_answered_with_a_fault_of_ours_and_each_refusal_has_a_reason_code() -> None:
    shown = show(Form.SHORT)
    assert shown.losses == []
