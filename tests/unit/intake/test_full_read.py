"""Reading from the beginning: what was missed comes, what is gone is marked, many are asked about, and nothing newer is undone."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Connection, select

from connectors.base import Item, Quarantined, Stream
from connectors.errors import CursorExpired, TransientError
from hub.intake import full_read, tombstones
from hub.intake.apply import Applied
from hub.intake.tombstones import Tombstones, approve
from hub.mirror import controls, drift, held, ops_list, streams
from hub.mirror.database import Database, DatabaseUnavailable
from hub.mirror.drift import Compared, Seen
from hub.mirror.records import Upserted, get
from hub.mirror.rows import Rows
from hub.mirror.tables import CHANGE, FULL_READ_KEY, TABLES
from schema.entities import Approval, DriftFinding, DriftKind, DriftReport, DriftState, OpsItem
from schema.entity import Tombstone
from schema.user_errors import PlatformIsPaused
from tests.builders import approval, observed
from tests.settable_clock import START, SettableClock
from tests.unit.intake.test_poller import Dying, Post

LONG_AGO = START - timedelta(days=3)


def page(*numbers: int, version: int = 1) -> Sequence[Item]:
    return [observed(approval(approval_no=f"YW{number}", version=version, updated_at=LONG_AGO)) for number in numbers]


class Registry(Post):
    """A platform whose stream shows all approvals there are, and that can be asked for them by key."""

    def __init__(self, database: Database, rows: Rows, clock: SettableClock) -> None:
        super().__init__(database, rows, clock)
        self.database, self.rows, self.clock = database, rows, clock
        self.platform.streams = (Stream("approvals", ("Approval",), timedelta(0), whole=("Approval",)),)  # type: ignore[misc]
        self.platform.fetchable = {"Approval": 50}  # type: ignore[misc]
        self.live: dict[str, Item] = {}
        self.fetched: list[str] = []
        self.pauses_at_fetch = 0
        """The platform is paused while it is asked for the so many-th time."""
        self.platform.fetch = self._fetch  # type: ignore[method-assign]
        self.tombstones = Tombstones(
            database,
            rows,
            {"approval": self.platform},
            self.desk.applier,
            clock=clock,
            after=lambda: None,
            share=0.01,
            at_least=2,
        )

    async def _fetch(self, entity: str, keys: Sequence[str]) -> list[Item]:
        assert entity == "Approval"
        self.fetched += keys
        self.pauses_at_fetch -= 1
        if not self.pauses_at_fetch:
            await self.paused()
        return [self.live[key] for key in keys if key in self.live]

    async def paused(self) -> None:
        await self.database.write(controls.pause, self.rows, "approval", "they move house", "lou", self.clock())

    async def resumed(self) -> None:
        await self.database.write(controls.resume, self.rows, "approval", "they are there", "lou", self.clock())

    async def filled(self, *numbers: int) -> None:
        """Read the stream for the first time, and let a day pass."""
        self.platform.pages = [page(*numbers)]
        assert await self.read_on() == Applied(len(numbers), 0)
        self.clock.advance(86_400)

    async def again(self, *pages: Sequence[Item] | BaseException) -> Applied | None:
        self.platform.pages = list(pages)
        return await self.poller.read_again("approval", "approvals", 0.1)

    async def report(self) -> DriftReport:
        (only,) = await self.database.read(drift.reports, self.rows)
        return only

    async def findings(self, state: DriftState) -> list[DriftFinding]:
        return await self.database.read(drift.in_state, self.rows, state, 100)

    async def item(self) -> OpsItem:
        def read(connection: Connection) -> OpsItem:
            return self.rows.reader(OpsItem)(connection.execute(select(TABLES["OpsItem"])).one())

        return await self.database.read(read)

    async def noted(self) -> int:
        return await self.database.read(lambda connection: len(connection.execute(select(FULL_READ_KEY)).all()))


@pytest.fixture
def registry(database: Database, rows: Rows, clock: SettableClock) -> Registry:
    clock.set(START)
    return Registry(database, rows, clock)


async def test_what_a_full_read_lacks_and_the_platform_does_not_know_is_marked_as_gone(registry: Registry) -> None:
    await registry.filled(1, 2, 3)
    registry.live["YW3"] = page(3)[0]  # the list has skipped it
    assert await registry.again(page(1)) == Applied(0, 0)
    assert await registry.desk.approvals() == {"YW1": 1, "YW3": 1}
    assert sorted(registry.fetched) == ["YW2", "YW3"]
    report = await registry.report()
    assert (report.checked, report.missing_there, report.repaired, report.waiting) == (1, 1, 1, 0)
    assert (report.started_at, report.ended_at) == (registry.clock(), registry.clock())
    (finding,) = await registry.findings(DriftState.TOMBSTONED)
    assert (finding.record_key, finding.kind, finding.our_version) == ("YW2", DriftKind.MISSING_THERE, 1)
    assert await registry.noted() == 0


async def test_what_was_marked_wrongly_comes_back_at_the_same_version_and_not_at_an_older_one(registry: Registry) -> None:
    registry.platform.pages = [page(1, version=4)]
    await registry.read_on()
    registry.clock.advance(86_400)
    await registry.again(page())
    assert await registry.desk.approvals() == {}
    registry.platform.pages += [page(1, version=3)]
    await registry.read_on()
    assert await registry.desk.approvals() == {}
    registry.platform.pages += [page(1, version=4)]
    await registry.read_on()
    assert await registry.desk.approvals() == {"YW1": 4}


async def test_an_old_page_overwrites_nothing_newer(registry: Registry) -> None:
    await registry.filled(1, 2)
    old = page(1, 2)
    await registry.desk.applier.apply("approval", "approvals", page(1, version=7))
    assert await registry.again(old) == Applied(0, 0)
    assert await registry.desk.approvals() == {"YW1": 7, "YW2": 1}


async def test_what_changed_while_it_was_read_is_not_gone(registry: Registry) -> None:
    await registry.filled(1)

    async def meanwhile() -> None:
        registry.clock.advance(5)
        fresh = [observed(approval(approval_no="YW2", observed_at=registry.clock()))]
        await registry.desk.applier.apply("approval", "approvals", fresh)

    sleep = registry.poller._sleep

    async def sleeping(seconds: float) -> None:
        await meanwhile()
        registry.poller._sleep = sleep

    registry.poller._sleep = sleeping
    await registry.again(page(1), page())
    assert await registry.desk.approvals() == {"YW1": 1, "YW2": 1}
    assert registry.fetched == []


async def test_a_read_that_broke_off_marks_nothing_and_goes_on_where_it_was(registry: Registry) -> None:
    await registry.filled(1, 2, 3)
    assert await registry.again(page(1), TransientError("approval", "TIMEOUT", "no answer"), page()) is None
    assert await registry.desk.approvals() == {"YW1": 1, "YW2": 1, "YW3": 1}
    assert (await registry.report()).ended_at is None
    assert await registry.again(page(), page(2)) == Applied(0, 0)
    assert registry.platform.asked[-2:] == [None, "1"]
    assert await registry.desk.approvals() == {"YW1": 1, "YW2": 1}


async def test_a_read_whose_cursor_expired_begins_anew_and_forgets_what_it_had_seen(registry: Registry) -> None:
    await registry.filled(1, 2)
    assert await registry.again(page(1, 2), CursorExpired("approval", "CURSOR_EXPIRED", "too old")) is None
    registry.clock.advance(60)
    assert await registry.again(page(1)) == Applied(0, 0)
    assert await registry.desk.approvals() == {"YW1": 1}


async def test_a_process_that_dies_while_it_reads_marks_nothing(registry: Registry) -> None:
    await registry.filled(1, 2)
    with pytest.raises(asyncio.CancelledError):
        await registry.again(page(1), asyncio.CancelledError())
    assert await registry.desk.approvals() == {"YW1": 1, "YW2": 1}


async def test_a_read_that_was_judged_is_not_judged_again_by_whoever_goes_on_after_a_crash(registry: Registry) -> None:
    """It would find its memory gone, and with it all records."""
    await registry.filled(1, 2, 3)
    registry.poller._database = Dying(registry.database, at=streams.finish)
    with pytest.raises(DatabaseUnavailable):
        await registry.again(page(1, 2, 3))
    registry.poller._database = registry.database
    registry.clock.advance(61)
    registry.platform.asked.clear()
    await registry.again(page(1, 2, 3))
    assert registry.platform.asked == [None]
    assert await registry.findings(DriftState.WAITING) == []
    assert await registry.desk.approvals() == {"YW1": 1, "YW2": 1, "YW3": 1}


async def test_a_crash_while_it_is_forgotten_what_was_shown_makes_nothing_gone(registry: Registry) -> None:
    await registry.filled(1, 2, 3)
    registry.poller._full_reads._database = Dying(registry.database, at=registry.poller._full_reads._forget)
    with pytest.raises(DatabaseUnavailable):
        await registry.again(page(1, 2, 3))
    registry.poller._full_reads._database = registry.database
    registry.clock.advance(61)
    await registry.again(page(1, 2, 3))
    assert (await registry.findings(DriftState.WAITING), await registry.noted()) == ([], 0)


async def test_whoever_judges_while_another_begins_anew_marks_nothing_and_forgets_nothing(registry: Registry) -> None:
    """As after `resync`: what the new reading has shown is its own."""
    await registry.filled(1, 2)
    fetch = registry._fetch

    async def meanwhile(entity: str, keys: Sequence[str]) -> list[Item]:
        registry.clock.advance(1)
        await registry.database.write(streams.forget_cursor, "approval", f"approvals{streams.AGAIN}")
        now, lease = registry.clock(), timedelta(seconds=60)
        new = await registry.database.write(streams.begin, registry.rows, "approval", "approvals", now, lease, again=True)
        assert new is not None
        await registry.database.write(held.note_shown, new.stream_id, [("Approval", "YW1"), ("Approval", "YW2")], now)
        return await fetch(entity, keys)

    registry.platform.fetch = meanwhile  # type: ignore[method-assign]
    await registry.again(page(1))
    assert await registry.desk.approvals() == {"YW1": 1, "YW2": 1}
    assert (await registry.findings(DriftState.TOMBSTONED), await registry.noted()) == ([], 2)


async def test_the_lease_lasts_while_a_slow_platform_is_asked_what_is_gone(registry: Registry) -> None:
    await registry.filled(1, 2)
    fetch = registry._fetch

    async def slowly(entity: str, keys: Sequence[str]) -> list[Item]:
        now, lease = registry.clock, timedelta(seconds=60)
        for _ in range(3):
            registry.clock.advance(50)
            await registry.renew_once()
            assert (
                await registry.database.write(streams.begin, registry.rows, "approval", "approvals", now(), lease, again=True)
                is None
            )
        return await fetch(entity, keys)

    registry.platform.fetch = slowly  # type: ignore[method-assign]
    await registry.again(page(1))
    assert await registry.desk.approvals() == {"YW1": 1}


async def test_a_stream_that_starts_over_after_its_cursor_expired_finds_what_is_gone_by_itself(registry: Registry) -> None:
    await registry.filled(1, 2)
    registry.platform.pages += [CursorExpired("approval", "CURSOR_EXPIRED", "the feed begins after our seq")]
    assert await registry.read_on() is None
    registry.platform.pages = [page(2), page(3)]
    assert await registry.read_on() == Applied(1, 0)
    assert registry.platform.asked[-1] is None
    assert await registry.desk.approvals() == {"YW2": 1, "YW3": 1}
    assert (await registry.health()).full_since is None


async def test_a_record_that_cannot_be_read_is_not_gone(registry: Registry) -> None:
    await registry.filled(1, 2)
    bad = Quarantined(reason="BAD_VALUE", detail="no good", content=b"{}", entity="Approval", key="YW2")
    await registry.again([*page(1), bad])
    assert await registry.desk.approvals() == {"YW1": 1, "YW2": 1}


async def test_of_what_cannot_be_asked_for_nothing_is_gone_while_a_record_without_a_key_was_shown(registry: Registry) -> None:
    await registry.filled(1, 2)
    registry.platform.fetchable = {}  # type: ignore[misc]
    await registry.again([*page(1), Quarantined(reason="NOT_JSON", detail="no good", content=b"{")])
    assert await registry.desk.approvals() == {"YW1": 1, "YW2": 1}
    (shown,) = await registry.findings(DriftState.OPEN)
    assert shown.record_key == "YW2"
    registry.clock.advance(60)
    await registry.again(page(1))
    assert await registry.desk.approvals() == {"YW1": 1}
    assert await registry.findings(DriftState.OPEN) == []


async def test_what_was_missed_long_ago_is_repaired_and_shown_and_what_is_on_its_way_is_not(registry: Registry) -> None:
    await registry.filled(1, 2)
    registry.platform.pages = []
    await registry.read_on()  # to its present end, a day later
    fresh = observed(approval(approval_no="YW9", updated_at=registry.clock()))
    assert await registry.again([*page(1), *page(2, version=5), *page(3), fresh]) == Applied(3, 0)
    assert await registry.desk.approvals() == {"YW1": 1, "YW2": 5, "YW3": 1, "YW9": 1}
    repaired = {one.record_key: one for one in await registry.findings(DriftState.REPAIRED)}
    assert {key: (one.kind, one.our_version, one.their_version) for key, one in repaired.items()} == {
        "YW2": (DriftKind.OUTDATED_HERE, 1, 5),
        "YW3": (DriftKind.MISSING_HERE, None, 1),
    }
    report = await registry.report()
    assert (report.missing_here, report.outdated_here, report.repaired) == (1, 1, 2)
    changed = await registry.database.read(lambda connection: len(connection.execute(select(CHANGE)).all()))
    registry.clock.advance(60)
    assert await registry.again([*page(1), *page(2, version=5), *page(3), fresh]) == Applied(0, 0)
    assert changed == await registry.database.read(lambda connection: len(connection.execute(select(CHANGE)).all()))


async def test_many_that_are_gone_wait_for_an_operator_and_are_marked_once_he_says_so(registry: Registry) -> None:
    await registry.filled(1, 2, 3, 4, 5)
    await registry.again(page(1))
    assert len(await registry.desk.approvals()) == 5
    assert registry.fetched == []
    item = await registry.item()
    assert (item.kind, item.cause, item.resolved_at) == ("tombstones", "approval/Approval", None)
    assert "4 of 5 Approval are here and not there" in item.message
    assert item.after == '["YW2","YW3","YW4","YW5"]'
    assert ((await registry.report()).waiting, len(await registry.findings(DriftState.WAITING))) == (4, 4)

    await registry.again(page(1))  # the same again is the same item
    assert (await registry.item()).item_id == item.item_id

    registry.live["YW2"] = page(2)[0]
    outcome = await registry.database.write(approve, registry.rows, item.item_id, "the register was cleaned", "wang", START)
    assert outcome.done == (item.item_id,)
    assert (await registry.item()).resolved_by == "wang"
    assert await registry.tombstones.carry_out() == (4, ())
    assert await registry.desk.approvals() == {"YW1": 1, "YW2": 1}
    report = await registry.report()
    assert (report.missing_there, report.repaired, report.waiting) == (4, 3, 0)
    again = await registry.database.write(approve, registry.rows, item.item_id, "the same", "wang", START)
    assert (again.done, await registry.tombstones.carry_out()) == ((item.item_id,), (0, ()))


async def test_many_that_are_gone_are_noted_some_at_a_time_and_one_that_dies_meanwhile_loses_none(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(full_read, "AT_ONCE", 3)
    await registry.filled(*range(9))
    written, note = list[int](), drift.note

    def noting(connection: Connection, rows: Rows, compared: Compared, seen: Sequence[Seen], now: datetime) -> None:
        written.append(len(seen))
        if len(written) == 3:  # behind the page, and the first of three
            raise DatabaseUnavailable("gone")
        note(connection, rows, compared, seen, now)

    monkeypatch.setattr(drift, "note", noting)
    with pytest.raises(DatabaseUnavailable):
        await registry.again(page(0))
    item = await registry.item()
    assert ([one.item_id for one in await registry.findings(DriftState.WAITING)]) == [item.item_id] * 3
    registry.clock.advance(61)
    await registry.again(page(0))
    assert written == [0, 3, 3, 3, 3, 2]
    assert (await registry.item()).item_id == item.item_id
    assert (len(await registry.findings(DriftState.WAITING)), (await registry.report()).waiting) == (8, 8)


async def approved_item(registry: Registry, gone: int) -> OpsItem:
    """Let more be gone than is marked without asking, and approve it."""
    await registry.filled(*range(gone + 1))
    await registry.again(page(0))
    item = await registry.item()
    await registry.database.write(approve, registry.rows, item.item_id, "the register was cleaned", "wang", START)
    return item


async def test_what_is_approved_waits_while_its_platform_is_paused_and_whoever_approves_it_is_told(registry: Registry) -> None:
    item = await approved_item(registry, 4)
    await registry.paused()
    told = await registry.database.write(approve, registry.rows, item.item_id, "the same", "wang", START)
    (refused,) = told.refused
    assert told.done == (item.item_id,)
    assert isinstance(refused, PlatformIsPaused)
    assert refused.message.endswith("approval is paused: its records are marked as gone by themselves once it is resumed")
    carried = await registry.tombstones.carry_out()
    assert (carried.settled, [error.code for error in carried.waiting]) == (0, ["PLATFORM_PAUSED"])
    assert registry.fetched == []
    await registry.resumed()
    assert await registry.tombstones.carry_out() == (4, ())
    assert await registry.desk.approvals() == {"YW0": 1}


async def test_marking_what_is_approved_stops_between_two_steps_when_its_platform_is_paused_and_goes_on_from_there(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tombstones, "CHUNK", 2)
    await approved_item(registry, 5)
    registry.pauses_at_fetch = 2
    carried = await registry.tombstones.carry_out()
    assert (carried.settled, [error.code for error in carried.waiting]) == (4, ["PLATFORM_PAUSED"])
    assert len(registry.fetched) == 4
    await registry.resumed()
    assert await registry.tombstones.carry_out() == (1, ())
    assert len(registry.fetched) == 5


async def test_marking_what_a_reading_missed_stops_between_two_steps_when_its_platform_is_paused(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tombstones, "CHUNK", 1)
    await registry.filled(1, 2, 3)
    registry.pauses_at_fetch = 1
    assert await registry.again(page(1)) is None
    assert (len(await registry.desk.approvals()), len(registry.fetched)) == (2, 1)
    await registry.resumed()
    await registry.again(page(1))
    assert await registry.desk.approvals() == {"YW1": 1}


async def test_one_platform_that_does_not_answer_holds_up_its_own_tombstones_only(registry: Registry) -> None:
    await approved_item(registry, 4)
    registry.live = {}
    fails = TransientError("approval", "BUSY", "not now", 5.0)

    async def fetch(entity: str, keys: Sequence[str]) -> list[Item]:
        raise fails

    registry.platform.fetch = fetch  # type: ignore[method-assign]
    assert await registry.tombstones.carry_out() == (0, (fails,))
    assert len(await registry.findings(DriftState.APPROVED)) == 4


def fails_on(registry: Registry, *keys: str) -> None:
    """Let the rules fail on what becomes of these records."""

    def derive(connection: Connection, changes: Sequence[Upserted], now: datetime) -> None:
        failing = [change for change in changes if isinstance(change.item, Tombstone) and change.item.key in keys]
        if failing:
            raise ArithmeticError("no rule for it")

    registry.desk.applier._derive = derive


async def test_a_record_that_cannot_be_marked_is_named_and_holds_up_no_other(registry: Registry) -> None:
    await registry.filled(1, 2, 3)
    fails_on(registry, "YW2")
    assert await registry.again(page(1)) == Applied(0, 0)
    assert await registry.desk.approvals() == {"YW1": 1, "YW2": 1}
    (found,) = await registry.desk.quarantined()
    assert (found.record_key, found.reason, found.entity) == ("YW2", "NOT_APPLIED", "Approval")
    assert [one.record_key for one in await registry.findings(DriftState.TOMBSTONED)] == ["YW3"]
    assert ((await registry.report()).failure, await registry.noted()) == (None, 0)


async def test_what_is_approved_and_cannot_be_marked_at_all_stays_approved_and_ends_no_turn(registry: Registry) -> None:
    await approved_item(registry, 4)
    fails_on(registry, "YW1", "YW2", "YW3", "YW4")
    carried = await registry.tombstones.carry_out()
    assert (carried.settled, [error.code for error in carried.waiting]) == (0, ["UNEXPECTED"])
    assert len(await registry.findings(DriftState.APPROVED)) == 4
    fails_on(registry, "YW2")
    assert await registry.tombstones.carry_out() == (4, ())
    assert await registry.desk.approvals() == {"YW0": 1, "YW2": 1}


async def test_a_read_whose_judgement_fails_says_so_in_its_report_and_goes_on_later(registry: Registry) -> None:
    await registry.filled(1, 2, 3)
    fails_on(registry, "YW2", "YW3")
    assert await registry.again(page(1)) is None
    report = await registry.report()
    assert report.failure == "UNEXPECTED: ArithmeticError in the connector; the log has it"
    assert (report.ended_at, report.next_at) == (registry.clock(), registry.clock() + timedelta(minutes=10))
    fails_on(registry)
    assert await registry.again(page(1)) == Applied(0, 0)
    assert ((await registry.report()).failure, await registry.desk.approvals()) == (None, {"YW1": 1})


async def test_what_waited_and_is_shown_again_waits_no_more(registry: Registry) -> None:
    await registry.filled(1, 2, 3, 4)
    await registry.again(page(1))
    registry.clock.advance(60)
    await registry.again(page(1, 2, 3, 4))
    assert await registry.findings(DriftState.WAITING) == []
    item = await registry.item()
    assert item.resolved_by == "hub"
    refused = await registry.database.write(approve, registry.rows, item.item_id, "late", "wang", START)
    assert [type(error).__name__ for error in refused.refused] == ["WrongState"]


async def test_the_same_list_that_vanishes_again_is_asked_about_again(registry: Registry) -> None:
    await registry.filled(1, 2, 3, 4)
    await registry.again(page(1))
    for again in (1, 2, 3, 4), (1,):
        registry.clock.advance(60)
        await registry.again(page(*again))
    item = await registry.item()
    assert (item.resolved_at, item.resolved_by, item.opened_at) == (None, None, registry.clock())
    assert {one.item_id for one in await registry.findings(DriftState.WAITING)} == {item.item_id}


async def test_what_was_approved_came_back_and_vanishes_again_is_asked_about_again(registry: Registry) -> None:
    item = await approved_item(registry, 4)
    await registry.tombstones.carry_out()
    registry.clock.advance(60)
    await registry.again(page(*range(5)))
    registry.clock.advance(86_400)
    await registry.again(page(0))
    again = await registry.item()
    assert (again.item_id, again.resolved_at, len(await registry.desk.approvals())) == (item.item_id, None, 5)


async def test_a_list_that_an_operator_took_off_is_not_asked_about_again(registry: Registry) -> None:
    await registry.filled(1, 2, 3, 4)
    await registry.again(page(1))
    item = await registry.item()
    await registry.database.write(ops_list.resolve, registry.rows, item.item_id, "wang", "they find them again", START)
    registry.clock.advance(60)
    await registry.again(page(1))
    assert (await registry.item()).resolved_by == "wang"


async def test_an_item_that_is_not_there_cannot_be_approved(registry: Registry) -> None:
    refused = await registry.database.write(approve, registry.rows, "nothing", "why", "wang", START)
    assert [type(error).__name__ for error in refused.refused] == ["UnknownOpsItem"]
    assert not await registry.database.read(ops_list.open_count)


async def test_a_record_that_changed_before_its_tombstone_was_written_stays(registry: Registry) -> None:
    await registry.filled(1, 2)
    fetch = registry._fetch

    async def late(entity: str, keys: Sequence[str]) -> list[Item]:
        found = await fetch(entity, keys)
        await registry.desk.applier.apply("approval", "approvals", page(2, version=2))
        return found

    registry.platform.fetch = late  # type: ignore[method-assign]
    await registry.again(page(1))
    assert await registry.desk.approvals() == {"YW1": 1, "YW2": 2}
    assert await registry.findings(DriftState.TOMBSTONED) == []


async def test_only_what_this_platform_said_can_be_gone(registry: Registry) -> None:
    await registry.filled(1)
    other = observed(approval(approval_no="YW2", source="policy"))
    await registry.desk.applier.apply("policy", "files", [other])
    registry.clock.advance(60)
    await registry.again(page(1))
    found = await registry.database.read(get, registry.rows, Approval, ["YW1", "YW2"])
    assert sorted(found) == ["YW1", "YW2"]
    assert await registry.database.read(held.count, "approval", "Approval") == 1
