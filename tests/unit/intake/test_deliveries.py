"""Webhooks: stored before they are acknowledged, many in one commit, and never acknowledged unless stored."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import pytest
from sqlalchemy import Connection, func, select
from sqlalchemy.exc import DataError

from connectors.base import Answer
from connectors.errors import BadSignature
from hub.intake.deliveries import Deliveries
from hub.intake.room import NoRoom
from hub.mirror.database import Database, DatabaseUnavailable
from hub.mirror.rows import Rows
from hub.mirror.tables import TABLES
from tests.settable_clock import SettableClock
from tests.unit.intake.plain_platform import PlainPlatform, delivered

T = TypeVar("T")


class CountedDatabase(Database):
    """Counts the commits; `fails` is raised instead, `gate` holds them back."""

    def __init__(self, inner: Database) -> None:
        self.inner = inner
        self.writes = 0
        self.fails: list[Exception | None] = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def write(self, work: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        self.writes += 1
        await self.gate.wait()
        if self.fails and (failure := self.fails.pop(0)) is not None:
            raise failure
        return await self.inner.write(work, *args, **kwargs)

    async def read(self, work: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        return await self.inner.read(work, *args, **kwargs)

    async def close(self) -> None:
        await self.inner.close()


@pytest.fixture
def counted(database: Database) -> CountedDatabase:
    return CountedDatabase(database)


@asynccontextmanager
async def taking(deliveries: Deliveries) -> AsyncIterator[None]:
    running = asyncio.create_task(deliveries.run())
    yield
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


class Door:
    """Deliveries with what was told to whoever waits for news."""

    def __init__(self, database: Database, rows: Rows, clock: SettableClock, **limits: Any) -> None:
        self.news = 0
        self.verified: list[tuple[str, int]] = []
        self.deliveries = Deliveries(
            database,
            rows,
            {"approval": PlainPlatform(clock)},
            clock=clock,
            after=self._after,
            verified_by=lambda platform, position: self.verified.append((platform, position)),
            **limits,
        )

    def _after(self) -> None:
        self.news += 1


async def count(database: Database) -> int:
    def stored(connection: Connection) -> int:
        return connection.execute(select(func.count()).select_from(TABLES["Delivery"])).scalar_one()

    return await database.read(stored)


async def settled() -> None:
    """Let everybody go as far as they come."""
    for _ in range(20):
        await asyncio.sleep(0)


async def test_what_is_acknowledged_is_stored(counted: CountedDatabase, rows: Rows, clock: SettableClock) -> None:
    door = Door(counted, rows, clock)
    async with taking(door.deliveries):
        answer = await door.deliveries.take(delivered("YW1:1"))
    assert (answer.status, answer.body) == (200, b"ok")
    assert await count(counted) == 1
    assert door.news == 1


async def test_many_deliveries_share_few_commits(counted: CountedDatabase, rows: Rows, clock: SettableClock) -> None:
    door = Door(counted, rows, clock)
    async with taking(door.deliveries):
        answers = await asyncio.gather(*(door.deliveries.take(delivered(f"YW{n}:1", f"s{n}")) for n in range(200)))
    assert {answer.status for answer in answers} == {200}
    assert await count(counted) == 200
    assert counted.writes <= 2


async def test_a_commit_holds_no_more_than_a_batch(counted: CountedDatabase, rows: Rows, clock: SettableClock) -> None:
    door = Door(counted, rows, clock, batch=10)
    async with taking(door.deliveries):
        await asyncio.gather(*(door.deliveries.take(delivered(f"YW{n}:1", f"s{n}")) for n in range(40)))
    assert 4 <= counted.writes <= 5
    assert await count(counted) == 40


async def test_nothing_is_acknowledged_before_the_commit(counted: CountedDatabase, rows: Rows, clock: SettableClock) -> None:
    door = Door(counted, rows, clock)
    counted.gate.clear()
    async with taking(door.deliveries):
        answer = asyncio.create_task(door.deliveries.take(delivered("YW1:1")))
        await settled()
        assert counted.writes == 1
        assert not answer.done()
        counted.gate.set()
        assert (await answer).status == 200


async def test_without_the_database_nothing_is_acknowledged_and_the_next_ones_are(
    counted: CountedDatabase, rows: Rows, clock: SettableClock
) -> None:
    door = Door(counted, rows, clock)
    counted.fails = [DatabaseUnavailable("disk full")]
    async with taking(door.deliveries):
        refused = await door.deliveries.take(delivered("YW1:1"))
        assert (refused.status, refused.body, await count(counted), door.news) == (503, b"again", 0, 0)
        assert (await door.deliveries.take(delivered("YW1:1"))).status == 200


async def test_one_delivery_that_cannot_be_kept_does_not_refuse_its_neighbours(
    counted: CountedDatabase, rows: Rows, clock: SettableClock
) -> None:
    door = Door(counted, rows, clock)
    unkeepable = DataError("INSERT", {}, ValueError("NUL"))
    counted.gate.clear()
    async with taking(door.deliveries):
        ahead = asyncio.create_task(door.deliveries.take(delivered("YW0:1", "s0")))
        await settled()
        three = [asyncio.create_task(door.deliveries.take(delivered(f"YW{n}:1", f"s{n}"))) for n in (1, 2, 3)]
        await settled()
        counted.fails = [None, unkeepable, unkeepable]  # the one ahead, the three together, the first of them alone
        counted.gate.set()
        assert (await ahead).status == 200
        assert [answer.status for answer in await asyncio.gather(*three)] == [503, 200, 200]


async def test_a_full_queue_is_refused_at_once(counted: CountedDatabase, rows: Rows, clock: SettableClock) -> None:
    door = Door(counted, rows, clock, most_waiting=3)
    waiting = [asyncio.create_task(door.deliveries.take(delivered(f"YW{n}:1", f"s{n}"))) for n in range(3)]
    await settled()
    with pytest.raises(NoRoom):
        await door.deliveries.take(delivered("YW9:1", "s9"))
    async with taking(door.deliveries):
        assert [answer.status for answer in await asyncio.gather(*waiting)] == [200] * 3


@pytest.mark.parametrize(("signature", "message"), [("s1", None), ("s2", "m1")])
async def test_a_replay_gets_the_same_acknowledgement_and_stores_nothing(
    counted: CountedDatabase, rows: Rows, clock: SettableClock, signature: str, message: str | None
) -> None:
    door = Door(counted, rows, clock)
    async with taking(door.deliveries):
        first: Answer = await door.deliveries.take(delivered("YW1:1", "s1", "m1" if message else None))
        again: Answer = await door.deliveries.take(delivered("YW1:1", signature, message))
    assert first == again
    assert await count(counted) == 1


async def test_a_bad_signature_is_never_stored(counted: CountedDatabase, rows: Rows, clock: SettableClock) -> None:
    door = Door(counted, rows, clock)
    async with taking(door.deliveries):
        with pytest.raises(BadSignature, match="no signature"):
            await door.deliveries.take(delivered("YW1:1", signature=""))
    assert (counted.writes, await count(counted)) == (0, 0)


async def test_which_secret_verified_a_delivery_is_told(counted: CountedDatabase, rows: Rows, clock: SettableClock) -> None:
    door = Door(counted, rows, clock)
    async with taking(door.deliveries):
        await door.deliveries.take(delivered("YW1:1", "s1"))
        await door.deliveries.take(delivered("YW1:2", "old-1"))
        with pytest.raises(BadSignature):
            await door.deliveries.take(delivered("YW1:3", signature=""))
    assert door.verified == [("approval", 0), ("approval", 1)]


async def test_who_waits_when_the_process_ends_is_asked_to_send_again(
    counted: CountedDatabase, rows: Rows, clock: SettableClock
) -> None:
    door = Door(counted, rows, clock)
    counted.gate.clear()
    async with taking(door.deliveries):
        answers = [asyncio.create_task(door.deliveries.take(delivered(f"YW{n}:1", f"s{n}"))) for n in range(3)]
        await settled()
    async with asyncio.timeout(5):
        assert [answer.status for answer in await asyncio.gather(*answers)] == [503] * 3
    assert (await door.deliveries.take(delivered("YW9:1", "s9"))).status == 503, "nobody would ever commit it"


async def test_a_sender_that_hangs_up_does_not_disturb_the_others(
    counted: CountedDatabase, rows: Rows, clock: SettableClock
) -> None:
    door = Door(counted, rows, clock)
    gone, stays = (asyncio.create_task(door.deliveries.take(delivered(f"YW{n}:1", f"s{n}"))) for n in range(2))
    await settled()
    gone.cancel()
    async with taking(door.deliveries):
        assert (await stays).status == 200
    assert await count(counted) == 2
