"""A stream is read by one process at a time; its cursor moves with its page or not at all."""

from datetime import timedelta

from hub.mirror import streams
from hub.mirror.database import Database
from hub.mirror.rows import Rows
from hub.mirror.streams import Reading
from schema.entities import StreamHealth
from tests.settable_clock import SettableClock

LEASE = timedelta(seconds=60)


async def begin(database: Database, rows: Rows, clock: SettableClock) -> Reading | None:
    return await database.write(streams.begin, rows, "grid", "events", clock(), LEASE)


async def begun(database: Database, rows: Rows, clock: SettableClock) -> Reading:
    reading = await begin(database, rows, clock)
    assert reading is not None
    return reading


async def health(database: Database, rows: Rows) -> StreamHealth:
    (only,) = await database.read(streams.all_streams, rows)
    return only


async def test_a_stream_is_read_by_one_at_a_time(database: Database, rows: Rows, clock: SettableClock) -> None:
    first = await begun(database, rows, clock)
    assert (first.stream_id, first.cursor, first.fence) == ("grid/events", None, 1)
    assert await begin(database, rows, clock) is None
    await database.write(streams.finish, rows, first, clock(), None)
    assert (await begun(database, rows, clock)).fence == 2


async def test_the_next_reading_goes_on_where_the_last_one_ended(database: Database, rows: Rows, clock: SettableClock) -> None:
    reading = await begun(database, rows, clock)
    assert await database.write(streams.advance, reading, "c1", 20, clock(), LEASE)
    assert await database.write(streams.advance, reading, "c2", 0, clock.advance(5), LEASE)
    await database.write(streams.finish, rows, reading, clock.advance(5), None)
    assert (await begun(database, rows, clock)).cursor == "c2"
    found = await health(database, rows)
    assert (found.records_seen, found.last_success_at) == (20, clock())
    assert found.last_record_at == clock() - timedelta(seconds=10)


async def test_a_lease_that_ended_is_taken_over_and_the_first_reader_can_no_longer_advance(
    database: Database, rows: Rows, clock: SettableClock
) -> None:
    slow = await begun(database, rows, clock)
    clock.advance(61)
    fast = await begun(database, rows, clock)
    assert not await database.write(streams.advance, slow, "slow", 1, clock(), LEASE)
    await database.write(streams.finish, rows, slow, clock(), "too late", restart=True)
    assert await database.write(streams.advance, fast, "fast", 1, clock(), LEASE)
    found = await health(database, rows)
    assert (found.cursor, found.failure, found.lease_until) == ("fast", None, clock() + LEASE)


async def test_each_page_lengthens_the_lease(database: Database, rows: Rows, clock: SettableClock) -> None:
    reading = await begun(database, rows, clock)
    for _ in range(3):
        clock.advance(50)
        assert await database.write(streams.advance, reading, "c", 1, clock(), LEASE)
        assert await begin(database, rows, clock) is None


async def test_a_failure_is_shown_until_it_reads_again(database: Database, rows: Rows, clock: SettableClock) -> None:
    reading = await begun(database, rows, clock)
    await database.write(streams.finish, rows, reading, clock(), "HTTP_500: failed")
    found = await health(database, rows)
    assert (found.failure, found.last_failure_at, found.last_success_at) == ("HTTP_500: failed", clock(), None)
    await database.write(streams.finish, rows, await begun(database, rows, clock), clock.advance(1), None)
    found = await health(database, rows)
    assert (found.failure, found.last_success_at) == (None, clock())


async def test_a_restart_begins_anew(database: Database, rows: Rows, clock: SettableClock) -> None:
    reading = await begun(database, rows, clock)
    await database.write(streams.advance, reading, "c1", 1, clock(), LEASE)
    await database.write(streams.finish, rows, reading, clock(), "CURSOR_EXPIRED: gone", restart=True)
    assert (await begun(database, rows, clock)).cursor is None


async def test_a_forgotten_cursor_stops_the_reading_that_is_under_way(database: Database, rows: Rows, clock: SettableClock) -> None:
    reading = await begun(database, rows, clock)
    await database.write(streams.advance, reading, "c1", 1, clock(), LEASE)
    assert await database.write(streams.forget_cursor, "grid", "events")
    assert not await database.write(streams.forget_cursor, "grid", "never read")
    assert not await database.write(streams.advance, reading, "c2", 1, clock(), LEASE)
    assert (await begun(database, rows, clock)).cursor is None
