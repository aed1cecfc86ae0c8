"""All levels of a plan as one statement, where the database can: one round trip instead of one a level, and one snapshot by itself.

Each level is a named query (WITH) whose owners are read from the level above; the answer is one row with one array of rows for
each level. PostgreSQL only: an embedded database answers a statement without any trip.
"""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from sqlalchemy import CTE, Dialect, FromClause, func, select

from hub.graph.compiled.levels import Level, Wanted
from hub.graph.compiled.statements import Given, Statement, compiled, selected, values
from hub.mirror.rows import Rows
from schema.context import Caller


def together(levels: Sequence[Level], wanted: Sequence[Wanted | None], shape: Caller, dialect: Dialect) -> Statement:
    """Return the statement for wishes of these forms, one for each level, and callers of this shape."""
    named: list[CTE] = []

    def owners(level: Level) -> FromClause:
        value = named[cast(Level, level.parent).number].c[_column(level.owner_at)]
        return select(value.label("value")).where(value.is_not(None)).distinct().subquery("o")

    given = Given(owners, lateral=True)
    for level in levels:
        found = selected(level, wanted[level.number], shape, given)
        columns = [each.label(_column(at)) for at, each in enumerate(found.selected_columns)]
        named.append(found.with_only_columns(*columns, maintain_column_froms=True).cte(f"level_{level.number}"))
    arrays = [func.array(select(func.row(*each.c)).select_from(each).scalar_subquery()) for each in named]
    return compiled(select(*arrays), dialect)


def values_together(rows: Rows, levels: Sequence[Level], wanted: Sequence[Wanted | None]) -> Mapping[str, Any]:
    """Return the values of all wishes."""
    found: dict[str, Any] = {}
    for level in levels:
        found |= values(rows, level, wanted[level.number], None)
    return found


def _column(at: int) -> str:
    return f"c{at}"
