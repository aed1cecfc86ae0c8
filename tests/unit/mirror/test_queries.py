"""Reads by column, and what is read once while many rules look at the same records."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection, event

from hub.mirror.database import Database, SQLiteDatabase
from hub.mirror.queries import READ_ONCE, reading_once, records_where
from hub.mirror.records import upsert
from hub.mirror.rows import Rows
from schema.entities import Approval, Obligation
from tests.builders import approval, observed

Asked = Callable[[], int]


@pytest.fixture
def selects(sqlite_database: SQLiteDatabase) -> Asked:
    """How many SELECTs were sent so far."""
    asked: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: Any) -> None:
        asked.append(statement)

    event.listen(sqlite_database.engine, "before_cursor_execute", note)
    return lambda: sum(each.startswith("SELECT") for each in asked)


async def test_inside_each_mirrored_record_is_read_once(sqlite_database: SQLiteDatabase, rows: Rows, selects: Asked) -> None:
    await sqlite_database.write(upsert, rows, [observed(approval(approval_no=number)) for number in ("1", "2")])
    before = selects()

    def read(connection: Connection) -> list[dict[str, list[Approval]]]:
        with reading_once(connection):
            return [records_where(connection, rows, Approval, "approval_no", wanted) for wanted in (["1", "9"], ["1"], ["2", "9"])]

    found = await sqlite_database.read(read)
    assert [sorted(each) for each in found] == [["1"], ["1"], ["2"]]
    assert selects() - before == 2  # the second asked for nothing new, the third for one of two


async def test_the_ledger_is_read_each_time(sqlite_database: SQLiteDatabase, rows: Rows, selects: Asked) -> None:
    """It changes while rules are settled."""
    before = selects()

    def read(connection: Connection) -> None:
        with reading_once(connection):
            records_where(connection, rows, Obligation, "cause", ["1"])
            records_where(connection, rows, Obligation, "cause", ["1"])

    await sqlite_database.read(read)
    assert selects() - before == 2


async def test_whoever_gets_records_may_change_the_list(sqlite_database: SQLiteDatabase, rows: Rows) -> None:
    await sqlite_database.write(upsert, rows, [observed(approval(approval_no="1"))])

    def read(connection: Connection) -> int:
        with reading_once(connection):
            records_where(connection, rows, Approval, "approval_no", ["1"])["1"].clear()
            return len(records_where(connection, rows, Approval, "approval_no", ["1"])["1"])

    assert await sqlite_database.read(read) == 1


async def test_what_was_read_is_forgotten_behind_the_block(database: Database, rows: Rows) -> None:
    def read(connection: Connection) -> bool:
        with pytest.raises(ValueError, match="a rule failed"), reading_once(connection):
            raise ValueError("a rule failed")
        return READ_ONCE in connection.info

    assert not await database.read(read)


async def test_a_connection_that_is_lost_inside_says_what_it_said(sqlite_database: SQLiteDatabase) -> None:
    """The loss is what callers understand (DatabaseUnavailable); nothing that is tidied up may hide it."""

    def read(connection: Connection) -> None:
        with reading_once(connection):
            connection.invalidate()
            raise OSError("the server went away")

    with pytest.raises(OSError, match="the server went away"):
        await sqlite_database.read(read)
