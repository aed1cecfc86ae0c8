"""What people do, noted: one entry for each thing that was done, in the transaction that does it.

    audit.note(connection, rows, Entry(at=now, by=by, action="waiveObligation", kind="Obligation", target=key, reason=reason))

What was refused, or had been done before, is no entry. The entry is in the change history as well, and so in the chain of sealed
blocks (audit_chain.py): changed or deleted, it is found.
"""

import uuid
from datetime import datetime
from typing import Any

import msgspec
import structlog
from sqlalchemy import Connection

from hub.mirror.rows import Rows
from hub.mirror.tables import CHANGE, TABLES
from schema.declare import declared
from schema.entities import AuditEntry
from schema.identifiers import redact

ENTRY = TABLES["AuditEntry"]
COLUMNS = tuple(declared(AuditEntry).fields)
"""In the order in which the change history holds them: new ones are added at the end."""
SOURCE = "hub"

log = structlog.get_logger()


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """Something that a person did."""

    at: datetime
    by: str
    """Name of the application key, or "command line"."""
    action: str
    """Name of the mutation, or of the command."""
    kind: str
    """What `target` names: an entity, or "Platform", "Stream", "Block"."""
    target: str
    """Key of what it was done to; no personal data."""
    reason: str | None = None
    outcome: str | None = None
    """What came of it, in a few words, as "STUCK -> DUE"."""


def note(connection: Connection, rows: Rows, *entries: Entry) -> None:
    """Write entries, and log them; what the caller's transaction does not commit never was.

    The correlation id is the one that the request bound (hub/web/graphql.py).
    """
    if not entries:
        return
    correlation_id = structlog.contextvars.get_contextvars().get("correlation_id")
    written = [rows.as_row(_row(entry, correlation_id)) for entry in entries]
    connection.execute(ENTRY.insert(), written)
    connection.execute(CHANGE.insert(), [_change(row) for row in written])
    for entry in entries:
        told = {"by": entry.by, "kind": entry.kind, "target": entry.target, "outcome": entry.outcome}
        log.info(f"audit: {entry.action}", reason=redact(entry.reason or ""), **told)  # noqa: G004  (a fixed set of words)


def _row(entry: Entry, correlation_id: str | None) -> AuditEntry:
    return AuditEntry(
        entry_id=uuid.uuid4().hex,
        at=entry.at,
        actor=entry.by,
        action=entry.action,
        target_kind=entry.kind,
        target=entry.target,
        reason=entry.reason,
        outcome=entry.outcome,
        correlation_id=correlation_id,
    )


def as_kept(row: dict[str, Any]) -> bytes:
    """Return an entry's row, as it stands in the table, in canonical bytes: personal data sealed, so that no key is needed."""
    return msgspec.json.encode([row[column] for column in COLUMNS])


def _change(row: dict[str, Any]) -> dict[str, Any]:
    """Return an entry's place in the change history. Its content is the row as kept, so that the two can be compared."""
    return {
        "entity": AuditEntry.__name__,
        "key": row["entry_id"],
        "version": 1,
        "deleted": False,
        "created": True,
        "source": SOURCE,
        "observed_at": row["at"],
        "content": as_kept(row),
    }
