"""Old changes out of the sealed history. The blocks stay with the digest of each change, so that the chain still holds from its
beginning; an entry of the audit says up to which block changes may be missing, and is sealed before the first one is deleted.

The last two versions of every record stay: rules look at the version before (docs/decisions/what-a-later-version-drops.md).
"""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, delete, func, select

from hub.mirror.audit import ENTRY
from hub.mirror.audit_check import PRUNED
from hub.mirror.rows import micros
from hub.mirror.tables import AUDIT_BLOCK, CHANGE


class Bound(NamedTuple):
    """How far back something goes: the last block that is old enough, and the last position in it; zeros: none is."""

    block: int
    position: int


def bound(connection: Connection, before: datetime | None) -> Bound:
    """Return the last block before the first one that was closed at that moment or later; None: nothing ever goes.

    One that was closed by a clock that stood behind says nothing of the age of those before it.
    """
    if before is None:
        return Bound(0, 0)
    young = select(func.min(AUDIT_BLOCK.c.number)).where(AUDIT_BLOCK.c.closed_at >= micros(before))
    old = select(AUDIT_BLOCK.c.number, AUDIT_BLOCK.c.last)
    if (first := connection.execute(young).scalar()) is not None:
        old = old.where(AUDIT_BLOCK.c.number < first)
    row = connection.execute(old.order_by(AUDIT_BLOCK.c.number.desc()).limit(1)).first()
    return Bound(row.number, row.last) if row else Bound(0, 0)


def _going(versions: Bound, entries: Bound) -> ColumnElement[bool]:
    later, last = CHANGE.alias("later"), CHANGE.alias("last")
    still_later = select(1).where(last.c.entity == later.c.entity, last.c.key == later.c.key, last.c.sequence > later.c.sequence)
    superseded = select(1).where(
        later.c.entity == CHANGE.c.entity, later.c.key == CHANGE.c.key, later.c.sequence > CHANGE.c.sequence, still_later.exists()
    )
    newest_word = select(func.max(ENTRY.c.at)).where(ENTRY.c.action == PRUNED).scalar_subquery()
    needed = select(1).where(ENTRY.c.entry_id == CHANGE.c.key, ENTRY.c.action == PRUNED, ENTRY.c.at == newest_word)
    is_entry = CHANGE.c.entity == "AuditEntry"
    old_version = ~is_entry & (CHANGE.c.position <= versions.position) & superseded.exists()
    old_entry = is_entry & (CHANGE.c.position <= entries.position) & ~needed.exists()
    return CHANGE.c.position.is_not(None) & (old_version | old_entry)


def last_word(connection: Connection) -> int:
    """Return up to which block changes may be missing by what the audit says so far; 0: none."""
    words = connection.execute(select(ENTRY.c.target).where(ENTRY.c.action == PRUNED)).scalars()
    return max((int(target) for target in words), default=0)


def count_changes(connection: Connection, versions: Bound, entries: Bound, after: int, limit: int) -> int:
    """Return how many changes would go of `limit` positions behind one."""
    here = CHANGE.c.position.between(after + 1, after + limit) & _going(versions, entries)
    return connection.execute(select(func.count()).select_from(CHANGE).where(here)).scalar_one()


def remove_changes(connection: Connection, versions: Bound, entries: Bound, after: int, limit: int) -> int:
    """Delete the changes that go of `limit` positions behind one, and with an entry of the audit its row; return how many."""
    here = CHANGE.c.position.between(after + 1, after + limit) & _going(versions, entries)
    found = connection.execute(select(CHANGE.c.sequence, CHANGE.c.entity, CHANGE.c.key).where(here)).all()
    if found:
        connection.execute(delete(CHANGE).where(CHANGE.c.sequence.in_([row.sequence for row in found])))
        keys = [row.key for row in found if row.entity == "AuditEntry"]
        connection.execute(delete(ENTRY).where(ENTRY.c.entry_id.in_(keys)))
    return len(found)
