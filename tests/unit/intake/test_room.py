"""Room: so many things and so many bytes at once, refused before it is exceeded, and given back whatever happens."""

import pytest

from hub.intake.room import NoRoom, Room


def test_no_more_fits_than_there_is_room_for_by_count_and_by_size() -> None:
    room = Room(3, 100)
    assert [room.take(60), room.take(50), room.take(40), room.take(0), room.take(0)] == [True, False, True, True, False]
    assert (room.held, room.taken) == (3, 100)
    room.give_back(60)
    assert room.take(50)


def test_what_is_larger_than_the_room_fits_while_nothing_else_is_in_it() -> None:
    room = Room(3, 100)
    assert room.take(500)
    assert not room.take(1)
    room.give_back(500)
    assert (room.held, room.taken) == (0, 0)


def test_room_is_given_back_when_what_held_it_fails() -> None:
    room = Room(1, 10)
    held: list[tuple[int, int]] = []

    def fail() -> None:
        with room.inside(7):
            held.append((room.held, room.taken))
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    assert (held, room.held, room.taken) == ([(1, 7)], 0, 0)


def test_who_finds_no_room_is_told_so_and_takes_none() -> None:
    room = Room(1)
    with room.inside():
        with pytest.raises(NoRoom), room.inside():
            pass
        assert room.held == 1
    assert room.held == 0
