"""Maintenance windows that recur: `daily 02:00-03:00`, `sun 22:30-04:00`; Beijing time, past midnight where the end is earlier."""

import re
from datetime import datetime, time, timedelta, timezone
from typing import NamedTuple

BEIJING = timezone(timedelta(hours=8))
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_FORM = re.compile(r"(daily|mon|tue|wed|thu|fri|sat|sun) ([0-9]{2}:[0-9]{2})-([0-9]{2}:[0-9]{2})", re.IGNORECASE)


class Recurring(NamedTuple):
    """A window that begins on one day of the week (0 is Monday), or on every day (None)."""

    weekday: int | None
    begins: time
    ends: time

    def until(self, now: datetime) -> datetime | None:
        """Return when the window that `now` lies in is over; None outside of one. The first moment of `ends` is outside."""
        local = now.astimezone(BEIJING)
        for ago in (0, 1):  # it may have begun yesterday
            day = local.date() - timedelta(days=ago)
            if self.weekday not in {None, day.weekday()}:
                continue
            begins = datetime.combine(day, self.begins, BEIJING)
            ends = datetime.combine(day + timedelta(days=int(self.ends < self.begins)), self.ends, BEIJING)
            if begins <= local < ends:
                return ends
        return None


def read_recurring(text: str) -> Recurring:
    """Return the window that a text means; raise ValueError that says how one is written."""
    found = _FORM.fullmatch(text.strip())
    times = [] if found is None else [_time(found[2]), _time(found[3])]
    if found is None or None in times or times[0] == times[1]:
        way = "write `daily 02:00-03:00`, or a day as in `sun 22:30-04:00`, with two times that differ"
        raise ValueError(f"'{text[:40]}' is no window: {way}")
    day = found[1].lower()
    return Recurring(None if day == "daily" else DAYS.index(day), time.fromisoformat(found[2]), time.fromisoformat(found[3]))


def _time(text: str) -> time | None:
    try:
        return time.fromisoformat(text)
    except ValueError:
        return None
