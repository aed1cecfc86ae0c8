"""How far the change history was gone through, by name, in one row. Used by reconcile/sweep.py.

It is gone through in the one public order that sealing gives it (audit_sealing.py): a change has its position after its commit, so
that none ever appears below one that was seen. What is not sealed yet comes the next time.
"""

from typing import NamedTuple

from sqlalchemy import Connection, func, select, update

from hub.mirror.database import insert_into
from hub.mirror.tables import BOOKMARK, CHANGE


class Stretch(NamedTuple):
    """Changes that were not gone through: their positions are above `after` and up to `last`."""

    after: int
    last: int


def stretch(connection: Connection, name: str) -> Stretch:
    """Return what is to be gone through now; a new name begins at the present end."""
    newest: int = connection.execute(select(func.coalesce(func.max(CHANGE.c.position), 0))).scalar_one()
    done = connection.execute(select(BOOKMARK.c.done).where(BOOKMARK.c.name == name)).scalar()
    if done is None:
        new = insert_into(connection, BOOKMARK).values(name=name, done=newest)
        connection.execute(new.on_conflict_do_nothing(index_elements=["name"]))
        return Stretch(newest, newest)
    return Stretch(done, max(done, newest))


def go_on(connection: Connection, name: str, done: int) -> None:
    """Note that everything up to a position was gone through; in the transaction of what was done with it."""
    connection.execute(update(BOOKMARK).where(BOOKMARK.c.name == name, BOOKMARK.c.done < done).values(done=done))
