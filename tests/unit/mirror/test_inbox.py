"""Deliveries are kept once, in order of arrival, and say what became of them; bad records are kept once, with the reason."""

from collections.abc import Sequence
from datetime import timedelta

import msgspec
from sqlalchemy import Connection, select

from connectors.base import Delivery as RawDelivery
from connectors.base import Quarantined, Verified
from hub.mirror import inbox
from hub.mirror.database import Database, PostgreSQLDatabase
from hub.mirror.records import release_quarantine
from hub.mirror.rows import Rows
from hub.mirror.tables import TABLES
from schema.entities import Delivery, DeliveryState, QuarantinedRecord
from tests.settable_clock import START, SettableClock

RAW = RawDelivery(
    platform="grid",
    path="/webhooks/grid",
    headers={"x-signature": "abc", "x-名": "值"},
    body="<event>陈𬭎 13905790001</event>".encode("gb18030"),
    received_at=START,
    remote="10.0.0.1",
)


def kept(signature: str = "s1", message_id: str | None = None, **changed: object) -> Delivery:
    raw = msgspec.structs.replace(RAW, **changed)
    return inbox.kept(raw, Verified(signature=signature, message_id=message_id), 0)


def everything(connection: Connection, rows: Rows) -> list[Delivery]:
    read, table = rows.reader(Delivery), TABLES["Delivery"]
    return [read(row) for row in connection.execute(select(*inbox.COLUMNS).order_by(table.c.sequence))]


async def store(database: Database, rows: Rows, *deliveries: Delivery) -> None:
    await database.write(inbox.store, rows, deliveries)


async def stored(database: Database, rows: Rows) -> list[Delivery]:
    return await database.read(everything, rows)


def quarantined(connection: Connection, rows: Rows) -> list[QuarantinedRecord]:
    read, table = rows.reader(QuarantinedRecord), TABLES["QuarantinedRecord"]
    columns = [table.c[name] for name in QuarantinedRecord.__struct_fields__]
    return [read(row) for row in connection.execute(select(*columns).order_by(table.c.reason))]


async def test_a_delivery_comes_back_byte_for_byte(database: Database, rows: Rows) -> None:
    await store(database, rows, kept())
    (found,) = await stored(database, rows)
    assert inbox.raw_of(found) == RAW


async def test_a_second_use_of_a_signature_stores_nothing(database: Database, rows: Rows) -> None:
    await store(database, rows, kept("s1"), kept("s1"))
    await store(database, rows, kept("s1", received_at=START + timedelta(hours=1)))
    assert len(await stored(database, rows)) == 1


async def test_one_signature_over_two_bodies_is_two_deliveries(database: Database, rows: Rows) -> None:
    """The gateway's signature does not cover the body: two batches of one second carry the same."""
    await store(database, rows, kept("s1"), kept("s1", body=b"other"))
    assert len(await stored(database, rows)) == 2


async def test_a_message_that_is_signed_anew_is_stored_once(database: Database, rows: Rows) -> None:
    await store(database, rows, kept("s1", "m1"), kept("s2", "m1"))
    await store(database, rows, kept("s3", "m1"), kept("s4", "m2"))
    assert [one.message_id for one in await stored(database, rows)] == ["m1", "m2"]


async def test_a_signature_that_leaves_part_of_the_body_open_counts_once_whatever_the_body(database: Database, rows: Rows) -> None:
    def receipt(signature: str, body: bytes) -> Delivery:
        return inbox.kept(msgspec.structs.replace(RAW, body=body), Verified(signature=signature, covers_body=False), 0)

    await store(database, rows, receipt("s1", b"delivered"), receipt("s1", b"lost"))
    await store(database, rows, receipt("s1", b"lost"), receipt("s2", b"delivered"))
    assert [one.body for one in await stored(database, rows)] == [b"delivered", b"delivered"]


async def test_one_message_id_with_another_body_is_another_message(database: Database, rows: Rows) -> None:
    await store(database, rows, kept("s1", "m1"), kept("s2", "m1", body=b"other"))
    assert len(await stored(database, rows)) == 2


async def test_two_platforms_may_use_one_message_id(database: Database, rows: Rows) -> None:
    await store(database, rows, kept("s1", "m1"), kept("s1", "m1", platform="credit"))
    assert len(await stored(database, rows)) == 2


async def test_deliveries_are_numbered_and_applied_as_they_came(database: Database, rows: Rows, clock: SettableClock) -> None:
    first, second, third = kept("z"), kept("a"), kept("m")
    await store(database, rows, first, second)
    await database.write(inbox.mark, rows, [second.delivery_id], DeliveryState.APPLIED, clock())
    await store(database, rows, third)
    assert [(one.delivery_id, one.sequence) for one in await stored(database, rows)] == [
        (first.delivery_id, 1),
        (second.delivery_id, 2),
        (third.delivery_id, 3),
    ]
    waiting = await database.write(inbox.pending, rows, "grid", 10)
    assert [one.delivery_id for one in waiting] == [first.delivery_id, third.delivery_id]
    assert await database.read(inbox.pending_ids, "grid", 1) == [first.delivery_id]


async def test_what_became_of_a_delivery_is_kept_and_it_can_be_put_back(
    database: Database, rows: Rows, clock: SettableClock
) -> None:
    one = kept()
    await store(database, rows, one)
    await database.write(inbox.mark, rows, [one.delivery_id], DeliveryState.FAILED, clock(), "KeyError: 'x'")
    (found,) = await stored(database, rows)
    assert (found.state, found.applied_at, found.detail) == (DeliveryState.FAILED, clock(), "KeyError: 'x'")
    assert await database.write(inbox.pending_one, rows, one.delivery_id) is None
    assert await database.write(inbox.put_back, [one.delivery_id, "grid:unknown"]) == [one.delivery_id]
    assert await database.write(inbox.pending_one, rows, one.delivery_id) is not None
    assert await database.read(inbox.waiting) == {"grid": 1}


async def test_deliveries_since_a_moment_are_put_back(database: Database, rows: Rows, clock: SettableClock) -> None:
    early, late = kept("s1"), kept("s2", received_at=START + timedelta(hours=2))
    await store(database, rows, early, late)
    await database.write(inbox.mark, rows, [early.delivery_id, late.delivery_id], DeliveryState.APPLIED, clock())
    assert await database.write(inbox.put_back_since, "grid", START + timedelta(hours=1)) == [late.delivery_id]
    assert await database.write(inbox.put_back_since, "credit", START) == []
    assert await database.read(inbox.waiting) == {"grid": 1}


async def test_two_processes_do_not_apply_one_delivery_at_once(postgresql_database: PostgreSQLDatabase, rows: Rows) -> None:
    one, other = kept("s1"), kept("s2")
    await store(postgresql_database, rows, one, other)
    async with postgresql_database.engine.begin() as connection:
        await connection.run_sync(inbox.pending_one, rows, one.delivery_id)
        waiting: Sequence[Delivery] = await postgresql_database.write(inbox.pending, rows, "grid", 10)
        assert [each.delivery_id for each in waiting] == [other.delivery_id]
        assert await postgresql_database.write(inbox.pending_one, rows, one.delivery_id) is None


BAD = Quarantined(reason="MISSING_FIELD", detail="field dueAt is missing", content=b"{}", entity="VerificationTask", key="T1")


async def test_a_bad_record_is_kept_once_however_often_it_is_read(database: Database, rows: Rows, clock: SettableClock) -> None:
    for _ in range(2):
        await database.write(inbox.quarantine, rows, "enforcement", "tasks", [BAD, BAD], clock())
        clock.advance(60)
    (found,) = await database.read(quarantined, rows)
    assert (found.record_key, found.reason, found.content, found.quarantined_at) == ("T1", "MISSING_FIELD", b"{}", START)
    assert await database.read(inbox.open_quarantine) == {"enforcement": 1}


async def test_a_good_version_releases_the_bad_one_of_its_own_platform(
    database: Database, rows: Rows, clock: SettableClock
) -> None:
    for platform in ("enforcement", "credit"):
        await database.write(inbox.quarantine, rows, platform, "tasks", [BAD], clock())
    await database.write(release_quarantine, "enforcement", ["T1"], clock())
    assert await database.read(inbox.open_quarantine) == {"credit": 1}


HELD_UP = Quarantined(reason="NO_ROUTE", detail="no route", content=b"{1}", entity="GridEvent", key="YW1")


async def say(database: Database, rows: Rows, clock: SettableClock, said: Quarantined | None) -> dict[str, bool]:
    """Let the rule say what it thinks of event YW1; return whether each content of it is open."""
    await database.write(inbox.keep_quarantined, rows, "grid", "NO_ROUTE", "grid-dispatch", {"YW1": said}, clock.advance(60))
    found = await database.read(quarantined, rows)
    return {one.content.decode(): one.released_at is None for one in found if one.reason == "NO_ROUTE"}


async def test_what_a_rule_holds_up_is_kept_once_released_when_it_says_so_and_opened_again_in_its_row(
    database: Database, rows: Rows, clock: SettableClock
) -> None:
    for _ in range(2):
        assert await say(database, rows, clock, HELD_UP) == {"{1}": True}
    (one,) = await database.read(quarantined, rows)
    assert (one.stream, one.record_key, one.quarantined_at) == ("grid-dispatch", "YW1", START + timedelta(seconds=60))
    assert await say(database, rows, clock, None) == {"{1}": False}
    (one,) = await database.read(quarantined, rows)
    assert one.released_at == clock()
    assert await say(database, rows, clock, HELD_UP) == {"{1}": True}


async def test_of_two_contents_of_one_record_only_the_newest_is_held_up(
    database: Database, rows: Rows, clock: SettableClock
) -> None:
    await say(database, rows, clock, HELD_UP)
    assert await say(database, rows, clock, msgspec.structs.replace(HELD_UP, content=b"{2}")) == {"{1}": False, "{2}": True}


async def test_a_rule_releases_neither_other_reasons_nor_other_records_nor_other_platforms(
    database: Database, rows: Rows, clock: SettableClock
) -> None:
    broken, other = (msgspec.structs.replace(HELD_UP, **fields) for fields in ({"reason": "MISSING_FIELD"}, {"key": "YW2"}))
    await database.write(inbox.quarantine, rows, "grid", "events", [broken, other], clock())
    await database.write(inbox.quarantine, rows, "enforcement", "tasks", [HELD_UP], clock())
    await say(database, rows, clock, None)
    assert await database.read(inbox.open_quarantine) == {"grid": 2, "enforcement": 1}


async def test_the_newest_delivery_of_each_platform_is_known(database: Database, rows: Rows) -> None:
    await store(database, rows, kept("s1"), kept("s2", received_at=START + timedelta(seconds=1)))
    assert await database.read(inbox.last_received) == {"grid": int(START.timestamp() + 1) * 1_000_000}
