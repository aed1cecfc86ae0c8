"""What must be known of a database that was put back from a backup: what it takes for unsent may have been sent since.

Everything else heals by itself: streams are read from the restored cursors on, rules derive what is owed by keys that exist once,
and a command is looked up on its platform before it is carried out.
"""

from datetime import datetime

from sqlalchemy import Connection, update

from hub.mirror import audit
from hub.mirror.audit import Entry
from hub.mirror.ledger import OBLIGATION
from hub.mirror.rows import Rows, micros
from hub.mirror.streams import STREAM
from hub.mirror.tables import LEASE
from schema.entities import ObligationState

MAYBE_SENT = [state.value for state in (ObligationState.DUE, ObligationState.LEASED, ObligationState.SENT, ObligationState.STUCK)]


def mark_restored(connection: Connection, rows: Rows, by: str, now: datetime) -> int:
    """Note in the ledger that open obligations may have been sent until now, and in the audit that this was done; return how many.

    So calls that were under way when the old database ended are waited out, and what is corrected since is shown to operators with
    both versions. What dead processes held is free. Done twice it does no harm.
    """
    here = OBLIGATION.c.state.in_(MAYBE_SENT)
    count = connection.execute(update(OBLIGATION).where(here).values(unknown_since=micros(now))).rowcount
    connection.execute(update(STREAM).values(lease_until=None, fence=STREAM.c.fence + 1))
    connection.execute(update(LEASE).values(until=0))
    outcome = f"{count} open obligations may have been sent since the backup"
    audit.note(connection, rows, Entry(at=now, by=by, action="restore", kind="Database", target="database", outcome=outcome))
    return count
