"""Which rows a caller sees, as conditions in SQL. The one place: every statement behind the graph asks here, whoever makes it.

An entity says in its declaration to whom its rows belong (schema/declare.py, Seen). What it does not say is closed: without a word,
nobody who is limited sees anything. Callers without limits, as most are, add nothing to a statement.
"""

from collections.abc import Callable, Collection
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Text, false, func, literal, literal_column, or_, select

from hub.mirror.tables import TABLES
from schema.context import Caller
from schema.declare import ENTITIES, BelongsTo, Declared, SeenWith, Shared

Code = Callable[[str], Any]
"""What stands in a statement for a code of the caller's."""
QUOTE: ColumnElement[str] = literal_column("'\"'", Text())


def visible(entity: Declared, caller: Caller, table: FromClause | None = None, code: Code = literal) -> list[ColumnElement[bool]]:
    """Return the conditions for the rows of an entity that a caller sees, all of which must hold; none for who sees every row.

    `table` is the entity's table in the statement, where that has another name than its own. `code` says how codes stand
    in it, where that is not as they are (hub/graph/compiled/sight.py).
    """
    by_platform = entity.scope not in caller.scopes
    if not by_platform and not caller.rows:
        return []
    rows, seen = TABLES[entity.name] if table is None else table, entity.seen
    if isinstance(seen, SeenWith):
        whole = TABLES[seen.entity].alias(f"{seen.entity.lower()}_seen_")
        more = visible(ENTITIES[seen.entity], caller, whole, code)
        return [select(literal(1)).where(whole.c[seen.theirs] == rows.c[seen.ours], *more).correlate(rows).exists()]
    if isinstance(seen, Shared):
        return [false()] if by_platform else []
    if isinstance(seen, BelongsTo):
        return _belonging(entity, seen, caller, rows, code, by_platform=by_platform)
    return [false()]


def _belonging(
    entity: Declared, seen: BelongsTo, caller: Caller, rows: FromClause, code: Code, *, by_platform: bool
) -> list[ColumnElement[bool]]:
    limits, found = caller.rows, list[ColumnElement[bool]]()
    if by_platform:
        found.append(_names(entity, seen.platform, rows, caller.platforms, code))
    if limits.departments is not None:
        columns = [seen.department] if seen.taking_part is None else [seen.department, seen.taking_part]
        found.append(or_(*(_names(entity, each, rows, limits.departments, code) for each in columns)))
    if limits.regions is not None:
        if seen.region is not None:
            found.append(_names(entity, seen.region, rows, limits.regions, code))
        elif not limits.at_home:
            found.append(false())
    return found


def _names(entity: Declared, column: str | None, rows: FromClause, allowed: Collection[str], code: Code) -> ColumnElement[bool]:
    """Return the condition that a column names one of these; where it names nothing, nobody sees the row."""
    if column is None:
        return false()
    codes, kept = [code(each) for each in sorted(allowed)], rows.c[column]
    if entity.fields[column].many:  # kept as a JSON list of texts; LIKE would take the case of letters for nothing in SQLite
        return or_(false(), *(func.replace(kept, QUOTE + each + QUOTE, "") != kept for each in codes))
    found: ColumnElement[Any] = kept.in_(codes) if codes else false()
    return found
