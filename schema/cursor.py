"""Cursors: a place in an ordered list, as an opaque token. A cursor belongs to one entity and one order.

What stands inside is the record's value in the order's column and its key: enough to go on behind it, whatever has been
added or removed in between.
"""

from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Any

import msgspec

from schema.comparable import check_comparable
from schema.declare import Declared
from schema.global_id import pack, unpack
from schema.graph_errors import BAD_CURSOR, GraphError
from schema.slices import Order, Place


class _Inside(msgspec.Struct, array_like=True, frozen=True):
    entity: str
    column: str
    descending: bool
    value: str | int | float | bool | None
    key: str


def write_cursor(entity: Declared, order: Order, record: Any) -> str:
    """Return the cursor of a record in a list of this order."""
    return cursor_at(entity, order, getattr(record, order.column), str(getattr(record, entity.key)))


def cursor_at(entity: Declared, order: Order, value: Any, key: str) -> str:
    """Return the cursor of the record that has this value in the order's column, and this key."""
    if isinstance(value, Enum):
        value = value.value
    elif isinstance(value, Decimal | datetime):
        value = str(value) if isinstance(value, Decimal) else value.isoformat()
    inside = _Inside(entity.name, order.column, order.descending, value, key)
    return pack(msgspec.json.encode(inside).decode())


def read_cursor(entity: Declared, order: Order, cursor: str) -> Place:
    """Return the place that a cursor marks; raise GraphError BAD_CURSOR if it is not from a list of this entity and order."""
    try:
        inside = msgspec.json.decode(unpack(cursor), type=_Inside)
    except ValueError:  # msgspec's errors are of this kind as well
        raise _bad(f"'{cursor}' is no cursor of this graph; cursors come from `edges` or `pageInfo`") from None
    if inside.entity != entity.name:
        raise _bad(f"this cursor is from a list of {inside.entity}, not of {entity.name}")
    if Order(inside.column, inside.descending) != order:
        raise _bad(f"this cursor is from a list ordered by {_named(inside.column, inside.descending)}; go on with the same orderBy")
    field = entity.fields[order.column]
    try:
        value = None if inside.value is None and field.nullable else msgspec.convert(inside.value, field.kind, strict=False)
        check_comparable(field, value)
        check_comparable(entity.fields[entity.key], inside.key)
    except ValueError as wrong:  # msgspec's errors are of this kind as well
        raise _bad(f"'{cursor}' is no cursor of this graph: {wrong}") from None
    return Place(value, inside.key)


def _named(column: str, descending: bool) -> str:
    return f"{column}_{'desc' if descending else 'asc'}".upper()


def _bad(message: str) -> GraphError:
    return GraphError(BAD_CURSOR, message)
