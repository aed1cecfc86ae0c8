"""How much each platform tells, hour by hour, and whether its webhooks tell it. Counted by hub/alerts from the change history.

It is gone through in its public order (bookmarks.py), so that each version counts once, whoever saw it.
"""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection, delete, func, literal_column, select, update

from hub.domain.silence import HOURS_KEPT, hour_of
from hub.mirror import bookmarks
from hub.mirror.bookmarks import Stretch
from hub.mirror.database import insert_into
from hub.mirror.inbox import DELIVERY
from hub.mirror.tables import CHANGE, PLATFORM_CONDITION, PLATFORM_HOUR

BOOKMARK = "rhythm"
HOUR = "3600000000"
"""Microseconds; written into the statement, so that both places of it are seen to be the same."""

Announced = Mapping[str, tuple[str, ...]]
"""Platform -> entities of which it posts every new record to us."""


def count(connection: Connection, announced: Announced, now: datetime) -> None:
    """Count what platforms told since the last time; `announced` names all platforms that are bridged."""
    new = bookmarks.stretch(connection, BOOKMARK)
    if new.last > new.after:
        _count_hours(connection, announced, new, now)
    for platform, entities in sorted(announced.items()):
        if entities:
            _count_unannounced(connection, platform, entities, new)
    bookmarks.go_on(connection, BOOKMARK, new.last)


def _count_hours(connection: Connection, announced: Announced, new: Stretch, now: datetime) -> None:
    hour = (CHANGE.c.observed_at // literal_column(HOUR)).label("at_hour")
    here = (CHANGE.c.position > new.after) & (CHANGE.c.position <= new.last) & CHANGE.c.source.in_(list(announced))
    found = select(CHANGE.c.source, hour, func.count(), func.max(CHANGE.c.observed_at)).where(here).group_by(CHANGE.c.source, hour)
    for platform, each, told, last in sorted(tuple(row) for row in connection.execute(found)):
        insert = insert_into(connection, PLATFORM_HOUR).values(platform=platform, hour=each, told=told)
        more = {"told": PLATFORM_HOUR.c.told + insert.excluded.told}
        connection.execute(insert.on_conflict_do_update(index_elements=["platform", "hour"], set_=more))
        note = insert_into(connection, PLATFORM_CONDITION).values(platform=platform, told_at=last)
        later = PLATFORM_CONDITION.c.told_at.is_(None) | (PLATFORM_CONDITION.c.told_at < last)
        connection.execute(note.on_conflict_do_update(index_elements=["platform"], set_={"told_at": last}, where=later))
    connection.execute(delete(PLATFORM_HOUR).where(PLATFORM_HOUR.c.hour < hour_of(now) - HOURS_KEPT))


def _count_unannounced(connection: Connection, platform: str, entities: tuple[str, ...], new: Stretch) -> None:
    """Count new records that were seen since the last webhook; none where the platform never posted one: it may not be told to."""
    received = connection.execute(select(func.max(DELIVERY.c.received_at)).where(DELIVERY.c.platform == platform)).scalar()
    if received is None:
        return
    condition = PLATFORM_CONDITION.c
    row = connection.execute(select(condition.unannounced, condition.unannounced_at).where(condition.platform == platform)).first()
    before, seen = (0, 0) if row is None else (row.unannounced or 0, row.unannounced_at or 0)
    if received >= seen:
        before = 0
    here = (CHANGE.c.position > new.after) & (CHANGE.c.position <= new.last) & (CHANGE.c.source == platform)
    here &= CHANGE.c.entity.in_(entities) & CHANGE.c.created & (CHANGE.c.observed_at > received)
    more, last = connection.execute(select(func.count(), func.max(CHANGE.c.observed_at)).where(here)).one()
    if row is None and more:
        connection.execute(insert_into(connection, PLATFORM_CONDITION).values(platform=platform))
    if more or (row is not None and before != (row.unannounced or 0)):
        values = {"unannounced": before + more, "unannounced_at": last or seen}
        connection.execute(update(PLATFORM_CONDITION).where(condition.platform == platform).values(values))


def hours(connection: Connection) -> dict[str, dict[int, int]]:
    """Return how much each platform told, by hour since 1970."""
    found: dict[str, dict[int, int]] = {}
    for platform, hour, told in connection.execute(select(PLATFORM_HOUR.c.platform, PLATFORM_HOUR.c.hour, PLATFORM_HOUR.c.told)):
        found.setdefault(platform, {})[hour] = told
    return found


def told(connection: Connection) -> dict[str, tuple[int | None, int]]:
    """Return when each platform last told anything new (microseconds), and how many records its webhooks left out since."""
    condition = PLATFORM_CONDITION.c
    here = select(condition.platform, condition.told_at, condition.unannounced)
    return {platform: (told_at, unannounced or 0) for platform, told_at, unannounced in connection.execute(here)}
