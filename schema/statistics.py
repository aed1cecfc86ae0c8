"""Statistics in the graph: figures by department, matter, town, period, grade and more (统计分析).

The engine counts only what is asked for: the selection is looked at before anything is read. Figures are declared in figures.py.
"""

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from types import new_class
from typing import Annotated, Any

import strawberry
from strawberry import Info
from strawberry.types.nodes import SelectedField, Selection
from strawberry.utils.str_converters import to_camel_case

from schema.context import GRAPH_READ, Context
from schema.counting import PERIODS, ROWS_LIMIT, Counted, Question, Row, StatisticAxis, Values, Within
from schema.entities import Department, Grade, InspectionItem, Matter
from schema.enums import graph_enum
from schema.figures import FIGURES, Figure
from schema.graph_errors import BAD_USER_INPUT, FORBIDDEN, GraphError
from schema.resolver import resolver
from schema.slices import Joined
from schema.supervision_pool import listed_texts

DAYS_LIMIT = 1_000
ROW_LIMIT = "ROW_LIMIT"
PERIOD_LIMIT = "PERIOD_LIMIT"
BY_FIELD = {to_camel_case(figure.name): figure for figure in FIGURES}


def _figures_type() -> type:
    """Return the GraphQL type with a field for each figure."""
    fields = {figure.name: _figure_field(figure) for figure in FIGURES}
    made = new_class("Figures", (), {}, lambda body: body.update(fields, __annotations__={"values": strawberry.Private[Values]}))
    return strawberry.type(made, description="Figures, each counted only if it is asked for; 0 where there is nothing (指标)")


def _figure_field(figure: Figure) -> Any:
    def resolve(root: Any) -> Any:
        return root.values[figure.name]

    resolve.__annotations__["return"] = Decimal if figure.points else int
    return strawberry.field(resolver=resolve, description=str(figure.says))


Figures: Any = _figures_type()
graph_enum(StatisticAxis)


@strawberry.type(description="Figures of one combination; null is what was not asked for with `by` (统计行)")
class StatisticRow:
    """One row. Codes are null too where the record names none."""

    period: str | None = strawberry.field(description="Day 2019-08-15, month 2019-08 or year 2019, in Beijing (时段)")
    department_code: str | None = strawberry.field(description="Department (部门编码)")
    matter_code: str | None = strawberry.field(description="Matter (审批事项编码)")
    town: str | None = strawberry.field(description="Town (镇街)")
    item_code: str | None = strawberry.field(
        description="Inspection item; of grid events and coordinations the category; of credit records as they name it (事项编码)"
    )
    kind: str | None = strawberry.field(
        description="Type of a check, procedure of an approval, category of a record, way of a repair (类型)"
    )
    grade: Grade | None = strawberry.field(description="The subject's present grade (信用等级)")
    key_supervision: bool | None = strawberry.field(description="Whether the subject is under key supervision now (重点监管)")
    figures: Figures = strawberry.field(description="The figures (指标)")

    @resolver("The department; null where the mirror does not know it", "部门")
    async def department(self, info: Info[Context, None]) -> Department | None:
        """Read it, in one statement for all rows."""
        found: Department | None = await _named(info, Department, "code", self.department_code)
        return found

    @resolver("The matter; null where the mirror does not know it", "审批事项")
    async def matter(self, info: Info[Context, None]) -> Matter | None:
        """Read it, in one statement for all rows."""
        found: Matter | None = await _named(info, Matter, "code", self.matter_code)
        return found

    @resolver("The inspection item; null where it is something else", "检查事项")
    async def item(self, info: Info[Context, None]) -> InspectionItem | None:
        """Read it, in one statement for all rows."""
        found: InspectionItem | None = await _named(info, InspectionItem, "item_code", self.item_code)
        return found


async def _named(info: Info[Context, None], entity: Any, column: str, code: str | None) -> Any:
    return None if code is None else await info.context.reads.one(entity, Joined(column, code))


@strawberry.type(description="Figures counted from mirrored records (统计结果)")
class Statistics:
    """Rows and total are of one moment."""

    rows: list[StatisticRow] = strawberry.field(
        description=f"One row a combination that has anything, in the order of `by`; at most {ROWS_LIMIT} (统计行)"
    )
    total: Figures = strawberry.field(
        description="All together; a figure of different subjects, items or cases counts each once, unlike the sum of rows (合计)"
    )
    uncounted: int = strawberry.field(
        description="Changes in the mirror that are not counted yet; 0 as a rule after a second (待统计变更数)"
    )


@strawberry.input(description="What statistics are limited to: all conditions must hold (统计条件)")
class StatisticFilter:
    """Codes; of each at most as many as a list filter takes."""

    departments: list[str] | None = strawberry.field(default=None, description="Departments (部门编码)")
    matters: list[str] | None = strawberry.field(default=None, description="Matters (审批事项编码)")
    towns: list[str] | None = strawberry.field(default=None, description="Towns (镇街)")
    items: list[str] | None = strawberry.field(default=None, description="Items, as in `itemCode` (事项编码)")
    grades: list[Grade] | None = strawberry.field(default=None, description="Present grades of the subjects (信用等级)")
    key_supervision: bool | None = strawberry.field(default=None, description="Under key supervision, or not (重点监管)")


COLUMNS = {"departments": "department", "matters": "matter", "towns": "town", "items": "item", "grades": "grade"}

SAYS = """Figures counted from mirrored records, from the Beijing day `from` to `to`, both included; open where left out.
A question names at least one figure, in `rows { figures { ... } }` or `total { ... }` (统计分析)"""


def statistics_field() -> Any:
    """Return the root field `statistics`."""

    async def statistics(
        info: Info[Context, None],
        first_day: Annotated[date | None, strawberry.argument(name="from", description="First day (起始日)")] = None,
        last_day: Annotated[date | None, strawberry.argument(name="to", description="Last day (截止日)")] = None,
        by: Annotated[list[StatisticAxis], strawberry.argument(description="What rows are told apart by (统计维度)")] = [],  # noqa: B006
        where: Annotated[StatisticFilter | None, strawberry.argument(description="Which facts (条件)")] = None,
    ) -> Statistics:
        info.context.caller.require(GRAPH_READ)
        if info.context.caller.rows.regions is not None:
            raise GraphError(FORBIDDEN, "statistics are not told apart by region: whoever sees some regions only cannot have them")
        _check_period(first_day, last_day, by)
        selected = [each for field in info.selected_fields for each in field.selections]
        question = Question(
            _number(first_day),
            _number(last_day),
            tuple(dict.fromkeys(by)),
            _within(where),
            _figures_in(selected, "rows", "figures"),
            _figures_in(selected, "total"),
        )
        if not question.row_figures and _below(selected, "rows"):
            raise GraphError(BAD_USER_INPUT, "statistics: rows without a figure are no rows; ask for rows { figures { ... } }")
        counted = await info.context.reads.statistics(question)
        if counted.too_many:
            axes = ", ".join(axis.name for axis in question.by)
            message = f"statistics by {axes} has more than {ROWS_LIMIT:,} rows: leave out an axis, shorten the period, or filter"
            raise GraphError(ROW_LIMIT, message, limit=ROWS_LIMIT)
        return _shown(question, counted)

    return strawberry.field(resolver=statistics, graphql_type=Statistics | None, description=SAYS)


def _check_period(first: date | None, last: date | None, by: Sequence[StatisticAxis]) -> None:
    """Raise GraphError for a period that ends before it begins, is told apart in two ways, or has too many days."""
    if first and last and first > last:
        raise GraphError(BAD_USER_INPUT, f"statistics: from {first} is later than to {last}; exchange them")
    periods = [axis.name for axis in dict.fromkeys(by) if axis in PERIODS]
    if len(periods) > 1:
        raise GraphError(BAD_USER_INPUT, f"statistics: by has {' and '.join(periods)}; give one of them, the finer tells the other")
    if StatisticAxis.DAY not in by:
        return
    if first is None or last is None or (last - first).days >= DAYS_LIMIT:
        message = f"statistics by DAY needs from and to, at most {DAYS_LIMIT:,} days apart; ask by MONTH or YEAR for more"
        raise GraphError(PERIOD_LIMIT, message, limit=DAYS_LIMIT)


def _number(day: date | None) -> int | None:
    return None if day is None else day.year * 10_000 + day.month * 100 + day.day


def _within(where: StatisticFilter | None) -> tuple[Within, ...]:
    """Return what a filter asks for; raise GraphError for too many values and for such as no text has."""
    if where is None:
        return ()
    found = [Within("watched", (where.key_supervision,))] if where.key_supervision is not None else []
    for name, column in COLUMNS.items():
        values = getattr(where, name)
        if values is not None:
            found.append(Within(column, listed_texts(f"where.{name}", values)))
    return tuple(found)


def _below(selections: Sequence[Selection], *path: str) -> list[Selection]:
    """Return what is selected under a path of fields, fragments looked through."""
    for name in path:
        selections = [each for field in _fields(selections) if field.name == name for each in field.selections]
    return list(selections)


def _fields(selections: Sequence[Selection]) -> Iterator[SelectedField]:
    for each in selections:
        if isinstance(each, SelectedField):
            yield each
        else:
            yield from _fields(each.selections)


def _figures_in(selections: Sequence[Selection], *path: str) -> frozenset[str]:
    return frozenset(BY_FIELD[field.name].name for field in _fields(_below(selections, *path)) if field.name in BY_FIELD)


def _shown(question: Question, counted: Counted) -> Statistics:
    rows = [_row(question.by, row) for row in counted.rows]
    return Statistics(rows=rows, total=Figures(values=counted.total), uncounted=counted.uncounted)


def _row(by: Sequence[StatisticAxis], row: Row) -> StatisticRow:
    parts: dict[Any, Any] = {axis: part or None if isinstance(part, str) else part for axis, part in zip(by, row.key, strict=True)}
    grade = parts.get(StatisticAxis.GRADE)
    period = next((_period(parts[axis]) for axis in PERIODS if axis in parts), None)
    return StatisticRow(
        period=period,
        department_code=parts.get(StatisticAxis.DEPARTMENT),
        matter_code=parts.get(StatisticAxis.MATTER),
        town=parts.get(StatisticAxis.TOWN),
        item_code=parts.get(StatisticAxis.ITEM),
        kind=parts.get(StatisticAxis.KIND),
        grade=Grade(grade) if grade else None,
        key_supervision=parts.get(StatisticAxis.KEY_SUPERVISION),
        figures=Figures(values=row.values),
    )


def _period(number: int) -> str | None:
    """Return a day, month or year as text; None for the day of what names none that can be read."""
    digits = str(number)
    return "-".join(filter(None, (digits[:4], digits[4:6], digits[6:]))) if len(digits) >= 4 else None
