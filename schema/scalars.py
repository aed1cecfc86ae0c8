"""How exact numbers, moments and big whole numbers travel in the graph: always as text, so that no client rounds them."""

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NewType

import strawberry
from graphql import FloatValueNode, GraphQLError, IntValueNode, StringValueNode, ValueNode
from strawberry.types.scalar import ScalarDefinition

BigInt = NewType("BigInt", int)
"""A whole number that may not fit into the 32 bits of GraphQL's Int."""

_DECIMAL = re.compile(r"-?[0-9]{1,30}(\.[0-9]{1,20})?")
_WHOLE = re.compile(r"-?[0-9]{1,18}")
# RFC 3339, the offset required; a fraction of up to six digits, which is what the database keeps
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?([Zz]|[+-][0-9]{2}:[0-9]{2})")
QUOTED = 100
"""Characters of a refused value that an error shows."""


def _quoted(value: Any) -> str:
    """Return a value as an error quotes it: who sent a long one knows the rest."""
    told = repr(value)
    return told if len(told) <= QUOTED else f"{told[:QUOTED]}..."


def write_decimal(value: Decimal) -> str:
    """Return the exact value in plain digits, never with an exponent."""
    return format(value, "f")


def read_decimal(value: Any) -> Decimal:
    """Return the exact value of a string or a whole number; raise GraphQLError for what is rounded already."""
    if isinstance(value, bool) or not isinstance(value, str | int) or not _DECIMAL.fullmatch(str(value)):
        raise GraphQLError(f'{_quoted(value)} is no Decimal: write it as a string of digits, as "2.5"')
    return Decimal(value)


def write_moment(value: datetime) -> str:
    """Return the moment as RFC 3339 in UTC."""
    if value.tzinfo is None:
        raise ValueError(f"{value.isoformat()} has no zone: the mirror keeps aware times only")
    return value.astimezone(UTC).isoformat()


def read_moment(value: Any) -> datetime:
    """Return an aware moment; raise GraphQLError for anything but RFC 3339 with an offset."""
    if not isinstance(value, str) or not _MOMENT.fullmatch(value):
        raise GraphQLError(f'{_quoted(value)} is no DateTime: write it as RFC 3339 with an offset, as "2019-09-11T09:00:00+08:00"')
    try:
        return datetime.fromisoformat(value.upper()).astimezone(UTC)
    except (ValueError, OverflowError) as wrong:
        raise GraphQLError(f"{_quoted(value)} is no DateTime: {wrong}") from None


def read_whole(value: Any) -> int:
    """Return a whole number of up to 18 digits; raise GraphQLError otherwise."""
    if isinstance(value, bool) or not isinstance(value, str | int) or not _WHOLE.fullmatch(str(value)):
        raise GraphQLError(f"{_quoted(value)} is no BigInt: write up to 18 digits")
    return int(value)


def _written(node: ValueNode, _variables: Any = None) -> Any:
    """Return what stands in the document, digit by digit: a number there is exact."""
    if isinstance(node, StringValueNode | IntValueNode | FloatValueNode):
        return node.value
    raise GraphQLError("a string or a number is expected here", node)


def _read_decimal_literal(node: ValueNode, variables: Any = None) -> Decimal:
    return read_decimal(_written(node, variables))


def _read_whole_literal(node: ValueNode, variables: Any = None) -> int:
    return read_whole(_written(node, variables))


SCALARS: dict[object, ScalarDefinition] = {
    Decimal: strawberry.scalar(
        name="Decimal",
        description='An exact decimal number as a string of digits, as "2.5" (精确小数)',
        serialize=write_decimal,
        parse_value=read_decimal,
        parse_literal=_read_decimal_literal,
    ),
    datetime: strawberry.scalar(
        name="DateTime",
        description="A moment as RFC 3339 with its offset (时间，含时区)",
        specified_by_url="https://scalars.graphql.org/andimarek/date-time",
        serialize=write_moment,
        parse_value=read_moment,
    ),
    BigInt: strawberry.scalar(
        name="BigInt",
        description="A whole number that may exceed 32 bits, as a string (大整数)",
        serialize=str,
        parse_value=read_whole,
        parse_literal=_read_whole_literal,
    ),
}
"""For StrawberryConfig.scalar_map."""
