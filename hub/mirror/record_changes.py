"""The sealed order of records' changes (audit_sealing.py), read from some position on: for subscribers, by hub/graph/feeds."""

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

import msgspec
import structlog
from sqlalchemy import Connection, func, select

from hub.mirror.audit_pruning import last_word
from hub.mirror.history import read_observation
from hub.mirror.rows import Rows, moment
from hub.mirror.tables import AUDIT_BLOCK, CHANGE
from schema.entity import Mirrored

log = structlog.get_logger()


class Kept(NamedTuple):
    """A change as it is kept. `content` is sealed; of a deletion it is that of the last version before."""

    position: int
    entity: str
    key: str
    deleted: bool
    created: bool
    at: datetime
    content: bytes | None


def newest(connection: Connection) -> int:
    """Return the last position, 0 before the first."""
    return int(connection.execute(select(func.coalesce(func.max(CHANGE.c.position), 0))).scalar_one())


def pruned_to(connection: Connection) -> int:
    """Return up to which position changes may be missing, 0 if none is."""
    last = connection.execute(select(AUDIT_BLOCK.c.last).where(AUDIT_BLOCK.c.number == last_word(connection))).scalar()
    return 0 if last is None else int(last)


def after(connection: Connection, position: int, limit: int, entities: Collection[str] | None = None) -> list[Kept]:
    """Return the next `limit` changes behind a position, of some entities or of all."""
    told = CHANGE.c
    columns = (told.position, told.entity, told.key, told.deleted, told.created, told.observed_at, told.content, told.sequence)
    here = told.position > position if entities is None else (told.position > position) & told.entity.in_(sorted(entities))
    found = connection.execute(select(*columns).where(here).order_by(told.position).limit(limit)).all()
    before = _before(connection, [row.sequence for row in found if row.deleted])
    return [
        Kept(
            row.position,
            row.entity,
            row.key,
            bool(row.deleted),
            bool(row.created),
            moment(row.observed_at),
            before.get(row.sequence) if row.deleted else bytes(row.content),
        )
        for row in found
    ]


def _before(connection: Connection, sequences: list[int]) -> dict[int, bytes]:
    """Return, of each deletion, the content of the last version before it."""
    if not sequences:
        return {}
    told = CHANGE.alias("told").c
    same = (told.entity == CHANGE.c.entity) & (told.key == CHANGE.c.key) & told.deleted.is_(False)
    last = select(told.content).where(same, told.sequence < CHANGE.c.sequence).order_by(told.sequence.desc()).limit(1)
    statement = select(CHANGE.c.sequence, last.scalar_subquery()).where(CHANGE.c.sequence.in_(sequences))
    return {sequence: bytes(content) for sequence, content in connection.execute(statement) if content is not None}


def record_of(rows: Rows, kept: Kept) -> Mirrored | None:
    """Return the record as it was said; None where this version of the hub cannot read it, or nothing is left of it."""
    if kept.content is None:
        return None
    try:
        return read_observation(rows.seals.open(kept.content), kept.at).record
    except (msgspec.MsgspecError, KeyError) as error:
        log.warning("a change cannot be read", entity=kept.entity, key=kept.key, error=type(error).__name__)
        return None
