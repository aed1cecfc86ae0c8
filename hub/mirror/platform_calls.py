"""How often each platform was called and how often in vain, added up over all processes. Written by hub/call_counts.py."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Connection, case, delete, func, select

from hub.domain.calendar import BEIJING
from hub.mirror.database import insert_into
from hub.mirror.tables import PLATFORM_CALLS

SPAN = timedelta(minutes=5)
HOUR, KEPT = timedelta(hours=1), timedelta(days=2)


class Calls(NamedTuple):
    """Calls to one platform."""

    made: int = 0
    failed: int = 0
    """Of these, how many brought no usable answer."""


class Lately(NamedTuple):
    """Calls to one platform, of late."""

    hour: Calls = Calls()
    """Of the last hour, in steps of SPAN: up to one of them more."""
    today: Calls = Calls()
    """Of this day in Beijing, so far."""


Counts = Mapping[tuple[str, int], Calls]
"""By platform and span (`span_of`)."""


def span_of(moment: datetime) -> int:
    """Return the span that a moment (aware) lies in, counted from 1970; a day in Beijing begins with one."""
    return int(moment.timestamp() // SPAN.total_seconds())


def add(connection: Connection, counts: Counts, now: datetime) -> None:
    """Add to what is counted already, and forget what is older than two days."""
    calls = PLATFORM_CALLS.c
    for (platform, span), (made, failed) in sorted(counts.items()):  # in one order, so that processes never wait in a circle
        insert = insert_into(connection, PLATFORM_CALLS).values(platform=platform, span=span, made=made, failed=failed)
        more = {"made": calls.made + insert.excluded.made, "failed": calls.failed + insert.excluded.failed}
        connection.execute(insert.on_conflict_do_update(index_elements=["platform", "span"], set_=more))
    for platform in sorted({platform for platform, _ in counts}):
        connection.execute(delete(PLATFORM_CALLS).where(calls.platform == platform, calls.span < span_of(now - KEPT)))


def lately(connection: Connection, now: datetime) -> dict[str, Lately]:
    """Return the calls of each platform that was called of late."""
    calls = PLATFORM_CALLS.c
    hour = span_of(now - HOUR)
    today = span_of(now.astimezone(BEIJING).replace(hour=0, minute=0, second=0, microsecond=0))
    sums = [
        func.coalesce(func.sum(case((calls.span >= since, column), else_=0)), 0)
        for since in (hour, today)
        for column in (calls.made, calls.failed)
    ]
    here = select(calls.platform, *sums).where(calls.span >= min(hour, today)).group_by(calls.platform)
    return {
        platform: Lately(Calls(int(made), int(failed)), Calls(int(made_today), int(failed_today)))
        for platform, made, failed, made_today, failed_today in connection.execute(here)
    }
