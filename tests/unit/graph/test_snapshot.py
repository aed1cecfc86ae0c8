"""The schema as a front end sees it: the snapshot, and what holds for all of it."""

from pathlib import Path

from graphql import GraphQLEnumType, GraphQLInputObjectType, GraphQLInterfaceType, GraphQLObjectType

from hub.graph.schema import HubSchema, sdl
from schema import freshness
from schema.declare import ENTITIES
from schema.entity import FRESHNESS, Mirrored

SNAPSHOT = Path(__file__).parents[3] / "schema" / "schema.graphql"
DESCRIBED = (GraphQLObjectType, GraphQLInterfaceType, GraphQLInputObjectType, GraphQLEnumType)
FEDERATION = ("__", "_", "link__")
"""How names begin that are not ours."""


def test_the_snapshot_is_the_schema() -> None:
    assert SNAPSHOT.read_text(encoding="utf-8") == sdl(), (
        "the graph changed: look at the change, then `bihuan schema > schema/schema.graphql`"
    )


def test_every_entity_has_a_type_with_a_key_an_id_and_its_two_entry_points(schema: HubSchema) -> None:
    query = schema._schema.query_type
    assert query is not None
    returned = {str(field.type).rstrip("!") for field in query.fields.values()}
    text = SNAPSHOT.read_text(encoding="utf-8")
    for name, entity in ENTITIES.items():
        key = "".join(part.capitalize() if at else part for at, part in enumerate(entity.key.split("_")))
        tag = "" if entity.scope == "graph:read" else ' @tag(name: "operations")'
        assert f'type {name} implements Node @key(fields: "{key}"){tag} {{' in text
        if name != "Attempt":  # reached through its obligation
            assert {name, f"{name}Connection"} <= returned, name


def test_every_type_field_and_argument_that_needs_words_has_them_in_both_languages(schema: HubSchema) -> None:
    silent = []
    for name, kind in schema._schema.type_map.items():
        if name.startswith(FEDERATION) or not isinstance(kind, DESCRIBED):
            continue
        parts = [(name, kind.description)]
        if not isinstance(kind, GraphQLEnumType):
            parts += [(f"{name}.{field}", one.description) for field, one in kind.fields.items() if not field.startswith("_")]
        silent += [part for part, words in parts if not words or not any("一" <= letter <= "鿿" for letter in words)]
    assert silent == []


def test_no_engine_column_is_in_the_graph(schema: HubSchema) -> None:
    for name, entity in ENTITIES.items():
        kind = schema._schema.type_map[name]
        assert isinstance(kind, GraphQLObjectType)
        shown = {field.lower() for field in kind.fields}
        assert not shown & {field.name.replace("_", "") for field in entity.fields.values() if field.internal}, name


def test_every_mirrored_entity_and_no_other_shows_its_freshness(schema: HubSchema) -> None:
    assert freshness.SHOWN_TOGETHER == FRESHNESS
    for name, entity in ENTITIES.items():
        kind = schema._schema.type_map[name]
        assert isinstance(kind, GraphQLObjectType)
        assert ("freshness" in kind.fields) == issubclass(entity.record, Mirrored), name
        assert not {"source", "observedAt", "version"} & set(kind.fields), name


def test_the_schema_links_federation_2_9() -> None:
    linked = 'schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@shareable", "@tag"])'
    assert linked in SNAPSHOT.read_text(encoding="utf-8")
