"""How far the change history was gone through, by name, in one row. Used by reconcile/sweep.py.

A sequence is given out before its transaction commits, so that a lower one may appear behind a higher one. On PostgreSQL nobody
goes past what is certain: a horizon is noted together with the first transaction that is not over yet, and holds once all before
that one are. On SQLite, where one transaction writes at a time, what is there is certain.
"""

from typing import NamedTuple

from sqlalchemy import BigInteger, Connection, Text, cast, func, select, update

from hub.mirror.database import insert_into
from hub.mirror.tables import BOOKMARK, CHANGE


class Stretch(NamedTuple):
    """Changes that are certain and were not gone through: their sequences are above `after` and up to `last`."""

    after: int
    last: int


def stretch(connection: Connection, name: str) -> Stretch:
    """Return what is to be gone through now, and note the next horizon; a new name begins at the present end."""
    # The newest first: whoever took a lower sequence had begun by then, and so has a number below the ones asked for next.
    newest: int = connection.execute(select(func.coalesce(func.max(CHANGE.c.sequence), 0))).scalar_one()
    over, upcoming = _transactions(connection)
    found = connection.execute(select(BOOKMARK).where(BOOKMARK.c.name == name)).mappings().first()
    if found is None:
        new = insert_into(connection, BOOKMARK).values(name=name, done=newest, horizon=newest, transaction=upcoming)
        connection.execute(new.on_conflict_do_nothing(index_elements=["name"]))
        return Stretch(newest, newest)
    done, certain = found["done"], found["done"]
    if over >= found["transaction"]:
        certain = found["horizon"]
        moved = update(BOOKMARK).where(BOOKMARK.c.name == name)
        connection.execute(moved.values(horizon=newest, transaction=upcoming))
    if over >= upcoming:  # nobody is at anything: all that can be seen is certain
        certain = newest
    return Stretch(done, max(done, certain))


def go_on(connection: Connection, name: str, done: int) -> None:
    """Note that everything up to a sequence was gone through; in the transaction of what was done with it."""
    connection.execute(update(BOOKMARK).where(BOOKMARK.c.name == name, BOOKMARK.c.done < done).values(done=done))


def _transactions(connection: Connection) -> tuple[int, int]:
    """Return two transaction numbers: all below the first are over, and the second is above all that have begun."""
    if connection.dialect.name != "postgresql":
        return 0, 0
    snapshot = func.pg_current_snapshot()
    numbers = [cast(cast(one, Text), BigInteger) for one in (func.pg_snapshot_xmin(snapshot), func.pg_snapshot_xmax(snapshot))]
    found = connection.execute(select(*numbers)).one()
    return found[0], found[1]
