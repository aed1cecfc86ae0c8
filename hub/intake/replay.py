"""What operators let be looked at once more: streams from their beginning (resync), deliveries from what was kept of them (replay),
comparisons before they are due.

Called by hub/operator.py, each function in one transaction, noted under the name of who asked. Here it is only asked for: pollers
and appliers do it. A span of time, and what either would change, is hub/backfill.py.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from connectors.base import Stream
from hub.mirror import audit, drift, inbox, streams
from hub.mirror.audit import Entry
from hub.mirror.rows import Rows


def resync(connection: Connection, rows: Rows, platform: str, wanted: Sequence[Stream], by: str, now: datetime) -> list[str]:
    """Let streams of a platform be read from their beginning, as some always are; return their stream ids."""
    ids = [f"{platform}/{each.name}" for each in wanted]
    for each in wanted:
        if not each.rereads:
            streams.forget_cursor(connection, platform, each.name)
    outcome = "is read from its beginning"
    entries = [Entry(at=now, by=by, action="resync", kind="StreamHealth", target=each, outcome=outcome) for each in ids]
    audit.note(connection, rows, *entries)
    return ids


def replay(connection: Connection, rows: Rows, ids: Sequence[str], by: str, now: datetime) -> list[str]:
    """Let deliveries be applied once more; return the ids that exist."""
    found = inbox.put_back(connection, ids)
    outcome = "is applied once more"
    entries = [Entry(at=now, by=by, action="replayDeliveries", kind="Delivery", target=each, outcome=outcome) for each in found]
    audit.note(connection, rows, *entries)
    return found


def replay_since(connection: Connection, rows: Rows, platform: str, since: datetime, by: str, now: datetime) -> list[str]:
    """Let all deliveries that a platform posted at `since` or later be applied once more; return their ids. One entry."""
    found = inbox.put_back_since(connection, platform, since)
    outcome = f"{len(found)} deliveries since {since.isoformat()} are applied once more"
    audit.note(
        connection,
        rows,
        Entry(at=now, by=by, action="replayDeliveries", kind="Platform", target=platform, outcome=outcome),
    )
    return found


def compare_now(connection: Connection, rows: Rows, platform: str, by: str, now: datetime) -> list[str]:
    """Let all comparisons with a platform be due at `now`; return the ids of their reports. One entry."""
    ids = drift.let_be_due(connection, platform, now)
    outcome = f"{len(ids)} comparisons are due"
    audit.note(connection, rows, Entry(at=now, by=by, action="compareNow", kind="Platform", target=platform, outcome=outcome))
    return ids
