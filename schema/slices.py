"""Which records of a list are wanted: filter, order, place and number. Made by the graph, answered by the engine.

Everything here is immutable and hashable, so that equal wishes of one request become one statement.
"""

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from schema.declare import Through

FIRST_DEFAULT = 20
FIRST_LIMIT = 200
"""The most records that one list gives at once, and the most values that one `in` compares with."""

Word = Literal["eq", "in", "gt", "gte", "lt", "lte", "is_null"]


class Comparison(NamedTuple):
    """A column compared with a value; for `in` the value is a tuple, for `is_null` a bool. Never with None."""

    column: str
    word: Word
    value: Any


class Order(NamedTuple):
    """By which column a list runs; records that are equal there run by their key, the same way.

    A missing value comes after every value: last in ascending, first in descending order.
    """

    column: str
    descending: bool = False


class Place(NamedTuple):
    """A place in an ordered list: the record with this value in the order's column, and this key."""

    value: Any
    key: str


class Joined(NamedTuple):
    """Only records whose column has this value, or one that `through` leads there: the far end of an edge."""

    column: str
    value: Any
    through: Through | None = None


@dataclass(frozen=True)
class Slice:
    """`first` records behind the place `after`, of those for which every comparison of `where` holds."""

    order: Order
    first: int = FIRST_DEFAULT
    after: Place | None = None
    where: tuple[Comparison, ...] = ()
