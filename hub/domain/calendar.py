"""Working days (工作日) by the State Council's calendar: holidays, and the working weekends that make up for them.

The days come from chinesecalendar, and for the years that it does not know yet from calendar.toml. Deadlines ask here.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from typing import NamedTuple

import chinese_calendar

BEIJING = timezone(timedelta(hours=8))  # no summer time since 1991


class WorkingDay(NamedTuple):
    """A working day; provisional when a year without a published arrangement was counted by weekdays on the way to it."""

    day: date
    provisional: bool


@dataclass(frozen=True, slots=True)
class CalendarYear:
    """One year of calendar.toml: days off, and Saturdays or Sundays that are worked, with the notice that says so."""

    year: int
    holidays: frozenset[date]
    working_weekends: frozenset[date]
    source: str


@dataclass(frozen=True, slots=True)
class WorkingDays:
    """The days off and the worked weekends of the years whose arrangement is known; other years count by weekdays."""

    holidays: frozenset[date]
    working_weekends: frozenset[date]
    known_years: frozenset[int]

    def is_working(self, day: date) -> bool:
        """Return whether the day is worked; in a year that is not known, Monday to Friday are."""
        return day in self.working_weekends or (day.weekday() < 5 and day not in self.holidays)

    def working_days_after(self, day: date, count: int) -> WorkingDay:
        """Return the count-th working day after the day, which is itself not counted (民法典 art. 201).

        Raise ValueError for a count below 1, TypeError for a datetime: take its beijing_day first.
        """
        if isinstance(day, datetime):
            raise TypeError(f"working days count from a date, not from the instant {day.isoformat()}; take its beijing_day")
        if count < 1:
            raise ValueError(f"{count} working days after {day}: count from 1")
        provisional = False
        while count:
            day += timedelta(days=1)
            provisional = provisional or day.year not in self.known_years
            count -= self.is_working(day)
        return WorkingDay(day, provisional)

    def first_working_day_after(self, day: date) -> WorkingDay:
        """Return the first working day that is later than the day, be the day itself worked or not."""
        return self.working_days_after(day, 1)


def state_council_calendar(extra: Iterable[CalendarYear] = ()) -> WorkingDays:
    """Return the calendar of chinesecalendar (2004 and later), with the years of calendar.toml added.

    Where both speak of a day calendar.toml wins; a year that it names is known from then on.
    """
    holidays: set[date] = set(chinese_calendar.holidays)
    working: set[date] = set(chinese_calendar.workdays)
    years = {day.year for day in holidays}
    for added in extra:
        holidays |= added.holidays  # a worked weekend wins over a holiday: see is_working
        working = (working | added.working_weekends) - added.holidays
        years.add(added.year)
    return WorkingDays(frozenset(holidays), frozenset(working), frozenset(years))


def beijing_day(instant: datetime) -> date:
    """Return the Beijing date of an instant; raise ValueError for one without a zone."""
    if instant.tzinfo is None:
        raise ValueError(f"{instant.isoformat()} has no zone; give an aware datetime")
    return instant.astimezone(BEIJING).date()
