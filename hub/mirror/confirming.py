"""Records that were read once more and had not changed: only when they were last seen moves. Called by hub/live_reads.py."""

from collections.abc import Sequence

from sqlalchemy import Connection, update

from hub.mirror.records import digest_of
from hub.mirror.rows import micros
from hub.mirror.tables import CONTENT_HASH, TABLES
from schema.declare import ENTITIES, declared
from schema.entity import Observation, key_of


def confirm(connection: Connection, observations: Sequence[Observation]) -> None:
    """Let records that the mirror holds just as they were observed be as fresh as that; never less fresh than they are.

    Neither version nor history changes, and no rule is asked: nothing is new.
    """
    for each in observations:
        entity, seen_at = declared(type(each.record)), micros(each.record.observed_at)
        table = TABLES[entity.name]
        same = (table.c[entity.key] == key_of(each.record)) & (table.c.version == each.record.version)
        older = same & (table.c[CONTENT_HASH] == digest_of(each)) & (table.c.observed_at < seen_at)
        if not connection.execute(update(table).where(older).values(observed_at=seen_at)).rowcount:
            continue
        for part in ENTITIES.values():
            if part.part_of and part.part_of[0] == entity.name:
                parts = TABLES[part.name]
                mine = parts.c[part.part_of[1]] == key_of(each.record)
                connection.execute(update(parts).where(mine).values(observed_at=seen_at))
