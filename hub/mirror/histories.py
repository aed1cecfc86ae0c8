"""What records said in earlier versions, from the change history: states whose time no field keeps. Called by loops/loop.py.

Bounded: it is read only for kinds of records whose states leave no time behind, and of those the newest versions.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Connection, select

from hub.mirror.rows import Rows, moment
from hub.mirror.tables import CHANGE

VERSIONS = 2_000
"""The most versions that are read for one kind of record."""


class Version(NamedTuple):
    """One version of a record as it was applied: its plain fields, those of its parts, and when the hub saw it."""

    fields: Mapping[str, Any]
    parts: tuple[Mapping[str, Any], ...]
    seen_at: datetime


def versions_of(connection: Connection, rows: Rows, entity: str, keys: Iterable[str]) -> dict[str, list[Version]]:
    """Return the versions of records by key, the oldest first; deletions are left out. One statement."""
    wanted, found = sorted(keys), defaultdict[str, list[Version]](list)
    if not wanted:
        return found
    here = (CHANGE.c.entity == entity) & CHANGE.c.key.in_(wanted) & CHANGE.c.deleted.is_(False)
    statement = select(CHANGE.c.key, CHANGE.c.content, CHANGE.c.observed_at).where(here)
    newest = connection.execute(statement.order_by(CHANGE.c.sequence.desc()).limit(VERSIONS)).all()
    for key, content, observed_at in reversed(newest):
        (_, fields), *parts = msgspec.json.decode(rows.seals.open(bytes(content)))
        found[key].append(Version(fields, tuple(part for _, part in parts), moment(observed_at)))
    return found
