"""Compares what is kept of every record, and what every cell holds, with what they should. Called by tally.py.

Comparing only reads, in one snapshot; what differs is then written by itself, so that nobody is held up while all is right.
"""

from sqlalchemy import Connection, literal, select, union

from hub.mirror.statistics import cells, due
from hub.mirror.statistics.cells import Slice
from hub.mirror.statistics.counting import compare
from hub.mirror.tables import STATISTIC_FACT, TABLES
from schema.declare import ENTITIES


def differing(connection: Connection, entity: str, keys: list[str]) -> tuple[list[str], bool]:
    """Return the records whose facts differ from the mirror, and whether nothing waits to be counted.

    Where something waits, what differs may be on its way: a change and its place on the list are committed together.
    """
    return compare(connection, entity, keys).differing, due.is_empty(connection)


def keys_after(connection: Connection, entity: str, after: str, limit: int) -> list[str]:
    """Return the keys after one, in order, of records that are in the mirror or have facts."""
    table, key = TABLES[entity], ENTITIES[entity].key
    fact = STATISTIC_FACT.c
    # Each part stops early by itself, which one condition over both would not.
    records = select(table.c[key].label("key")).where(table.c[key] > after).order_by(table.c[key]).limit(limit).subquery()
    mine = (fact.entity == literal(entity)) & (fact.key > after)
    facts = select(fact.key).where(mine).distinct().order_by(fact.key).limit(limit).subquery()
    both = union(select(records.c.key), select(facts.c.key)).subquery()
    return list(connection.execute(select(both.c.key).order_by(both.c.key).limit(limit)).scalars())


def next_month(connection: Connection, kind: str, after: int) -> tuple[int, bool] | None:
    """Return the next month after one (yyyymm) with facts or cells of a kind, and whether its cells are right; None at the end.

    Exact whatever waits to be counted: facts and cells change together.
    """
    found = cells.next_slice(connection, kind, after)
    return None if found is None else (found.month, cells.is_right(connection, found))


def repair_month(connection: Connection, kind: str, month: int) -> int:
    """Bring the cells of a kind in a month to what the facts say; return how many were wrong."""
    cells.alone(connection)
    return cells.repair(connection, Slice(kind, month))
