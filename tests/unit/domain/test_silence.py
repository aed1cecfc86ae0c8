"""Which silence is unusual: by the same hours of comparable weeks, never by nights, weekends and holidays."""

from datetime import datetime, timedelta, timezone

import pytest

from hub.domain.calendar import WorkingDays, state_council_calendar
from hub.domain.silence import hour_of, silence_limit

BEIJING = timezone(timedelta(hours=8))
DAYS: WorkingDays = state_council_calendar()


def told(until: datetime, weeks: int, an_hour: int = 4) -> dict[int, int]:
    """What an office tells that works from 9 to 17 on working days, until a moment."""
    found = dict[int, int]()
    moment = (until - timedelta(weeks=weeks)).replace(minute=0)
    while moment < until:
        works = DAYS.is_working(moment.date()) and 9 <= moment.hour < 17
        if works or not found:
            found[hour_of(moment)] = an_hour
        moment += timedelta(hours=1)
    return found


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BEIJING)


@pytest.mark.parametrize(
    ("now", "hours"),
    [
        ("2019-07-17T15:30", 2),  # a Wednesday afternoon: two hours of silence are unusual
        ("2019-07-17T10:30", 18),  # in the morning: since 16:00 the day before
        ("2019-07-17T20:30", 5),  # in the evening: since 15:00
        ("2019-07-15T11:30", 2),  # a Monday, after a quiet weekend
    ],
)
def test_a_silence_is_unusual_where_the_same_hours_were_busy_each_week(now: str, hours: int) -> None:
    here = at(now)
    limit = silence_limit(told(here, 8), here, DAYS)
    assert limit is not None
    assert limit <= timedelta(hours=hours)
    assert limit >= timedelta(hours=2)


@pytest.mark.parametrize("now", ["2019-07-13T12:00", "2019-07-14T18:00", "2019-07-17T04:00"])
def test_nights_and_weekends_raise_no_question_of_their_own(now: str) -> None:
    """The silence that would be unusual reaches back into working hours, in which the office spoke."""
    here = at(now)
    spoke_last = here
    while not (DAYS.is_working(spoke_last.date()) and 9 <= spoke_last.hour < 17):
        spoke_last -= timedelta(hours=1)
    limit = silence_limit(told(here, 8), here, DAYS)
    assert limit is None or limit > here - spoke_last - timedelta(hours=1)


def test_a_holiday_is_compared_with_no_working_day() -> None:
    national_day = at("2019-10-03T15:30")
    assert silence_limit(told(national_day, 8), national_day, DAYS) is None
    before = at("2019-09-26T15:30")
    assert silence_limit(told(before, 8), before, DAYS) is not None


def test_nothing_is_said_of_a_platform_that_is_known_for_two_weeks_or_tells_little() -> None:
    here = at("2019-07-17T15:30")
    assert silence_limit(told(here, 2), here, DAYS) is None
    assert silence_limit(told(here, 4), here, DAYS) is not None
    assert silence_limit({}, here, DAYS) is None
    rare = {hour: 1 for number, hour in enumerate(told(here, 8)) if number % 100 == 0}
    assert silence_limit(rare, here, DAYS) is None
