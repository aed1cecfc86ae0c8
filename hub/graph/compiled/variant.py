"""One form of an operation: what its variables switch on and off is decided, its root fields are planned."""

from typing import Any, cast

from graphql import GraphQLError, GraphQLField, GraphQLObjectType
from graphql.execution.collect_fields import FieldDetails, collect_fields
from graphql.execution.values import VariableValues
from sqlalchemy import Dialect

from hub.graph.compiled.arguments import Arguments, definition, only
from hub.graph.compiled.cannot import Cannot, Reason
from hub.graph.compiled.documents import Operation
from hub.graph.compiled.plan import Plan, Planner
from hub.graph.compiled.run import Run, Statements
from hub.graph.compiled.sight import EVERY_ROW, Sight, sight_of
from hub.graph.schema import HubSchema
from hub.mirror.rows import Rows
from schema.context import Caller, Context
from schema.declare import Declared
from schema.global_id import read_global_id
from schema.reads import READS, ReadsNode


class RootField:
    """One field of the answer and its plan; of `node` a plan for each entity that was asked for."""

    def __init__(self, planning: "Planning", field: GraphQLField, key: str, details: list[FieldDetails]) -> None:
        """Raise Cannot."""
        self.key = key
        self.details = details
        self._planning = planning
        self._field = field
        self._name = details[0].node.name.value
        self._reads = definition(field).metadata.get(READS) if definition(field) else None
        self._plans: dict[str | None, tuple[Plan, Statements]] = {}
        if not isinstance(self._reads, ReadsNode):
            self._plan(None)

    def run(self, variables: VariableValues, context: Context) -> Run:
        """Return a run of the plan; raise Cannot where the caller lacks a right, GraphError for a refused argument."""
        entity, key = None, None
        if isinstance(self._reads, ReadsNode):
            arguments = Arguments(self._planning.schema, self._field, self.details[0].node)
            name = self._reads.argument
            entity, key = read_global_id(only(arguments.read(variables), {name})[name])
        plan, statements = self._plan(entity)
        return Run(plan, statements, variables, context, _sight(plan, context.caller), key)

    def _plan(self, entity: Declared | None) -> tuple[Plan, Statements]:
        name = entity.name if entity else None
        if name not in self._plans:
            about = self._planning
            planner = Planner(about.schema, about.rows, about.operation, about.variables)
            plan = planner.plan(self._field, self._name, self.details, entity)
            self._plans[name] = plan, Statements(about.rows, about.dialect)
        return self._plans[name]

    @property
    def plans(self) -> tuple[Plan, ...]:
        """Return what was planned so far."""
        return tuple(plan for plan, _ in self._plans.values())


def _sight(plan: Plan, caller: Caller) -> Sight:
    """Return which rows of what a plan reads the caller sees; raise Cannot where it may not read some of it."""
    if not caller.rows and plan.scopes <= caller.scopes:
        return EVERY_ROW
    try:
        for entity in plan.entities:
            caller.require_read(entity)
    except GraphQLError as refused:
        raise Cannot(Reason.RIGHT, refused.message) from None
    return sight_of(caller)


class Planning:
    """What a plan is made from."""

    def __init__(self, schema: HubSchema, rows: Rows, dialect: Dialect, operation: Operation, variables: VariableValues) -> None:
        self.schema = schema
        self.rows = rows
        self.dialect = dialect
        self.operation = operation
        self.variables = variables


class Variant:
    """The root fields in the order of the response; `__typename` is answered already."""

    def __init__(self, planning: Planning) -> None:
        """Raise Cannot."""
        operation, root = planning.operation, cast(GraphQLObjectType, planning.operation.schema.query_type)
        try:
            collected = collect_fields(operation.schema, operation.fragments, planning.variables, root, operation.node)
        except GraphQLError as error:
            raise Cannot(Reason.ARGUMENT, error.message) from None
        self.template: dict[str, Any] = {}
        self.fields: list[RootField] = []
        for key, details in collected.grouped_field_set.items():
            name = details[0].node.name.value
            self.template[key] = root.name if name == "__typename" else None
            if name == "__typename":
                continue
            if name.startswith("__"):
                raise Cannot(Reason.INTROSPECTION, name)
            self.fields.append(RootField(planning, root.fields[name], key, details))
