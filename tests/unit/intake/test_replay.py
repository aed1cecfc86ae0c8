"""What operators let be taken in once more begins anew, and stands in the audit; on both databases."""

from datetime import timedelta

from sqlalchemy import Connection, select

from connectors.base import Stream
from connectors.registry import CONNECTORS
from hub.intake import replay
from hub.mirror import streams
from hub.mirror.database import Database
from hub.mirror.rows import Rows
from hub.mirror.tables import TABLES
from schema.entities import DeliveryState
from tests.builders import delivery
from tests.settable_clock import START

LEASE = timedelta(minutes=1)
EVENTS = Stream(name="events", entities=("GridEvent",), settling=timedelta(0))


async def noted(database: Database) -> list[tuple[str, str, str, str]]:
    entry = TABLES["AuditEntry"]
    columns = select(entry.c.actor, entry.c.action, entry.c.target_kind, entry.c.target).order_by(entry.c.target)
    return await database.read(lambda connection: [tuple(row) for row in connection.execute(columns)])


async def put(database: Database, rows: Rows) -> None:
    def insert(connection: Connection) -> None:
        for number, state in enumerate((DeliveryState.APPLIED, DeliveryState.EMPTIED, DeliveryState.FAILED)):
            made = delivery(delivery_id=state.value, state=state, received_at=START + number * LEASE, repeat_key=None)
            connection.execute(TABLES["Delivery"].insert(), rows.as_row(made))

    await database.write(insert)


async def states(database: Database) -> dict[str, str]:
    table = TABLES["Delivery"]
    columns = select(table.c.delivery_id, table.c.state)
    return await database.read(lambda connection: {row[0]: row[1] for row in connection.execute(columns)})


async def test_a_resync_begins_anew_and_takes_the_lease_of_a_reading_under_way(database: Database, rows: Rows) -> None:
    reading = await database.write(streams.begin, rows, "grid", "events", START, LEASE)
    assert reading is not None
    assert await database.write(streams.advance, reading, "17", 3, START, LEASE)
    assert await database.write(replay.resync, rows, "grid", [EVENTS], "lou", START) == ["grid/events"]
    assert not await database.write(streams.advance, reading, "18", 1, START, LEASE)
    again = await database.write(streams.begin, rows, "grid", "events", START, LEASE)
    assert again is not None
    assert again.cursor is None
    assert await noted(database) == [("lou", "resync", "StreamHealth", "grid/events")]


async def test_a_resync_forgets_nothing_of_a_list_that_is_read_as_a_whole_each_time(database: Database, rows: Rows) -> None:
    """Its cursor alone knows what was there: what went just before would never be missed."""
    (listed,) = (each for each in CONNECTORS["enforcement"].streams if each.name == "key_subjects")
    reading = await database.write(streams.begin, rows, "enforcement", "key_subjects", START, LEASE)
    assert reading is not None
    assert await database.write(streams.advance, reading, "a roll", 3, START, LEASE)
    await database.write(streams.finish, rows, reading, START, None)
    assert await database.write(replay.resync, rows, "enforcement", [listed], "lou", START) == ["enforcement/key_subjects"]
    again = await database.write(streams.begin, rows, "enforcement", "key_subjects", START, LEASE)
    assert again is not None
    assert again.cursor == "a roll"


async def test_a_replay_puts_back_what_is_still_there(database: Database, rows: Rows) -> None:
    await put(database, rows)
    asked = ["APPLIED", "EMPTIED", "nothing"]
    assert await database.write(replay.replay, rows, asked, "lou", START) == ["APPLIED"]
    assert await states(database) == {"APPLIED": "STORED", "EMPTIED": "EMPTIED", "FAILED": "FAILED"}
    assert await noted(database) == [("lou", "replayDeliveries", "Delivery", "APPLIED")]


async def test_a_replay_of_a_time_puts_back_what_came_since_then(database: Database, rows: Rows) -> None:
    await put(database, rows)
    since = START + LEASE
    platform = delivery().platform
    assert await database.write(replay.replay_since, rows, platform, since, "lou", START) == ["FAILED"]
    assert await states(database) == {"APPLIED": "APPLIED", "EMPTIED": "EMPTIED", "FAILED": "STORED"}
    assert await noted(database) == [("lou", "replayDeliveries", "Platform", platform)]
