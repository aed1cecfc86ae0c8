"""What we hold of a platform as its digests see it: keys and versions, by bucket. Read by intake/drift.py and full_read.py."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, delete, func, select

from connectors.buckets import BEIJING, Buckets, Digest, Line, byte_of, day_bounds
from hub.mirror.database import insert_into
from hub.mirror.rows import micros, moment
from hub.mirror.tables import FULL_READ_KEY, TABLES
from schema.declare import ENTITIES

CHUNK = 500
UNREADABLE = ""
"""Stands for the key of a record that cannot be read."""


class Held(NamedTuple):
    """A record that we hold: its version, and when we saw that version."""

    version: int
    observed_at: datetime


def digests(connection: Connection, platform: str, kind: Buckets, buckets: Sequence[str]) -> dict[str, Digest]:
    """Return the digests of what we hold of these buckets; memory stays flat, however much it is."""
    running = {bucket: kind.running() for bucket in buckets}
    for bucket, line, _ in _walk(connection, platform, kind, buckets):
        running[bucket].add(line)
    return {bucket: one.digest() for bucket, one in running.items()}


def lines(connection: Connection, platform: str, kind: Buckets, buckets: Sequence[str]) -> dict[str, dict[str, Held]]:
    """Return what we hold of these buckets, by bucket and key."""
    found: dict[str, dict[str, Held]] = {bucket: {} for bucket in buckets}
    for bucket, line, observed_at in _walk(connection, platform, kind, buckets):
        found[bucket][line.key] = Held(line.version, moment(observed_at))
    return found


def earliest_day(connection: Connection, platform: str, kind: Buckets) -> date | None:
    """Return the first day bucket (Beijing) that we hold anything of."""
    table = TABLES[kind.entity]
    first = connection.execute(select(func.min(table.c[kind.day_of or "version"])).where(table.c.source == platform)).scalar()
    return None if first is None else moment(first).astimezone(BEIJING).date()


def _walk(connection: Connection, platform: str, kind: Buckets, buckets: Sequence[str]) -> Iterator[tuple[str, Line, int]]:
    """Yield bucket, line and time of what we hold, each bucket in the order of the keys' bytes."""
    table = TABLES[kind.entity]
    key = table.c[ENTITIES[kind.entity].key]
    as_bytes = key.collate("C" if connection.dialect.name == "postgresql" else "BINARY")
    every: Select[Any] = select(key, table.c.version, table.c.observed_at).where(table.c.source == platform).order_by(as_bytes)
    if kind.day_of is None:
        wanted = frozenset(buckets)
        for name, version, at in connection.execution_options(yield_per=1000).execute(every):
            if (bucket := byte_of(name)) in wanted:
                yield bucket, Line(name, version), at
        return
    for bucket in buckets:
        first, end = day_bounds(bucket)
        day = table.c[kind.day_of]
        for name, version, at in connection.execute(every.where(day >= micros(first), day < micros(end))):
            yield bucket, Line(name, version), at


def versions(connection: Connection, entity: str, keys: Iterable[str]) -> dict[str, int]:
    """Return the versions that we hold of these records; those that we lack are left out."""
    table, found, wanted = TABLES[entity], dict[str, int](), sorted(set(keys))
    key = table.c[ENTITIES[entity].key]
    for start in range(0, len(wanted), CHUNK):
        here = select(key, table.c.version).where(key.in_(wanted[start : start + CHUNK]))
        found |= {row[0]: row[1] for row in connection.execute(here)}
    return found


def count(connection: Connection, platform: str, entity: str) -> int:
    """Return how many records of an entity we hold of a platform."""
    table = TABLES[entity]
    return connection.execute(select(func.count()).select_from(table).where(table.c.source == platform)).scalar_one()


def note_shown(connection: Connection, stream_id: str, shown: Iterable[tuple[str, str]], since: datetime) -> None:
    """Note (entity, key) of what a full read has shown."""
    at = micros(since)
    values = [{"stream_id": stream_id, "entity": entity, "key": key, "since": at} for entity, key in sorted(set(shown))]
    if values:
        insert = insert_into(connection, FULL_READ_KEY)
        again = insert.on_conflict_do_update(index_elements=["stream_id", "entity", "key"], set_={"since": insert.excluded.since})
        connection.execute(again, values)


def count_not_shown(connection: Connection, platform: str, stream_id: str, entity: str, since: datetime) -> int:
    """Return how many records `not_shown` would return in all."""
    table = TABLES[entity]
    here = _not_shown(platform, stream_id, entity, since)
    return connection.execute(select(func.count()).select_from(table).where(here)).scalar_one()


def not_shown(
    connection: Connection, platform: str, stream_id: str, entity: str, since: datetime, behind: str, limit: int
) -> list[Line]:
    """Return what we hold, have held unchanged since before a full read began, and it did not show: in order, behind a key."""
    table = TABLES[entity]
    key = table.c[ENTITIES[entity].key]
    here = _not_shown(platform, stream_id, entity, since) & (key > behind)
    return [Line(*row) for row in connection.execute(select(key, table.c.version).where(here).order_by(key).limit(limit))]


def _not_shown(platform: str, stream_id: str, entity: str, since: datetime) -> ColumnElement[bool]:
    table, at = TABLES[entity], micros(since)
    ours = (FULL_READ_KEY.c.stream_id == stream_id) & (FULL_READ_KEY.c.entity == entity)
    shown = select(1).where(ours, FULL_READ_KEY.c.key == table.c[ENTITIES[entity].key], FULL_READ_KEY.c.since == at).exists()
    return (table.c.source == platform) & (table.c.observed_at < at) & ~shown


def shown(connection: Connection, stream_id: str, entity: str, since: datetime) -> tuple[int, bool]:
    """Return how many records of an entity a full read has shown, and whether the key of one of them could not be read."""
    ours = (FULL_READ_KEY.c.stream_id == stream_id) & (FULL_READ_KEY.c.entity == entity)
    here = ours & (FULL_READ_KEY.c.since == micros(since))
    number = connection.execute(select(func.count()).where(here)).scalar_one()
    doubtful = connection.execute(select(1).where(here, FULL_READ_KEY.c.key == UNREADABLE)).first() is not None
    return number - doubtful, doubtful


def forget_shown(connection: Connection, stream_id: str, since: datetime, limit: int) -> int:
    """Forget some of what the full read of that moment, and earlier ones, have shown; return how much, at most `limit`."""
    over = (FULL_READ_KEY.c.stream_id == stream_id) & (FULL_READ_KEY.c.since <= micros(since))
    found = connection.execute(select(FULL_READ_KEY.c.entity, FULL_READ_KEY.c.key).where(over).limit(limit)).all()
    by_entity = defaultdict(list)
    for entity, key in found:
        by_entity[entity].append(key)
    for entity, keys in by_entity.items():
        here = over & (FULL_READ_KEY.c.entity == entity)
        for start in range(0, len(keys), CHUNK):
            connection.execute(delete(FULL_READ_KEY).where(here, FULL_READ_KEY.c.key.in_(keys[start : start + CHUNK])))
    return len(found)
