"""Transactions: committed whole or not at all; what may heal by itself is told apart from what will not."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.util import await_only

from hub.mirror.database import Database, DatabaseUnavailable, PostgreSQLDatabase, SQLiteDatabase, lock_names, open_database
from hub.mirror.tables import QUOTA


def put(connection: Connection, platform: str) -> None:
    connection.execute(QUOTA.insert().values(platform=platform, next_slot_at=1))


def names(connection: Connection) -> list[str]:
    return list(connection.execute(select(QUOTA.c.platform).order_by(QUOTA.c.platform)).scalars())


async def test_work_that_fails_leaves_nothing_behind(database: Database) -> None:
    def fail(connection: Connection) -> None:
        put(connection, "grid")
        raise LookupError("half-way")

    with pytest.raises(LookupError, match="half-way"):
        await database.write(fail)
    assert await database.read(names) == []


async def test_what_was_written_is_read(database: Database) -> None:
    await database.write(put, "grid")
    assert await database.read(names) == ["grid"]


async def test_wrong_sql_is_not_taken_for_a_database_that_is_away(database: Database) -> None:
    with pytest.raises(DBAPIError, match=r"no_such_table"):
        await database.write(lambda connection: connection.execute(text("SELECT * FROM no_such_table")))


async def test_a_cursor_that_failed_work_left_open_keeps_nobody_from_writing(
    sqlite_database: SQLiteDatabase, tmp_path: Path
) -> None:
    """Its traceback keeps it alive, a logged one for as long as the log likes."""
    left_open: list[object] = []

    def fail(connection: Connection) -> None:
        result = connection.execute(select(QUOTA.c.platform))
        left_open.append((result, next(iter(result))))
        raise LookupError("half-way")

    for platform in ("approval", "credit"):
        await sqlite_database.write(put, platform)
    with pytest.raises(LookupError):
        await sqlite_database.write(fail)
    other = SQLiteDatabase(str(tmp_path / "bihuan.db"))
    await other.write(put, "grid")
    await other.close()
    await sqlite_database.write(put, "enforcement")
    assert await sqlite_database.read(names) == ["approval", "credit", "enforcement", "grid"]
    assert left_open


async def test_errors_show_no_values(database: Database) -> None:
    await database.write(put, "陈某某")
    with pytest.raises(DBAPIError) as refused:
        await database.write(put, "陈某某")
    assert "[parameters:" not in str(refused.value)
    assert "SQL parameters hidden" in str(refused.value)


async def test_a_locked_file_is_unavailable(sqlite_database: SQLiteDatabase, tmp_path: Path) -> None:
    other = SQLiteDatabase(str(tmp_path / "bihuan.db"), busy_seconds=0.01)
    begun, may_end = asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        with sqlite_database.engine.connect().execution_options(writing=True) as connection, connection.begin():
            begun.set()
            await may_end.wait()

    async with asyncio.TaskGroup() as group:
        group.create_task(hold())
        await begun.wait()
        with pytest.raises(DatabaseUnavailable, match="SQLite: database is locked"):
            await other.write(put, "grid")
        assert await other.read(names) == [], "readers do not wait for a writer"
        may_end.set()
    await other.close()


async def test_a_folder_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    database = SQLiteDatabase(str(tmp_path / "missing" / "bihuan.db"))
    with pytest.raises(DatabaseUnavailable, match="unable to open"):
        await database.read(names)
    await database.close()


async def test_a_server_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    database = PostgreSQLDatabase(f"postgresql://nobody@/nothing?host={tmp_path}")
    for run in (database.write, database.read):
        with pytest.raises(DatabaseUnavailable, match="PostgreSQL"):
            await run(names)
    await database.close()


async def test_a_connection_that_the_server_ends_is_unavailable_and_then_replaced(postgresql_database: PostgreSQLDatabase) -> None:
    await postgresql_database.write(put, "grid")
    with pytest.raises(DatabaseUnavailable):
        await postgresql_database.write(
            lambda connection: connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
        )
    assert await postgresql_database.read(names) == ["grid"]


async def test_a_resting_connection_that_the_server_ended_is_replaced_before_anybody_gets_it(
    postgresql_database: PostgreSQLDatabase,
) -> None:
    async with postgresql_database.engine.connect() as connection:
        ended: Any = (await connection.get_raw_connection()).driver_connection
    async with postgresql_database.connection() as beside:
        await beside.execute("SELECT pg_terminate_backend($1)", ended.get_server_pid())
    async with asyncio.timeout(10):
        while not ended.is_closed():  # noqa: ASYNC110  (the driver tells nobody)
            await asyncio.sleep(0.005)
    await postgresql_database.write(put, "grid")
    assert await postgresql_database.read(names) == ["grid"]


@asynccontextmanager
async def small(beside: PostgreSQLDatabase, wait_seconds: float = 10.0) -> AsyncIterator[PostgreSQLDatabase]:
    """The same database, of which one connection is used at a time."""
    url = beside.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    database = PostgreSQLDatabase(url, connections=1, wait_seconds=wait_seconds)
    yield database
    await database.close()


@asynccontextmanager
async def in_use(database: PostgreSQLDatabase) -> AsyncIterator[None]:
    """All of its connections are in use."""
    begun, may_end = asyncio.Event(), asyncio.Event()

    def hold(_: Connection) -> None:
        begun.set()
        await_only(may_end.wait())

    async with asyncio.TaskGroup() as group:
        group.create_task(database.write(hold))
        await begun.wait()
        yield
        may_end.set()


async def test_where_all_connections_stay_in_use_the_database_is_unavailable_and_says_what_to_do(
    postgresql_database: PostgreSQLDatabase,
) -> None:
    async with small(postgresql_database, wait_seconds=0.05) as database, in_use(database):
        for run in (database.read, database.write):
            with pytest.raises(DatabaseUnavailable) as refused:
                await run(names)
            assert str(refused.value) == (
                "PostgreSQL: no connection of this process was free for 0.05 s; raise HUB_DATABASE_CONNECTIONS, "
                "start another process, or see what holds them (docs/operations.md, Connections)"
            )


async def test_what_is_written_first_has_a_connection_of_its_own(postgresql_database: PostgreSQLDatabase) -> None:
    async with small(postgresql_database, wait_seconds=0.05) as database:
        async with in_use(database):
            await database.write_first(put, "grid")
        assert await database.read(names) == ["grid"]


async def test_one_who_stops_waiting_for_a_connection_takes_none_away(postgresql_database: PostgreSQLDatabase) -> None:
    async with small(postgresql_database) as database:
        async with in_use(database):
            waiting = [asyncio.create_task(database.read(names)) for _ in range(3)]
            await asyncio.sleep(0)
            for task in waiting[:2]:
                task.cancel()
        assert await waiting[2] == []
        assert await database.read(names) == []


async def test_a_deadlock_is_run_again_and_both_are_done(postgresql_database: PostgreSQLDatabase) -> None:
    met, tries = asyncio.Barrier(2), list[str]()

    def crossing(connection: Connection, first: str, second: str) -> None:
        tries.append(first)
        connection.execute(text("SET LOCAL deadlock_timeout = '10ms'"))
        lock_names(connection, [first])
        if len(tries) <= 2:
            await_only(met.wait())
        lock_names(connection, [second])
        put(connection, first)

    await asyncio.gather(*(postgresql_database.write(crossing, *pair) for pair in (("a", "b"), ("b", "a"))))
    assert await postgresql_database.read(names) == ["a", "b"]
    assert len(tries) > 2


async def test_work_that_meets_others_again_and_again_finds_the_database_unavailable(
    postgresql_database: PostgreSQLDatabase,
) -> None:
    """Nothing is wrong with what was asked for: whoever asks waits and tries again."""
    tries = list[int]()

    def contended(connection: Connection) -> None:
        tries.append(1)
        connection.execute(text("DO $$ BEGIN RAISE EXCEPTION 'deadlock detected' USING ERRCODE = '40P01'; END $$"))

    with pytest.raises(DatabaseUnavailable, match="deadlock detected"):
        await postgresql_database.write(contended)
    assert len(tries) == 8


async def test_reading_changes_nothing_on_a_server(postgresql_database: PostgreSQLDatabase) -> None:
    with pytest.raises(DatabaseUnavailable, match="read-only"):
        await postgresql_database.read(put, "grid")


async def test_a_read_sees_one_moment(database: Database) -> None:
    await database.write(put, "a")
    begun, may_end = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def twice(connection: Connection) -> tuple[list[str], list[str]]:
        before = names(connection)
        loop.call_soon_threadsafe(begun.set)
        if isinstance(database, PostgreSQLDatabase):
            await_only(may_end.wait())
        else:
            asyncio.run_coroutine_threadsafe(may_end.wait(), loop).result(5)
        return before, names(connection)

    async with asyncio.TaskGroup() as group:
        reading = group.create_task(database.read(twice))
        await begun.wait()
        await database.write(put, "b")
        may_end.set()
    assert reading.result() == (["a"], ["a"])


async def test_a_commit_is_on_the_disk_when_it_returns(sqlite_database: SQLiteDatabase) -> None:
    """2 is FULL: after power is lost, what was acknowledged is still there."""

    def pragmas(connection: Connection) -> list[object]:
        return [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("synchronous", "journal_mode")]

    assert await sqlite_database.write(pragmas) == [2, "wal"]


def test_a_url_of_another_kind_is_refused_with_what_is_supported() -> None:
    with pytest.raises(ValueError, match=r"'mysql' is not supported; use sqlite:///path or postgresql://"):
        open_database("mysql://host/name")
