"""When a platform that answers well is silent for too long: judged by what it told in the same hours of the weeks before. Pure.

Nights and weekends are quiet every week, so that they raise no question; a week whose days were worked otherwise (a holiday, a
worked Saturday) is not compared with.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from hub.domain.calendar import WorkingDays, beijing_day

WEEK = 7 * 24
WEEKS_BACK = 8
"""How far back it is looked for weeks to compare with."""
WEEKS = 4
"""So many of them are compared with."""
FEWEST_WEEKS = 3
"""With fewer than these nothing is usual yet."""
SHORTEST, LONGEST = 2, 72
"""Hours of silence that are judged."""
USUAL = 5
"""Records that were told each time in hours in which silence is unusual."""
HOURS_KEPT = (WEEKS_BACK + 1) * WEEK


def hour_of(moment: datetime) -> int:
    """Return the hour that a moment (aware) lies in, counted from 1970 in UTC."""
    return int(moment.timestamp() // 3600)


def silence_limit(told: Mapping[int, int], now: datetime, days: WorkingDays) -> timedelta | None:
    """Return how long a silence that lasts until now would be unusual; None where none would be, or too little is known.

    `told` has the number of records by hour (`hour_of`), for as long as the platform is known.
    """
    if not told:
        return None
    known_since, end = min(told), hour_of(now)
    counts = dict.fromkeys(range(1, WEEKS_BACK + 1), 0)
    for length in range(1, LONGEST + 1):
        for week in counts:
            counts[week] += told.get(end - week * WEEK - length, 0)
        if length < SHORTEST:
            continue
        alike = [
            count for week, count in counts.items() if end - week * WEEK - length >= known_since and _alike(now, length, week, days)
        ][:WEEKS]
        if len(alike) >= FEWEST_WEEKS and min(alike) >= USUAL:
            return timedelta(hours=length)
    return None


def _alike(now: datetime, length: int, week: int, days: WorkingDays) -> bool:
    """Return whether the days of these hours were worked as those of so many weeks ago."""
    first, last, back = beijing_day(now - timedelta(hours=length)), beijing_day(now), timedelta(weeks=week)
    span = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    return all(days.is_working(day) == days.is_working(day - back) for day in span)
