"""Every committed change gets its place in one order without holes, whatever the order of commits; on both databases."""

import asyncio

from sqlalchemy import Connection, select

from hub.mirror.audit_chain import GENESIS, Block, Head
from hub.mirror.audit_reading import chain, check_database
from hub.mirror.audit_sealing import head, seal
from hub.mirror.database import Database, PostgreSQLDatabase
from hub.mirror.rows import Rows, micros
from hub.mirror.tables import CHANGE
from tests.servers import someone_waits
from tests.settable_clock import START
from tests.unit.mirror.sealed_history import approvals, say, write_history


async def positions(database: Database) -> list[tuple[str, int | None]]:
    def read(connection: Connection) -> list[tuple[str, int | None]]:
        found = select(CHANGE.c.key, CHANGE.c.position).order_by(CHANGE.c.sequence)
        return [(key, position) for key, position in connection.execute(found)]

    return await database.read(read)


async def blocks(database: Database) -> list[Block]:
    return await database.read(lambda connection: [block for block, _ in chain(connection)])


async def test_changes_get_positions_without_holes_and_blocks_follow_each_other(database: Database, rows: Rows) -> None:
    await database.write(write_history, rows)
    assert [position for _, position in await positions(database)] == list(range(1, 13))
    one, two, three = await blocks(database)
    assert [(each.number, each.first, each.last) for each in (one, two, three)] == [(1, 1, 5), (2, 6, 10), (3, 11, 12)]
    assert (one.previous, two.previous, three.previous) == (GENESIS, one.hash, two.hash)
    assert one.closed_at == micros(START)
    assert await database.read(head) == Head(3, three.hash)


async def test_where_nothing_changed_nothing_is_sealed(database: Database, rows: Rows) -> None:
    assert await database.write(seal, START) == 0
    assert await database.read(head) is None
    await database.write(write_history, rows)
    before = await blocks(database)
    assert await database.write(seal, START) == 0
    assert await blocks(database) == before


async def test_a_change_that_commits_late_under_a_lower_sequence_gets_the_next_position(
    postgresql_database: PostgreSQLDatabase, rows: Rows
) -> None:
    database = postgresql_database
    async with database.engine.connect() as slow:
        await slow.run_sync(say, rows, *approvals([1]))  # has its sequence, and is not committed
        await database.write(say, rows, *approvals([2]))
        assert await database.write(seal, START) == 1
        await database.write(say, rows, *approvals([3]))
        await slow.commit()
        assert await database.write(seal, START) == 2
    assert await positions(database) == [("YW0001", 2), ("YW0002", 1), ("YW0003", 3)]
    assert (await database.read(check_database)).differences == ()


async def test_two_that_seal_at_the_same_time_seal_each_change_once(postgresql_database: PostgreSQLDatabase, rows: Rows) -> None:
    database = postgresql_database
    await database.write(say, rows, *approvals(range(7)))
    async with database.engine.connect() as first:
        assert await first.run_sync(seal, START, 4) == 4
        second = asyncio.create_task(database.write(seal, START))
        await someone_waits(database)
        await first.commit()
        assert await second == 3
    checked = await database.read(check_database)
    assert (checked.blocks, checked.changes, checked.differences) == (2, 7, ())
