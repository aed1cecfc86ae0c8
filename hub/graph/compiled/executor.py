"""Answers operations by their plans. Asked by hub/graph/answer.py before graphql-core is; made by app.py."""

import logging
from collections.abc import Sequence
from typing import Any

from graphql import GraphQLError
from graphql.execution.values import VariableValues

from hub.graph.compiled.bounded import Bounded
from hub.graph.compiled.cannot import Cannot, Reason, Tally
from hub.graph.compiled.documents import Documents, Operation
from hub.graph.compiled.plan import Plan
from hub.graph.compiled.run import Run
from hub.graph.compiled.variant import Planning, RootField, Variant
from hub.graph.schema import HubSchema
from hub.mirror.database import Database, DatabaseUnavailable
from hub.mirror.driver import Reading, StatementRefused
from hub.mirror.replica import Replica
from hub.mirror.rows import Rows
from schema.context import Context

VARIANTS = 2_000
"""Forms of operations that are kept with their plans."""

log = logging.getLogger(__name__)


class Executor:
    """Plans, reads and answers. Lives as long as the process; called in one event loop."""

    def __init__(self, schema: HubSchema, rows: Rows, database: Database, replica: Replica | None = None) -> None:
        self.tally = Tally()
        self.schema = schema
        self._rows = rows
        self._dialect = database.dialect
        self._from: Database | Replica = replica or database
        self._documents = Documents(schema._schema, schema.limits, schema.rules)
        self._variants: Bounded[Any, Variant | Cannot] = Bounded(VARIANTS)

    async def answer(self, query: str, name: str | None, given: dict[str, Any] | None, context: Context) -> dict[str, Any] | None:
        """Return the data of a query, which has no errors; None where graphql-core has to answer, which is counted."""
        try:
            found = await self._answer(query, name, given or {}, context)
        except Cannot as why:
            self.tally.interpreted[why.reason] += 1
            log.debug("graph %s is interpreted: %s", context.correlation_id, why, exc_info=why.__cause__)
            return None
        self.tally.compiled += 1
        return found

    async def _answer(self, query: str, name: str | None, given: dict[str, Any], context: Context) -> dict[str, Any]:
        operation = self._documents.operation(query, name, given)
        variables = operation.variables(given)
        variant = self.variant(operation, variables)
        data = dict(variant.template)
        if not variant.fields:
            return data
        try:
            runs = [(field, field.run(variables, context)) for field in variant.fields]
        except GraphQLError as refused:
            raise Cannot(Reason.ARGUMENT, refused.message) from None
        try:
            alone = len(runs) == 1 and runs[0][1].is_one_statement
            data |= await self._from.fetch(lambda: _reading(runs), alone=alone)
        except DatabaseUnavailable as error:
            raise Cannot(Reason.UNAVAILABLE, str(error)) from error
        except StatementRefused as error:
            log.exception("graph %s: a statement of a plan was refused", context.correlation_id)
            raise Cannot(Reason.STATEMENT, str(error)) from error
        return data

    def plans(self, query: str, name: str | None = None, given: dict[str, Any] | None = None) -> list[Plan]:
        """Return the plans of a query, to look at; raise Cannot."""
        operation = self._documents.operation(query, name, given or {})
        return [plan for field in self.variant(operation, operation.variables(given or {})).fields for plan in field.plans]

    def variant(self, operation: Operation, variables: VariableValues) -> Variant:
        """Return the operation as its variables switch it; raise Cannot."""
        switched = tuple(variables.coerced.get(name, "not given") for name in operation.switches)

        def planned() -> Variant | Cannot:
            try:
                return Variant(Planning(self.schema, self._rows, self._dialect, operation, variables))
            except Cannot as why:
                return why

        found = self._variants.get((operation, switched), planned)
        if isinstance(found, Cannot):
            raise Cannot(found.reason, str(found))
        return found


def _reading(runs: Sequence[tuple[RootField, Run]]) -> Reading[dict[str, Any]]:
    """Read all fields; raise Cannot where a value cannot be shown."""
    found = {}
    for field, run in runs:
        try:
            found[field.key] = yield from run.reading()
        except DatabaseUnavailable:
            raise
        except Exception as error:  # whatever a codec, a mask or a scalar may raise: the interpreter says where it belongs
            raise Cannot(Reason.VALUE, f"{field.key}: {type(error).__name__}") from error
    return found
