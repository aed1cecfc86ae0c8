"""The words an entity is declared with, and what they say when read back. No SQL and no GraphQL here.

`schema/entity.py` collects what a class says in these words into `Declared`; tables (hub/mirror/tables.py),
GraphQL types (schema/graph_type.py) and query plans are all made from that and from nothing else.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin, get_type_hints

import msgspec

Record = type[msgspec.Struct]
Instant = Annotated[datetime, msgspec.Meta(tz=True)]
"""A point in time that knows its zone. `Instant | None` where it may be absent."""

PLAIN = (str, int, float, bool, Decimal, datetime)


class DeclarationError(TypeError):
    """An entity is declared wrongly; the message names entity, field and way out."""


class Says(NamedTuple):
    """What a thing means in both languages: the GraphQL description and the SQL comment."""

    en: str
    zh: str

    def __str__(self) -> str:
        return f"{self.en} ({self.zh})"


class Step(NamedTuple):
    """A decimal that moves in steps of `of`; kept as a whole number of steps, so that it stays exact."""

    of: Decimal


class Personal(NamedTuple):
    """Personal data: encrypted at rest, masked in every answer and log.

    `identity` and `phone` hold one number; `text` is free text that may carry such numbers inside.
    `joined` adds a column `<name>_join` with a keyed HMAC, so that equal values can be found without being read.
    """

    kind: Literal["identity", "phone", "text"]
    joined: bool = False


class Indexed(NamedTuple):
    """The field has an index of its own, and may be filtered and ordered by."""


class FirstOf(NamedTuple):
    """The value is that of the first of these columns that has one (an empty text is none): it follows from the record, and is no
    content of its own.

    The class sets it in its `__post_init__`; rows that were written before the field was declared are filled in by
    hub/mirror/identities.py.
    """

    columns: tuple[str, ...]


class Internal(NamedTuple):
    """The engine's own column: kept in the table, never in the graph."""


class Sealed(NamedTuple):
    """Bytes of the engine that are encrypted at rest as a whole; never in the graph."""


class SealedList(NamedTuple):
    """A list of structs that is encrypted at rest as a whole; in the graph, where personal fields of its structs are masked."""


@dataclass(frozen=True)
class Field:
    """One column. `many` marks a tuple of plain text or of structs, kept as one JSON value."""

    name: str
    kind: type
    nullable: bool
    many: bool
    says: Says
    marks: dict[type, Any]

    @property
    def internal(self) -> bool:
        """Return whether the graph must not show the field."""
        return Internal in self.marks or Sealed in self.marks

    @property
    def sealed(self) -> bool:
        """Return whether the field is encrypted at rest."""
        return not self.marks.keys().isdisjoint({Personal, Sealed, SealedList})


class Through(NamedTuple):
    """A table that an edge passes: our column equals its column `ours`, and its column `theirs` equals the far column.

    One of the two is that table's key, so that passing it never doubles a record. No record is rewritten: one row changed
    in the table moves the edges of all records, and changed back moves them back. In SQL it is one JOIN more.
    """

    entity: str
    ours: str
    theirs: str


class BelongsTo(NamedTuple):
    """Rows belong to the department, region or platform that these columns name; a column of many names belongs to each of them.

    Whoever is limited to departments sees nothing of an entity without a department column. One without a region column is of the
    hub's own region.
    """

    department: str | None = None
    region: str | None = None
    platform: str | None = None
    taking_part: str | None = None
    """Names departments beside the one in charge, which see the row as well."""


class SeenWith(NamedTuple):
    """A row is seen by whoever sees the one of `entity` whose column `theirs` equals our column `ours`."""

    entity: str
    ours: str
    theirs: str


class Shared(NamedTuple):
    """Every row is seen by whoever may read the entity: registers of the whole city."""


Seen = BelongsTo | SeenWith | Shared
"""Who sees which rows. An entity that says nothing is seen by nobody who is limited (hub/mirror/visibility.py)."""


class Relation(NamedTuple):
    """An edge: our column equals theirs, directly or `through` a table. `to` is a name, so that files may point at each other."""

    arity: Literal["one", "many"]
    to: str
    says: Says
    ours: str
    theirs: str
    through: Through | None = None
    polymorphic: bool = False
    """Whether our column may as well hold the key of something else: that the far end is not here says nothing then."""


def to_one(to: str, en: str, zh: str, *, ours: str, theirs: str, through: Through | None = None, polymorphic: bool = False) -> Any:
    """Declare an edge to at most one record of `to`: the one whose column `theirs` equals our column `ours`.

    Where `through` a table several could be meant, it is the one that holds our own value, else the one of the lowest key.
    A `polymorphic` edge's column may hold the key of something else.
    """
    return Relation("one", to, Says(en, zh), ours, theirs, through, polymorphic)


def to_many(to: str, en: str, zh: str, *, ours: str, theirs: str, through: Through | None = None) -> Any:
    """Declare an edge to all records of `to` whose column `theirs` equals our column `ours`, if need be `through` a table."""
    return Relation("many", to, Says(en, zh), ours, theirs, through)


class Computed(NamedTuple):
    """A field of the graph that is kept nowhere: it follows from the record's shown columns and from the present moment."""

    kind: type
    nullable: bool
    says: Says
    value: Callable[[Any, Any], Any]
    of_hub: bool = False
    """Whether it follows from what the process knows (schema/context.py, Hub), instead of from the present moment alone."""


def computed(kind: type, en: str, zh: str, value: Callable[[Any, datetime], Any], *, nullable: bool = False) -> Any:
    """Declare a field that `value(record, now)` gives; it is asked only of columns that the graph shows."""
    return Computed(kind, nullable, Says(en, zh), value)


def known_to_hub(kind: type, en: str, zh: str, value: Callable[[Any, Any], Any]) -> Any:
    """Declare a nullable field that `value(record, hub)` gives, `hub` being what the process knows (schema/context.py)."""
    return Computed(kind, True, Says(en, zh), value, of_hub=True)


@dataclass(frozen=True)
class Declared:
    """All that one declaration says; table, GraphQL type and plans are made from this."""

    record: Record
    table: str
    key: str
    says: Says
    fields: dict[str, Field]
    edges: dict[str, Relation]
    computed: dict[str, Computed]
    indexes: tuple[tuple[str, ...], ...]
    scope: str
    part_of: tuple[str, str] | None
    """(name of the whole, our column that holds its key): parts live and die with the version of their whole."""
    found_through: Through | None = None
    """A record is found by whatever this table leads to its key from; lists show the records that it leads to, and no others."""
    live: Callable[[str], bool] | None = None
    """For which keys its platform may be asked live (`maxAge`); None: the mirror alone answers."""
    seen: Seen | None = None

    @property
    def of_platforms(self) -> bool:
        """Return whether each row belongs to a platform, by itself or with another that it is seen with."""
        if isinstance(self.seen, SeenWith):
            return ENTITIES[self.seen.entity].of_platforms
        return isinstance(self.seen, BelongsTo) and self.seen.platform is not None

    @property
    def name(self) -> str:
        """The entity's name, as in the graph."""
        return self.record.__name__

    @property
    def filterable(self) -> list[str]:
        """The columns that lead an index; a front end may filter and order by these only."""
        leading = dict.fromkeys((self.key, *(columns[0] for columns in self.indexes)))
        return [name for name in leading if Personal not in self.fields[name].marks and not self.fields[name].internal]


ENTITIES: dict[str, Declared] = {}
"""Every declared entity by name; complete once `schema.entities` has been imported."""


def declared(record: Record) -> Declared:
    """Return what a record's class says; raise DeclarationError if it is no entity."""
    if (found := ENTITIES.get(record.__name__)) is None:
        raise DeclarationError(f"{record.__name__} is no entity; declare it with @entity in schema/entities/")
    return found


def target(owner: Declared, edge: Relation) -> Declared:
    """Return what an edge leads to; raise DeclarationError if there is no such entity, or it lacks the column."""
    if edge.to not in ENTITIES:
        raise DeclarationError(f"{owner.name}: an edge leads to '{edge.to}'; known are {', '.join(ENTITIES)}")
    if edge.theirs not in ENTITIES[edge.to].fields:
        raise DeclarationError(f"{owner.name}: the edge to {edge.to} joins on its '{edge.theirs}', which it has not")
    if edge.through is not None:
        check_through(owner, edge.through)
    return ENTITIES[edge.to]


def check_through(owner: Declared, by: Through) -> None:
    """Raise DeclarationError if a table to pass is not declared, lacks a column, or could double a record."""
    passed = ENTITIES.get(by.entity)
    if passed is None or not {by.ours, by.theirs} <= passed.fields.keys():
        raise DeclarationError(f"{owner.name}: passes {by.entity} by '{by.ours}' and '{by.theirs}', which is not declared so")
    if passed.key not in {by.ours, by.theirs}:
        raise DeclarationError(f"{owner.name}: passes {by.entity} without its key '{passed.key}', which would double records")


def read_fields(record: Record) -> Iterator[Field]:
    """Yield the columns of a struct in declared order; raise DeclarationError where one says too little."""
    hints, bare = get_type_hints(record, include_extras=True), get_type_hints(record)
    for name in record.__struct_fields__:
        yield _field(f"{record.__name__}.{name}", name, hints[name], bare[name])


def _field(where: str, name: str, hint: Any, plain: Any) -> Field:
    marks = {type(mark): mark for mark in (get_args(hint)[1:] if get_origin(hint) is Annotated else ())}
    options = get_args(plain) if get_origin(plain) in (Union, UnionType) else (plain,)
    kind, *more = (option for option in options if option is not NoneType)
    many = get_origin(kind) is tuple
    if many:
        kind, *_ = get_args(kind)
    if more or not isinstance(kind, type):
        raise DeclarationError(f"{where}: a column has one plain type, not {plain}")
    if Says not in marks:
        raise DeclarationError(f"{where}: say what it means: Annotated[..., Says('English', '中文')]")
    struct = many and issubclass(kind, msgspec.Struct)
    if not struct and kind not in (*PLAIN, bytes) and not issubclass(kind, Enum):
        raise DeclarationError(f"{where}: no column holds {kind.__name__}; use {', '.join(t.__name__ for t in PLAIN)} or an Enum")
    if kind is Decimal and Step not in marks:
        raise DeclarationError(f"{where}: a Decimal names its step: Step(Decimal('0.5'))")
    return Field(name, kind, NoneType in options, many, marks[Says], marks)
