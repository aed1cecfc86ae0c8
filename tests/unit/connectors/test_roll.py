"""A whole list, read again and again: what it has shown is noticed when it is gone, however the reading went."""

from connectors.roll import Roll


def test_what_a_reading_has_shown_before_its_cursor_expired_is_missed_when_it_is_gone() -> None:
    roll = Roll().turned(["A", "B"], "page 2").dropped()
    roll, gone = roll.turned(["B"], None).finished()
    assert gone == []
    roll, gone = roll.turned(["B"], None).finished()
    assert gone == ["A"]
    assert roll.known == {"B": 0}
