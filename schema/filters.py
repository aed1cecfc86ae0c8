"""What lists can be filtered and ordered by: the columns that lead an index, and nothing else, so that no wish is slow."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from enum import Enum
from functools import cache
from types import new_class
from typing import Any, cast

import strawberry
from strawberry import UNSET
from strawberry.utils.str_converters import to_camel_case

from schema.comparable import check_comparable
from schema.declare import Declared, Record, declared
from schema.enums import graph_enum
from schema.graph_errors import BAD_USER_INPUT, PAGE_LIMIT, GraphError
from schema.slices import FIRST_LIMIT, Comparison, Order, Word

NAMES = {str: "Text", int: "Int", float: "Float", Decimal: "Decimal", datetime: "DateTime", bool: "Boolean"}
EQUAL: dict[str, str] = {"eq": "Equal to", "in": f"One of at most {FIRST_LIMIT}"}
ORDERED: dict[str, str] = {"gt": "Greater or later than", "gte": "At least", "lt": "Less or earlier than", "lte": "At most"}
WORDS = {"eq": "等于", "in": "属于", "gt": "大于", "gte": "不小于", "lt": "小于", "lte": "不大于"}


@cache
def match_type(kind: type) -> type:
    """Return the input type that compares columns of a kind: `TextMatch`, `DateTimeMatch`, `ApprovalStateMatch`, ..."""
    unordered = kind is bool or issubclass(kind, Enum)
    offered = EQUAL if unordered else EQUAL | ORDERED
    fields: dict[str, Any] = {
        _attribute(word): strawberry.field(name=word, default=UNSET, description=f"{says} ({WORDS[word]})")
        for word, says in offered.items()
    }
    hints: dict[str, Any] = {_attribute(word): (list[kind] if word == "in" else kind) | None for word in offered}  # type: ignore[valid-type]
    fields["is_null"] = strawberry.field(default=UNSET, description="Whether there is no value (是否为空)")
    hints["is_null"] = bool | None
    name = graph_enum(kind).__name__ if issubclass(kind, Enum) else NAMES[kind]
    return _input(f"{name}Match", fields, hints, "Comparisons, all of which must hold (比较条件)")


@cache
def filter_type(record: Record) -> type:
    """Return the input type that filters a list of an entity: `ApprovalFilter`."""
    entity = declared(record)
    hints = {name: match_type(entity.fields[name].kind) | None for name in entity.filterable}
    fields = {name: strawberry.field(default=UNSET, description=str(entity.fields[name].says)) for name in hints}
    return _input(f"{entity.name}Filter", fields, hints, f"Which records: all conditions must hold. {entity.says}")


@cache
def order_type(record: Record) -> type[Enum]:
    """Return the enum of an entity's orders: `ApprovalOrder`; a member's value is (column, descending)."""
    entity = declared(record)
    orders = {f"{name}_{way}".upper(): (name, way == "desc") for name in entity.filterable for way in ("asc", "desc")}
    made = cast(Any, Enum)(f"{entity.name}Order", orders)
    ordered: type[Enum] = strawberry.enum(made, description="Order; a missing value comes after every value (排序，空值最大)")
    return ordered


def _input(name: str, fields: dict[str, Any], hints: dict[str, Any], description: str) -> type:
    return strawberry.input(
        new_class(name, (), {}, lambda body: body.update(fields, __annotations__=hints)), description=description
    )


def _attribute(word: str) -> str:
    return "in_" if word == "in" else word


def read_order(entity: Declared, given: Enum | None) -> Order:
    """Return the wanted order: by key, ascending, unless another is given."""
    return Order(*given.value) if given else Order(entity.key)


def read_filter(entity: Declared, given: Any) -> tuple[Comparison, ...]:
    """Return what a filter compares; raise GraphError for a null, a value between two steps or too many values."""
    return tuple(sorted(_comparisons(entity, given), key=repr)) if given else ()


def _comparisons(entity: Declared, given: Any) -> Iterator[Comparison]:
    for column, match in vars(given).items():
        if match is UNSET:
            continue
        if match is None:
            raise _null(f"where.{to_camel_case(column)}")
        for attribute, value in vars(match).items():
            if value is not UNSET:
                yield _comparison(entity, column, cast(Word, attribute.rstrip("_")), value)


def _comparison(entity: Declared, column: str, word: Word, value: Any) -> Comparison:
    where = f"where.{to_camel_case(column)}.{to_camel_case(word)}"
    values = value if isinstance(value, list) else [value]
    if len(values) > FIRST_LIMIT:
        raise GraphError(PAGE_LIMIT, f"{where} has {len(values)} values; at most {FIRST_LIMIT} at once", limit=FIRST_LIMIT)
    for each in values:
        _check(entity, column, where, each)
    return Comparison(column, word, tuple(values) if word == "in" else value)


def _check(entity: Declared, column: str, where: str, value: Any) -> None:
    if value is None:
        raise _null(where)
    try:
        check_comparable(entity.fields[column], value)
    except ValueError as wrong:
        raise GraphError(BAD_USER_INPUT, f"{where} cannot be compared with: {wrong}") from None


def _null(where: str) -> GraphError:
    return GraphError(BAD_USER_INPUT, f"{where} is null; leave it out, or ask for isNull: true")
