"""Each platform is applied on a way of its own: while one is slow, poisonous or failing, what others bring is applied at once."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeVar

import msgspec
import pytest

from connectors.base import Verified
from hub.intake.apply import Applier
from hub.intake.applying import GATHER, GIVE_WAY, LITTLE, MUCH, Applying
from hub.intake.deliveries import Deliveries
from hub.mirror import inbox
from hub.mirror.database import Database, DatabaseUnavailable
from hub.mirror.records import get
from hub.mirror.rows import Rows
from schema.entities import Approval
from tests.settable_clock import SettableClock
from tests.unit.intake.plain_platform import PlainPlatform, delivered

T = TypeVar("T")


class SlowPlatform(PlainPlatform):
    """As the plain one, under another name."""

    platform: ClassVar[str] = "slow"


class Gated(Database):
    """Lets some writes in only once the gate is open: `held` says which. They hold nothing meanwhile."""

    def __init__(self, inner: Database, held: Callable[[Callable[..., Any], tuple[Any, ...]], bool]) -> None:
        self.inner, self.held = inner, held
        self.gate, self.came = asyncio.Event(), asyncio.Event()

    async def write(self, work: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        if self.held(work, args):
            self.came.set()
            await self.gate.wait()
        return await self.inner.write(work, *args, **kwargs)

    async def read(self, work: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        return await self.inner.read(work, *args, **kwargs)

    async def close(self) -> None:
        await self.inner.close()


@dataclass
class Intake:
    """Two platforms, `approval` and `slow`, whose deliveries are applied as they come."""

    database: Database
    rows: Rows
    clock: SettableClock
    pauses: list[float] = field(default_factory=list)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        connectors = {"approval": PlainPlatform(self.clock), "slow": SlowPlatform(self.clock)}
        self.applier = Applier(self.database, self.rows, connectors, lambda *_: None, clock=self.clock, after=lambda: None)
        self.deliveries = Deliveries(
            self.database, self.rows, connectors, clock=self.clock, after=self.arrived.set, most_waiting=9, most_bytes=999
        )
        self.applying = Applying(self.applier, self.deliveries, self.arrived, sleep=self.sleep, idle_seconds=3600)

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        await asyncio.sleep(0)

    async def keep(self, platform: str, *bodies: str) -> None:
        raws = [msgspec.structs.replace(delivered(body), platform=platform) for body in bodies]
        kept = [inbox.kept(raw, Verified(signature=uuid.uuid4().hex), 0) for raw in raws]
        await self.database.write(inbox.store, self.rows, kept)
        self.arrived.set()

    async def waiting(self) -> dict[str, int]:
        return await self.database.read(inbox.waiting)

    async def applied(self, *numbers: str) -> None:
        """Return once these approvals are in the mirror."""
        async with asyncio.timeout(20):
            while len(await self.database.read(get, self.rows, Approval, list(numbers))) < len(numbers):  # noqa: ASYNC110  (in the database)
                await asyncio.sleep(0.001)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.applying.run())
        yield
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


def of_slow(work: Callable[..., Any], args: tuple[Any, ...]) -> bool:
    """Say whether a batch of the slow platform is to be applied."""
    return work.__name__ == "_deliveries" and args[0] == "slow"


def alone(work: Callable[..., Any], _args: tuple[Any, ...]) -> bool:
    """Say whether a delivery is to be applied by itself, after its batch failed."""
    return work.__name__ == "_one"


@pytest.mark.parametrize(("held", "bodies"), [(of_slow, ["YW1:1"]), (alone, ["poison", "YW1:1"])])
async def test_while_one_platforms_batch_is_slow_or_poisonous_the_deliveries_of_another_are_applied_at_once(
    database: Database, rows: Rows, clock: SettableClock, held: Callable[..., bool], bodies: list[str]
) -> None:
    gated = Gated(database, held)
    intake = Intake(gated, rows, clock)
    async with intake.running():
        await intake.keep("slow", *bodies)
        await gated.came.wait()
        for number in (2, 3, 4):
            await intake.keep("approval", f"YW{number}:1")
            await intake.applied(f"YW{number}")
        assert await intake.waiting() == {"slow": len(bodies)}
        gated.gate.set()
        await intake.applied("YW1")


async def test_what_comes_while_the_way_of_its_platform_ends_is_not_left_until_the_idle_time(
    database: Database, rows: Rows, clock: SettableClock
) -> None:
    """The last look of a way may be older than what came; that is an hour here."""
    intake = Intake(database, rows, clock)
    async with intake.running():
        for number in range(40):
            await intake.keep("approval", f"YW{number}:1")
            for _ in range(number % 8):
                await asyncio.sleep(0)
        await intake.applied(*(f"YW{number}" for number in range(40)))


async def test_a_platform_whose_deliveries_cannot_be_applied_is_tried_again_and_the_others_go_on(
    database: Database, rows: Rows, clock: SettableClock
) -> None:
    intake, failures = Intake(database, rows, clock), [DatabaseUnavailable("locked"), ZeroDivisionError("a mistake")]
    whole = intake.applier.apply_of

    async def failing(platform: str, limit: int = 200) -> int:
        if platform == "slow" and failures:
            raise failures.pop()
        return await whole(platform, limit)

    intake.applier.apply_of = failing  # type: ignore[method-assign]
    async with intake.running():
        await intake.keep("slow", "YW1:1")
        await intake.keep("approval", "YW2:1")
        await intake.applied("YW1", "YW2")
    assert intake.pauses.count(3600) == 2


async def test_more_than_fits_into_a_transaction_is_applied_in_several(
    sqlite_database: Database, rows: Rows, clock: SettableClock
) -> None:
    intake, limits = Intake(sqlite_database, rows, clock), list[int]()
    whole = intake.applier.apply_of

    async def noted(platform: str, limit: int = 200) -> int:
        limits.append(limit)
        return await whole(platform, limit)

    intake.applier.apply_of = noted  # type: ignore[method-assign]
    await intake.keep("approval", *(f"YW{number}:1" for number in range(MUCH + 1)))
    async with intake.running():
        await intake.applied(*(f"YW{number}" for number in range(MUCH + 1)))
    assert limits == [MUCH, MUCH]
    assert intake.pauses in ([], [GATHER])


async def test_while_many_come_in_the_ways_leave_four_fifths_of_the_time_to_the_door(
    sqlite_database: Database, rows: Rows, clock: SettableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Deliveries, "pressing", True)
    monkeypatch.setattr(Deliveries, "lately", True)
    intake, took = Intake(sqlite_database, rows, clock), list[float]()
    whole, now = intake.applier.apply_of, asyncio.get_running_loop().time

    async def noted(platform: str, limit: int = 200) -> int:
        assert limit == LITTLE
        began = now()
        count = await whole(platform, limit)
        took.append(now() - began)
        return count

    intake.applier.apply_of = noted  # type: ignore[method-assign]
    await intake.keep("approval", "YW1:1")
    async with intake.running():
        await intake.applied("YW1")
        while not intake.pauses:  # noqa: ASYNC110  (it is paused right behind its transaction)
            await asyncio.sleep(0)
    assert intake.pauses[0] >= GIVE_WAY * took[0]
