"""The schema that is served: the types of schema/, with federation, limits and errors as the hub wants them."""

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

import strawberry
from graphql import ASTValidationRule, GraphQLError, parse, validate
from strawberry import Info
from strawberry.federation.schema import FederationAny
from strawberry.schema.config import StrawberryConfig
from strawberry.types import ExecutionContext
from strawberry.utils.str_converters import to_camel_case

from hub.graph.gate import gate, rules
from hub.graph.limits import Limits
from hub.graph.shape import field_of
from schema.context import Context
from schema.declare import ENTITIES
from schema.graph_errors import BAD_USER_INPUT, GraphError
from schema.mutation import Mutation
from schema.query import Query
from schema.root_fields import read_one
from schema.scalars import SCALARS
from schema.subscription import Subscription
from schema.user_errors import USER_ERRORS


class HubSchema(strawberry.federation.Schema):
    """Strawberry's federated schema; entities are found by their declared keys."""

    limits: Limits
    rules: Sequence[type[ASTValidationRule]]
    """Beside those of the specification."""

    def entities_resolver(self, info: Info[Context, None], representations: list[FederationAny]) -> list[FederationAny]:
        """Answer a gateway's `_entities`: a record, null or an error for each representation, read together."""
        answers: list[Any] = [_represented(info.context, each) for each in representations]
        return answers

    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:
        """Log nothing here: hub/graph/errors.py does, with a correlation id and without personal data."""


def _represented(context: Context, representation: object) -> Any:
    """Return what will be the record, or the error that stands in its place."""
    told = representation if isinstance(representation, dict) else {}
    entity = ENTITIES.get(str(told.get("__typename")))
    if entity is None:
        return GraphError(BAD_USER_INPUT, f"_entities: a representation has no __typename of ours: {told.get('__typename')!r}")
    name = to_camel_case(entity.key)
    if not isinstance(key := told.get(name), str):
        return GraphError(BAD_USER_INPUT, f"_entities: a {entity.name} is found by its {name}, a string")
    return read_one(context, entity, key)


@cache
def build_schema(limits: Limits | None = None, *, introspection: bool = True) -> HubSchema:
    """Return the schema, the same one each time. Without `introspection` nothing of it is shown, and errors suggest no names."""
    types: Iterable[type] = USER_ERRORS
    made = HubSchema(
        query=Query,
        mutation=Mutation,
        subscription=Subscription,
        types=types,
        extensions=gate(limits or Limits(), introspection=introspection),
        config=StrawberryConfig(scalar_map=SCALARS, disable_field_suggestions=not introspection, default_resolver=field_of),
        federation_version="2.9",
    )
    made.limits, made.rules = limits or Limits(), rules(introspection=introspection)
    return made


def mistakes_in(schema: HubSchema, text: str) -> list[str]:
    """Return what is wrong with a document by the schema."""
    return [error.message for error in validate(schema._schema, parse(text))]


def sdl() -> str:
    """Return the schema as text, as in schema/schema.graphql."""
    return build_schema().as_str().rstrip() + "\n"
