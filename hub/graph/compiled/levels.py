"""What a plan reads: levels, each one statement. A level's rows are records of one entity with what is joined to them to-one.

The statement of a level below another is about all rows of the level above at once, so that the number of statements is the
number of levels, whatever the number of rows.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, NamedTuple

from graphql.execution.values import VariableValues

from hub.graph.sql import Owners
from schema.declare import ENTITIES, Declared, Relation
from schema.slices import Slice

BASE = "base"
"""Alias of the level's own entity; what is joined to it is called j1, j2, ..."""


class Column(NamedTuple):
    """A column of what an alias stands for."""

    alias: str
    name: str


class Join(NamedTuple):
    """A record that is joined to-one: the edge leads from `of` to at most one."""

    alias: str
    of: str
    edge: Relation
    to: Declared


class Key(NamedTuple):
    """What a single record is looked up by."""

    value: str


Wanted = Slice | Key
Clock = Callable[[], datetime]
Wish = Callable[[VariableValues, Clock], Wanted]
"""What a level is asked for, once the variables have values and it is known what time it is; raises GraphError."""


@dataclass(eq=False)
class Level:
    """One statement. A `page` and a `count` have a Slice for their wish; `one` has a Key where it is a root, and none below."""

    number: int
    entity: Declared
    kind: Literal["page", "count", "one"]
    wish: Wish | None
    parent: "Level | None" = None
    owners: Owners | None = None
    """Which column says to whom a row belongs; None where the list is over the whole entity."""
    owner_at: int = 0
    """Where a row of the level above holds what `owners` is compared with."""
    columns: list[Column] = field(default_factory=list)
    joins: dict[tuple[str, str], Join] = field(default_factory=dict)
    """By alias and edge."""
    knows_more: bool = False
    """Whether one record more than the page is read, to know if there is one."""
    ordered: bool = False
    """Whether the last value of a row is that of the order's column."""

    @property
    def offset(self) -> int:
        """Return where the columns begin in a row: behind the owner, if there is one."""
        return 0 if self.parent is None else 1

    def column(self, alias: str, name: str) -> int:
        """Return where a row holds a column, which is read from now on."""
        wanted = Column(alias, name)
        if wanted not in self.columns:
            self.columns.append(wanted)
        return self.columns.index(wanted) + self.offset

    def join(self, alias: str, name: str, edge: Relation) -> Join:
        """Return the join of an edge, made once however often it is asked for."""
        if (alias, name) not in self.joins:
            self.joins[alias, name] = Join(f"j{len(self.joins) + 1}", alias, edge, ENTITIES[edge.to])
        return self.joins[alias, name]


def is_unique(edge: Relation) -> bool:
    """Return whether an edge leads to one record at most by the keys of its tables, so that joining it doubles no row."""
    if edge.theirs != ENTITIES[edge.to].key:
        return False
    return edge.through is None or edge.through.ours == ENTITIES[edge.through.entity].key
