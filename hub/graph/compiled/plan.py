"""From a root field of an operation to its plan: the levels to read, and one function from their rows to the response.

Walks the collected fields of the operation as graphql-core would, once, beside the declarations.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

from graphql import (
    GraphQLError,
    GraphQLField,
    get_named_type,
)
from graphql.execution.collect_fields import FieldDetails, collect_subfields
from graphql.execution.values import VariableValues

from hub.graph.compiled import leaves
from hub.graph.compiled.arguments import definition, edge_wish, key_wish, slice_wish
from hub.graph.compiled.cannot import Cannot, Reason
from hub.graph.compiled.documents import Operation
from hub.graph.compiled.levels import BASE, Level, Wish, is_unique
from hub.graph.compiled.source import Source, object_body
from hub.graph.schema import HubSchema
from hub.graph.shape import shaper
from hub.graph.sql import Owners, shown
from hub.mirror.rows import Rows
from schema.declare import ENTITIES, Declared, Personal, Record, Relation, read_fields
from schema.freshness import SHOWN_TOGETHER
from schema.global_id import global_id
from schema.reads import READS, ReadsMany, ReadsNode, ReadsOne


class Below(NamedTuple):
    """Where a level hangs: below another, whose rows hold at a place the value that `owners` is compared with."""

    parent: Level
    owners: Owners
    owner_at: int


@dataclass(frozen=True)
class Plan:
    """What a root field reads, and what is made of it."""

    levels: tuple[Level, ...]
    """Each behind the one that it hangs on."""
    respond: Callable[[Any], Any]
    """Makes the response of a `Run` whose rows are read."""
    unread: tuple[Wish, ...]
    """Wishes of lists of which nothing is read: they may be refused all the same."""
    entities: tuple[Declared, ...]
    """Whose rows it may read."""
    scopes: frozenset[str]
    """Every right that they ask for."""
    source: str
    """The text of `respond` and what it calls."""


class Planner:
    """Plans root fields of one operation, with the variables that switch its fields as they are now."""

    def __init__(self, schema: HubSchema, rows: Rows, operation: Operation, variables: VariableValues) -> None:
        self._schema = schema
        self._rows = rows
        self._operation = operation
        self._variables = variables
        self._source = Source()
        self._levels: list[Level] = []
        self._entities: dict[str, Declared] = {}
        self._unread: list[Wish] = []

    def plan(self, field: GraphQLField, name: str, details: list[FieldDetails], entity: Declared | None = None) -> Plan:
        """Return the plan of a root field, for `node` that of one entity; raise Cannot."""
        reads = definition(field).metadata.get(READS) if definition(field) else None
        if isinstance(reads, ReadsMany):
            wish = self._slice_wish(reads, name, field, details)
            self._entities[reads.entity.name] = reads.entity
            expression = self._connection(reads.entity, get_named_type(field.type), details, wish)
        elif isinstance(reads, ReadsOne | ReadsNode):
            found = reads.entity if isinstance(reads, ReadsOne) else cast(Declared, entity)
            key = self._key_wish(reads, field, details) if isinstance(reads, ReadsOne) else None
            self._entities[found.name] = found
            expression = self._looked_up(found, details, key)
        else:
            raise Cannot(Reason.METHOD, name)
        body = ["rows = run.rows", f"return {expression}"]
        respond = self._source.function("respond", "run", body)
        made = self._source.made(respond)
        entities = tuple(self._entities.values())
        scopes = frozenset(each.scope for each in entities)
        return Plan(tuple(self._levels), made, tuple(self._unread), entities, scopes, self._source.text)

    def _level(self, *about: Any, **more: Any) -> Level:
        level = Level(len(self._levels), *about, **more)
        self._levels.append(level)
        return level

    def _slice_wish(self, reads: ReadsMany, name: str, field: GraphQLField, details: list[FieldDetails]) -> Wish:
        return self._wish(lambda: slice_wish(self._schema, reads, name, field, details[0].node, self._variables))

    def _key_wish(self, reads: ReadsOne, field: GraphQLField, details: list[FieldDetails]) -> Wish:
        node = details[0].node
        return self._wish(lambda: key_wish(self._schema, reads.argument, reads.canonical, field, node, self._variables))

    @staticmethod
    def _wish(make: Callable[[], Wish]) -> Wish:
        """Return what is made; raise Cannot where an argument that stands in the document is refused."""
        try:
            return make()
        except GraphQLError as error:
            raise Cannot(Reason.ARGUMENT, error.message) from None

    def _subfields(
        self, kind: Any, details: list[FieldDetails]
    ) -> Iterator[tuple[str, str, GraphQLField | None, list[FieldDetails]]]:
        """Yield response key, name, field and nodes of what is asked of an object; the field is None for `__typename`."""
        operation = self._operation
        try:
            collected = collect_subfields(
                operation.schema, operation.fragments, self._variables, operation.node, kind, details
            ).grouped_field_set
        except GraphQLError as error:
            raise Cannot(Reason.ARGUMENT, error.message) from None
        for key, each in collected.items():
            name = each[0].node.name.value
            yield key, name, kind.fields.get(name), each

    # One record

    def _looked_up(self, entity: Declared, details: list[FieldDetails], wish: Wish | None) -> str:
        owners = Owners(entity.key, entity.found_through)
        level = self._level(entity, "one", wish, owners=owners)
        level.column(BASE, entity.key)
        shape = self._record(entity, details, level, BASE)
        at = f"rows[{level.number}]"
        return f"{shape}({at}[0], rows, run) if {at} else None"

    def _record(self, entity: Declared, details: list[FieldDetails], level: Level, alias: str) -> str:
        """Return the name of the function from a row to a record of it."""
        kind = self._operation.schema.type_map[entity.name]
        entries = [
            (key, repr(entity.name) if field is None else self._field(entity, name, field, each, level, alias))
            for key, name, field, each in self._subfields(kind, details)
        ]
        return self._source.function(_snake(entity.name), "r, rows, run", object_body(entries))

    def _field(
        self, entity: Declared, name: str, field: GraphQLField, details: list[FieldDetails], level: Level, alias: str
    ) -> str:
        python_name = definition(field).python_name
        if python_name in entity.edges:
            return self._edge(entity, name, entity.edges[python_name], field, details, level, alias)
        if python_name in entity.computed:
            return self._computed(entity, python_name, field, level, alias)
        if python_name == "id":
            show = self._source.use("global_id", _id_of(entity))
            return f"{show}(r[{level.column(alias, entity.key)}])"
        if python_name == "freshness":
            return self._freshness(entity, field, details, level, alias)
        if python_name not in entity.fields:
            raise Cannot(Reason.METHOD, f"{entity.name}.{name}")
        column = entity.fields[python_name]
        value = f"r[{level.column(alias, python_name)}]"
        if leaves.is_struct(column):
            return self._structs(entity, python_name, column.kind, field, details, value)
        return leaves.shown(self._source, self._rows, entity, column, field.type, value)

    def _structs(
        self, entity: Declared, column: str, struct: Record, field: GraphQLField, details: list[FieldDetails], value: str
    ) -> str:
        """Return the expression that shows a list of structs, each with its fields."""
        kind, fields = get_named_type(field.type), {each.name: each for each in read_fields(struct)}
        entries = []
        for key, _, inner, _details in self._subfields(kind, details):
            if inner is None:
                entries.append((key, repr(kind.name)))
                continue
            name = definition(inner).python_name
            entries.append((key, leaves.of_value(self._source, fields[name], inner.type, f"each.{name}")))
        shape = self._source.function(_snake(struct.__name__), "each", object_body(entries))
        rows, whose = self._rows, entity.name
        read = self._source.use(f"read_{column}", lambda kept: rows.read(whose, column, kept))
        shown_all = f"[{shape}(each) for each in {read}({value})]"
        return f"(None if {value} is None else {shown_all})" if entity.fields[column].nullable else shown_all

    def _computed(self, entity: Declared, name: str, field: GraphQLField, level: Level, alias: str) -> str:
        """Return the expression of a field that follows from the record: the record is made, as the interpreter makes it."""
        computed = entity.computed[name]
        places = [level.column(alias, each) for each in shown(entity)]
        record = f"{self._source.use('record_of', shaper(self._rows, entity))}(({''.join(f'r[{at}], ' for at in places)}))"
        value = self._source.use(name, computed.value)
        return leaves.of_result(self._source, field.type, f"{value}({record}, {'run.hub' if computed.of_hub else 'run.now'})")

    def _freshness(self, entity: Declared, field: GraphQLField, details: list[FieldDetails], level: Level, alias: str) -> str:
        rows, kept = self._rows, {name: f"r[{level.column(alias, name)}]" for name in SHOWN_TOGETHER}
        read = self._source.use("moment", lambda at: rows.read(entity.name, "observed_at", at))
        entries = []
        for key, name, inner, _ in self._subfields(get_named_type(field.type), details):
            if inner is None:
                entries.append((key, repr("Freshness")))
            elif name == "stale":
                entries.append((key, f"run.hub.stale({kept['source']}, {read}({kept['observed_at']}))"))
            elif name == "behindSeconds":
                entries.append((key, "run.behind_seconds"))
            elif name == "version":
                entries.append((key, f"str({kept['version']})"))
            else:
                column = entity.fields[definition(inner).python_name]
                entries.append((key, leaves.shown(self._source, rows, entity, column, inner.type, kept[column.name])))
        shape = self._source.function("freshness", "r, run", object_body(entries))
        return f"{shape}(r, run)"

    # Edges

    def _edge(
        self,
        entity: Declared,
        name: str,
        edge: Relation,
        field: GraphQLField,
        details: list[FieldDetails],
        level: Level,
        alias: str,
    ) -> str:
        to = ENTITIES[edge.to]
        self._entities[to.name] = to
        ours = entity.fields[edge.ours]
        if ours.kind is not str or Personal in ours.marks:
            raise Cannot(Reason.METHOD, f"{entity.name}.{name} is no join of texts")
        owner = level.column(alias, edge.ours)
        if edge.arity == "many":
            wish = self._slice_wish(ReadsMany(to), name, field, details)
            owners = Owners(edge.theirs, edge.through)
            return self._connection(to, get_named_type(field.type), details, wish, Below(level, owners, owner))
        if field.args:
            self._unread.append(self._wish(lambda: edge_wish(self._schema, field, details[0].node, self._variables)))
        if is_unique(edge):
            join = level.join(alias, name, edge)
            present = level.column(join.alias, to.key)
            return f"{self._record(to, details, level, join.alias)}(r, rows, run) if r[{present}] is not None else None"
        below = self._level(to, "one", None, parent=level, owners=Owners(edge.theirs, edge.through), owner_at=owner)
        shape = self._record(to, details, below, BASE)
        return f"{shape}(found, rows, run) if (found := rows[{below.number}].get(r[{owner}])) is not None else None"

    def _connection(self, to: Declared, kind: Any, details: list[FieldDetails], wish: Wish, below: "Below | None" = None) -> str:
        """Return the expression of a list: of an owner's, or of the whole entity."""
        page: Level | None = None
        place = below._asdict() if below else {}
        entries = []
        self._unread.append(wish)
        for key, name, inner, each in self._subfields(kind, details):
            if inner is None:
                entries.append((key, repr(kind.name)))
                continue
            if wish in self._unread:
                self._unread.remove(wish)
            if name == "totalCount":
                counted = self._level(to, "count", wish, **place)
                number = f"rows[{counted.number}]"
                entries.append((key, f"{number}.get(owner, 0)" if below else number))
            else:
                page = page or self._level(to, "page", wish, **place)
                made = self._edges if name == "edges" else self._page_info
                entries.append((key, made(to, get_named_type(inner.type), each, page)))
        body = object_body(entries)
        if page is not None:
            found = f"rows[{page.number}]"
            listed = [f"found = {found}.get(owner, ())" if below else f"found = {found}"]
            if page.knows_more:
                listed.append(f"first = run.wanted[{page.number}].first")
                listed.append("listed = found[:first]")
            else:
                listed.append("listed = found")
            body = listed + body
        function = self._source.function(f"{_snake(to.name)}_list", "owner, rows, run", body)
        return f"{function}({f'r[{below.owner_at}]' if below else None}, rows, run)"

    def _edges(self, to: Declared, kind: Any, details: list[FieldDetails], page: Level) -> str:
        entries = []
        for key, name, inner, each in self._subfields(kind, details):
            if inner is None:
                entries.append((key, repr(kind.name)))
            elif name == "node":
                entries.append((key, f"{self._record(to, each, page, BASE)}(r, rows, run)"))
            else:
                entries.append((key, self._cursor("r", page)))
        shown_one = ", ".join(f"{key!r}: {expression}" for key, expression in entries)
        return f"[{{{shown_one}}} for r in listed]"

    def _cursor(self, row: str, page: Level) -> str:
        page.ordered = True
        return f"run.cursor({page.number}, {row}[{page.column(BASE, page.entity.key)}], {row}[-1])"

    def _page_info(self, to: Declared, kind: Any, details: list[FieldDetails], page: Level) -> str:
        entries = []
        for key, name, inner, _ in self._subfields(kind, details):
            if inner is None:
                entries.append((key, repr(kind.name)))
            elif name == "hasNextPage":
                page.knows_more = True
                entries.append((key, "len(found) > first"))
            elif name == "hasPreviousPage":
                entries.append((key, f"run.wanted[{page.number}].after is not None"))
            else:
                row = "listed[0]" if name == "startCursor" else "listed[-1]"
                entries.append((key, f"{self._cursor(row, page)} if listed else None"))
        return "{" + ", ".join(f"{key!r}: {expression}" for key, expression in entries) + "}"


def _id_of(entity: Declared) -> Callable[[str], str]:
    return lambda key: global_id(entity, key)


def _snake(name: str) -> str:
    return "".join("_" + c.lower() if c.isupper() else c for c in name).lstrip("_")
