"""Finds a whole chain from any of its records: a breadth-first walk over the links of loop_links.py, in set-based SQL.

Each round asks, for all records found in the one before, one statement for each column that a link leads to. A record is taken in
if a link joins it to one that is in; what was read beside those stays aside, in case its link comes later. Circles end by
themselves: nothing is asked for twice. Called by hub/graph/loops/loop.py.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import JSON, BindParameter, ColumnElement, Connection, Select, bindparam, cast, func, literal_column, select

from hub.mirror.loop_links import HINTS, LINKS, Link
from hub.mirror.rows import Rows
from hub.mirror.tables import TABLES
from hub.mirror.visibility import visible
from schema.context import Caller
from schema.declare import ENTITIES
from schema.entity import Entity, key_of

OWED = "Obligation"
RECORDS = 1_000
"""The most records of one chain; with more it is cut, the nearest are kept."""
ROUNDS = 64
"""The most links between the record that was asked for and another."""

EMPTY: ColumnElement[str] = literal_column("'[]'")
"""Written out, so that both databases see that the partial index holds what is asked for."""

Id = tuple[str, str]
"""Entity and key."""


class Chain(NamedTuple):
    """The records of a chain, in the order in which they were found, and whether there are more."""

    records: dict[Id, Entity]
    truncated: bool


def id_of(record: Entity) -> Id:
    """Return a record's entity and key."""
    return type(record).__name__, key_of(record)


def chain_of(connection: Connection, rows: Rows, entity: str, key: str, caller: Caller, limit: int = RECORDS) -> Chain | None:
    """Return the chain that a record stands in, None if there is no such record that the caller sees.

    Records that the caller does not see are not in it, nor what only they lead to. Of what is owed everybody sees as much as the
    loop tells (schema/loop.py, LoopObligation); but whoever is limited in the rows they see begins at no obligation.

    The chain is the same from each of its records, unless it is longer than `limit`. The number of statements depends on how far
    apart records are, not on how many there are.
    """
    if entity == OWED and caller.rows:
        return None
    walk = _Walk(connection, rows, caller, limit)
    start = walk.read(entity, ENTITIES[entity].key, [key])
    if not start:
        return None
    walk.hold(start)
    for _ in range(ROUNDS):
        if not walk.go_on():
            return Chain(walk.held, walk.cut)
    return Chain(walk.held, True)


class _Walk:
    """What is known on the way."""

    def __init__(self, connection: Connection, rows: Rows, caller: Caller, limit: int) -> None:
        self.connection, self.rows, self.caller, self.limit = connection, rows, caller, limit
        self.held: dict[Id, Entity] = {}
        self.cut = False
        self._aside: dict[Id, Entity] = {}
        self._wanted: dict[tuple[str, str], set[str]] = defaultdict(set)
        self._asked: dict[tuple[str, str], set[str]] = defaultdict(set)
        self._known: set[tuple[int, str]] = set()
        """(link, what a held parent is known by)"""
        self._named: set[tuple[int, str]] = set()
        """(link, what a held child names)"""

    def hold(self, records: Iterable[Entity]) -> None:
        """Take records in, as far as there is room, and want what they are linked with."""
        for record in records:
            if len(self.held) >= self.limit:
                self.cut = True
                return
            self.held[id_of(record)] = record
            self._want(record)

    def go_on(self) -> bool:
        """Read what is wanted and take in what is linked; return False when nothing new came."""
        wanted, self._wanted = self._wanted, defaultdict(set)
        for place in sorted(wanted):
            entity, column = place
            known = {key for name, key in self.held if name == entity} if column == ENTITIES[entity].key else set[str]()
            fresh = sorted(wanted[place] - self._asked[place] - known)
            self._asked[place].update(fresh)
            if len(fresh) > self.limit:
                self.cut, fresh = True, fresh[: self.limit]
            for record in self.read(entity, column, fresh):
                if (found := id_of(record)) not in self.held:
                    self._aside[found] = record
        linked = [self._aside.pop(found) for found in sorted(self._aside) if self._is_linked(self._aside[found])]
        self.hold(linked)
        return bool(linked) and not self.cut

    def _want(self, record: Entity) -> None:
        name = type(record).__name__
        for number, link in enumerate(LINKS):
            if link.child == name and not link.leaf:
                values = link.named(record)
                self._named.update((number, value) for value in values)
                self._wanted[link.parent, link.known_by].update(values)
            if link.parent == name:
                if known := getattr(record, link.known_by):
                    self._known.add((number, known))
                self._wanted[link.child, link.column].update(link.sought(record))
        for entity, values_of in HINTS:
            if entity == name:
                self._wanted["Obligation", "cause"].update(filter(None, values_of(record)))

    def _is_linked(self, record: Entity) -> bool:
        name = type(record).__name__
        for number, link in enumerate(LINKS):
            if link.child == name and any((number, value) in self._known for value in link.named(record)):
                return True
            if link.parent == name and (number, getattr(record, link.known_by)) in self._named:
                return True
        return False

    def read(self, entity: str, column: str, values: Sequence[str]) -> list[Any]:
        """Return the records whose column holds one of the values, by key; one statement, none where nothing is wanted."""
        sought = [value for value in values if "\x00" not in value]  # PostgreSQL would refuse the whole statement
        if not sought:
            return []
        statement = _select(entity, column, self.connection.dialect.name)
        if self.caller.rows and entity != OWED:
            statement = statement.where(*visible(ENTITIES[entity], self.caller))
        found = self.connection.execute(statement, {"sought": sought, "most": self.limit + 1}).all()
        self.cut = self.cut or len(found) > self.limit
        read: Callable[[Any], Any] = self.rows.reader(ENTITIES[entity].record)
        return [read(row) for row in found]


@cache
def _select(entity: str, column: str, dialect: str) -> Select[Any]:
    """Return the statement for the records whose column holds one of `sought`; made once: making costs more than running it."""
    told, table = ENTITIES[entity], TABLES[entity]
    sought: BindParameter[Any] = bindparam("sought", expanding=True)
    here = table.c[column].in_(sought)
    if told.fields[column].many:
        here = table.c[told.key].in_(_holding(table.c[column], table.c[told.key], sought, dialect))
    return select(*(table.c[name] for name in told.fields)).where(here).order_by(table.c[told.key]).limit(bindparam("most"))


def _holding(column: Any, key: Any, sought: BindParameter[Any], dialect: str) -> Select[Any]:
    """Return the keys of records whose list, kept as JSON, holds one of `sought`; the partial index of linked events serves it."""
    spread = func.json_array_elements_text(cast(column, JSON)) if dialect == "postgresql" else func.json_each(column)
    each = spread.table_valued("value")
    return select(key).select_from(column.table).join(each, each.c.value.in_(sought)).where(column != EMPTY)


def parents_of(records: Iterable[Entity]) -> dict[Id, list[tuple[Id, Link]]]:
    """Return, for each record, the records of the same chain that it names, with the link by which it does."""
    some = list(records)
    known: dict[tuple[int, str], list[Id]] = defaultdict(list)
    for record in some:
        for number, link in enumerate(LINKS):
            if link.parent == type(record).__name__ and (value := getattr(record, link.known_by)):
                known[number, value].append(id_of(record))
    found: dict[Id, list[tuple[Id, Link]]] = {}
    for record in some:
        mine = found.setdefault(id_of(record), [])
        for number, link in enumerate(LINKS):
            if link.child == type(record).__name__:
                mine += [
                    (parent, link) for value in link.named(record) for parent in known[number, value] if parent != id_of(record)
                ]
    return found
