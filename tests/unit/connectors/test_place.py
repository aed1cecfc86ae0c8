"""Where reading goes on: late changes are never passed over, and no place is lost."""

from datetime import UTC, datetime, timedelta

import pytest

from connectors.errors import CursorExpired
from connectors.place import Place, read_place

NOW = datetime(2019, 8, 15, 2, 0, 0, tzinfo=UTC)
OVERLAP = timedelta(seconds=30)


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


def test_a_place_reads_back_as_it_was_written() -> None:
    place = Place(settled=ago(40), began=NOW, reached=ago(10), token='a"+/=&中')

    assert read_place("grid", place.write()) == place
    assert read_place("grid", None) == Place()


@pytest.mark.parametrize("cursor", ["", "42", "{", '{"settled": "2019-08-15T02:00:00"}', '{"settled": 3}'])
def test_a_foreign_cursor_has_expired(cursor: str) -> None:
    with pytest.raises(CursorExpired):
        read_place("grid", cursor)


def test_a_run_settles_behind_its_own_beginning_however_long_it_takes() -> None:
    # A change of 2 s before the beginning may have become visible after its page was read.
    place = Place().starting(NOW, OVERLAP).advanced(ago(1), OVERLAP).advanced(ago(-600), OVERLAP)

    assert place.settled == ago(30)
    assert place.ended(OVERLAP) == Place(settled=ago(30))


def test_a_run_through_old_changes_settles_behind_each_page() -> None:
    place = Place().starting(NOW, OVERLAP).advanced(ago(500), OVERLAP, "t")

    assert (place.settled, place.reached, place.token) == (ago(530), ago(500), "t")


def test_the_settled_place_never_goes_back_within_a_run() -> None:
    place = Place(settled=ago(500)).starting(NOW, OVERLAP).advanced(ago(490), OVERLAP)

    assert place.settled == ago(500)


def test_a_clock_of_ours_that_is_ahead_settles_by_the_platforms_clock() -> None:
    place = Place(settled=ago(10)).starting(NOW, OVERLAP).dated(ago(300), OVERLAP)

    assert place.settled == ago(330)
    assert place.ended(OVERLAP) == Place(settled=ago(330))


def test_a_platform_whose_clock_is_ahead_or_unknown_changes_nothing() -> None:
    place = Place(settled=ago(500)).starting(NOW, OVERLAP)

    assert place.dated(ago(-300), OVERLAP) == place
    assert place.dated(None, OVERLAP) == place


def test_a_place_in_the_future_is_brought_back() -> None:
    assert Place(settled=ago(-3600)).starting(NOW, OVERLAP).settled == ago(30)


def test_a_run_under_way_is_gone_on_with() -> None:
    place = Place(settled=ago(500), began=ago(60), reached=ago(100), token="t")

    assert place.starting(NOW, OVERLAP) == place
    assert place.dropped() == Place(settled=ago(500))


def test_a_list_in_no_order_settles_nothing_before_its_end() -> None:
    place = Place(settled=ago(500)).starting(NOW, OVERLAP).advanced(None, OVERLAP, "t")

    assert (place.settled, place.reached, place.token) == (ago(500), None, "t")
    assert place.ended(OVERLAP) == Place(settled=ago(30))
