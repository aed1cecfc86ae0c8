"""The reader behind live reads on both databases: batches, faults of the hub itself, a database that does not answer."""

import asyncio
import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, ClassVar, cast

import pytest

from connectors.base import Connector, Item
from hub.intake.apply import Applier
from hub.live_calls import NotLive
from hub.live_reads import LiveReader
from hub.mirror.database import Database, DatabaseUnavailable, SQLiteDatabase
from hub.mirror.records import get
from hub.mirror.rows import Rows
from hub.simulation.clock import in_simulated_time
from schema.declare import declared
from schema.entities import Approval
from schema.live import Shown
from tests.builders import approval, observed
from tests.settable_clock import START, SettableClock
from tests.unit.intake.plain_platform import PlainPlatform

BATCH = 3


class Registry(PlainPlatform):
    """Shows approvals of version 2, three to a call."""

    fetchable: ClassVar[Mapping[str, int]] = {"Approval": BATCH}

    def __init__(self, clock: SettableClock) -> None:
        super().__init__(clock)
        self.settings = self.settings.model_copy(update={"live_seconds": 60.0})
        self.calls: list[tuple[str, ...]] = []
        self.fails: Exception | None = None
        self.under_way = self.most = 0
        self.answers = asyncio.Event()
        self.answers.set()

    async def fetch(self, entity: str, keys: Sequence[str]) -> list[Item]:
        self.calls.append(tuple(keys))
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        await self.answers.wait()
        await asyncio.sleep(0.01)
        self.under_way -= 1
        if self.fails is not None and "BAD" in keys:
            raise self.fails
        return [observed(approval(approval_no=key, version=2, observed_at=self.surroundings.clock())) for key in keys]


class Desk:
    """A reader on a mirror; counts what became of each read."""

    def __init__(self, database: Database, rows: Rows, clock: SettableClock, *, share: float = 1.0) -> None:
        self.database, self.rows, self.clock = database, rows, clock
        self.registry = Registry(clock)
        self.woken = 0
        self.counted: list[tuple[str, str]] = []
        platforms: dict[str, Connector] = {"approval": self.registry}
        applier = Applier(database, rows, platforms, lambda *_: None, clock=clock, after=self._wake)
        self.reader = LiveReader(
            database,
            rows,
            platforms,
            applier.write,
            clock=clock,
            share=share,
            is_paused=lambda platform: False,
            after=self._wake,
            count=lambda platform, outcome: self.counted.append((platform, outcome)),
        )

    def _wake(self) -> None:
        self.woken += 1

    async def read(self, *keys: str, held: Any = None) -> list[Shown]:
        begun = asyncio.get_running_loop().time()
        return await asyncio.gather(*(self.reader.read(declared(Approval), key, held, begun) for key in keys))


async def test_keys_of_one_turn_go_together_and_reach_the_mirror(database: Database, rows: Rows, clock: SettableClock) -> None:
    desk = Desk(database, rows, clock)
    found = await desk.read("A", "B", "C", "D", "A")
    assert desk.registry.calls == [("A", "B", "C"), ("D",)]
    assert [(shown.record.approval_no, shown.record.version, shown.trouble) for shown in found] == [
        (key, 2, None) for key in ("A", "B", "C", "D", "A")
    ]
    assert len({shown.renewed for shown in found}) == 2
    kept = await database.read(lambda connection: get(connection, rows, Approval, ["A", "D"]))
    assert {key: one.version for key, one in kept.items()} == {"A": 2, "D": 2}
    assert desk.woken == 2
    clock.advance(60)
    (again,) = await desk.read("A", held=found[0].record)
    assert (again.record.observed_at, again.renewed, desk.woken) == (clock(), None, 2), "unchanged: fresh again, and no news"
    assert desk.counted == [("approval", "OK")] * 6


async def test_a_fault_of_the_hub_is_answered_by_the_copy_and_of_its_own_call_only(
    sqlite_database: Database, rows: Rows, clock: SettableClock, capsys: pytest.CaptureFixture[str]
) -> None:
    desk = Desk(sqlite_database, rows, clock)
    desk.registry.fails = LookupError("nobody expected 13905790001 here")
    held: Approval = approval(approval_no="BAD")
    found = await desk.read("A", "B", "C", "BAD", held=held)
    assert [shown.trouble.code if shown.trouble else None for shown in found] == [None, None, None, "INTERNAL"]
    assert found[3].record is held
    assert found[3].trouble is not None
    assert "13905790001" not in found[3].trouble.message
    assert not desk.reader._flights["Approval"], "nothing stays on its way"


async def test_no_more_calls_are_under_way_than_their_share(sqlite_database: Database, rows: Rows, clock: SettableClock) -> None:
    desk = Desk(sqlite_database, rows, clock, share=0.5)
    await desk.read(*(f"A{number}" for number in range(60)))
    assert (len(desk.registry.calls), desk.registry.most) == (20, 8), "of 16"


async def test_others_who_ask_for_people_take_their_calls_out_of_the_same_share(
    sqlite_database: Database, rows: Rows, clock: SettableClock
) -> None:
    desk = Desk(sqlite_database, rows, clock, share=1 / 16)
    place = desk.reader.share.place
    async with place("approval", 60.0):
        assert await _refused(place("approval", 0.01)) == "LIVE_TIMEOUT"
    found = [await _refused(place("approval", 60.0)) for _ in range(500)]
    assert (found[0], found[-1]) == (None, "LIVE_QUOTA")
    (refused,) = await desk.read("A")
    assert refused.trouble is not None
    assert refused.trouble.code == "LIVE_QUOTA"
    assert await _refused(place("credit", 60.0)) == "LIVE_NOT_BRIDGED"


async def _refused(place: AbstractAsyncContextManager[None]) -> str | None:
    try:
        async with place:
            return None
    except NotLive as refused:
        return refused.trouble.code


async def test_who_has_left_before_the_call_is_made_is_not_asked_for(
    sqlite_database: Database, rows: Rows, clock: SettableClock
) -> None:
    desk = Desk(sqlite_database, rows, clock, share=1 / 16)  # one call at a time
    desk.registry.answers.clear()
    first = asyncio.create_task(desk.read("A", "B", "C"))
    await _until(lambda: desk.registry.calls)
    left, half = asyncio.create_task(desk.read("D", "E", "F")), asyncio.create_task(desk.read("G"))
    await _until(lambda: len(desk.reader._flights["Approval"]) == 7)
    stays = asyncio.create_task(desk.read("H", "E"))  # E is on its way already
    await _until(lambda: len(desk.reader._flights["Approval"]) == 8)
    for task in (left, half):
        task.cancel()
    await asyncio.gather(left, half, return_exceptions=True)
    desk.registry.answers.set()
    found = [*await first, *await stays]
    assert desk.registry.calls[0] == ("A", "B", "C")
    assert sorted(key for call in desk.registry.calls[1:] for key in call) == ["E", "H"]
    assert [shown.trouble for shown in found] == [None] * 5
    (again,) = await desk.read("G")
    assert again.trouble is None, "who left stands in nobody's way"
    assert not desk.reader._flights["Approval"]


async def _until(holds: Callable[[], Any]) -> None:
    async with asyncio.timeout(20):
        while not holds():  # noqa: ASYNC110  (in the reader)
            await asyncio.sleep(0.001)


class Refuses:
    """A database that cannot be written, or does not answer."""

    def __init__(self, behind: Database, *, hangs: bool, from_call: int) -> None:
        self._behind, self._hangs, self._left = behind, hangs, from_call

    async def write(self, work: Any, *args: Any) -> Any:
        self._left -= 1
        if self._left >= 0:
            return await self._behind.write(work, *args)
        if self._hangs:
            await asyncio.sleep(3600)
        raise DatabaseUnavailable("no")


@pytest.mark.parametrize("hangs", [False, True])
def test_without_the_database_what_was_read_is_answered_and_nothing_is_asked_beyond_the_quota(
    hangs: bool, sqlite_template: Path, tmp_path: Path, rows: Rows
) -> None:
    shutil.copy(sqlite_template, tmp_path / "inline.db")
    database = SQLiteDatabase(str(tmp_path / "inline.db"), inline=True)

    async def story() -> None:
        desk = Desk(database, rows, SettableClock())
        desk.reader._database = desk.reader.share._database = cast(Database, Refuses(database, hangs=hangs, from_call=1))
        held: Approval = approval(approval_no="A", version=1)
        (shown,) = await desk.read("A", held=held)
        assert (shown.record.version, shown.trouble) == (2, None), "the quota was known, the mirror was not written"
        (shown,) = await desk.read("A", held=held)
        assert shown.record is held
        assert shown.trouble is not None
        assert (shown.trouble.code, shown.trouble.reason) == ("LIVE_FAILED", "QUOTA_UNKNOWN")
        assert len(desk.registry.calls) == 1
        await desk.reader.close()

    in_simulated_time(story(), START)
