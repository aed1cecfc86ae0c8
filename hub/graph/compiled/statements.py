"""From a level and the form of a wish to SQL text, made by SQLAlchemy once and run by the driver itself.

The conditions and the order are those of hub/graph/sql.py; here the values are left open. What is joined to-one is joined
behind the cut of the page, so that it costs no more than the page has rows.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, cast

from sqlalchemy import (
    JSON,
    ColumnElement,
    Dialect,
    FromClause,
    Integer,
    Select,
    TableValuedAlias,
    Text,
    and_,
    bindparam,
    case,
    column,
    func,
    literal_column,
    select,
    true,
)
from sqlalchemy import cast as sql_cast

from hub.graph import sql
from hub.graph.compiled.levels import BASE, Join, Key, Level, Wanted
from hub.graph.compiled.sight import open_code
from hub.mirror.rows import Rows
from hub.mirror.tables import TABLES
from hub.mirror.visibility import visible
from schema.context import Caller
from schema.declare import Declared
from schema.slices import Comparison, Place, Slice

OWNER, ORDER, RANK = "owner_", "order_", "rank_"
OWNERS = "owners"
"""Name of the value that lists owners."""


class Statement(NamedTuple):
    """SQL text in the driver's dialect, and the names of its values in the order in which they are given."""

    text: str
    names: tuple[str, ...]
    fixed: dict[str, Any]
    """Values that SQLAlchemy put there itself."""


class AsGiven:
    """Stands for `Rows` while a statement is made: its values are open, and stand as they are."""

    def keep(self, _entity: str, _column: str, value: Any) -> Any:
        """Return the open value."""
        return value


def form(wanted: Wanted | None) -> Any:
    """Return what a statement's text depends on: two wishes of one form differ in values only."""
    if not isinstance(wanted, Slice):
        return None
    after = wanted.after and ("null" if wanted.after.value is None else "value")
    return wanted.order, after, tuple((c.column, c.word, _size(c)) for c in wanted.where)


def _size(comparison: Comparison) -> Any:
    return {"in": len, "is_null": bool}.get(comparison.word, lambda _: None)(comparison.value)


def values(rows: Rows, level: Level, wanted: Wanted | None, owners: Sequence[Any] | None) -> dict[str, Any]:
    """Return the values of a wish by the names that statements give them, as the database keeps them."""
    found: dict[str, Any] = {}
    name = level.entity.name
    if isinstance(wanted, Key):
        found[_of(level, "key")] = wanted.value
    elif wanted is not None:
        found[_of(level, "first")] = wanted.first + level.knows_more
        for at, (compared, word, value) in enumerate(wanted.where):
            if word == "in":
                found |= {_of(level, f"w{at}_{n}"): rows.keep(name, compared, each) for n, each in enumerate(value)}
            elif word != "is_null":
                found[_of(level, f"w{at}")] = rows.keep(name, compared, value)
        if wanted.after is not None:
            found[_of(level, "after_value")] = rows.keep(name, wanted.order.column, wanted.after.value)
            found[_of(level, "after_key")] = wanted.after.key
    if level.parent is not None and owners is not None:
        found[OWNERS] = json.dumps(list(owners))
    return found


def _of(level: Level, name: str) -> str:
    """Return the name of a value of a level: several levels may stand in one statement (together.py)."""
    return f"{name}_of_{level.number}"


class Given(NamedTuple):
    """Where a level has the owners from whose rows are wanted."""

    owners: Callable[[Level], FromClause]
    """Returns a table with a column `value`."""
    lateral: bool
    """Whether the database has LATERAL."""


def statement(level: Level, wanted: Wanted | None, shape: Caller, dialect: Dialect) -> Statement:
    """Return the statement of a level for wishes of this form and callers of this shape (sight.py). Its owners are a value."""
    given = Given(lambda _: _listed(dialect.name), lateral=dialect.name == "postgresql")
    return compiled(selected(level, wanted, shape, given), dialect)


def compiled(made: Select[Any], dialect: Dialect) -> Statement:
    """Return a statement as the driver takes it."""
    text = made.compile(dialect=dialect)
    names: tuple[str, ...] = tuple(text.positiontup or ())
    return Statement(str(text), names, {name: value for name, value in text.params.items() if value is not None})


def selected(level: Level, wanted: Wanted | None, shape: Caller, given: Given) -> Select[Any]:
    """Return what selects the rows of a level, in order; below another level, the owner is the first column."""
    if level.kind == "one":
        return _one(level, cast(sql.Owners, level.owners), shape, given)
    made = _count if level.kind == "count" else _page
    return made(level, _open(level, cast(Slice, wanted)), shape, given)


def _seen(entity: Declared, shape: Caller, table: FromClause | None = None) -> list[ColumnElement[bool]]:
    return visible(entity, shape, table, open_code)


def _open(level: Level, wanted: Slice) -> Slice:
    """Return the slice with open values instead of its own."""
    table = TABLES[level.entity.name]

    def opened(at: int, comparison: Comparison) -> Comparison:
        name, word, value = comparison
        if word == "is_null":
            return comparison
        if word == "in":
            return Comparison(
                name, word, tuple(bindparam(_of(level, f"w{at}_{n}"), type_=table.c[name].type) for n in range(len(value)))
            )
        return Comparison(name, word, bindparam(_of(level, f"w{at}"), type_=table.c[name].type))

    after = wanted.after
    if after is not None:
        value = None if after.value is None else bindparam(_of(level, "after_value"), type_=table.c[wanted.order.column].type)
        after = Place(value, bindparam(_of(level, "after_key"), type_=Text()))  # type: ignore[arg-type]
    return Slice(wanted.order, 0, after, tuple(opened(at, each) for at, each in enumerate(wanted.where)))


def _listed(dialect: str) -> TableValuedAlias:
    """Return many owners as a table with a column `value`. They come as one JSON text, which costs drivers less than a list."""
    given = bindparam(OWNERS, type_=Text())
    if dialect == "postgresql":
        listed = func.json_array_elements_text(sql_cast(given, JSON()))
        return listed.table_valued(column("value", Text()), name="o").render_derived()
    return func.json_each(given).table_valued(column("value", Text()), name="o")


def _mine(owner: ColumnElement[Any], level: Level, given: Given) -> ColumnElement[bool]:
    """Return the condition that a row belongs to one of many owners."""
    return owner.in_(select(given.owners(level).c.value))


def _count(level: Level, wanted: Slice, shape: Caller, given: Given) -> Select[Any]:
    where = [*sql.filters(AsGiven(), level.entity, wanted.where), *_seen(level.entity, shape)]
    if level.owners is None:
        counted = select(func.count()).select_from(TABLES[level.entity.name])
        return counted.where(*where, *sql.led_to(level.entity))
    source, owner = sql.owned(level.entity, level.owners)
    return select(owner, func.count()).select_from(source).where(*where, _mine(owner, level, given)).group_by(owner)


class Cut(NamedTuple):
    """The rows of a level before anything is joined to them."""

    source: FromClause
    columns: Mapping[str, ColumnElement[Any]]
    """The entity's own, by name."""
    owner: ColumnElement[Any] | None = None
    order: ColumnElement[Any] | None = None
    """The column that the list is ordered by."""


def _one(level: Level, owners: sql.Owners, shape: Caller, given: Given) -> Select[Any]:
    """Return the first record of each owner, or of the one key; the one that holds the owner's own value comes first."""
    table, (source, owner) = TABLES[level.entity.name], sql.owned(level.entity, owners)
    key, rank = table.c[level.entity.key], case((table.c[owners.column] == owner, 0), else_=1).label(RANK)
    found = select(*_base_columns(level), rank, owner.label(OWNER)).select_from(source)
    found = found.where(*_seen(level.entity, shape))
    if level.parent is None:
        found = found.where(owner == bindparam(_of(level, "key"), type_=Text())).order_by(rank, key).limit(1)
        cut = found.subquery("cut")
        return _joined(level, Cut(cut, dict(cut.c)), shape)
    cut = found.where(_mine(owner, level, given)).subquery("cut")
    return _joined(level, Cut(cut, dict(cut.c), cut.c[OWNER]), shape).order_by(cut.c[RANK], cut.c[level.entity.key])


def _page(level: Level, wanted: Slice, shape: Caller, given: Given) -> Select[Any]:
    """Return the page in order; of many owners the pages of all, each in order."""
    where = [*sql.conditions(AsGiven(), level.entity, wanted), *_seen(level.entity, shape)]
    in_order = sql.ordering(level.entity, wanted.order)
    most = bindparam(_of(level, "first"), type_=Integer())
    if level.owners is None:
        columns = [*_base_columns(level), TABLES[level.entity.name].c[wanted.order.column].label(ORDER)]
        found = select(*columns).where(*where, *sql.led_to(level.entity)).order_by(*in_order).limit(most)
        under = found.subquery("cut")
        cut = Cut(under, dict(under.c), None, under.c[ORDER])
    else:
        source, owner = sql.owned(level.entity, level.owners)
        made = _pages_lateral if given.lateral else _pages_by_key
        cut = made(
            level,
            wanted,
            given.owners(level),
            lambda mine, shown: select(*shown).select_from(source).where(owner == mine, *where).order_by(*in_order).limit(most),
        )
    names = {**cut.columns, wanted.order.column: cast(ColumnElement[Any], cut.order)}
    return _joined(level, cut, shape).order_by(*sql.ordering(level.entity, wanted.order, names))


PageOf = Callable[[ColumnElement[Any], Sequence[ColumnElement[Any]]], Select[Any]]
"""Makes the statement of one owner's page, told the owner and what to select."""


def _pages_lateral(level: Level, wanted: Slice, owners: FromClause, page: PageOf) -> Cut:
    """Return for each owner its page, each served by an index as if it were asked for alone."""
    columns = [*_base_columns(level), TABLES[level.entity.name].c[wanted.order.column].label(ORDER)]
    cut = page(owners.c.value, columns).lateral("cut")
    return Cut(owners.join(cut, true()), dict(cut.c), owners.c.value, cut.c[ORDER])


def _pages_by_key(level: Level, wanted: Slice, owners: FromClause, page: PageOf) -> Cut:
    """Do the same where there is no LATERAL: the keys of each owner's page are found first, then the rows by their keys."""
    table, cut = TABLES[level.entity.name], TABLES[level.entity.name].alias("cut")
    keys = page(owners.c.value, [table.c[level.entity.key]]).correlate(owners)
    source = owners.join(cut, cut.c[level.entity.key].in_(keys))
    return Cut(source, dict(cut.c), owners.c.value, cut.c[wanted.order.column])


def _base_columns(level: Level) -> list[ColumnElement[Any]]:
    """Return what the cut has to hand on: what is shown, what is joined by, and the key."""
    shown = [each.name for each in level.columns if each.alias == BASE]
    joined = [join.edge.ours for join in level.joins.values() if join.of == BASE]
    table = TABLES[level.entity.name]
    return [table.c[name] for name in dict.fromkeys((*shown, *joined, level.entity.key))]


def _joined(level: Level, cut: Cut, shape: Caller) -> Select[Any]:
    """Return the cut with what is joined to it: the owner, the columns, and the order's value where it is asked for."""
    source = cut.source
    known: dict[str, Mapping[str, ColumnElement[Any]]] = {BASE: cut.columns}
    for join in level.joins.values():
        far = TABLES[join.to.name].alias(join.alias)
        known[join.alias] = dict(far.c)
        source = _join(source, known[join.of][join.edge.ours], far, join, _seen(join.to, shape, far))
    columns = [known[each.alias][each.name] for each in level.columns]
    if cut.owner is not None:
        columns.insert(0, cut.owner)
    if level.ordered and cut.order is not None:
        columns.append(cut.order)
    return select(*columns or [literal_column("1")]).select_from(source)


def _join(
    source: FromClause, ours: ColumnElement[Any], far: FromClause, join: Join, seen: Sequence[ColumnElement[bool]]
) -> FromClause:
    if (by := join.edge.through) is None:
        return source.outerjoin(far, and_(far.c[join.edge.theirs] == ours, *seen))
    passed = TABLES[by.entity].alias(f"{join.alias}_by")
    source = source.outerjoin(passed, passed.c[by.ours] == ours)
    return source.outerjoin(far, and_(far.c[join.edge.theirs] == passed.c[by.theirs], *seen))
