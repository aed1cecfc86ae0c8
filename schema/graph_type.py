"""The GraphQL type of an entity, made from its declaration when Strawberry first looks for it.

A new field of an entity needs nothing here. Fields marked Internal or Sealed never appear; personal ones are masked.
"""

import re
from collections.abc import Callable
from enum import Enum
from functools import cache
from types import new_class
from typing import Any, cast

import msgspec
import strawberry
from strawberry import UNSET, Info
from strawberry.types.base import StrawberryObjectDefinition
from strawberry.utils.str_converters import to_camel_case

from schema.connection import connection_field
from schema.context import GRAPH_READ, Context
from schema.declare import ENTITIES, Computed, Declared, Field, Personal, Record, Relation, declared, read_fields, target
from schema.enums import graph_enum
from schema.freshness import SHOWN_TOGETHER, Freshness, freshness_of, is_mirrored
from schema.global_id import Node, global_id
from schema.identifiers import mask_identity, mask_phone, redact
from schema.live import fresh_one, with_max_age
from schema.slices import Joined

MASKS: dict[str, Callable[[str], str]] = {"identity": mask_identity, "phone": mask_phone, "text": redact}
"""How each kind of personal data is shown."""

OPERATIONS = "operations"
"""Tag of what only operators may read: a gateway's contract leaves it out for everybody else (Federation, @tag)."""

_DEFINITIONS: dict[Record, StrawberryObjectDefinition] = {}


class GraphFace:
    """Descriptor for `__strawberry_definition__`; when Strawberry reads it, all entities are imported."""

    def __get__(self, record: Any, owner: Record) -> StrawberryObjectDefinition:
        """Return the definition, the same one every time; raise AttributeError for a class that is no entity."""
        if owner.__name__ not in ENTITIES or declared(owner).record is not owner:
            raise AttributeError(f"{owner.__name__} is no GraphQL type: it is not declared with @entity")
        if owner not in _DEFINITIONS:
            _define(declared(owner))
        return _DEFINITIONS[owner]


def _define(entity: Declared) -> None:
    """Make the definition. Meanwhile it is known by an empty one, so that edges may run in circles."""
    definition = _DEFINITIONS[entity.record] = _definition(_type(entity.name, {}, {}, None))
    hints, fields = _columns(entity)
    fields["id"] = strawberry.field(resolver=_id_of(entity), description="Stable global id (全局编号)")
    if is_mirrored(entity):
        fields["freshness"] = strawberry.field(resolver=_freshness, description="Source and age (来源与时效)")
    for name, one in entity.computed.items():
        fields[name] = _computed(one)
    for name, edge in entity.edges.items():
        fields[name] = _edge(entity, edge)
    face = new_class(entity.name, (Node,), {}, lambda body: body.update(fields, __annotations__=hints))
    keys, tags = [to_camel_case(entity.key)], [] if entity.scope == GRAPH_READ else [OPERATIONS]
    full = _definition(strawberry.federation.type(face, description=_about(entity), keys=keys, tags=tags))
    definition.fields, definition.interfaces, definition.directives = full.fields, full.interfaces, full.directives
    definition.description, definition.origin = full.description, entity.record


def _about(entity: Declared) -> str:
    """Return what the declaration says in one line, then the class's own words with names as they are in the graph."""
    words = re.sub(r"`([a-z_]+)`", lambda name: f"`{to_camel_case(name[1])}`", (entity.record.__doc__ or "").strip())
    return f"{entity.says}\n\n{words}".strip()


def _definition(made: type) -> StrawberryObjectDefinition:
    return cast(StrawberryObjectDefinition, vars(made)["__strawberry_definition__"])


def _type(name: str, fields: dict[str, Any], hints: dict[str, Any], description: str | None) -> type:
    return strawberry.type(
        new_class(name, (), {}, lambda body: body.update(fields, __annotations__=hints)), description=description
    )


def _columns(entity: Declared) -> tuple[dict[str, Any], dict[str, Any]]:
    shown = [field for field in entity.fields.values() if not field.internal]
    if is_mirrored(entity):
        shown = [field for field in shown if field.name not in SHOWN_TOGETHER]
    return {field.name: _hint(field) for field in shown}, {field.name: _leaf(field) for field in shown}


def _hint(field: Field) -> Any:
    kind = field.kind
    if issubclass(kind, msgspec.Struct):
        kind = _embedded(kind)
    elif issubclass(kind, Enum):
        kind = graph_enum(kind)
    whole: Any = list[kind] if field.many else kind  # type: ignore[valid-type]
    return whole | None if field.nullable else whole


def _leaf(field: Field) -> Any:
    mark: Personal | None = field.marks.get(Personal)
    if mark is None:
        return strawberry.field(description=str(field.says))
    mask = MASKS[mark.kind]

    def masked(root: Any) -> Any:
        clear = getattr(root, field.name)
        return None if clear is None else mask(clear)

    masked.__annotations__["return"] = str | None if field.nullable else str
    return strawberry.field(resolver=masked, description=str(field.says))


def _computed(field: Computed) -> Any:
    def resolve(root: Any, info: Info[Context, None]) -> Any:
        hub = info.context.hub
        return field.value(root, hub if field.of_hub else hub.clock())

    kind: Any = field.kind
    return strawberry.field(resolver=resolve, graphql_type=kind | None if field.nullable else kind, description=str(field.says))


@cache
def _embedded(struct: Record) -> type:
    fields = {field.name: field for field in read_fields(struct)}
    leaves = {name: _leaf(field) for name, field in fields.items()}
    return _type(struct.__name__, leaves, {name: _hint(field) for name, field in fields.items()}, (struct.__doc__ or "").strip())


def _id_of(entity: Declared) -> Callable[[Any], strawberry.ID]:
    def resolve(root: Any) -> strawberry.ID:
        return global_id(entity, getattr(root, entity.key))

    return resolve


def _freshness(root: Any, info: Info[Context, None]) -> Freshness:
    return freshness_of(root, info.context)


def _edge(owner: Declared, edge: Relation) -> Any:
    to = target(owner, edge)
    if edge.arity == "many":  # null only where a right that the owner does not ask for may be missing
        return connection_field(
            to,
            str(edge.says),
            lambda root: Joined(edge.theirs, getattr(root, edge.ours), edge.through),
            nullable=to.scope != owner.scope,
        )

    async def read(root: Any, info: Info[Context, None]) -> Any:
        info.context.caller.require_read(to)
        value = getattr(root, edge.ours)
        return None if value is None else await info.context.reads.one(to.record, Joined(edge.theirs, value, edge.through))

    async def read_live(root: Any, info: Info[Context, None], max_age: Any = UNSET) -> Any:
        held = await read(root, info)
        return await fresh_one(info, to, held, _key_beyond(root, edge, to), max_age)

    resolve = with_max_age(read_live) if to.live else read
    return strawberry.field(resolver=resolve, graphql_type=to.record | None, description=str(edge.says))


def _key_beyond(root: Any, edge: Relation, to: Declared) -> str | None:
    """Return the key of the record that an edge surely leads to, so that its platform may be asked for it; else None."""
    value = getattr(root, edge.ours)
    if to.live is None or edge.polymorphic or edge.theirs != to.key or value is None:
        return None
    return str(value) if to.live(str(value)) else None
