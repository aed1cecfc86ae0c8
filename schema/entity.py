"""How an entity is declared: once, as a frozen typed record. `schema/entities/approval.py` shows all there is to say.

The class is the record that connectors make, the row of the mirror and the type of the graph at the same time.
"""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, ClassVar, TypeVar, dataclass_transform

import msgspec

from schema.declare import (
    ENTITIES,
    Computed,
    DeclarationError,
    Declared,
    FirstOf,
    Indexed,
    Instant,
    Relation,
    Says,
    Seen,
    SeenWith,
    Step,
    Through,
    declared,
    read_fields,
)
from schema.graph_type import GraphFace

FRESHNESS = ("source", "observed_at", "version")
"""Fields that every mirrored record has; the graph shows them together, as `freshness`."""


@dataclass_transform(frozen_default=True, kw_only_default=True)
class Entity(msgspec.Struct, frozen=True, kw_only=True):
    """Something that the graph knows. The class is the GraphQL type as well: resolvers are annotated with it."""

    __strawberry_definition__: ClassVar[GraphFace] = GraphFace()


@dataclass_transform(frozen_default=True, kw_only_default=True)
class Mirrored(Entity, frozen=True, kw_only=True):
    """A record that a platform said; it knows its source, its version there and when we saw it."""

    source: Annotated[str, Says("Platform that said so", "来源平台")]
    observed_at: Annotated[Instant, Says("When the hub saw it", "采集时间")]
    version: Annotated[int, Says("Version the platform gave it; it only grows", "版本")]


E = TypeVar("E", bound=Entity)


def entity(
    en: str,
    zh: str,
    *,
    key: str,
    indexes: tuple[tuple[str, ...], ...] = (),
    scope: str = "graph:read",
    part_of: tuple[str, str] | None = None,
    found_through: Through | None = None,
    live: Callable[[str], bool] | None = None,
    seen: Seen | None = None,
) -> Callable[[type[E]], type[E]]:
    """Declare the class below as an entity.

    `key` names the column that identifies a record; `indexes` lists column tuples beyond the `Indexed` fields;
    `scope` is the right that reading it asks for; `part_of` = (name of the whole, our column with its key) makes its
    rows live and die with the version of that whole; `found_through` lets records be found by whatever a table leads to
    their key from; `live` lets its platform be asked for a single record, by those keys for which it is true; `seen` says who of
    those who are limited to departments, regions or platforms sees which rows: nobody, if nothing is said. Raises
    DeclarationError when the class contradicts itself.
    """

    def declare(record: type[E]) -> type[E]:
        fields = {field.name: field for field in read_fields(record)}
        edges = {name: edge for name, edge in vars(record).items() if isinstance(edge, Relation)}
        computed = {name: field for name, field in vars(record).items() if isinstance(field, Computed)}
        needed = (key, *(name for names in indexes for name in names), *(edge.ours for edge in edges.values()))
        derived = tuple(name for field in fields.values() if (mark := field.marks.get(FirstOf)) for name in mark.columns)
        owning = (seen.ours,) if isinstance(seen, SeenWith) else tuple(filter(None, seen or ()))
        for column in (*needed, *derived, *owning, *((part_of[1],) if part_of else ())):
            if column not in fields:
                raise DeclarationError(f"{record.__name__}: no column '{column}'; it has {', '.join(fields)}")
        table = "".join("_" + c.lower() if c.isupper() else c for c in record.__name__)[1:]
        singles = tuple((name,) for name, field in fields.items() if Indexed in field.marks)
        owner = ((part_of[1],),) if part_of else ()
        columns = tuple(dict.fromkeys(owner + singles + indexes))
        ENTITIES[record.__name__] = Declared(
            record,
            table,
            key,
            Says(en, zh),
            fields,
            edges,
            computed,
            columns,
            scope,
            part_of,
            found_through,
            live,
            seen,
        )
        return record

    return declare


def checked(record: E) -> E:
    """Return the record if each value has its declared type, zone and step; raise msgspec.ValidationError naming the field.

    Every connector calls this once per record: what passes here is safe everywhere behind.
    """
    plain: Any = msgspec.to_builtins(record, builtin_types=(datetime, Decimal, bytes))
    msgspec.convert(plain, type(record))
    for name, field in declared(type(record)).fields.items():
        if Step in field.marks and (value := getattr(record, name)) is not None and value % field.marks[Step].of:
            raise msgspec.ValidationError(f"{value} is no multiple of {field.marks[Step].of} - at `$.{name}`")
    return record


class Observation(msgspec.Struct, frozen=True, kw_only=True):
    """What a platform said of one record at one version: the record and, whole, its parts (a task's results and findings)."""

    record: Mirrored
    parts: tuple[Mirrored, ...] = ()


class Tombstone(msgspec.Struct, frozen=True, kw_only=True):
    """A platform said that a record is gone. `version` is its version where the platform gives one."""

    entity: str
    key: str
    source: str
    observed_at: datetime
    version: int | None = None
    presumed: bool = False
    """Nobody said so; it is just not shown any more at this version. Shown again at the same version, it is back."""
    counts_anew: bool = False
    """Whether versions may begin again at 1 where the record comes back: its platform does not say that they go on."""


def key_of(record: Entity) -> str:
    """Return the record's key as text."""
    return str(getattr(record, declared(type(record)).key))
