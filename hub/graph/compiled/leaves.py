"""How a kept value is shown: an expression from the column of a row to what stands in the response.

What the interpreter does in three steps (the codec of the column, the resolver of the field, the scalar) is one here; the
steps themselves are the same functions. Whatever they raise goes up: the operation is then for the interpreter.
"""

from collections.abc import Callable
from enum import Enum
from functools import lru_cache, partial
from typing import Any, cast

import msgspec
from graphql import GraphQLEnumType, GraphQLNamedType, GraphQLNonNull, GraphQLOutputType, GraphQLScalarType, get_named_type

from hub.graph.compiled.source import Source
from hub.mirror.rows import Rows
from schema.declare import Declared, Field, Personal
from schema.graph_type import MASKS

REMEMBERED = 8_192
"""Texts of moments and amounts that are kept for each column that a plan shows."""


def shown(source: Source, rows: Rows, entity: Declared, field: Field, kind: GraphQLOutputType, value: str) -> str:
    """Return the expression that shows a plain column or a list of texts; `value` is the kept one and may be read twice."""
    if field.many:
        read = source.use("read_list", partial(_list, rows, entity.name, field.name))
        return _unless_null(field, value, f"{read}({value})")
    if field.kind is str and Personal not in field.marks:
        return value
    if field.kind is bool:
        return _unless_null(field, value, f"bool({value})")
    if field.kind is int:
        show = source.use("whole", _shower(get_named_type(kind)))
        return f"({value} if {value} is None or -2147483648 <= {value} <= 2147483647 else {show}({value}))"
    show = source.use(f"show_{field.name}", _from_kept(rows, entity, field, get_named_type(kind)))
    return _unless_null(field, value, f"{show}({value})")


def _unless_null(field: Field, value: str, expression: str) -> str:
    return f"(None if {value} is None else {expression})" if field.nullable else expression


def _list(rows: Rows, entity: str, column: str, kept: Any) -> list[Any]:
    return list(rows.read(entity, column, kept))


def _from_kept(rows: Rows, entity: Declared, field: Field, kind: GraphQLNamedType) -> Callable[[Any], Any]:
    """Return a function from the kept value, which is not null, to the shown one."""
    read = partial(rows.read, entity.name, field.name)
    if (mark := field.marks.get(Personal)) is not None:
        mask = MASKS[mark.kind]
        return lambda kept: mask(read(kept))
    show = _shower(kind)
    if issubclass(field.kind, Enum):
        return {member.value: show(member) for member in field.kind}.__getitem__
    return lru_cache(REMEMBERED)(lambda kept: show(read(kept)))


def _shower(kind: GraphQLNamedType) -> Callable[[Any], Any]:
    """Return what shows a value of a scalar or an enum."""
    return cast(GraphQLScalarType | GraphQLEnumType, kind).coerce_output_value


def of_value(source: Source, field: Field, kind: GraphQLOutputType, value: str) -> str:
    """Return the expression that shows a field of a struct that stands inside a list; `value` is read, not kept."""
    if (mark := field.marks.get(Personal)) is not None:
        return _unless_null(field, value, f"{source.use('mask_' + mark.kind, MASKS[mark.kind])}({value})")
    if field.many:
        show = source.use("show_each", partial(_each, _shower(get_named_type(kind))))
        return _unless_null(field, value, f"{show}({value})")
    if field.kind is str:
        return value
    return _unless_null(field, value, f"{source.use('show', _shower(get_named_type(kind)))}({value})")


def _each(show: Callable[[Any], Any], values: Any) -> list[Any]:
    return [show(each) for each in values]


def of_result(source: Source, kind: GraphQLOutputType, value: str) -> str:
    """Return the expression that shows what a function gave, of a scalar kind."""
    show = _shower(get_named_type(kind))
    if isinstance(kind, GraphQLNonNull):
        return f"{source.use('present', partial(_present, show))}({value})"
    return f"{source.use('perhaps', partial(_perhaps, show))}({value})"


def _present(show: Callable[[Any], Any], value: Any) -> Any:
    if value is None:
        raise ValueError("null where there has to be a value")
    return show(value)


def _perhaps(show: Callable[[Any], Any], value: Any) -> Any:
    return None if value is None else show(value)


def is_struct(field: Field) -> bool:
    """Return whether the field is a list of structs, each with fields of its own."""
    return field.many and issubclass(field.kind, msgspec.Struct)
