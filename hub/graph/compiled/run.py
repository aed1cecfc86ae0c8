"""One run of a plan: its levels are read one after the other, then the response is made of their rows."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from functools import cached_property
from typing import Any, cast

from graphql.execution.values import VariableValues
from sqlalchemy import Dialect

from hub.graph.compiled.bounded import Bounded
from hub.graph.compiled.levels import Key, Level, Wanted
from hub.graph.compiled.plan import Plan
from hub.graph.compiled.sight import Sight
from hub.graph.compiled.statements import Statement, form, statement, values
from hub.graph.compiled.together import together, values_together
from hub.mirror.driver import Reading
from hub.mirror.rows import Rows
from schema.context import Context
from schema.cursor import cursor_at
from schema.slices import Slice

STATEMENTS, SIZE = 128, 100_000
"""Forms of wishes for which a plan's statements are remembered, and the characters of these statements."""


class Statements:
    """The statements of one plan, each made when it is first needed."""

    def __init__(self, rows: Rows, dialect: Dialect) -> None:
        self.rows = rows
        self.dialect = dialect
        self._made: Bounded[Any, Statement] = Bounded(STATEMENTS, size=SIZE, weigh=lambda _, made: len(made.text))

    def of(self, level: Level, wanted: Wanted | None, owners: Sequence[Any], sight: Sight) -> tuple[str, list[Any]]:
        """Return the text and the values of a level's statement, for who has this sight."""
        about = level.number, form(wanted), sight.shape
        made = self._made.get(about, lambda: statement(level, wanted, sight.shape, self.dialect))
        given = made.fixed | sight.codes | values(self.rows, level, wanted, owners)
        return made.text, [given[name] for name in made.names]

    def together(self, levels: Sequence[Level], wanted: Sequence[Wanted | None], sight: Sight) -> tuple[str, list[Any]]:
        """Return the text and the values of one statement for all levels."""
        about = tuple(form(each) for each in wanted), sight.shape
        made = self._made.get(about, lambda: together(levels, wanted, sight.shape, self.dialect))
        given = {**made.fixed, **sight.codes, **values_together(self.rows, levels, wanted)}
        return made.text, [given[name] for name in made.names]


class Run:
    """What the function of a plan sees. `rows` holds for each level its rows: a list, or by owner."""

    def __init__(
        self, plan: Plan, statements: Statements, variables: VariableValues, context: Context, sight: Sight, key: str | None
    ) -> None:
        """Raise GraphError where a wish cannot be meant. `key` is what `node` looks up."""
        self._plan = plan
        self._statements = statements
        self._sight = sight
        self._context = context
        self.hub = context.hub
        self.wanted: list[Any] = [level.wish(variables, self._clock) if level.wish else None for level in plan.levels]
        for wish in plan.unread:
            wish(variables, self._clock)
        if key is not None:
            self.wanted[0] = Key(key)
        self.rows: list[Any] = []

    @cached_property
    def now(self) -> datetime:
        """Return the present moment, the same for the whole answer."""
        return self.hub.clock()

    def _clock(self) -> datetime:
        return self.now

    @cached_property
    def behind_seconds(self) -> float:
        """Return by how much what is read may be behind."""
        return float(self._context.reads.behind_seconds)

    def cursor(self, number: int, key: str, kept: Any) -> str:
        """Return the cursor of a record, by its key and the kept value of the order's column."""
        entity, order = self._plan.levels[number].entity, cast(Slice, self.wanted[number]).order
        return cursor_at(entity, order, self._statements.rows.read(entity.name, order.column, kept), key)

    @cached_property
    def is_one_statement(self) -> bool:
        """Return whether all is read by one statement, which is a snapshot by itself."""
        if len(self._plan.levels) <= 1:
            return True
        return self._statements.dialect.name == "postgresql" and not self._is_nowhere(self.wanted[0])

    @staticmethod
    def _is_nowhere(wanted: Wanted) -> bool:
        return isinstance(wanted, Key) and "\x00" in wanted.value  # PostgreSQL would refuse the statement

    def reading(self) -> Reading[Any]:
        """Read all levels, and return the response of the field."""
        levels = self._plan.levels
        if len(levels) > 1 and self.is_one_statement:
            (found,) = yield self._statements.together(levels, self.wanted, self._sight)
            for level, rows in zip(levels, found, strict=True):
                self._take(level, rows)
        else:
            flat: list[Sequence[Any]] = []
            for level in levels:
                rows = yield from self._read(level, flat)
                self._take(level, rows)
                flat.append(tuple(self.rows[-1].values()) if level.parent and level.kind == "one" else rows)
        return self._plan.respond(self)

    def _read(self, level: Level, flat: Sequence[Sequence[Any]]) -> Reading[Sequence[Any]]:
        """Read a level by itself; `flat` holds the rows of those above it."""
        wanted, owners = self.wanted[level.number], set[Any]()
        if level.parent is None:
            if self._is_nowhere(wanted):
                return ()
        else:
            owners = {row[level.owner_at] for row in flat[level.parent.number]}
            owners.discard(None)
            if not owners:
                return ()
        return (yield self._statements.of(level, wanted, tuple(owners), self._sight))

    def _take(self, level: Level, found: Sequence[Any]) -> None:
        if level.parent is not None:
            self.rows.append(self._by_owner(level, found))
        else:
            self.rows.append(found[0][0] if level.kind == "count" else found)

    @staticmethod
    def _by_owner(level: Level, found: Sequence[Any]) -> dict[Any, Any]:
        if level.kind == "count":
            return {row[0]: row[1] for row in found}
        if level.kind == "one":
            return {row[0]: row for row in reversed(found)}  # the first of each stays
        lists = defaultdict(list)
        for row in found:
            lists[row[0]].append(row)
        return dict(lists)
