"""Terms, and the instants that they come to."""

from datetime import UTC, date, datetime, time, timedelta, tzinfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.domain.calendar import BEIJING, state_council_calendar
from hub.domain.deadlines import Deadline, Due, Hours, Term, due, due_at, parse_hours, parse_term
from hub.domain.errors import BeyondCalendar

CALENDAR = state_council_calendar()
START = datetime(2019, 9, 3, 10, 30, tzinfo=BEIJING)  # a Tuesday


@pytest.mark.parametrize(
    ("text", "term"),
    [
        ("at once", Term(0, "at once")),
        ("1 hour", Term(1, "hour")),
        ("24 hours", Term(24, "hour")),
        ("1 working day", Term(1, "working day")),
        ("20 working days", Term(20, "working day")),
        ("1 year", Term(1, "year")),
    ],
)
def test_a_term_is_read_and_written_back(text: str, term: Term) -> None:
    assert parse_term(text) == term
    assert str(term) == text


@pytest.mark.parametrize("text", ["", "soon", "0 hours", "-1 hour", "20 days", "20  working days", "二十 working days", "1 hour\n"])
def test_anything_else_is_refused_with_what_could_be_written(text: str) -> None:
    with pytest.raises(ValueError, match='write "at once", "1 hour", "20 working days" or "1 year"'):
        parse_term(text)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("at once", datetime(2019, 9, 3, 10, 30, tzinfo=BEIJING)),
        ("1 hour", datetime(2019, 9, 3, 11, 30, tzinfo=BEIJING)),
        ("1 working day", datetime(2019, 9, 4, 23, 59, 59, tzinfo=BEIJING)),
        ("20 working days", datetime(2019, 10, 8, 23, 59, 59, tzinfo=BEIJING)),  # 13 September is a holiday, 29 is worked
        ("1 year", datetime(2020, 9, 3, 23, 59, 59, tzinfo=BEIJING)),
    ],
)
def test_a_term_from_the_third_of_september_2019(text: str, at: datetime) -> None:
    found = due(parse_term(text), START, CALENDAR)
    assert found == Due(at, provisional=False)
    assert found.at.utcoffset() == timedelta(hours=8)


def test_the_day_of_start_is_the_beijing_one() -> None:
    late = datetime(2019, 9, 3, 16, 30, tzinfo=UTC)  # 00:30 on 4 September
    assert due(Term(1, "working day"), late, CALENDAR).at.date() == date(2019, 9, 5)


@pytest.mark.parametrize("text", ["1 hour", "1 working day", "1 year"])
@pytest.mark.parametrize("zone", [BEIJING, UTC])
def test_what_would_lie_behind_the_last_day_that_there_is_is_refused(text: str, zone: tzinfo) -> None:
    """Platforms write 9999-12-31 for "without limit"."""
    with pytest.raises(BeyondCalendar, match="there is no such day"):
        due(parse_term(text), datetime(9999, 12, 31, 23, 59, 59, tzinfo=zone), CALENDAR)


def test_hours_that_would_move_it_behind_the_last_day_are_refused_too() -> None:
    deadline = Deadline("sms", None, Term(0, "at once"), "", hours=Hours(time(7), time(22)))
    with pytest.raises(BeyondCalendar):
        due_at(deadline, datetime(9999, 12, 31, 23, 0, tzinfo=BEIJING), CALENDAR)


def test_a_year_from_the_29th_of_february_ends_on_the_28th() -> None:
    assert due(Term(1, "year"), datetime(2020, 2, 29, 8, tzinfo=BEIJING), CALENDAR).at.date() == date(2021, 2, 28)
    assert due(Term(4, "year"), datetime(2020, 2, 29, 8, tzinfo=BEIJING), CALENDAR).at.date() == date(2024, 2, 29)


def test_a_date_beyond_the_published_calendar_is_provisional() -> None:
    beyond = datetime(max(CALENDAR.known_years) + 1, 6, 1, tzinfo=BEIJING)
    assert due(Term(1, "working day"), beyond, CALENDAR).provisional
    assert not due(Term(1, "hour"), beyond, CALENDAR).provisional


def test_a_start_without_zone_is_refused() -> None:
    for text in ("at once", "1 hour", "1 working day", "1 year"):
        with pytest.raises(ValueError, match="no zone"):
            due(parse_term(text), datetime(2019, 9, 3), CALENDAR)  # noqa: DTZ001 - a naive time is what is refused


def test_due_at_counts_by_the_deadlines_own_term_not_by_the_latest() -> None:
    deadline = Deadline("breach-record", None, Term(0, "at once"), "双公示", latest=Term(7, "working day"))
    assert due_at(deadline, START, CALENDAR) == START


@given(st.datetimes(datetime(2005, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)), st.integers(1, 30))  # noqa: DTZ001 - bounds
def test_nothing_is_due_before_it_starts(start: datetime, amount: int) -> None:
    for unit in ("hour", "working day", "year"):
        assert due(parse_term(f"{amount} {unit}s"), start, CALENDAR).at > start


def test_hours_of_the_day_are_read() -> None:
    assert parse_hours("07:00-22:00") == Hours(time(7), time(22))


@pytest.mark.parametrize("text", ["", "7:00-22:00", "07:00-24:00", "22:00-07:00", "07:00-07:00", "07:00 - 22:00", "07:60-22:00"])
def test_anything_else_is_refused_with_hours_that_could_be_written(text: str) -> None:
    with pytest.raises(ValueError, match='write "07:00-22:00"'):
        parse_hours(text)


@pytest.mark.parametrize(
    ("at", "moved"),
    [
        (datetime(2019, 9, 3, 7, 0, tzinfo=BEIJING), datetime(2019, 9, 3, 7, 0, tzinfo=BEIJING)),
        (datetime(2019, 9, 3, 6, 59, 59, tzinfo=BEIJING), datetime(2019, 9, 3, 7, 0, tzinfo=BEIJING)),
        (datetime(2019, 9, 3, 21, 59, 59, tzinfo=BEIJING), datetime(2019, 9, 3, 21, 59, 59, tzinfo=BEIJING)),
        (datetime(2019, 12, 31, 22, 0, tzinfo=BEIJING), datetime(2020, 1, 1, 7, 0, tzinfo=BEIJING)),
        (datetime(2019, 9, 3, 16, 30, tzinfo=UTC), datetime(2019, 9, 4, 7, 0, tzinfo=BEIJING)),  # 00:30 on the 4th
    ],
)
def test_an_instant_outside_of_the_hours_is_moved_to_their_next_beginning(at: datetime, moved: datetime) -> None:
    hours = parse_hours("07:00-22:00")
    assert hours.moved(at) == moved
    assert due_at(Deadline("score-notice", "sms", Term(0, "at once"), "办法", hours=hours), at, CALENDAR) == moved
