from tests.chaos import unknown_outcomes
from tests.chaos.shown import Form


def test_what_is_carried_out_and_never_answered_is_there_once() -> None:
    shown = unknown_outcomes.show(Form.SHORT)
    assert list(shown.losses) == []
    assert all(name in shown.scale for name in ("approval", "credit", "enforcement", "grid", "selfgov", "sms")), shown.scale
