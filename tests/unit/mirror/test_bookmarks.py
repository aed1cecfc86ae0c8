"""How far the change history was gone through: nothing that appears late below the bookmark is passed over."""

import asyncio

from sqlalchemy import Connection, text

from hub.mirror import audit_sealing, bookmarks
from hub.mirror.changes import changed_between
from hub.mirror.database import Database, PostgreSQLDatabase
from hub.mirror.records import upsert
from hub.mirror.rows import Rows
from tests.builders import approval, observed
from tests.settable_clock import START

NAME = "test"


async def say(database: Database, rows: Rows, *numbers: str) -> None:
    await database.write(upsert, rows, [observed(approval(approval_no=number)) for number in numbers])


async def new(database: Database) -> list[str]:
    """Go through what there is; return the keys of the records that changed."""
    await database.write(audit_sealing.seal, START)
    after, last = await database.write(bookmarks.stretch, NAME)
    found = await database.read(changed_between, after, last, 1000)
    await database.write(bookmarks.go_on, NAME, last)
    return [one.key for one in found]


async def test_each_change_is_gone_through_once(database: Database, rows: Rows) -> None:
    await say(database, rows, "before")
    assert await new(database) == []
    await say(database, rows, "a", "b")
    assert await new(database) == ["a", "b"]
    assert await new(database) == []
    await say(database, rows, "c")
    assert await new(database) == ["c"]


async def test_a_bookmark_never_goes_back(database: Database, rows: Rows) -> None:
    await new(database)
    await say(database, rows, "a", "b")
    await database.write(audit_sealing.seal, START)
    _, last = await database.write(bookmarks.stretch, NAME)
    await database.write(bookmarks.go_on, NAME, last)
    await database.write(bookmarks.go_on, NAME, last - 1)
    assert await new(database) == []


async def test_a_record_that_changed_twice_comes_once_with_its_last_sequence(database: Database, rows: Rows) -> None:
    await new(database)
    await say(database, rows, "a", "b")
    await database.write(upsert, rows, [observed(approval(approval_no="a", version=2))])
    await database.write(audit_sealing.seal, START)
    after, last = await database.write(bookmarks.stretch, NAME)
    found = await database.read(changed_between, after, last, 1000)
    assert [one.key for one in found] == ["b", "a"]
    assert found[-1].position == last


async def test_what_commits_late_below_what_was_seen_comes_behind_it(postgresql_database: PostgreSQLDatabase, rows: Rows) -> None:
    database = postgresql_database
    await new(database)
    wrote, may_end = asyncio.Event(), asyncio.Event()

    async def slowly() -> None:
        async with database.engine.begin() as connection:
            await connection.run_sync(upsert, rows, [observed(approval(approval_no="late"))])
            wrote.set()
            await may_end.wait()

    writing = asyncio.create_task(slowly())
    await wrote.wait()
    await say(database, rows, "early")  # a higher sequence, and it is there first
    assert await new(database) == ["early"]
    assert await new(database) == []
    may_end.set()
    await writing
    assert await new(database) == ["late"]


async def test_two_that_begin_at_once_leave_one_bookmark(database: Database, rows: Rows) -> None:
    await say(database, rows, "a")
    first, second = await asyncio.gather(*(database.write(bookmarks.stretch, NAME) for _ in range(2)))
    assert first == second

    def count(connection: Connection) -> int:
        return int(connection.execute(text("SELECT count(*) FROM bookmark")).scalar_one())

    assert await database.read(count) == 1
