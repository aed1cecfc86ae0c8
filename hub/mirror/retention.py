"""What is kept for a time only: found and removed in batches, each a short transaction. Called by hub/keeping.py, which says when.

Never removed is what is still needed: deliveries that were not applied or hold an open quarantine, attempts of open obligations,
differences with a platform that stand.
Kept as an empty shell is what must be known again: a delivery whose signature never gets old (else it could be played once more),
a quarantined record and an ops item (else a rule or a page read again would open them anew).
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Table, delete, func, select, tuple_, update

from hub.mirror.ledger import ENDED
from hub.mirror.rows import Rows, micros
from hub.mirror.tables import TABLES
from schema.entities import DeliveryState, DriftState, OpsItem, QuarantinedRecord

DELIVERY, ATTEMPT, OBLIGATION = TABLES["Delivery"], TABLES["Attempt"], TABLES["Obligation"]
QUARANTINE, OPS_ITEM, FINDING = TABLES["QuarantinedRecord"], TABLES["OpsItem"], TABLES["DriftFinding"]
APPLIED = (DeliveryState.APPLIED.value, DeliveryState.PARTLY.value)
OVER = (DriftState.REPAIRED.value, DriftState.TOMBSTONED.value, DriftState.ENDED.value)
REMOVED = "removed when its time was over"

Place = tuple[int, str]
"""Where a batch ended: the time and the key of its last row."""
BEGINNING: Place = (-(2**62), "")


class Kind(NamedTuple):
    """One kind of rows that are kept for a time."""

    name: str
    table: Table
    key: str
    at: str
    """The column, microseconds, by which rows are gone through; it has an index."""
    over: ColumnElement[bool]
    """Which of them may go, whatever their age."""
    values: Callable[[Rows], dict[str, Any]] | None = None
    """What is written instead; None: the row is deleted."""
    aged_by: str | None = None
    """The column whose age counts, where it is another one."""

    def here(self, before: datetime) -> ColumnElement[bool]:
        """Return which rows go whose time ended before a moment."""
        column = self.table.c[self.aged_by or self.at]
        return self.over & (column < micros(before)) & (self.table.c[self.at] < micros(before))


def kinds(rows: Rows, shells: Sequence[str]) -> dict[str, Kind]:
    """Return the kinds by the name of their setting; `shells` are platforms whose signatures never get old."""
    in_quarantine = select(1).where(QUARANTINE.c.delivery_id == DELIVERY.c.delivery_id, QUARANTINE.c.released_at.is_(None)).exists()
    applied = DELIVERY.c.state.in_(APPLIED) & ~in_quarantine
    ended = select(1).where(OBLIGATION.c.key == ATTEMPT.c.obligation_key, OBLIGATION.c.state.in_(ENDED)).exists()
    shell = DELIVERY.c.platform.in_(shells)
    full = func.length(QUARANTINE.c.content) > len(rows.seals.seal(b""))
    made = (
        Kind("deliveries", DELIVERY, "delivery_id", "received_at", applied & ~shell),
        Kind("shells", DELIVERY, "delivery_id", "received_at", applied & shell, _emptied_delivery),
        Kind("attempts", ATTEMPT, "attempt_id", "started_at", (ATTEMPT.c.outcome != "RUNNING") & ended),
        Kind("quarantine", QUARANTINE, "quarantine_id", "quarantined_at", full, _emptied_quarantine, aged_by="released_at"),
        Kind("ops_items", OPS_ITEM, "item_id", "resolved_at", OPS_ITEM.c.resolution.is_not(None), _emptied_ops_item),
        Kind("drift", FINDING, "finding_id", "ended_at", FINDING.c.state.in_(OVER)),
    )
    return {kind.name: kind for kind in made}


def _emptied_delivery(rows: Rows) -> dict[str, Any]:
    nothing = rows.seals.seal(b"")
    return {"state": DeliveryState.EMPTIED.value, "headers": nothing, "body": nothing, "detail": None}


def _emptied_quarantine(rows: Rows) -> dict[str, Any]:
    return rows.values(QuarantinedRecord, content=b"", detail=REMOVED)


def _emptied_ops_item(rows: Rows) -> dict[str, Any]:
    return rows.values(OpsItem, message=REMOVED, before=None, after=None, resolution=None)


def count(connection: Connection, kind: Kind, before: datetime) -> int:
    """Return how many rows would go."""
    return connection.execute(select(func.count()).select_from(kind.table).where(kind.here(before))).scalar_one()


def remove(connection: Connection, rows: Rows, kind: Kind, before: datetime, after: Place, limit: int) -> tuple[int, Place | None]:
    """Remove a batch of rows behind a place; return how many, and where the next one begins, None at the end.

    On PostgreSQL rows that somebody else holds are passed over; they go the next time.
    """
    key, at = kind.table.c[kind.key], kind.table.c[kind.at]
    batch = select(at, key).where(kind.here(before), tuple_(at, key) > tuple_(*after)).order_by(at, key).limit(limit)
    if connection.dialect.name == "postgresql":
        batch = batch.with_for_update(skip_locked=True)
    found = [(row[0], row[1]) for row in connection.execute(batch)]
    if not found:
        return 0, None
    mine = key.in_([each for _, each in found])
    if kind.values is None:
        connection.execute(delete(kind.table).where(mine))
    else:
        connection.execute(update(kind.table).where(mine).values(kind.values(rows)))
    return len(found), found[-1] if len(found) == limit else None
