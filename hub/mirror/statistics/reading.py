"""Answers what the graph asks of statistics: sums from the cells, different values from the facts, all in one snapshot.

Whole months are read from the cells of months and the rest from those of days, so that a question over many years reads no
more rows than one over few. Only the kinds of the figures that are asked for are read.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select

from hub.mirror.statistics import due
from hub.mirror.statistics.cells import DAY, MONTH
from hub.mirror.tables import STATISTIC_CELL, STATISTIC_FACT
from schema.context import Caller
from schema.counting import ROWS_LIMIT, Counted, KeyPart, Question, Row, StatisticAxis, Values, Within
from schema.figures import BY_NAME, SUMS, Figure

CELL, FACT = STATISTIC_CELL.c, STATISTIC_FACT.c
TENTH = Decimal("0.1")
WAYS_AT_MOST = 10
"""Ways of one kind: no enum of ways has more members."""
BEFORE, AFTER = 0, 99_999_999
Key = tuple[KeyPart, ...]
PARTS = {StatisticAxis.DAY: 1, StatisticAxis.MONTH: 100, StatisticAxis.YEAR: 10_000}


class _TooManyRows(Exception):
    """There are more rows than may be given."""


def answer(connection: Connection, question: Question, caller: Caller) -> Counted:
    """Return the figures that are asked for, in rows and in total, of the departments that the caller sees.

    Facts know no region: schema/statistics.py refuses whoever is limited to regions.
    """
    if (departments := caller.rows.departments) is not None:
        mine = Within("department", tuple(sorted(departments)))
        question = replace(question, where=(*question.where, mine))
    waiting = due.count(connection)
    total = _figures(connection, question, (), question.total_figures)
    try:
        rows = _figures(connection, question, question.by, question.row_figures)
    except _TooManyRows:
        return Counted((), {}, waiting, too_many=True)
    if len(rows) > ROWS_LIMIT:
        return Counted((), {}, waiting, too_many=True)
    return Counted(
        tuple(Row(key, _all(rows[key], question.row_figures)) for key in sorted(rows)),
        _all(total.get((), {}), question.total_figures),
        waiting,
    )


def _all(found: Mapping[str, int], names: Collection[str]) -> Values:
    """Return a value for every figure: what was not found is 0; points are exact decimals."""
    return {name: found.get(name, 0) * TENTH if BY_NAME[name].points else found.get(name, 0) for name in names}


def _figures(
    connection: Connection, question: Question, axes: Sequence[StatisticAxis], names: Collection[str]
) -> dict[Key, dict[str, int]]:
    """Return the figures that are not 0 by key; raise _TooManyRows as soon as that is sure."""
    wanted = [BY_NAME[name] for name in sorted(names)]
    rows: dict[Key, dict[str, int]] = defaultdict(dict)
    sums = [figure for figure in wanted if figure.of in SUMS]
    if sums:
        _add_sums(connection, question, axes, sums, rows)
    for figure in wanted:
        if figure.of not in SUMS:
            _add_different(connection, question, axes, figure, rows)
    return rows


def _add_sums(
    connection: Connection,
    question: Question,
    axes: Sequence[StatisticAxis],
    figures: Sequence[Figure],
    rows: dict[Key, dict[str, int]],
) -> None:
    """Add up cells, in one statement for all figures."""
    kinds = sorted({figure.kind.value for figure in figures})
    ways = [CELL.way] if any(figure.ways for figure in figures) else []
    keys = _keys(CELL, axes)
    sums, enough = (func.sum(CELL.number), func.sum(CELL.amount)), (ROWS_LIMIT + 1) * len(kinds) * WAYS_AT_MOST
    statement = (
        select(*keys, CELL.kind, *ways, *sums)
        .where(CELL.kind.in_(kinds), _cells_of(question), *_where(CELL, question))
        .group_by(*keys, CELL.kind, *ways)
        .limit(enough)
    )
    takers: dict[tuple[str, str], list[Figure]] = defaultdict(list)
    for found in connection.execute(statement):
        key, kind, way = _key(found, axes), found[len(axes)], found[len(axes) + 1] if ways else ""
        if (kind, way) not in takers:
            takers[kind, way] = [one for one in figures if one.kind.value == kind and (not one.ways or way in one.ways)]
        for figure in takers[kind, way]:
            number = int(found[-2 if figure.of == "number" else -1])
            if number:
                rows[key][figure.name] = rows[key].get(figure.name, 0) + number
        if len(rows) > ROWS_LIMIT:
            raise _TooManyRows


def _add_different(
    connection: Connection, question: Question, axes: Sequence[StatisticAxis], figure: Figure, rows: dict[Key, dict[str, int]]
) -> None:
    """Count the different values of a column; what is not known is no value."""
    keys, value = [each.label(f"key{at}") for at, each in enumerate(_keys(FACT, axes))], FACT[figure.of]
    days = FACT.day.between(question.first_day or BEFORE, question.last_day or AFTER)
    mine = [FACT.way.in_(figure.ways)] if figure.ways else []
    # Grouped first: PostgreSQL would sort for count(DISTINCT ...), where this is hashed.
    each = select(*keys, value.label("value")).where(FACT.kind == figure.kind.value, days, value != "", *mine)
    once = each.where(*_where(FACT, question)).group_by(*keys, value).subquery()
    by = [once.c[f"key{at}"] for at in range(len(axes))]
    for found in connection.execute(select(*by, func.count()).select_from(once).group_by(*by).limit(ROWS_LIMIT + 1)):
        if found[-1]:
            rows[_key(found, axes)][figure.name] = int(found[-1])
        if len(rows) > ROWS_LIMIT:
            raise _TooManyRows


def _key(found: Sequence[Any], axes: Sequence[StatisticAxis]) -> Key:
    return tuple(bool(part) if axis is StatisticAxis.KEY_SUPERVISION else part for axis, part in zip(axes, found, strict=False))


def _keys(columns: Any, axes: Sequence[StatisticAxis]) -> list[ColumnElement[Any]]:
    return [columns.day // PARTS[axis] if axis in PARTS else columns[axis.value] for axis in axes]


def _where(columns: Any, question: Question) -> list[ColumnElement[bool]]:
    return [columns[each.column].in_(each.values) for each in question.where]


def _cells_of(question: Question) -> ColumnElement[bool]:
    """Return the condition for the cells that together make the period, none of them twice."""
    first, last = question.first_day or BEFORE, question.last_day or AFTER
    if StatisticAxis.DAY in question.by:
        return and_(CELL.grain == DAY, CELL.day.between(first, last))
    # The months that lie in the period whole. One that ends with it is read by days: that is right, and 31 at most.
    begun = first // 100 if first % 100 <= 1 else first // 100 + 1
    ended = last // 100 if question.last_day is None else last // 100 - 1
    if begun > ended:
        return and_(CELL.grain == DAY, CELL.day.between(first, last))
    parts = [and_(CELL.grain == MONTH, CELL.day.between(begun * 100, ended * 100 + 99))]
    if first < begun * 100:
        parts.append(and_(CELL.grain == DAY, CELL.day.between(first, begun * 100 - 1)))
    if last > ended * 100 + 99:
        parts.append(and_(CELL.grain == DAY, CELL.day.between((ended + 1) * 100, last)))
    return or_(*parts)
