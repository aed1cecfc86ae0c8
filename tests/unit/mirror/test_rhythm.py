"""How much platforms tell, and whether their webhooks tell it: counted once each, on both databases."""

from sqlalchemy import Connection

from connectors.base import Delivery as RawDelivery
from connectors.base import Verified
from hub.domain.silence import hour_of
from hub.mirror import inbox, rhythm
from hub.mirror.database import Database
from hub.mirror.rows import Rows, micros
from hub.mirror.tables import CHANGE
from tests.settable_clock import SettableClock

ANNOUNCED = {"credit": ("CreditRecord",), "grid": ("GridEvent",), "selfgov": ()}


class Life:
    """Writes what platforms told, in the public order."""

    def __init__(self, database: Database, rows: Rows, clock: SettableClock) -> None:
        self.database, self.rows, self.clock = database, rows, clock
        self.position = 0

    async def told(self, source: str, entity: str, times: int = 1, *, created: bool = True) -> None:
        for _ in range(times):
            self.position += 1
            await self.database.write(self._change, source, entity, created)

    def _change(self, connection: Connection, source: str, entity: str, created: bool) -> None:
        row = {
            "entity": entity,
            "key": f"{self.position}",
            "version": 1,
            "deleted": False,
            "source": source,
            "content": b"",
            "created": created,
        }
        connection.execute(CHANGE.insert().values(**row, observed_at=micros(self.clock()), position=self.position))

    async def posted(self, platform: str) -> None:
        raw = RawDelivery(platform=platform, path="/", headers={}, body=b"", received_at=self.clock())
        kept = inbox.kept(raw, Verified(signature=f"{self.clock()}"), 0)
        await self.database.write(inbox.store, self.rows, [kept])

    async def count(self) -> None:
        await self.database.write(rhythm.count, ANNOUNCED, self.clock())

    async def unannounced(self, platform: str) -> int:
        return (await self.database.read(rhythm.told)).get(platform, (None, 0))[1]


async def test_each_version_counts_once_in_its_hour(database: Database, rows: Rows, clock: SettableClock) -> None:
    life = Life(database, rows, clock)
    await life.count()  # from here on
    await life.told("grid", "GridEvent", 2)
    await life.count()
    await life.told("grid", "GridEvent")
    await life.count()
    await life.count()
    clock.advance(3600)
    await life.told("grid", "GridEvent")
    await life.told("credit", "CreditProfile", 2)
    await life.told("policy", "Matter")
    await life.count()
    hour = hour_of(clock())
    assert await database.read(rhythm.hours) == {"grid": {hour - 1: 3, hour: 1}, "credit": {hour: 2}}
    assert (await database.read(rhythm.told))["grid"] == (micros(clock()), 0)


async def test_what_was_long_ago_is_forgotten(database: Database, rows: Rows, clock: SettableClock) -> None:
    life = Life(database, rows, clock)
    await life.count()
    await life.told("grid", "GridEvent")
    await life.count()
    clock.advance(70 * 86_400)
    await life.told("grid", "GridEvent")
    await life.count()
    assert await database.read(rhythm.hours) == {"grid": {hour_of(clock()): 1}}


async def test_records_that_no_webhook_told_are_counted_until_one_comes(
    database: Database, rows: Rows, clock: SettableClock
) -> None:
    life = Life(database, rows, clock)
    await life.count()
    await life.told("credit", "CreditRecord", 5)
    await life.count()
    assert await life.unannounced("credit") == 0, "it has never posted anything: perhaps it is not told to"
    await life.posted("credit")
    clock.advance(1)
    await life.told("credit", "CreditRecord", 2)
    await life.told("credit", "CreditProfile", 4)  # of these it posts nothing
    await life.told("credit", "CreditRecord", 4, created=False)  # nor of what we changed there ourselves
    await life.count()
    await life.count()
    assert await life.unannounced("credit") == 2
    clock.advance(1)
    await life.told("credit", "CreditRecord")
    await life.count()
    assert await life.unannounced("credit") == 3
    clock.advance(1)
    await life.posted("credit")
    await life.count()
    assert await life.unannounced("credit") == 0


async def test_what_a_webhook_told_is_none_of_them(database: Database, rows: Rows, clock: SettableClock) -> None:
    life = Life(database, rows, clock)
    await life.count()
    for _ in range(5):
        await life.told("grid", "GridEvent")  # a poll was a moment sooner
        clock.advance(0.2)
        await life.posted("grid")
        clock.advance(10)
    await life.count()
    assert await life.unannounced("grid") == 0
