"""Working days by the State Council's calendar."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.domain.calendar import CalendarYear, WorkingDay, beijing_day, state_council_calendar

CALENDAR = state_council_calendar()
LAST = max(CALENDAR.known_years)


@pytest.mark.parametrize("day", [date(2019, 9, 29), date(2019, 10, 12), date(2019, 9, 30), date(2019, 10, 8)])
def test_weekends_that_make_up_for_the_national_holiday_are_worked(day: date) -> None:
    assert CALENDAR.is_working(day)


@pytest.mark.parametrize("day", [*(date(2019, 10, number) for number in range(1, 8)), date(2019, 10, 13), date(2019, 9, 28)])
def test_the_national_holiday_and_other_weekends_are_off(day: date) -> None:
    assert not CALENDAR.is_working(day)


def test_the_day_after_the_last_september_day_is_the_eighth_of_october() -> None:
    assert CALENDAR.first_working_day_after(date(2019, 9, 30)) == WorkingDay(date(2019, 10, 8), provisional=False)


def test_a_worked_sunday_is_the_first_working_day_after_a_saturday_off() -> None:
    assert CALENDAR.first_working_day_after(date(2019, 9, 28)) == WorkingDay(date(2019, 9, 29), provisional=False)


def test_twenty_working_days_cross_the_holiday_with_its_worked_weekends() -> None:
    # 16 September (day 1) to 29 (a Sunday, 11: the festival of 13 September is past) and 30 (12); 8 to 12 October are 13 to 17.
    assert CALENDAR.working_days_after(date(2019, 9, 12), 12).day == date(2019, 9, 30)
    assert CALENDAR.working_days_after(date(2019, 9, 12), 13).day == date(2019, 10, 8)
    assert CALENDAR.working_days_after(date(2019, 9, 12), 17).day == date(2019, 10, 12)
    assert CALENDAR.working_days_after(date(2019, 9, 12), 20).day == date(2019, 10, 16)


def test_beyond_the_published_years_weekdays_count_and_the_date_is_provisional() -> None:
    friday = next(day for day in (date(LAST + 1, 6, 1) + timedelta(days=n) for n in range(7)) if day.weekday() == 4)
    assert CALENDAR.first_working_day_after(friday) == WorkingDay(friday + timedelta(days=3), provisional=True)


def test_one_unpublished_day_on_the_way_makes_the_date_provisional() -> None:
    december = date(LAST, 12, 1)
    assert not CALENDAR.working_days_after(december, 5).provisional
    assert CALENDAR.working_days_after(december, 40).provisional


def test_the_years_before_the_librarys_first_are_provisional_too() -> None:
    assert CALENDAR.first_working_day_after(date(2003, 6, 2)).provisional


def test_a_date_in_a_published_year_is_provisional_where_the_way_to_it_was_not() -> None:
    assert CALENDAR.working_days_after(date(2003, 12, 20), 30) == WorkingDay(date(2004, 2, 5), provisional=True)


def test_an_operators_year_is_no_longer_provisional_and_its_days_count() -> None:
    day = date(LAST + 1, 6, 1)
    while day.weekday() != 4:
        day += timedelta(days=1)
    extra = CalendarYear(LAST + 1, frozenset({day + timedelta(days=3)}), frozenset({day + timedelta(days=1)}), "通知")
    calendar = state_council_calendar([extra])
    assert calendar.first_working_day_after(day) == WorkingDay(day + timedelta(days=1), provisional=False)
    assert calendar.working_days_after(day, 2) == WorkingDay(day + timedelta(days=4), provisional=False)


def test_an_operators_day_wins_over_the_library() -> None:
    extra = CalendarYear(2019, frozenset({date(2019, 9, 29)}), frozenset({date(2019, 10, 5)}), "通知")
    calendar = state_council_calendar([extra])
    assert not calendar.is_working(date(2019, 9, 29))
    assert calendar.is_working(date(2019, 10, 5))


@given(st.dates(date(2005, 1, 1), date(2030, 12, 31)), st.integers(1, 60))
def test_counting_on_by_one_reaches_the_next_working_day(day: date, count: int) -> None:
    reached = CALENDAR.working_days_after(day, count).day
    assert CALENDAR.is_working(reached)
    assert CALENDAR.working_days_after(day, count + 1).day == CALENDAR.first_working_day_after(reached).day
    between = [day + timedelta(days=n) for n in range(1, (reached - day).days + 1)]
    assert sum(map(CALENDAR.is_working, between)) == count


@pytest.mark.parametrize("count", [0, -1])
def test_counting_starts_at_one(count: int) -> None:
    with pytest.raises(ValueError, match="count from 1"):
        CALENDAR.working_days_after(date(2019, 9, 30), count)


def test_an_instant_is_refused_where_a_day_is_wanted() -> None:
    with pytest.raises(TypeError, match="beijing_day"):
        CALENDAR.first_working_day_after(datetime(2019, 9, 30, tzinfo=UTC))


def test_the_beijing_day_begins_eight_hours_before_the_universal_one() -> None:
    assert beijing_day(datetime(2019, 9, 30, 16, 0, tzinfo=UTC)) == date(2019, 10, 1)
    assert beijing_day(datetime(2019, 9, 30, 15, 59, 59, tzinfo=UTC)) == date(2019, 9, 30)
    with pytest.raises(ValueError, match="no zone"):
        beijing_day(datetime(2019, 9, 30))  # noqa: DTZ001 - a naive time is what is refused
