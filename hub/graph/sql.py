"""The SELECT statements behind the graph, made from the declarations. Both databases understand them; none has LATERAL.

A page of many parents at once is cut by row_number() per parent; a single parent's page is cut by LIMIT, which an index serves.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, literal, or_, select, tuple_

from hub.mirror.rows import Rows
from hub.mirror.tables import TABLES
from schema.declare import Declared
from schema.slices import Comparison, Joined, Order, Place, Slice

OWNER = "owner_"
"""Label of the column that says which parent a row belongs to; it stands behind the entity's own columns."""


def shown(entity: Declared) -> list[str]:
    """Return the columns that the graph reads, in declared order: all but the engine's own."""
    return [name for name, field in entity.fields.items() if not field.internal]


def by_values(rows: Rows, entity: Declared, column: str, values: Sequence[Any]) -> Select[Any]:
    """Return the statement for the records whose column has one of the values, by key, each with its owner."""
    table = TABLES[entity.name]
    owner = table.c[column]
    kept = [rows.keep(entity.name, column, value) for value in values]
    return select(*_columns(entity), owner.label(OWNER)).where(owner.in_(kept)).order_by(table.c[entity.key])


def page(rows: Rows, entity: Declared, wanted: Slice, joined: Joined | None) -> Select[Any]:
    """Return the statement for one list: the wanted records in order, and one more."""
    where = _conditions(rows, entity, wanted, [] if joined is None else [Comparison(joined.column, "eq", joined.value)])
    return select(*_columns(entity)).where(*where).order_by(*_ordering(entity, wanted.order)).limit(wanted.first + 1)


def pages(rows: Rows, entity: Declared, wanted: Slice, column: str, values: Sequence[Any]) -> Select[Any]:
    """Return the statement for the lists of many owners at once: of each the wanted records in order, and one more."""
    owner = TABLES[entity.name].c[column]
    place = func.row_number().over(partition_by=owner, order_by=_ordering(entity, wanted.order)).label("place_")
    where = _conditions(rows, entity, wanted, [Comparison(column, "in", tuple(values))])
    numbered = select(*_columns(entity), owner.label(OWNER), place).where(*where).subquery("numbered")
    return select(numbered).where(numbered.c.place_ <= wanted.first + 1).order_by(numbered.c[OWNER], numbered.c.place_)


def counts(rows: Rows, entity: Declared, wanted: Slice, column: str, values: Sequence[Any]) -> Select[Any]:
    """Return the statement for (owner, number of records) of each owner that has any."""
    owner = TABLES[entity.name].c[column]
    where = _filters(rows, entity, [*wanted.where, Comparison(column, "in", tuple(values))])
    return select(owner, func.count()).where(*where).group_by(owner)


def count(rows: Rows, entity: Declared, wanted: Slice) -> Select[Any]:
    """Return the statement for the number of records that the filter lets through."""
    return select(func.count()).select_from(TABLES[entity.name]).where(*_filters(rows, entity, wanted.where))


def _columns(entity: Declared) -> list[ColumnElement[Any]]:
    return [TABLES[entity.name].c[name] for name in shown(entity)]


def _conditions(rows: Rows, entity: Declared, wanted: Slice, more: Sequence[Comparison]) -> list[ColumnElement[bool]]:
    conditions = _filters(rows, entity, [*wanted.where, *more])
    return conditions if wanted.after is None else [*conditions, _behind(rows, entity, wanted.order, wanted.after)]


def _filters(rows: Rows, entity: Declared, comparisons: Sequence[Comparison]) -> list[ColumnElement[bool]]:
    return [_compared(rows, entity, each) for each in comparisons]


def _compared(rows: Rows, entity: Declared, comparison: Comparison) -> ColumnElement[bool]:
    name, word, value = comparison
    column = TABLES[entity.name].c[name]
    if word == "is_null":
        return column.is_(None) if value else column.is_not(None)
    if word == "in":
        return column.in_([rows.keep(entity.name, name, each) for each in value])
    kept = rows.keep(entity.name, name, value)
    made: dict[str, ColumnElement[bool]] = {
        "eq": column == kept,
        "gt": column > kept,
        "gte": column >= kept,
        "lt": column < kept,
        "lte": column <= kept,
    }
    return made[word]


def _ordering(entity: Declared, order: Order) -> list[ColumnElement[Any]]:
    """Return what to order by: the column, a missing value being the largest, then the key; an index serves it from both ends."""
    table = TABLES[entity.name]
    key, column = table.c[entity.key], table.c[order.column]
    columns = [key] if order.column == entity.key else [column, key]
    if order.descending:
        return [each.desc().nulls_first() if each.nullable else each.desc() for each in columns]
    return [each.asc().nulls_last() if each.nullable else each.asc() for each in columns]


def _behind(rows: Rows, entity: Declared, order: Order, after: Place) -> ColumnElement[bool]:
    """Return the condition for what comes behind a place, in the order of `_ordering`."""
    table = TABLES[entity.name]
    key, column = table.c[entity.key], table.c[order.column]
    key_behind = key < after.key if order.descending else key > after.key
    if order.column == entity.key:
        return key_behind
    if after.value is None:
        same = and_(column.is_(None), key_behind)
        return or_(column.is_not(None), same) if order.descending else same
    here = tuple_(literal(rows.keep(entity.name, order.column, after.value), column.type), literal(after.key, key.type))
    if order.descending:
        return tuple_(column, key) < here
    behind = tuple_(column, key) > here
    return or_(behind, column.is_(None)) if column.nullable else behind
