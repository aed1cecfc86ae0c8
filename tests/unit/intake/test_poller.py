"""Polling: a page and its cursor are committed together; whatever ends a reading, the next one goes on from there."""

import asyncio
import random
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, TypeVar

import pytest

from connectors.base import Item, Quarantined
from connectors.errors import CursorExpired, PlatformDown, TransientError
from hub.intake.apply import Applied
from hub.intake.full_read import FullReads
from hub.intake.poller import Poller
from hub.intake.tombstones import Tombstones
from hub.mirror import streams
from hub.mirror.database import Database, DatabaseUnavailable
from hub.mirror.rows import Rows
from schema.entities import StreamHealth
from tests.builders import approval, observed
from tests.settable_clock import SettableClock
from tests.unit.intake.test_apply import Desk, Failing

T = TypeVar("T")


class EnoughSleep(Exception):
    """Ends a poller that would run for ever."""


class Post:
    """A poller of the plain platform, with the desk that applies its pages."""

    def __init__(self, database: Database, rows: Rows, clock: SettableClock, through: Database | None = None) -> None:
        self.desk = Desk(database, rows, clock)
        self.platform = self.desk.platform
        self.news = 0
        self.pauses: list[float] = []
        self.thirds, self.goes_by, self.renewed = 0, asyncio.Event(), asyncio.Event()
        self.poller = Poller(
            through or database,
            rows,
            {"approval": self.platform},
            self.desk.applier,
            full_reads(through or database, rows, self.desk),
            clock=clock,
            sleep=self._sleep,
            rng=random.Random(1),
            after=self._after,
            wait=self._wait,
        )

    def _after(self) -> None:
        self.news += 1

    async def _sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        await asyncio.sleep(0)
        if len(self.pauses) >= 5:
            raise EnoughSleep

    async def renew_once(self) -> None:
        """Let a third of the lease go by, and wait until it was renewed; without it none is."""
        self.goes_by.set()
        await self.renewed.wait()
        self.renewed.clear()

    async def _wait(self, seconds: float) -> None:
        assert seconds == 20.0
        if self.thirds:
            self.renewed.set()
        await self.goes_by.wait()
        self.goes_by.clear()
        self.thirds += 1

    async def read_on(self) -> Applied | None:
        return await self.poller.read_on("approval", "approvals")

    async def health(self) -> StreamHealth:
        (only,) = await self.desk.database.read(streams.all_streams, self.desk.rows)
        return only


class Dying(Failing):
    """Refuses one piece of work, and lets all others through."""

    def __init__(self, inner: Database, *, at: Callable[..., Any]) -> None:
        super().__init__(inner, lets=0, refuses=0)
        self.at = at

    async def write(self, work: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        if work == self.at:
            raise DatabaseUnavailable("gone")
        return await super().write(work, *args, **kwargs)


@pytest.fixture
def post(database: Database, rows: Rows, clock: SettableClock) -> Post:
    return Post(database, rows, clock)


def full_reads(database: Database, rows: Rows, desk: Desk) -> FullReads:
    """Return what notes and judges readings from the beginning; two records are marked as gone without asking."""
    tombstones = Tombstones(
        database,
        rows,
        {"approval": desk.platform},
        desk.applier,
        clock=desk.clock,
        after=lambda: None,
        share=0.01,
        at_least=2,
    )
    return FullReads(database, rows, tombstones, clock=desk.clock, grace=timedelta(0), every=timedelta(days=7))


def page(*numbers: int, version: int = 1) -> Sequence[Item]:
    return [observed(approval(approval_no=f"YW{number}", version=version)) for number in numbers]


async def test_a_stream_is_read_to_its_end_and_then_from_there(post: Post) -> None:
    post.platform.pages = [page(1, 2), page(3), page()]
    assert await post.read_on() == Applied(3, 0)
    assert await post.desk.approvals() == {"YW1": 1, "YW2": 1, "YW3": 1}
    post.platform.pages.append(page(4))
    assert await post.read_on() == Applied(1, 0)
    assert post.platform.asked == [None, "3"]
    health = await post.health()
    assert (health.cursor, health.records_seen, health.failure, health.lease_until) == ("4", 4, None, None)
    assert health.last_success_at == post.desk.clock()
    assert post.news == 3


async def test_after_a_failure_between_pages_the_next_reading_goes_on_behind_the_last_page(post: Post) -> None:
    post.platform.pages = [page(1), TransientError("approval", "TIMEOUT", "no answer, ask 13905790001"), page(3)]
    assert await post.read_on() is None
    health = await post.health()
    assert (health.cursor, health.last_success_at, health.last_failure_at) == ("1", None, post.desk.clock())
    assert health.failure is not None
    assert health.failure.startswith("TIMEOUT: approval: no answer")
    assert "13905790001" not in health.failure
    post.platform.pages[1] = page(2)
    assert await post.read_on() == Applied(2, 0)
    assert post.platform.asked == [None, "1"]
    assert (await post.health()).failure is None


async def test_a_page_that_is_not_committed_leaves_the_cursor_before_it(
    database: Database, rows: Rows, clock: SettableClock
) -> None:
    """The process dies, or the database goes, between two pages: begin, page one, and then no more."""
    post = Post(database, rows, clock, through=Failing(database, lets=2, refuses=9))
    post.platform.pages = [page(1), page(2)]
    with pytest.raises(DatabaseUnavailable):
        await post.read_on()
    assert (await post.desk.approvals(), (await post.health()).cursor) == ({"YW1": 1}, "1")
    again = Post(database, rows, clock)
    again.platform.pages = post.platform.pages
    assert await again.read_on() is None, "the dead process still holds the lease"
    clock.advance(61)
    assert await again.read_on() == Applied(1, 0)
    assert again.platform.asked == ["1"]


async def test_a_cursor_that_expired_starts_over(post: Post) -> None:
    post.platform.pages = [page(1), CursorExpired("approval", "CURSOR_EXPIRED", "gone")]
    assert await post.read_on() is None
    health = await post.health()
    assert (health.cursor, health.failure) == (None, "CURSOR_EXPIRED: approval: gone")
    post.platform.pages = [page(1), page(2)]
    assert await post.read_on() == Applied(1, 0)
    assert post.platform.asked == [None, None]


async def test_a_platform_that_is_down_is_shown_and_asked_again(post: Post) -> None:
    post.platform.pages = [PlatformDown("approval", "PLATFORM_DOWN", "left alone", 5.0)]
    assert await post.read_on() is None
    assert (await post.health()).failure == "PLATFORM_DOWN: approval: left alone"


async def test_an_unexpected_error_of_a_connector_is_shown_without_its_text(post: Post) -> None:
    post.platform.pages = [page(1), KeyError("13905790001")]
    assert await post.read_on() is None
    assert (await post.health()).failure == "UNEXPECTED: KeyError in the connector; the log has it"
    assert await post.desk.approvals() == {"YW1": 1}


async def test_two_processes_do_not_read_one_stream_at_once(
    post: Post, database: Database, rows: Rows, clock: SettableClock
) -> None:
    other = Post(database, rows, clock)
    await database.write(streams.begin, rows, "approval", "approvals", clock(), timedelta(seconds=60))
    post.platform.pages = other.platform.pages = [page(1)]
    assert await post.read_on() is None
    assert post.platform.asked == []


async def test_who_lost_the_lease_commits_nothing_more(post: Post, database: Database, rows: Rows, clock: SettableClock) -> None:
    """Its second page comes after the lease ended, when another process has begun."""
    post.platform.pages = [page(1), page(2)]
    changes = post.platform.changes

    async def slowly(stream: str, cursor: str | None):  # type: ignore[no-untyped-def]
        async for each in changes(stream, cursor):
            yield each
            clock.advance(61)
            await database.write(streams.begin, rows, "approval", "approvals", clock(), timedelta(seconds=60))

    post.platform.changes = slowly  # type: ignore[method-assign]
    assert await post.read_on() is None
    assert await post.desk.approvals() == {"YW1": 1}
    health = await post.health()
    assert (health.cursor, health.lease_until, health.last_failure_at) == ("1", clock() + timedelta(seconds=60), clock())
    assert health.failure is not None
    assert health.failure.startswith("LEASE_LOST: another process took the stream over")


async def test_a_page_that_takes_longer_than_the_lease_is_committed_all_the_same(
    post: Post, database: Database, rows: Rows, clock: SettableClock
) -> None:
    post.platform.pages = [page(1)]
    changes = post.platform.changes

    async def slowly(stream: str, cursor: str | None):  # type: ignore[no-untyped-def]
        for _ in range(3):
            clock.advance(50)
            await post.renew_once()
            assert await database.write(streams.begin, rows, "approval", stream, clock(), timedelta(seconds=60)) is None
        async for each in changes(stream, cursor):
            yield each

    post.platform.changes = slowly  # type: ignore[method-assign]
    assert await post.read_on() == Applied(1, 0)
    assert (await post.health()).cursor == "1"


async def test_one_record_that_cannot_be_applied_is_named_and_does_not_hold_the_stream(post: Post) -> None:
    post.desk.rules.fails_on = {"YW2"}
    bad = Quarantined(reason="MISSING_FIELD", detail="SXBM is missing", content=b"{}", key="YW8")
    post.platform.pages = [[*page(1, 2, 3), bad], page(4)]
    assert await post.read_on() == Applied(3, 2)
    assert await post.desk.approvals() == {"YW1": 1, "YW3": 1, "YW4": 1}
    found = await post.desk.quarantined()
    assert [(one.record_key, one.reason, one.stream) for one in found] == [
        ("YW2", "NOT_APPLIED", "approvals"),
        ("YW8", "MISSING_FIELD", "approvals"),
    ]
    assert found[0].detail.startswith("ArithmeticError: no rule for ['YW2']")
    assert "13905790001" not in found[0].detail
    assert (await post.health()).cursor == "2"
    assert (await post.health()).records_seen == 5


async def test_when_no_record_of_a_page_can_be_applied_the_stream_waits(post: Post) -> None:
    """Then it is not the records: passing over all of them would empty the stream into the quarantine."""
    post.desk.rules.fails_on = {"YW1", "YW2"}
    post.platform.pages = [page(1, 2)]
    assert await post.read_on() is None
    assert ((await post.health()).cursor, await post.desk.quarantined()) == (None, [])
    assert (await post.health()).failure == "UNEXPECTED: ArithmeticError in the connector; the log has it"
    post.desk.rules.fails_on = set()
    assert await post.read_on() == Applied(2, 0)


async def test_a_reading_that_ends_early_closes_the_connectors_pages(post: Post) -> None:
    post.desk.rules.fails_on = {"YW1", "YW2"}
    post.platform.pages = [page(1, 2), page(3)]
    await post.read_on()
    assert post.platform.closed == 1


async def test_streams_are_polled_at_their_pace_with_a_little_chance(post: Post) -> None:
    post.platform.pages = [page(1)]
    with pytest.raises(ExceptionGroup, check=lambda group: isinstance(group.exceptions[0], EnoughSleep)):
        await post.poller.run()
    assert len(post.platform.asked) == 5
    assert all(4.5 <= pause <= 5.5 for pause in post.pauses)
    assert len(set(post.pauses)) > 1


async def test_a_database_that_is_away_ends_no_polling(database: Database, rows: Rows, clock: SettableClock) -> None:
    post = Post(database, rows, clock, through=Failing(database, lets=0, refuses=9))
    with pytest.raises(ExceptionGroup, check=lambda group: isinstance(group.exceptions[0], EnoughSleep)):
        await post.poller.run()
    assert (len(post.pauses), post.platform.asked) == (5, [])


async def test_a_reading_that_the_end_of_the_process_cuts_off_gives_its_lease_back(post: Post) -> None:
    post.platform.pages = [page(1), asyncio.CancelledError()]
    with pytest.raises(asyncio.CancelledError):
        await post.read_on()
    health = await post.health()
    assert (health.cursor, health.lease_until, health.failure) == ("1", None, None)


async def test_a_reading_that_is_cut_off_while_the_database_is_away_ends_all_the_same(
    database: Database, rows: Rows, clock: SettableClock
) -> None:
    post = Post(database, rows, clock, through=Failing(database, lets=1, refuses=9))
    post.platform.pages = [asyncio.CancelledError()]
    with pytest.raises(asyncio.CancelledError):
        await post.read_on()


async def test_platforms_without_streams_leave_the_poller_nothing_to_do_until_it_is_cancelled(
    sqlite_database: Database, rows: Rows, clock: SettableClock
) -> None:
    post = Post(sqlite_database, rows, clock)
    post.platform.streams = ()  # type: ignore[misc]  # as a platform of its own kind would have it
    running = asyncio.create_task(post.poller.run())
    for _ in range(5):
        await asyncio.sleep(0)
    assert not running.done()
    running.cancel()
    assert isinstance((await asyncio.gather(running, return_exceptions=True))[0], asyncio.CancelledError)
    assert (post.platform.asked, post.pauses) == ([], [])
