"""What records said before the version that they have now, out of the change history. Asked by rules whose causes stand in
parts of a record: what a later version does not name any more is found here."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import cast

import msgspec
import structlog
from sqlalchemy import Connection, select, tuple_

from hub.mirror.rows import Rows, moment
from hub.mirror.tables import CHANGE
from schema.declare import ENTITIES
from schema.entity import Mirrored, Observation, key_of

CHUNK = 500

log = structlog.get_logger()


def versions_before(connection: Connection, rows: Rows, observations: Iterable[Observation]) -> list[Observation]:
    """Return, of each of these records, the newest version that was held before the first of them; none for a record that is new.

    All are of one entity. One that was kept in a form that this version of the hub cannot read is left out, and logged.
    """
    first: dict[str, int] = {}
    name = ""
    for observation in observations:
        record, key = observation.record, key_of(observation.record)
        name, first[key] = type(record).__name__, min(first.get(key, record.version), record.version)
    before = _newest_before(connection, name, first) if first else []
    found = []
    for start in range(0, len(before), CHUNK):
        here = tuple_(CHANGE.c.key, CHANGE.c.version).in_(before[start : start + CHUNK])
        kept = select(CHANGE.c.key, CHANGE.c.observed_at, CHANGE.c.content).where(CHANGE.c.entity == name, here)
        for key, observed_at, content in connection.execute(kept.where(CHANGE.c.deleted.is_(False))):
            try:
                found.append(read_observation(rows.seals.open(bytes(content)), moment(observed_at)))
            except (msgspec.MsgspecError, KeyError) as error:
                log.warning("an earlier version cannot be read", entity=name, key=key, error=type(error).__name__)
    return found


def _newest_before(connection: Connection, entity: str, first: Mapping[str, int]) -> list[tuple[str, int]]:
    newest: dict[str, int] = {}
    keys = sorted(first)
    for start in range(0, len(keys), CHUNK):
        here = (CHANGE.c.entity == entity) & CHANGE.c.key.in_(keys[start : start + CHUNK])
        for key, version in connection.execute(select(CHANGE.c.key, CHANGE.c.version).where(here)):
            if version < first[key]:
                newest[key] = max(version, newest.get(key, version))
    return sorted(newest.items())


def read_observation(content: bytes, observed_at: datetime) -> Observation:
    """Return what `rows.content_of` wrote; raise MsgspecError or KeyError for what another version of the hub wrote."""
    record, *parts = (_record(name, fields, observed_at) for name, fields in msgspec.json.decode(content))
    return Observation(record=record, parts=tuple(parts))


def _record(name: str, fields: dict[str, object], observed_at: datetime) -> Mirrored:
    return cast(Mirrored, msgspec.convert({**fields, "observed_at": observed_at}, ENTITIES[name].record))
