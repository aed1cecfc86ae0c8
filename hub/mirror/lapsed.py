"""What is put back into the ledger: claims of processes that died, and what was accepted and never seen. Called by the worker.

`lapsed` finds without a lock, so that the caller can hold the causes first, as everybody does who settles; then the obligations are
locked. The other way round two processes wait for each other.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, bindparam, select, update

from hub.mirror import obligation_changes
from hub.mirror.ledger import COLUMNS, ENDED_ATTEMPT, OBLIGATION, attempt_id, read_obligations
from hub.mirror.rows import Rows, micros
from schema.entities import AttemptOutcome, Obligation

LOST = select(*COLUMNS).where(OBLIGATION.c.state == "LEASED", OBLIGATION.c.lease_until < bindparam("now"))
UNSEEN = select(*COLUMNS).where(OBLIGATION.c.state == "SENT", OBLIGATION.c.next_at <= bindparam("now"))
PUT_BACK = (
    update(OBLIGATION)
    .where(OBLIGATION.c.key == bindparam("b_key"))
    .values(
        state="DUE",
        next_at=bindparam("b_now"),
        fence=bindparam("b_fence"),
        lease_until=None,
        unknown_since=bindparam("b_since"),
    )
)


def lapsed(connection: Connection, rows: Rows, now: datetime, limit: int) -> list[Obligation]:
    """Return obligations that `rescue` or `reopen_unseen` would put back, so many of each at most. Nothing is locked."""
    return [
        *read_obligations(connection, rows, LOST.limit(limit), now=micros(now)),
        *read_obligations(connection, rows, UNSEEN.limit(limit), now=micros(now)),
    ]


def rescue(connection: Connection, rows: Rows, now: datetime, keys: Sequence[str]) -> list[Obligation]:
    """Put back those of these that a dead process had claimed, and return them as they were: it may have called until its
    lease ended, so that the outcome is unknown. What somebody else is just putting back is left out."""
    lost = read_obligations(connection, rows, _these(connection, LOST), now=micros(now), keys=list(keys))
    if lost:
        put_back = [
            {
                "b_key": one.key,
                "b_now": micros(now),
                "b_fence": one.fence + 1,
                "b_since": micros(max(filter(None, (one.unknown_since, one.lease_until)))),
            }
            for one in lost
        ]
        connection.execute(PUT_BACK, put_back)
        detail = rows.keep("Attempt", "detail", "the process that made this call ended")
        ended = {"b_outcome": AttemptOutcome.UNKNOWN.value, "b_at": micros(now), "b_detail": detail, "b_exchanges": None}
        connection.execute(ENDED_ATTEMPT, [{"b_id": attempt_id(one), **ended} for one in lost])
        obligation_changes.note(connection, [one.key for one in lost])
    return lost


def reopen_unseen(connection: Connection, rows: Rows, now: datetime, keys: Sequence[str]) -> list[Obligation]:
    """Put back those of these that were accepted but not seen in the mirror within the echo time, and return them as they were:
    each is looked up, then sent again."""
    unseen = read_obligations(connection, rows, _these(connection, UNSEEN), now=micros(now), keys=list(keys))
    if unseen:
        put_back = [
            {"b_key": one.key, "b_now": micros(now), "b_fence": one.fence, "b_since": micros(one.sent_at or now)} for one in unseen
        ]
        connection.execute(PUT_BACK, put_back)
        obligation_changes.note(connection, [one.key for one in unseen])
    return unseen


def _these(connection: Connection, lapsed: Select[Any]) -> Select[Any]:
    these = lapsed.where(OBLIGATION.c.key.in_(bindparam("keys", expanding=True))).order_by(OBLIGATION.c.key)
    return these.with_for_update(skip_locked=True) if connection.dialect.name == "postgresql" else these
