"""What was refused at the door, alike ones together, bounded by platform, expiring (拒收推送). Written by intake/refusals.py."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, delete, func, select

from hub.mirror.database import insert_into
from hub.mirror.rows import Rows, micros, moment
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


class Lately(NamedTuple):
    """Refusals of one platform, reason and address together."""

    platform: str
    code: str
    remote: str | None
    times: int
    last_at: datetime


def lately(connection: Connection, since: datetime) -> list[Lately]:
    """Return what was refused since then, the last first."""
    last = func.max(REFUSED.c.last_at)
    alike = (REFUSED.c.platform, REFUSED.c.code, REFUSED.c.remote)
    here = select(*alike, func.sum(REFUSED.c.times), last).where(REFUSED.c.last_at >= micros(since)).group_by(*alike)
    return [Lately(*row[:3], int(row[3]), moment(row[4])) for row in connection.execute(here.order_by(last.desc()))]


def of_message(connection: Connection, rows: Rows, message_id: str, limit: int) -> list[RefusedDelivery]:
    """Return the refusals of deliveries that claimed this id, the newest first."""
    read = rows.reader(RefusedDelivery)
    here = select(*COLUMNS).where(REFUSED.c.message_id == message_id).order_by(REFUSED.c.last_at.desc()).limit(limit)
    return [read(row) for row in connection.execute(here)]
