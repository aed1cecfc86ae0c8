"""What is asked of statistics, and what the engine answers. Made and shown by schema/statistics.py."""

from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum
from typing import NamedTuple

ROWS_LIMIT = 1_000
"""The most rows that one question may have."""


class StatisticAxis(Enum):
    """What statistics can be told apart by; of DAY, MONTH and YEAR at most one (统计维度)."""

    DEPARTMENT = "department"
    MATTER = "matter"
    TOWN = "town"
    ITEM = "item"
    KIND = "way"
    GRADE = "grade"
    KEY_SUPERVISION = "watched"
    DAY = "day"
    MONTH = "month"
    YEAR = "year"


PERIODS = (StatisticAxis.DAY, StatisticAxis.MONTH, StatisticAxis.YEAR)
KeyPart = str | int | bool


class Within(NamedTuple):
    """Only facts whose column has one of the values; an empty text stands for what is not known."""

    column: str
    values: tuple[KeyPart, ...]


@dataclass(frozen=True)
class Question:
    """Which figures, of which days, by what. Days are yyyymmdd, both included; None is open."""

    first_day: int | None
    last_day: int | None
    by: tuple[StatisticAxis, ...]
    where: tuple[Within, ...]
    row_figures: frozenset[str]
    """Names of figures that are asked for in rows."""
    total_figures: frozenset[str]
    """Names of figures that are asked for in the total."""


Values = dict[str, int | Decimal]
"""Figures by name: those that were asked for and no others."""


@dataclass(frozen=True)
class Row:
    """The figures of one combination; `key` is in the order of the axes, a period as a number: yyyymmdd, yyyymm or yyyy."""

    key: tuple[KeyPart, ...]
    values: Values


@dataclass(frozen=True)
class Counted:
    """The answer. Rows are in the order of their keys; there are none of which every figure that was asked for is 0."""

    rows: tuple[Row, ...]
    total: Values
    uncounted: int
    """Changes in the mirror that are not counted yet."""
    too_many: bool = False
    """There are more rows than ROWS_LIMIT; then none is given."""


@dataclass(frozen=True)
class PoolQuestion:
    """Which subjects are in a pool. None: all."""

    grades: tuple[str, ...] | None = None
    matters: tuple[str, ...] | None = None
    watched: bool | None = None


@dataclass(frozen=True)
class PoolCounted:
    """How many subjects of each grade a pool holds, and how many of these are under key supervision."""

    by_grade: dict[str, tuple[int, int]] = field(default_factory=dict)
