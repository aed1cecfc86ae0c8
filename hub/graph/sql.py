"""The SELECT statements behind the graph, made from the declarations. Both databases understand them; none has LATERAL.

A page of many parents at once is cut by row_number() per parent; a single parent's page is cut by LIMIT, which an index serves.
An edge `through` a table is one JOIN more: its owner is then the value in that table. Every statement reads only what the caller
sees (hub/mirror/visibility.py).
"""

import operator
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from sqlalchemy import BindParameter, ColumnElement, FromClause, Select, and_, case, false, func, literal, or_, select, tuple_

from hub.mirror.rows import Rows
from hub.mirror.tables import TABLES
from hub.mirror.visibility import visible
from schema.context import Caller
from schema.declare import Declared, Through
from schema.slices import Comparison, Joined, Order, Place, Slice

COMPARE = {"eq": operator.eq, "gt": operator.gt, "gte": operator.ge, "lt": operator.lt, "lte": operator.le}
OWNER = "owner_"
"""Label of the column that says which parent a row belongs to; it stands behind the entity's own columns."""


def shown(entity: Declared) -> list[str]:
    """Return the columns that the graph reads, in declared order: all but the engine's own."""
    return [name for name, field in entity.fields.items() if not field.internal]


class Keeps(Protocol):
    """Whoever says how a value stands in a statement: `Rows`, or one who leaves room for it."""

    def keep(self, entity: str, column: str, value: Any) -> Any:
        """Return the value as the database keeps it in that column."""
        ...


class Owners(NamedTuple):
    """The far end of an edge, for many owners at once: the column that is compared, directly or `through` a table."""

    column: str
    through: Through | None = None


def owner_value(rows: Rows, entity: Declared, owners: Owners, value: Any) -> Any:
    """Return an owner's value as the column that is compared with it keeps it."""
    name, column = (entity.name, owners.column) if owners.through is None else (owners.through.entity, owners.through.ours)
    return rows.keep(name, column, value)


def by_values(rows: Rows, caller: Caller, entity: Declared, owners: Owners, values: Sequence[Any]) -> Select[Any]:
    """Return the statement for the records whose column has one of the values, by key, each with its owner.

    Where an edge through a table leads to several records, the one that holds the owner's own value comes first.
    """
    table, (source, owner) = TABLES[entity.name], owned(entity, owners)
    kept = [owner_value(rows, entity, owners, value) for value in values]
    own_first = [] if owners.through is None else [case((table.c[owners.column] == owner, 0), else_=1)]
    found = select(*_columns(entity), owner.label(OWNER)).select_from(source).where(owner.in_(kept), *visible(entity, caller))
    return found.order_by(*own_first, table.c[entity.key])


def page(rows: Rows, caller: Caller, entity: Declared, wanted: Slice, joined: Joined | None) -> Select[Any]:
    """Return the statement for one list: the wanted records in order, and one more."""
    wished = [*conditions(rows, entity, wanted), *visible(entity, caller)]
    if joined is None:
        found = select(*_columns(entity)).where(*wished, *led_to(entity))
    else:
        owners = Owners(joined.column, joined.through)
        source, owner = owned(entity, owners)
        mine = owner == owner_value(rows, entity, owners, joined.value)
        found = select(*_columns(entity)).select_from(source).where(*wished, mine)
    return found.order_by(*ordering(entity, wanted.order)).limit(wanted.first + 1)


def pages(rows: Rows, caller: Caller, entity: Declared, wanted: Slice, owners: Owners, values: Sequence[Any]) -> Select[Any]:
    """Return the statement for the lists of many owners at once: of each the wanted records in order, and one more."""
    source, owner = owned(entity, owners)
    place = func.row_number().over(partition_by=owner, order_by=ordering(entity, wanted.order)).label("place_")
    mine = owner.in_([owner_value(rows, entity, owners, value) for value in values])
    found = select(*_columns(entity), owner.label(OWNER), place).select_from(source)
    wished = [*conditions(rows, entity, wanted), *visible(entity, caller)]
    numbered = found.where(*wished, mine).subquery("numbered")
    return select(numbered).where(numbered.c.place_ <= wanted.first + 1).order_by(numbered.c[OWNER], numbered.c.place_)


def counts(rows: Rows, caller: Caller, entity: Declared, wanted: Slice, owners: Owners, values: Sequence[Any]) -> Select[Any]:
    """Return the statement for (owner, number of records) of each owner that has any."""
    source, owner = owned(entity, owners)
    mine = owner.in_([owner_value(rows, entity, owners, value) for value in values])
    wished = [*filters(rows, entity, wanted.where), *visible(entity, caller)]
    return select(owner, func.count()).select_from(source).where(*wished, mine).group_by(owner)


def count(rows: Rows, caller: Caller, entity: Declared, wanted: Slice) -> Select[Any]:
    """Return the statement for the number of records that the filter lets through."""
    where = [*filters(rows, entity, wanted.where), *led_to(entity), *visible(entity, caller)]
    return select(func.count()).select_from(TABLES[entity.name]).where(*where)


def _columns(entity: Declared) -> list[ColumnElement[Any]]:
    return [TABLES[entity.name].c[name] for name in shown(entity)]


def owned(entity: Declared, owners: Owners) -> tuple[FromClause, ColumnElement[Any]]:
    """Return what to select from, and the column that says which owner a row belongs to."""
    table, by = TABLES[entity.name], owners.through
    if by is None:
        return table, table.c[owners.column]
    passed = TABLES[by.entity]
    return table.join(passed, passed.c[by.theirs] == table.c[owners.column]), passed.c[by.ours]


def led_to(entity: Declared) -> list[ColumnElement[bool]]:
    """Return the condition for lists of an entity that is found through a table: its own key leads to it, and nowhere else."""
    if (by := entity.found_through) is None:
        return []
    passed, key = TABLES[by.entity], TABLES[entity.name].c[entity.key]
    return [select(1).where(passed.c[by.ours] == key, passed.c[by.theirs] == key).exists()]


def conditions(rows: Keeps, entity: Declared, wanted: Slice) -> list[ColumnElement[bool]]:
    """Return the conditions of filter and place. `rows` keeps the values: see also hub/graph/compiled/statements.py."""
    filtered = filters(rows, entity, wanted.where)
    return filtered if wanted.after is None else [*filtered, _behind(rows, entity, wanted.order, wanted.after)]


def filters(rows: Keeps, entity: Declared, comparisons: Sequence[Comparison]) -> list[ColumnElement[bool]]:
    """Return the conditions of a filter."""
    return [_compared(rows, entity, each) for each in comparisons]


def _compared(rows: Keeps, entity: Declared, comparison: Comparison) -> ColumnElement[bool]:
    name, word, value = comparison
    column = TABLES[entity.name].c[name]
    if word == "is_null":
        return column.is_(None) if value else column.is_not(None)
    if word == "in":
        if not value:
            return false()
        return column.in_([rows.keep(entity.name, name, each) for each in value])
    compared: ColumnElement[bool] = COMPARE[word](column, rows.keep(entity.name, name, value))
    return compared


def ordering(entity: Declared, order: Order, within: Mapping[str, ColumnElement[Any]] | None = None) -> list[ColumnElement[Any]]:
    """Return what to order by: the column, a missing value being the largest, then the key; an index serves it from both ends.

    The columns are those of the table, or of what stands for it: `within`.
    """
    names = dict.fromkeys((order.column, entity.key))
    found: Mapping[str, ColumnElement[Any]] = dict(TABLES[entity.name].c) if within is None else within
    columns = [(found[name], entity.fields[name].nullable) for name in names]
    if order.descending:
        return [each.desc().nulls_first() if nullable else each.desc() for each, nullable in columns]
    return [each.asc().nulls_last() if nullable else each.asc() for each, nullable in columns]


def _behind(rows: Keeps, entity: Declared, order: Order, after: Place) -> ColumnElement[bool]:
    """Return the condition for what comes behind a place, in the order of `_ordering`."""
    table = TABLES[entity.name]
    key, column = table.c[entity.key], table.c[order.column]
    key_behind = key < after.key if order.descending else key > after.key
    if order.column == entity.key:
        return key_behind
    if after.value is None:
        same = and_(column.is_(None), key_behind)
        return or_(column.is_not(None), same) if order.descending else same
    value = rows.keep(entity.name, order.column, after.value)
    here = tuple_(_bound(value, column), _bound(after.key, key))
    if order.descending:
        return tuple_(column, key) < here
    behind = tuple_(column, key) > here
    return or_(behind, column.is_(None)) if column.nullable else behind


def _bound(value: Any, like: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return a value as it stands in a statement; one that is given later stands there already."""
    return value if isinstance(value, BindParameter) else literal(value, like.type)
