"""Generated operations over generated records: both executors answer the same, to the byte and in the same order of keys."""

import asyncio
import json
import os
import shutil
from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import Connection, Update

from hub.graph.answer import Question, answer
from hub.graph.compiled.cannot import Reason
from hub.graph.compiled.executor import Executor
from hub.graph.loaders import Loaders
from hub.graph.schema import HubSchema
from hub.mirror.database import Database, PostgreSQLDatabase, SQLiteDatabase
from hub.mirror.rows import Rows
from schema.context import Caller, Context
from schema.entity import Entity
from tests.servers import PostgreSQLServer
from tests.unit.graph.city import City
from tests.unit.graph.compiled.callers import everybody, may_read
from tests.unit.graph.compiled.operations import Written
from tests.unit.graph.compiled.population import population, spoilt
from tests.unit.graph.records import FakeHub

LONG = os.environ.get("HYPOTHESIS_PROFILE") == "long"
SEEDS_SQLITE, SEEDS_POSTGRESQL = (range(400), 60) if LONG else ((0, 1, 2, 3, 121), 2)
"""Populations; to each some operations are put, by callers of every kind. 121 once differed."""
SPOILT = range(500, 600) if LONG else (500, 501)
"""Populations with spoilt rows; more of them are made until an operation meets one."""

pytestmark = [
    # The interpreter leaves siblings of a field that fails at once unawaited: github.com/graphql-python/graphql-core/issues/269
    pytest.mark.filterwarnings(r"ignore:coroutine '.*' was never awaited:RuntimeWarning"),
    # The same where they are thrown away inside a named tuple's `__new__`, which has no builtins to warn with.
    pytest.mark.filterwarnings(r"ignore:Exception ignored in. <coroutine object GraphQLCoreConverter"),
]


class Both:
    """Asks both executors."""

    def __init__(self, schema: HubSchema, database: Database, rows: Rows) -> None:
        self.schema = schema
        self.database = database
        self.rows = rows
        self.executor = Executor(schema, rows, database)
        self.hub = FakeHub()
        self.compiled = Counter[str]()
        """Operations that a plan answered, by the kind of caller."""

    async def ask(self, question: Question, caller: Caller, executor: Executor | None) -> str:
        context = Context(Loaders(self.database, self.rows, caller), self.hub, caller, "c-1")
        return json.dumps((await answer(self.schema, question, context, executor=executor)).as_json(), ensure_ascii=False)

    async def compare(self, query: str, variables: dict[str, Any], caller: Caller, kind: str) -> None:
        question, before = Question(query, variables, "Asked"), self.executor.tally.compiled
        compiled, interpreted = await self.ask(question, caller, self.executor), await self.ask(question, caller, None)
        assert compiled == interpreted, f"{caller}\n{query}\n{json.dumps(variables, ensure_ascii=False)}"
        self.compiled[kind] += self.executor.tally.compiled - before


async def compared(both: Both, seed: int, *, spoil: bool = False) -> Counter[Reason]:
    """Fill the database and ask; return what was not compiled."""
    chance = Random(seed)
    records: list[Entity] = list(population(chance))
    await City(both.database, both.rows, both.schema).put(*records)
    if spoil:
        await both.database.write(_all, list(spoilt(chance)))
    for kind, caller in everybody(chance, records):
        may = partial(may_read, caller) if chance.random() < 0.8 else lambda _: True  # else most are refused
        written = Written(both.schema._schema, chance, records, may)
        query = written.operation()
        await both.compare(query, written.variables, caller, kind)
    return both.executor.tally.interpreted


@pytest.fixture(autouse=True)
def _why(caplog: pytest.LogCaptureFixture) -> None:
    """Show, where a test fails, why operations were interpreted."""
    caplog.set_level("DEBUG", "hub.graph.compiled.executor")


def _all(connection: Connection, statements: Sequence[Update]) -> None:
    for each in statements:
        connection.execute(each)


def check(both: Both, interpreted: Counter[Reason]) -> None:
    assert both.executor.tally.compiled > sum(interpreted.values()), interpreted
    assert both.compiled["departments"] + both.compiled["regions"] + both.compiled["both"], both.compiled
    assert not interpreted[Reason.VALUE] + interpreted[Reason.STATEMENT], interpreted


@pytest.mark.parametrize("seed", SEEDS_SQLITE)
def test_both_executors_answer_the_same_from_sqlite(
    roomy: HubSchema, rows: Rows, sqlite_template: Path, tmp_path: Path, seed: int
) -> None:
    async def run() -> None:
        shutil.copy(sqlite_template, tmp_path / "town.db")
        database = SQLiteDatabase(str(tmp_path / "town.db"), inline=True)
        both = Both(roomy, database, rows)
        check(both, await compared(both, seed))
        await database.close()

    asyncio.run(run())


@pytest.mark.parametrize("seed", SPOILT)
def test_a_value_that_cannot_be_shown_is_the_same_error_at_the_same_place(
    roomy: HubSchema, rows: Rows, sqlite_template: Path, tmp_path: Path, seed: int
) -> None:
    async def run() -> None:
        for more in range(20):
            path = shutil.copy(sqlite_template, tmp_path / f"town{more}.db")
            database = SQLiteDatabase(str(path), inline=True)
            both = Both(roomy, database, rows)
            interpreted = await compared(both, seed + 10_000 * more, spoil=True)
            assert both.executor.tally.compiled
            await database.close()
            if interpreted[Reason.VALUE]:
                return
        pytest.fail("no operation met a spoilt row")

    asyncio.run(run())


@pytest.mark.parametrize("seed", range(1_000, 1_000 + SEEDS_POSTGRESQL))
def test_both_executors_answer_the_same_from_postgresql(
    roomy: HubSchema, rows: Rows, postgresql: PostgreSQLServer, seed: int
) -> None:
    async def run() -> None:
        async with postgresql.fresh() as url:
            database = PostgreSQLDatabase(url)
            both = Both(roomy, database, rows)
            check(both, await compared(both, seed))
            await database.close()

    asyncio.run(run())
