"""Sums of facts by day and by month. Written only by who holds the lock of `alone`, so that no two add to one cell at a time."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, and_, delete, func, literal, select, union_all

from hub.mirror.database import insert_into, lock_names
from hub.mirror.statistics.fact import Fact
from hub.mirror.tables import STATISTIC_CELL, STATISTIC_FACT

DAY, MONTH = "D", "M"
DIMENSIONS = ("department", "matter", "town", "item", "way", "grade", "watched")
KEY = ("kind", "grain", "day", *DIMENSIONS)
CELL, FACT = STATISTIC_CELL.c, STATISTIC_FACT.c
EMPTY = and_(CELL.number == 0, CELL.amount == 0)
WRITTEN_AT_ONCE = 1_000


class Cell(NamedTuple):
    """Where facts are added up; the same order as KEY."""

    kind: str
    grain: str
    day: int
    department: str
    matter: str
    town: str
    item: str
    way: str
    grade: str
    watched: bool


class Slice(NamedTuple):
    """The cells of one kind in one month."""

    kind: str
    month: int
    """As yyyymm."""


def alone(connection: Connection) -> None:
    """Wait until nobody else counts, and be alone until the transaction ends."""
    lock_names(connection, ["statistics"])


def month_of(day: int) -> int:
    """Return the day that a month's cells have: its first."""
    return day // 100 * 100 + 1


def changes(facts: Iterable[Fact], sign: int) -> Iterable[tuple[Cell, int, int]]:
    """Yield what facts add to cells, or take away: (cell, count, amount)."""
    for fact in facts:
        where = fact[2:9]
        for grain, day in ((DAY, fact.day), (MONTH, month_of(fact.day))):
            yield Cell(fact.kind, grain, day, *where), sign * fact.number, sign * fact.amount


def add(connection: Connection, changed: Iterable[tuple[Cell, int, int]]) -> None:
    """Add to cells."""
    counts, amounts = Counter[Cell](), Counter[Cell]()
    for cell, count, amount in changed:
        counts[cell] += count
        amounts[cell] += amount
    values = [
        {**cell._asdict(), "number": count, "amount": amounts[cell]}
        for cell, count in sorted(counts.items())
        if count or amounts[cell]
    ]
    insert = insert_into(connection, STATISTIC_CELL)
    added = {name: CELL[name] + insert.excluded[name] for name in ("number", "amount")}
    statement = insert.on_conflict_do_update(index_elements=list(KEY), set_=added)
    for start in range(0, len(values), WRITTEN_AT_ONCE):
        connection.execute(statement, values[start : start + WRITTEN_AT_ONCE])


def next_slice(connection: Connection, kind: str, after: int) -> Slice | None:
    """Return the first month later than `after` (yyyymm) in which there are facts or cells of a kind."""
    later = after * 100 + 99
    first = [
        select(func.min(table.c.day).label("day")).where(table.c.kind == kind, table.c.day > later, *more)
        for table, more in (
            (STATISTIC_FACT, []),
            (STATISTIC_CELL, [CELL.grain == DAY]),
            (STATISTIC_CELL, [CELL.grain == MONTH]),
        )
    ]
    day = connection.execute(select(func.min(union_all(*first).subquery().c.day))).scalar()
    return None if day is None else Slice(kind, day // 100)


def is_right(connection: Connection, wanted: Slice) -> bool:
    """Return whether the cells of a month are what its facts say, and none is empty."""
    empty = select(CELL.kind).where(_within(CELL, wanted), CELL.grain.in_([DAY, MONTH]), EMPTY).limit(1)
    if connection.execute(empty).first() is not None:
        return False
    return not any(list(_differences(connection, wanted, grain)) for grain in (DAY, MONTH))


def repair(connection: Connection, wanted: Slice) -> int:
    """Bring the cells of a month to what its facts say; return how many were wrong. The caller is `alone`."""
    wrong = [each for grain in (DAY, MONTH) for each in _differences(connection, wanted, grain)]
    add(connection, wrong)
    connection.execute(delete(STATISTIC_CELL).where(_within(CELL, wanted), CELL.grain.in_([DAY, MONTH]), EMPTY))
    return len(wrong)


def _within(columns: Any, wanted: Slice) -> ColumnElement[bool]:
    return and_(columns.kind == wanted.kind, columns.day.between(wanted.month * 100, wanted.month * 100 + 99))


def _differences(connection: Connection, wanted: Slice, grain: str) -> Iterable[tuple[Cell, int, int]]:
    """Yield (cell, count, amount) that must be added to cells of one grain, so that they are as the facts say."""
    day = literal(wanted.month * 100 + 1).label("day") if grain == MONTH else FACT.day
    there = [FACT[name] for name in DIMENSIONS]
    kept = [CELL[name] for name in DIMENSIONS]
    said: Select[Any] = select(day, *there, FACT.number, FACT.amount).where(_within(FACT, wanted))
    held = select(CELL.day, *kept, -CELL.number, -CELL.amount).where(_within(CELL, wanted), CELL.grain == grain)
    both = union_all(said, held).subquery()
    key = [both.c[name] for name in ("day", *DIMENSIONS)]
    count, amount = func.sum(both.c.number), func.sum(both.c.amount)
    differing = select(*key, count, amount).group_by(*key).having((count != 0) | (amount != 0))
    for row in connection.execute(differing).all():
        yield Cell(wanted.kind, grain, *row[:7], bool(row[7])), int(row[8]), int(row[9])


def totals(connection: Connection) -> Mapping[Cell, tuple[int, int]]:
    """Return every cell that is not empty; for tests and small cities."""
    found: dict[Cell, tuple[int, int]] = defaultdict(lambda: (0, 0))
    for row in connection.execute(select(*(CELL[name] for name in KEY), CELL.number, CELL.amount)):
        if row[10] or row[11]:
            found[Cell(*row[:9], bool(row[9]))] = (int(row[10]), int(row[11]))
    return dict(found)
