"""What was refused at the door, alike ones together, bounded by platform, expiring (拒收推送). Written by intake/refusals.py."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, delete, func, select

from hub.mirror.database import insert_into
from hub.mirror.rows import Rows, micros
from hub.mirror.tables import TABLES
from schema.declare import declared
from schema.entities import RefusedDelivery

REFUSED = TABLES["RefusedDelivery"]
COLUMNS = [REFUSED.c[name] for name in declared(RefusedDelivery).fields]


def note(connection: Connection, rows: Rows, refused: Sequence[RefusedDelivery], most: int, expired: datetime) -> None:
    """Add refusals to those that are kept; then forget what is over, and what a platform has beyond `most`."""
    if refused:
        insert = insert_into(connection, REFUSED)
        added = insert.on_conflict_do_update(
            index_elements=["refusal_id"],
            set_={
                "times": REFUSED.c.times + insert.excluded.times,
                "last_at": insert.excluded.last_at,
                "detail": insert.excluded.detail,
            },
        )
        ordered = sorted(refused, key=lambda one: one.refusal_id)  # so that processes never wait in a circle
        connection.execute(added, [rows.as_row(one) for one in ordered])
    connection.execute(delete(REFUSED).where(REFUSED.c.last_at < micros(expired)))
    for platform in sorted({one.platform for one in refused}):
        _trim(connection, platform, most)


def _trim(connection: Connection, platform: str, most: int) -> None:
    """Forget the oldest of whoever has the most: a flood from one address pushes out nobody else's."""
    here = REFUSED.c.platform == platform
    count = func.count()
    held = {row[0]: row[1] for row in connection.execute(select(REFUSED.c.remote, count).where(here).group_by(REFUSED.c.remote))}
    while (excess := sum(held.values()) - most) > 0:
        remote = max(held, key=lambda each: held[each])
        others = max((number for each, number in held.items() if each != remote), default=0)
        gone = max(1, min(excess, held[remote] - others))
        its = here & (REFUSED.c.remote.is_(None) if remote is None else REFUSED.c.remote == remote)
        oldest = select(REFUSED.c.refusal_id).where(its).order_by(REFUSED.c.last_at, REFUSED.c.refusal_id).limit(gone)
        connection.execute(delete(REFUSED).where(REFUSED.c.refusal_id.in_(list(connection.execute(oldest).scalars()))))
        held[remote] -= gone


def of_message(connection: Connection, rows: Rows, message_id: str, limit: int) -> list[RefusedDelivery]:
    """Return the refusals of deliveries that claimed this id, the newest first."""
    read = rows.reader(RefusedDelivery)
    here = select(*COLUMNS).where(REFUSED.c.message_id == message_id).order_by(REFUSED.c.last_at.desc()).limit(limit)
    return [read(row) for row in connection.execute(here)]
