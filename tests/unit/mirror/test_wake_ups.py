"""What one process stored wakes the others at once; what is missed while the connection is away is looked for afterwards."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import pytest
from sqlalchemy import text

from hub.mirror.database import PostgreSQLDatabase, SQLiteDatabase
from hub.mirror.wake_ups import Topic, WakeUps
from tests.e2e.eventually import eventually


class Process:
    """One process's side: what it heard, by topic."""

    def __init__(self, database: PostgreSQLDatabase | SQLiteDatabase) -> None:
        self.heard: Counter[Topic] = Counter()
        self.wake_ups = WakeUps(database, {topic: partial(self.heard.update, [topic]) for topic in Topic}, sleep=_soon)

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Process"]:
        """Listen, and be connected before anything is told; what was heard so far is forgotten."""
        task = asyncio.create_task(self.wake_ups.run())
        await eventually(lambda: len(self.heard) == len(Topic), or_say="listening")
        self.heard.clear()
        try:
            yield self
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def _soon(_seconds: float) -> None:
    await asyncio.sleep(0.001)


@pytest.fixture
async def pair(postgresql_database: PostgreSQLDatabase) -> AsyncIterator[tuple[Process, Process]]:
    async with Process(postgresql_database).running() as one, Process(postgresql_database).running() as other:
        await eventually(lambda: len(one.heard) == len(Topic), or_say="the other's first word")
        one.heard.clear()
        yield one, other


async def test_what_one_process_tells_another_hears_by_topic(pair: tuple[Process, Process]) -> None:
    one, other = pair
    one.wake_ups.tell(Topic.DELIVERIES)
    await eventually(lambda: other.heard)
    assert other.heard == {Topic.DELIVERIES: 1}
    assert one.heard == {Topic.DELIVERIES: 1}, "it wakes itself once, and not again when its own word comes back"


async def test_a_lost_connection_is_replaced_and_everybody_looks_once(
    pair: tuple[Process, Process], postgresql_database: PostgreSQLDatabase
) -> None:
    one, other = pair
    cut = text(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid() AND query LIKE '%pg_notify%'"
    )
    await postgresql_database.write(lambda connection: connection.execute(cut).all())
    await eventually(lambda: len(one.heard) == len(other.heard) == len(Topic), or_say="both looked after the loss")
    one.heard.clear()

    def told_again() -> bool:
        other.wake_ups.tell(Topic.OBLIGATIONS)
        return one.heard[Topic.OBLIGATIONS] > 0

    await eventually(told_again, or_say="the other is heard once more")


async def test_many_words_at_once_are_told_together(pair: tuple[Process, Process]) -> None:
    one, other = pair
    for _ in range(1000):
        one.wake_ups.tell(Topic.OBLIGATIONS)
    await eventually(lambda: other.heard)
    one.wake_ups.tell(Topic.DELIVERIES)
    await eventually(lambda: other.heard[Topic.DELIVERIES])
    assert other.heard[Topic.OBLIGATIONS] <= 2


async def test_a_word_of_a_newer_version_is_passed_over(
    pair: tuple[Process, Process], postgresql_database: PostgreSQLDatabase
) -> None:
    one, _ = pair
    for topic in ("something-new", "deliveries"):
        async with postgresql_database.connection() as connection:
            await connection.execute("SELECT pg_notify('bihuan', $1)", topic)
    await eventually(lambda: one.heard[Topic.DELIVERIES])
    assert set(one.heard) == {Topic.DELIVERIES}


async def test_an_embedded_database_wakes_its_own_process_without_any_connection(sqlite_database: SQLiteDatabase) -> None:
    only = Process(sqlite_database)
    assert not only.wake_ups.are_shared
    only.wake_ups.tell(Topic.DELIVERIES)
    assert only.heard == {Topic.DELIVERIES: 1}
