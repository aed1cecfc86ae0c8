"""Asking whether a subject may use commitment: live, side by side, and in time whatever platforms and database do."""

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import pytest
from sqlalchemy import insert

from connectors.base import Connector, Item, Quarantined
from connectors.errors import PlatformDown, TransientError
from hub.eligibility import Asker
from hub.intake.room import NoRoom
from hub.live_calls import NotLive
from hub.mirror.database import Database, DatabaseUnavailable, SQLiteDatabase
from hub.mirror.records import upsert
from hub.mirror.rows import Rows
from hub.mirror.tables import TABLES
from hub.simulation.clock import in_simulated_time, simulated_now
from schema.decision import Decision
from schema.entities import CreditRecord, Grade, RecordCategory, StreamHealth
from schema.entity import Mirrored
from schema.live import LIVE_QUOTA, Trouble
from tests.builders import (
    IDENTITY_NO,
    SHOP_CODE,
    approval,
    blacklist_entry,
    credit_profile,
    credit_record,
    observed,
    stream_health,
)
from tests.settable_clock import START
from tests.unit.domain.policies import small_policy

MATTER, BUDGET = "WH-SX01", 2.0
PERSON = "RID-" + "a" * 64
SERIOUS: CreditRecord = credit_record(category=RecordCategory.REGULATORY_POINTS, points=Decimal("12.0"))


class FakePlatform:
    """Shows what is laid ready after so many seconds, or fails; notes what it was asked."""

    def __init__(self, *shows: Item, after: float = 0.0, fails: Exception | None = None) -> None:
        self.shows, self.after, self.fails = list(shows), after, fails
        self.asked: list[tuple[str, tuple[str, ...]]] = []

    async def fetch(self, entity: str, keys: Sequence[str]) -> list[Item]:
        self.asked.append((entity, tuple(keys)))
        await asyncio.sleep(self.after)
        if self.fails is not None:
            raise self.fails
        return list(self.shows)


class HangingDatabase(Database):
    """Answers nothing for an hour."""

    async def write(self, work: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        await asyncio.sleep(3600)

    async def read(self, work: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        await asyncio.sleep(3600)

    async def close(self) -> None:
        return None


class Desk:
    """An asker with two platforms beside a mirror in simulated time."""

    def __init__(self, database: Database, rows: Rows, credit: FakePlatform | None, approval: FakePlatform | None) -> None:
        self.credit, self.approval = credit, approval
        self.applied: list[tuple[str, str, Sequence[Item]]] = []
        self.apply_takes = 0.0
        self.apply_fails: Exception | None = None
        platforms = {name: cast(Connector, each) for name, each in (("credit", credit), ("approval", approval)) if each}
        self.places, self.taken = 1_000, list[str]()
        self.asker = Asker(
            database,
            rows,
            platforms,
            small_policy(),
            self._apply,
            clock=simulated_now,
            budget_seconds=BUDGET,
            place=self._place,
            under_way=2,
        )

    @contextlib.asynccontextmanager
    async def _place(self, platform: str, seconds: float) -> AsyncIterator[None]:
        if len(self.taken) >= self.places:
            raise NotLive(Trouble(platform, LIVE_QUOTA, "used up", True))
        self.taken.append(platform)
        yield

    async def _apply(self, platform: str, stream: str, items: Sequence[Item]) -> None:
        await asyncio.sleep(self.apply_takes)
        if self.apply_fails is not None:
            raise self.apply_fails
        self.applied.append((platform, stream, items))

    async def ask(self, subject: str = SHOP_CODE, holder: str | None = None) -> tuple[Decision, float]:
        """Return the decision and the seconds that it took."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        decision = await self.asker.ask(subject, MATTER, holder)
        return decision, loop.time() - began


@pytest.fixture
def inline(sqlite_template: Path, tmp_path: Path) -> SQLiteDatabase:
    shutil.copy(sqlite_template, tmp_path / "inline.db")
    return SQLiteDatabase(str(tmp_path / "inline.db"), inline=True)


Story = Callable[[], Awaitable[None]]


def codes(decision: Decision) -> list[str]:
    return [reason.code for reason in decision.reasons]


async def mirror(database: Database, rows: Rows, *records: Mirrored, read_at: Any = None) -> None:
    """Put records into the mirror, and say when the credit platform was last read to its end."""
    await database.write(lambda connection: upsert(connection, rows, [observed(record) for record in records]))
    if read_at is not None:
        health: StreamHealth = stream_health(
            stream_id="credit/changes", platform="credit", stream="changes", last_success_at=read_at
        )
        await database.write(lambda connection: connection.execute(insert(TABLES["StreamHealth"]).values(rows.as_row(health))))


def known() -> FakePlatform:
    return FakePlatform(observed(credit_profile()))


def hanging() -> FakePlatform:
    return FakePlatform(after=3600.0)


def test_both_platforms_are_asked_live_and_what_they_show_reaches_the_mirror(inline: SQLiteDatabase, rows: Rows) -> None:
    async def story() -> None:
        entry = observed(blacklist_entry(removed_on="2019-09-01", version=2))
        desk = Desk(inline, rows, known(), FakePlatform(entry))
        decision, took = await desk.ask()
        assert (codes(decision), decision.grade, took) == ([], Grade.B, 0.0)
        assert [(one.source, one.live, one.as_of) for one in decision.data] == [("credit", True, START), ("approval", True, START)]
        assert desk.credit is not None
        assert desk.approval is not None
        assert desk.credit.asked == [("CreditProfile", (SHOP_CODE,))]
        assert desk.approval.asked == [("BlacklistEntry", (SHOP_CODE,))]
        await desk.asker.close()
        assert sorted(desk.applied) == [("approval", "live", [entry]), ("credit", "live", [observed(credit_profile())])]

    in_simulated_time(story(), START)


def test_a_mirror_that_is_slow_to_write_holds_up_no_answer(inline: SQLiteDatabase, rows: Rows) -> None:
    async def story() -> None:
        desk = Desk(inline, rows, known(), FakePlatform())
        desk.apply_takes = 60.0
        _, took = await desk.ask()
        assert took == 0.0
        desk.apply_fails = DatabaseUnavailable("locked")
        await desk.asker.close()
        assert desk.applied == []

    in_simulated_time(story(), START)


def test_with_both_platforms_hanging_it_answers_within_the_budget_from_a_mirror_of_allowed_age(
    inline: SQLiteDatabase, rows: Rows
) -> None:
    async def story() -> None:
        read_at = START - timedelta(hours=23)
        await mirror(inline, rows, credit_profile(observed_at=START - timedelta(days=300)), read_at=read_at)
        decision, took = await Desk(inline, rows, hanging(), hanging()).ask()
        assert took == BUDGET
        assert codes(decision) == ["BLACKLIST_UNREACHABLE"]
        assert (decision.grade, decision.as_of, decision.data[0].live) == (Grade.B, read_at, False)
        decision, took = await Desk(inline, rows, hanging(), FakePlatform()).ask()
        assert (took, codes(decision), decision.eligible) == (BUDGET, [], True)

    in_simulated_time(story(), START)


def test_a_mirror_that_was_not_read_for_too_long_is_no_help(inline: SQLiteDatabase, rows: Rows) -> None:
    async def story() -> None:
        await mirror(
            inline, rows, credit_profile(observed_at=START - timedelta(days=2)), read_at=START - timedelta(days=1, seconds=1)
        )
        decision, _ = await Desk(inline, rows, hanging(), FakePlatform()).ask()
        assert codes(decision) == ["CREDIT_TOO_OLD"]

    in_simulated_time(story(), START)


@pytest.mark.parametrize("read_at", [START, None])
def test_what_the_mirror_saw_itself_is_as_old_as_when_it_saw_it(inline: SQLiteDatabase, rows: Rows, read_at: Any) -> None:
    """A stream that was never read to its end confirms nothing."""

    async def story() -> None:
        await mirror(inline, rows, credit_profile(observed_at=START - timedelta(days=2)), read_at=read_at)
        decision, _ = await Desk(inline, rows, hanging(), FakePlatform()).ask()
        assert codes(decision) == ([] if read_at else ["CREDIT_TOO_OLD"])

    in_simulated_time(story(), START)


def test_platforms_that_are_left_alone_or_not_bridged_cost_no_time(inline: SQLiteDatabase, rows: Rows) -> None:
    async def story() -> None:
        down = FakePlatform(fails=PlatformDown("credit", "PLATFORM_DOWN", "left alone", 15.0))
        for desk in (Desk(inline, rows, down, down), Desk(inline, rows, None, None)):
            decision, took = await desk.ask()
            assert (codes(decision), took) == (["CREDIT_UNREACHABLE", "BLACKLIST_UNREACHABLE"], 0.0)

    in_simulated_time(story(), START)


@pytest.mark.parametrize(("after", "live"), [(1.9, True), (2.1, False)])
def test_a_platform_that_answers_at_the_last_moment_is_heard_and_one_behind_it_is_not(
    inline: SQLiteDatabase, rows: Rows, after: float, live: bool
) -> None:
    async def story() -> None:
        desk = Desk(inline, rows, FakePlatform(observed(credit_profile()), after=after), FakePlatform())
        decision, took = await desk.ask()
        assert (decision.data[0].live, decision.data[1].live) == (live, True)
        assert took == min(after, BUDGET)

    in_simulated_time(story(), START)


def test_a_database_that_does_not_answer_ends_the_question_in_time(rows: Rows) -> None:
    async def story() -> None:
        loop = asyncio.get_running_loop()
        with pytest.raises(DatabaseUnavailable):
            await Desk(HangingDatabase(), rows, known(), FakePlatform()).ask()
        assert loop.time() == BUDGET

    in_simulated_time(story(), START)


def test_equal_questions_at_the_same_time_share_one_live_read_and_the_next_one_asks_anew(
    inline: SQLiteDatabase, rows: Rows
) -> None:
    async def story() -> None:
        credit, approvals = FakePlatform(observed(credit_profile()), after=1.0), FakePlatform(after=1.0)
        desk = Desk(inline, rows, credit, approvals)
        answers = await asyncio.gather(*(desk.asker.ask(SHOP_CODE, matter) for matter in [MATTER] * 20 + ["XX-99"]))
        assert [len(platform.asked) for platform in (credit, approvals)] == [1, 1]
        assert [decision.eligible for decision in answers] == [True] * 20 + [False]
        await desk.ask()
        assert [len(platform.asked) for platform in (credit, approvals)] == [2, 2]

    in_simulated_time(story(), START)


def test_someone_who_leaves_takes_no_shared_read_away_from_others(inline: SQLiteDatabase, rows: Rows) -> None:
    async def story() -> None:
        desk = Desk(inline, rows, FakePlatform(observed(credit_profile()), after=1.0), FakePlatform())
        first, second = asyncio.create_task(desk.ask()), asyncio.create_task(desk.ask())
        await asyncio.sleep(0.5)
        first.cancel()
        decision, _ = await second
        assert decision.data[0].live

    in_simulated_time(story(), START)


def test_a_read_that_hangs_is_given_up_so_that_the_next_question_asks_anew(inline: SQLiteDatabase, rows: Rows) -> None:
    async def story() -> None:
        credit = hanging()
        desk = Desk(inline, rows, credit, FakePlatform())
        await desk.ask()
        await asyncio.sleep(0.1)
        credit.after, credit.shows = 0.0, [observed(credit_profile())]
        decision, _ = await desk.ask()
        assert decision.eligible

    in_simulated_time(story(), START)


def test_what_is_shown_live_counts_unless_the_mirror_knows_a_newer_version(inline: SQLiteDatabase, rows: Rows) -> None:
    async def story() -> None:
        await mirror(inline, rows, credit_profile(version=5, grade=Grade.C), read_at=START)
        for version, expected in ((4, ["GRADE_TOO_LOW"]), (6, [])):
            live = FakePlatform(observed(credit_profile(version=version, grade=Grade.A)))
            decision, _ = await Desk(inline, rows, live, FakePlatform()).ask()
            assert codes(decision) == expected

    in_simulated_time(story(), START)


def test_a_subject_that_credit_no_longer_knows_is_unknown_whatever_the_mirror_holds(inline: SQLiteDatabase, rows: Rows) -> None:
    async def story() -> None:
        await mirror(inline, rows, credit_profile(), read_at=START)
        decision, _ = await Desk(inline, rows, FakePlatform(), FakePlatform()).ask()
        assert (codes(decision), decision.grade) == (["SUBJECT_UNKNOWN"], None)

    in_simulated_time(story(), START)


def test_a_live_record_that_cannot_be_used_is_no_live_answer(inline: SQLiteDatabase, rows: Rows) -> None:
    async def story() -> None:
        bad = Quarantined(reason="BAD_VALUE", detail="field grade", content=b"{}")
        desk = Desk(inline, rows, FakePlatform(bad), FakePlatform())
        decision, _ = await desk.ask()
        assert codes(decision) == ["CREDIT_UNREACHABLE"]
        await desk.asker.close()
        assert desk.applied == [("credit", "live", [bad])]  # the quarantine is told of it

    in_simulated_time(story(), START)


def test_a_live_record_that_cannot_be_used_is_not_replaced_by_an_older_one_of_the_mirror(
    inline: SQLiteDatabase, rows: Rows
) -> None:
    async def story() -> None:
        await mirror(inline, rows, credit_profile(grade=Grade.A), read_at=START)
        bad = Quarantined(reason="BAD_VALUE", detail="field grade", content=b"{}", entity="CreditProfile", key=SHOP_CODE)
        decision, _ = await Desk(inline, rows, FakePlatform(bad), FakePlatform()).ask()
        assert (codes(decision), decision.grade, decision.as_of) == (["CREDIT_UNREACHABLE"], None, None)
        assert (decision.data[0].live, decision.data[0].stale) == (False, True)

    in_simulated_time(story(), START)


@pytest.mark.parametrize(
    ("matter", "expected"), [("XX-99", []), (MATTER, ["BLACKLIST_UNREACHABLE"]), (None, ["BLACKLIST_UNREACHABLE"])]
)
def test_a_row_of_the_blacklist_that_cannot_be_used_counts_against_its_own_matter_only(
    inline: SQLiteDatabase, rows: Rows, matter: str | None, expected: list[str]
) -> None:
    async def story() -> None:
        bad = Quarantined(reason="BAD_VALUE", detail="rdrq", content=b"{}", entity="BlacklistEntry", matter_code=matter)
        decision, _ = await Desk(inline, rows, known(), FakePlatform(bad)).ask()
        assert codes(decision) == expected

    in_simulated_time(story(), START)


def test_points_of_the_period_and_entries_of_the_blacklist_come_from_the_mirror_where_they_must(
    inline: SQLiteDatabase, rows: Rows
) -> None:
    async def story() -> None:
        await mirror(inline, rows, SERIOUS, blacklist_entry())
        decision, _ = await Desk(inline, rows, known(), FakePlatform(fails=TransientError("approval", "BUSY", "busy"))).ask()
        assert codes(decision) == ["SERIOUS_PERIOD", "BLACKLISTED"]
        decision, _ = await Desk(inline, rows, known(), FakePlatform()).ask()  # the platform shows that the entry is gone
        assert codes(decision) == ["SERIOUS_PERIOD"]

    in_simulated_time(story(), START)


def test_a_person_is_known_to_credit_by_the_rid_code_and_to_approval_by_the_number(inline: SQLiteDatabase, rows: Rows) -> None:
    async def story() -> None:
        credit, approvals = FakePlatform(observed(credit_profile(code=PERSON))), FakePlatform()
        desk = Desk(inline, rows, credit, approvals)
        decision, _ = await desk.ask(PERSON, IDENTITY_NO)
        assert decision.eligible
        assert credit.asked == [("CreditProfile", (PERSON,))]
        assert approvals.asked == [("BlacklistEntry", (IDENTITY_NO,))]

    in_simulated_time(story(), START)


def test_the_number_of_a_person_is_taken_from_the_newest_approval_where_none_is_given(inline: SQLiteDatabase, rows: Rows) -> None:
    async def story() -> None:
        approvals = FakePlatform()
        desk = Desk(inline, rows, FakePlatform(observed(credit_profile(code=PERSON))), approvals)
        decision, _ = await desk.ask(PERSON)
        assert (codes(decision), approvals.asked) == (["BLACKLIST_UNREACHABLE"], [])
        older = approval(approval_no="YW1", subject_code=PERSON, identity_no="older", updated_at=START - timedelta(days=1))
        newest = approval(approval_no="YW2", subject_code=PERSON, identity_no=IDENTITY_NO, updated_at=START)
        await mirror(inline, rows, older, newest)
        decision, _ = await desk.ask(PERSON)
        assert (codes(decision), approvals.asked) == ([], [("BlacklistEntry", (IDENTITY_NO,))])

    in_simulated_time(story(), START)


def test_the_graph_asks_platforms_as_far_as_live_reads_may_and_then_answers_from_the_mirror(
    inline: SQLiteDatabase, rows: Rows
) -> None:
    async def story() -> None:
        old = credit_profile(observed_at=START - timedelta(days=300))
        await mirror(inline, rows, old, read_at=START - timedelta(hours=1))
        desk = Desk(inline, rows, known(), FakePlatform())
        assert codes(await desk.asker.ask_in_share(SHOP_CODE, MATTER)) == []
        assert sorted(desk.taken) == ["approval", "credit"]
        desk.places = 0
        decision = await desk.asker.ask_in_share(SHOP_CODE, MATTER)
        assert codes(decision) == ["BLACKLIST_UNREACHABLE"]
        assert [(one.live, one.as_of) for one in decision.data if one.source == "credit"] == [(False, START - timedelta(hours=1))]
        decision, _ = await desk.ask()
        assert (codes(decision), decision.data[0].live) == ([], True), "the approval system needs no place"
        assert len(desk.taken) == 2

    in_simulated_time(story(), START)


def test_the_approval_system_joins_no_read_that_waits_for_its_share_and_the_graph_joins_its_reads(
    inline: SQLiteDatabase, rows: Rows
) -> None:
    async def story() -> None:
        desk = Desk(inline, rows, known(), FakePlatform(after=1.0))
        desk.places = 0
        shared = asyncio.create_task(desk.asker.ask_in_share(SHOP_CODE, MATTER))
        await asyncio.sleep(0)
        own = asyncio.create_task(desk.asker.ask(SHOP_CODE, MATTER))
        await asyncio.sleep(0.5)
        joins = asyncio.create_task(desk.asker.ask_in_share(SHOP_CODE, MATTER))
        assert codes(await own) == []
        assert "BLACKLIST_UNREACHABLE" in codes(await shared)
        assert "BLACKLIST_UNREACHABLE" not in codes(await joins)
        assert desk.approval is not None
        assert len(desk.approval.asked) == 1

    in_simulated_time(story(), START)


def test_one_question_of_the_graph_more_than_may_be_under_way_is_refused(inline: SQLiteDatabase, rows: Rows) -> None:
    async def story() -> None:
        desk = Desk(inline, rows, hanging(), hanging())
        asking = [asyncio.create_task(desk.asker.ask_in_share(SHOP_CODE, MATTER)) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(NoRoom):
            await desk.asker.ask_in_share(SHOP_CODE, MATTER)
        await desk.ask()
        await asyncio.gather(*asking)
        await desk.asker.ask_in_share(SHOP_CODE, MATTER)

    in_simulated_time(story(), START)
