"""Says anew what every record contributes, and what every cell must hold. Called by tally.py, a batch a transaction."""

from sqlalchemy import Connection, literal, select, union

from hub.mirror.statistics import cells, due
from hub.mirror.statistics.counting import bring_alone
from hub.mirror.tables import STATISTIC_FACT, TABLES
from schema.declare import ENTITIES


def recount(connection: Connection, entity: str, keys: list[str]) -> tuple[int, bool]:
    """Bring the facts of these records up to date; return how many differed, and whether nothing waited to be counted.

    Where something waited, what differed may have been on its way. It is looked at last: a change that we saw has put its
    record on the list in the same transaction.
    """
    cells.alone(connection)
    return bring_alone(connection, entity, keys), due.is_empty(connection)


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


def repair_cells(connection: Connection, kind: str, after: int) -> tuple[int, int] | None:
    """Bring the cells of the next month after one (yyyymm) to what facts say; return that month and how many cells were wrong.

    None when there is no later month. Exact whatever waits to be counted: facts and cells change together.
    """
    cells.alone(connection)
    found = cells.next_slice(connection, kind, after)
    return None if found is None else (found.month, cells.repair(connection, found))
