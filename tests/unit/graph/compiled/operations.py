"""Generated operations: valid in nearly all cases, over whatever the schema offers for reading the mirror."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import Enum
from random import Random
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
)
from strawberry.utils.str_converters import to_camel_case

from hub.graph.compiled.arguments import definition
from schema.cursor import write_cursor
from schema.declare import ENTITIES, Declared, declared
from schema.due import EARLIEST_FIRST
from schema.entity import Entity
from schema.global_id import global_id
from schema.reads import READS, ReadsMany, ReadsNode, ReadsOne
from schema.scalars import write_moment
from schema.slices import Order

DEEPEST = 4


@dataclass
class Written:
    """An operation in the making. `chance` is all that decides."""

    schema: GraphQLSchema
    chance: Random
    records: list[Entity]
    may: Callable[[Declared], bool] = lambda _: True
    """Whose records are asked for."""
    definitions: dict[str, str] = field(default_factory=dict)
    variables: dict[str, Any] = field(default_factory=dict)
    fragments: list[str] = field(default_factory=list)
    aliases: int = 0

    def operation(self) -> str:
        root = self.schema.query_type
        assert root is not None
        readable = [name for name, one in root.fields.items() if definition(one) and definition(one).metadata.get(READS)]
        readable = [name for name in readable if self._may(definition(root.fields[name]).metadata[READS])] or readable
        fields = [self._root(name, root.fields[name]) for name in self.chance.choices(readable, k=self.chance.choice((1, 1, 2, 3)))]
        if self._rarely():
            fields.append("__typename")
        if self._rarely(0.03):
            fields.append("platforms { name }")
        variables = ", ".join(f"${name}: {kind}" for name, kind in self.definitions.items())
        return f"query Asked{f'({variables})' if variables else ''} {{ {' '.join(fields)} }}\n" + "\n".join(self.fragments)

    def _may(self, reads: Any) -> bool:
        return isinstance(reads, ReadsNode) or self.may(reads.entity)

    def _rarely(self, chance: float = 0.15) -> bool:
        return self.chance.random() < chance

    def _root(self, name: str, one: GraphQLField) -> str:
        reads, kind = definition(one).metadata[READS], get_named_type(one.type)
        if isinstance(reads, ReadsMany):
            return self._field(name, f"({self._slice(one, reads.entity)})", self._connection(kind, 1))
        if isinstance(reads, ReadsNode):
            argument, wanted = "id", self._some_id()
        else:
            assert isinstance(reads, ReadsOne)
            argument = next(iter(one.args))  # behind it maxAge, where the entity is asked live
            known = [str(getattr(each, reads.entity.key)) for each in self.records if type(each) is reads.entity.record]
            wanted = self.chance.choice([*known, "nothing", "Subject-code1", "\x00"])
        given = self._given(wanted, one.args[argument].type)
        entity = None if isinstance(reads, ReadsNode) else reads.entity
        inner = self._node_interface(kind) if entity is None else self._record(kind, entity, 1)
        return self._field(name, f"({argument}: {given})", inner)

    def _some_id(self) -> str:
        if self._rarely():
            return self.chance.choice(["", "bm90aGluZw", "%%", global_id(ENTITIES["Approval"], "nothing")])
        record = self.chance.choice([each for each in self.records if self.may(declared(type(each)))] or self.records)
        entity = ENTITIES[type(record).__name__]
        return global_id(entity, str(getattr(record, entity.key)))

    def _node_interface(self, kind: Any) -> str:
        assert isinstance(kind, GraphQLInterfaceType)
        some = self.chance.sample(sorted(ENTITIES), 6)
        inline = [f"... on {name} {self._record(self.schema.type_map[name], ENTITIES[name], 2)}" for name in some]
        return f"{{ __typename id {' '.join(inline)} }}"

    def _field(self, name: str, arguments: str = "", inner: str = "") -> str:
        self.aliases += 1
        alias = f"a{self.aliases}: " if arguments or inner or self._rarely() else ""
        return f"{alias}{name}{arguments}{self._switch()} {inner}"

    def _switch(self) -> str:
        if not self._rarely(0.08):
            return ""
        word = self.chance.choice(("skip", "include"))
        value = self.chance.random() < 0.5
        if self.chance.random() < 0.5:
            return f" @{word}(if: {json.dumps(value)})"
        name = f"b{len(self.definitions)}"
        self.definitions[name], self.variables[name] = "Boolean!", value
        return f" @{word}(if: ${name})"

    def _connection(self, kind: Any, depth: int) -> str:
        parts = []
        entity = ENTITIES[kind.name.removesuffix("Connection")]
        node = kind.fields["edges"]
        edge = get_named_type(node.type)
        for _ in range(self.chance.choice((1, 1, 1, 2))):
            inside = [self._field("node", "", self._record(self.schema.type_map[entity.name], entity, depth + 1))]
            if self._rarely(0.3):
                inside.append(self.chance.choice(("cursor", "__typename")))
            assert isinstance(edge, GraphQLObjectType)
            parts.append(self._field("edges", "", f"{{ {' '.join(inside)} }}"))
        if self._rarely(0.4):
            asked = self.chance.sample(("hasNextPage", "hasPreviousPage", "startCursor", "endCursor", "__typename"), 3)
            parts.append(f"pageInfo {{ {' '.join(asked)} }}")
        if self._rarely(0.4):
            parts.append("totalCount")
        if self._rarely():
            parts.append("__typename")
        self.chance.shuffle(parts)
        return f"{{ {' '.join(parts)} }}"

    def _record(self, kind: Any, entity: Declared, depth: int) -> str:
        assert isinstance(kind, GraphQLObjectType)
        leaves = [name for name, one in kind.fields.items() if is_leaf_type(get_named_type(one.type))]
        edges = [name for name, one in kind.fields.items() if definition(one).python_name in entity.edges]
        structs = [name for name in kind.fields if name not in {*leaves, *edges}]
        edges = [name for name in edges if self.may(ENTITIES[entity.edges[definition(kind.fields[name]).python_name].to])]
        parts = [self._field(name) for name in self.chance.sample(leaves, min(len(leaves), self.chance.randrange(1, 5)))]
        for name in structs:
            if self._rarely(0.3):
                inner = get_named_type(kind.fields[name].type)
                assert isinstance(inner, GraphQLObjectType)
                asked = self.chance.sample(sorted(inner.fields), min(len(inner.fields), self.chance.randrange(1, 4)))
                parts.append(self._field(name, "", f"{{ {' '.join(asked)} __typename }}"))
        if depth < DEEPEST:
            followed = self.chance.sample(edges, min(len(edges), self.chance.choice((0, 1, 1, 2, 3))))
            parts += [self._edge(kind, entity, name, depth) for name in followed]
        if self._rarely():
            parts.append("__typename")
        self.chance.shuffle(parts)
        return self._perhaps_in_fragments(kind, parts)

    def _edge(self, kind: GraphQLObjectType, entity: Declared, name: str, depth: int) -> str:
        one = kind.fields[name]
        edge = entity.edges[definition(one).python_name]
        to = ENTITIES[edge.to]
        if edge.arity == "one":
            return self._field(name, "", self._record(self.schema.type_map[to.name], to, depth + 1))
        return self._field(name, f"({self._slice(one, to)})", self._connection(get_named_type(one.type), depth))

    def _perhaps_in_fragments(self, kind: GraphQLObjectType, parts: list[str]) -> str:
        if not self._rarely(0.25) or len(parts) < 2:
            return f"{{ {' '.join(parts)} }}"
        half = len(parts) // 2
        on = self.chance.choice(("", f"on {kind.name}"))
        if self.chance.random() < 0.5:
            return f"{{ {' '.join(parts[:half])} ... {on}{self._switch()} {{ {' '.join(parts[half:])} }} ... on Node {{ id }} }}"
        name = f"Part{len(self.fragments)}"
        self.fragments.append(f"fragment {name} on {kind.name} {{ {' '.join(parts[half:])} }}")
        return f"{{ ...{name} {' '.join(parts[:half])} }}"

    # Arguments

    def _slice(self, one: GraphQLField, to: Declared) -> str:
        first = self.chance.choice((1, 1, 2, 2, 3, 20, 0, -1 if self._rarely() else 4))
        parts = [f"first: {self._given(first, one.args['first'].type)}"]
        order = Order(to.key)
        if "orderBy" not in one.args:  # a list whose order is its own
            order = EARLIEST_FIRST
        elif self._rarely(0.4):
            column, descending = self.chance.choice(to.filterable), self.chance.random() < 0.5
            order = Order(column, descending)
            name = f"{column}_{'desc' if descending else 'asc'}".upper()
            parts.append(f"orderBy: {self._given(name, one.args['orderBy'].type)}")
        if self._rarely(0.35):
            parts.append(f"after: {self._given(self._cursor(to, order), one.args['after'].type)}")
        if self._rarely(0.4):
            parts.append(f"where: {self._given(self._filter(to), one.args['where'].type)}")
        return " ".join(parts)

    def _cursor(self, to: Declared, order: Order) -> str | None:
        known = [each for each in self.records if type(each) is to.record]
        if self._rarely(0.1) or not known:
            return self.chance.choice((None, "", "nonsense"))
        return write_cursor(to, order, self.chance.choice(known))

    def _filter(self, to: Declared) -> dict[str, Any] | None:
        if self._rarely(0.08):
            return self.chance.choice((None, {}))
        wanted: dict[str, Any] = {}
        for column in self.chance.sample(to.filterable, min(len(to.filterable), self.chance.choice((1, 1, 2)))):
            known = [getattr(each, column) for each in self.records if type(each) is to.record]
            values = [_wire(each) for each in known if each is not None]
            if not values or self._rarely(0.2):
                wanted[to_camel_case(column)] = {"isNull": self.chance.random() < 0.4}
                continue
            ordered = not isinstance(next(each for each in known if each is not None), bool | Enum)
            word = self.chance.choice(("eq", "in", "gt", "gte", "lt", "lte") if ordered else ("eq", "in"))
            some = self.chance.choices(values, k=self.chance.randrange(4))
            wanted[to_camel_case(column)] = {word: some if word == "in" else self.chance.choice(values)}
        return wanted

    def _given(self, value: Any, kind: GraphQLInputType) -> str:
        """Return the value as it is written, or a variable that has it."""
        if self.chance.random() < 0.4:
            name = f"v{len(self.definitions)}"
            self.definitions[name], self.variables[name] = str(kind), value
            return f"${name}"
        return literal(value, kind)


def _wire(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return write_moment(value)
    return format(value, "f") if isinstance(value, Decimal) else value


def literal(value: Any, kind: GraphQLInputType) -> str:
    """Return a value as it stands in a document."""
    plain = get_nullable_type(kind)
    if value is None:
        return "null"
    if isinstance(plain, GraphQLInputObjectType):
        return "{" + ", ".join(f"{name}: {literal(each, plain.fields[name].type)}" for name, each in value.items()) + "}"
    if isinstance(plain, GraphQLList):
        return "[" + ", ".join(literal(each, plain.of_type) for each in value) + "]"
    if isinstance(plain, GraphQLEnumType):
        return str(value)
    return json.dumps(value)
