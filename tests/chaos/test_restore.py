"""The short form of the restore test: see restore.py."""

from tests.chaos.restore import EXAMPLES, show
from tests.chaos.shown import Form


def test_after_a_restore_everything_heals_and_nothing_is_doubled() -> None:
    shown = show(Form.SHORT)
    assert shown.scale.startswith(f"{EXAMPLES[Form.SHORT]} histories")
    assert shown.losses == []
