"""What changed lately, as it is now. Asked by reconcile/sweep.py for the causes that may be concerned."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple, cast

from sqlalchemy import Connection, select

from hub.mirror.queries import records_where
from hub.mirror.rows import Rows
from hub.mirror.tables import CHANGE
from schema.declare import ENTITIES
from schema.entity import Mirrored, Observation, Tombstone, key_of


class Changed(NamedTuple):
    """A record of which some version was applied, and the last position of these in the change history."""

    entity: str
    key: str
    position: int


def changed_between(connection: Connection, after: int, last: int, limit: int) -> list[Changed]:
    """Return the records of the next `limit` changes behind a position, up to another one; each once, by its last one."""
    here = (CHANGE.c.position > after) & (CHANGE.c.position <= last)
    statement = select(CHANGE.c.entity, CHANGE.c.key, CHANGE.c.position).where(here).order_by(CHANGE.c.position).limit(limit)
    newest = {(entity, key): position for entity, key, position in connection.execute(statement)}
    return [Changed(*named, position) for named, position in sorted(newest.items(), key=lambda one: one[1])]


def as_they_are(connection: Connection, rows: Rows, changed: Sequence[Changed], now: datetime) -> list[Observation | Tombstone]:
    """Return records with their parts as the mirror holds them now; of those that are gone, that they are."""
    keys: dict[str, list[str]] = defaultdict(list)
    for one in changed:
        keys[one.entity].append(one.key)
    found: list[Observation | Tombstone] = []
    for name, wanted in keys.items():
        there = records_where(connection, rows, _mirrored(name), ENTITIES[name].key, wanted)
        parts = _parts_of(connection, rows, name, list(there))
        found += [Observation(record=one, parts=tuple(parts[key_of(one)])) for (one,) in there.values()]
        found += [Tombstone(entity=name, key=key, source="mirror", observed_at=now) for key in wanted if key not in there]
    return found


def _parts_of(connection: Connection, rows: Rows, whole: str, keys: Sequence[str]) -> dict[str, list[Mirrored]]:
    parts = defaultdict[str, list[Mirrored]](list)
    for part in ENTITIES.values():
        if part.part_of and part.part_of[0] == whole:
            for key, group in records_where(connection, rows, _mirrored(part.name), part.part_of[1], keys).items():
                parts[key] += group
    return parts


def _mirrored(name: str) -> type[Mirrored]:
    return cast(type[Mirrored], ENTITIES[name].record)
