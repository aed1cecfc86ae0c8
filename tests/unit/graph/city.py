"""A small mirror with a graph in front of it: put records in, ask, and see which statements ran."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, insert

from hub.graph.answer import Answer, Question, answer
from hub.graph.compiled.executor import Executor
from hub.graph.limits import Limits
from hub.graph.loaders import Loaders
from hub.graph.schema import HubSchema, build_schema
from hub.mirror.database import Database
from hub.mirror.merges import complete
from hub.mirror.rows import Rows
from hub.mirror.tables import CONTENT_HASH, TABLES
from schema.context import Caller, Context
from schema.entity import Entity
from tests.unit.graph.records import FakeHub

READER = frozenset({"graph:read"})
OPERATOR = frozenset({"graph:read", "ops:read", "ops:act"})


@dataclass
class City:
    """What a test holds."""

    database: Database
    rows: Rows
    schema: HubSchema
    hub: FakeHub = field(default_factory=FakeHub)
    statements: list[str] = field(default_factory=list)
    executor: Executor | None = None
    twice: bool = False
    """Whether each question is put to both executors, which must answer the same."""

    async def put(self, *records: Entity) -> None:
        await self.database.write(self._insert, records)

    def _insert(self, connection: Connection, records: Iterable[Entity]) -> None:
        for record in records:
            table = TABLES[type(record).__name__]
            extra = {CONTENT_HASH: b""} if CONTENT_HASH in table.c else {}
            connection.execute(insert(table), {**self.rows.as_row(record), **extra})
        while complete(connection, self.rows):  # so that records are found by their identifiers, as after intake
            pass

    def context(self, caller: Caller, correlation_id: str = "c-1") -> Context:
        return Context(Loaders(self.database, self.rows, caller), self.hub, caller, correlation_id)

    async def ask(
        self,
        query: str,
        variables: dict[str, Any] | None = None,
        *,
        name: str | None = "console",
        scopes: frozenset[str] = OPERATOR,
        operation: str | None = None,
        limits: Limits | None = None,
        compiled: bool = True,
        caller: Caller | None = None,
    ) -> Answer:
        self.statements.clear()
        schema = build_schema(limits) if limits else self.schema
        if self.executor is None or self.executor.schema is not schema:
            self.executor = Executor(schema, self.rows, self.database)
        question, who = Question(query, variables, operation), caller or Caller(name, scopes)
        given = await answer(schema, question, self.context(who), executor=self.executor if compiled else None)
        if self.twice and compiled:
            interpreted = await answer(schema, question, self.context(who))
            assert json.dumps(given.as_json()) == json.dumps(interpreted.as_json()), query
        return given

    async def data(self, query: str, variables: dict[str, Any] | None = None) -> Any:
        """Return the data of an answer that has to be without errors."""
        given = await self.ask(query, variables)
        assert not given.errors, given.errors
        assert given.data is not None
        return given.data

    async def error(self, query: str, variables: dict[str, Any] | None = None, **how: Any) -> tuple[str, str]:
        """Return code and text of the one error that an answer has to have."""
        given = await self.ask(query, variables, **how)
        (error,) = given.errors
        return error.extensions["code"], error.message  # type: ignore[index]
