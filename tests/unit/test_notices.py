"""Requests of departments in the engine: kept once with what follows from them, or refused; on both databases."""

import asyncio
from collections.abc import Mapping
from typing import Any

import msgspec
import pytest

from hub.intake.apply import Applier
from hub.mirror.database import Database
from hub.mirror.records import get
from hub.mirror.rows import Rows
from hub.notices import NoticeDesk
from schema.entities import FiguresCheck, FiguresConclusion, NoticeRequest
from schema.notice_operations import FiguresCheckWanted, NoticeWanted
from schema.operations import Outcome
from schema.user_errors import FiguresMissing, RequestConflict, UnknownDepartment, UnknownReport
from tests.builders import OTHER_CODE, SHOP_CODE, department, observed, self_report
from tests.settable_clock import START, SettableClock
from tests.unit.reconcile.city import City

NOTICE = NoticeWanted("TZ-1", (SHOP_CODE, OTHER_CODE), None, "通知", "请学习", "WH")
FIGURES = FiguresCheckWanted("4711", holds=False, remarks="余额不符", department="WH", inspect=True)
REPORT = self_report(repairs_biz_no=None, points=None, figures='{"担保余额": 100}')
CHECK_NO = "4711/20190902090000"


class Desk:
    """The desk of a city that knows one department, and how often it woke the worker."""

    def __init__(self, city: City) -> None:
        self.city, self.woken = city, 0
        applier = Applier(city.database, city.rows, {}, city.derivation, clock=city.clock, after=self._wake)
        self.desk = NoticeDesk(city.database, city.rows, applier.write, city.clock, self._wake)

    def _wake(self) -> None:
        self.woken += 1

    async def push(self, by: str = "desk", **changes: Any) -> Outcome:
        return await self.desk.push_notice(_but(NOTICE, changes), by)

    async def check(self, by: str = "desk", **changes: Any) -> Outcome:
        return await self.desk.record_figures_check(_but(FIGURES, changes), by)

    async def kept(self, entity: Any, key: str) -> Any:
        found: Mapping[str, Any] = await self.city.database.read(get, self.city.rows, entity, [key])
        return found.get(key)


def _but(wanted: Any, changes: dict[str, Any]) -> Any:
    return type(wanted)(**{name: changes.get(name, getattr(wanted, name)) for name in wanted.__dataclass_fields__})


@pytest.fixture
async def desk(database: Database, rows: Rows, clock: SettableClock) -> Desk:
    city = City(database, rows, clock)
    await city.say(observed(department()))
    return Desk(city)


async def test_a_request_is_kept_with_what_follows_from_it(desk: Desk) -> None:
    assert await desk.push() == Outcome(done=("TZ-1",))
    kept = await desk.kept(NoticeRequest, "TZ-1")
    assert (kept.source, kept.subject_codes, kept.requested_by, kept.requested_at) == (
        "hub",
        (SHOP_CODE, OTHER_CODE),
        "desk",
        START,
    )
    assert await desk.city.lines() == {f"notice:TZ-1:{code}": "DUE" for code in (SHOP_CODE, OTHER_CODE)}
    assert desk.woken == 1
    assert [(one.action, one.actor, one.target) for one in await desk.city.audited()] == [("pushNotice", "desk", "TZ-1")]


async def test_the_same_again_is_the_same_answer_whoever_asks_and_in_whatever_order(desk: Desk, clock: SettableClock) -> None:
    await desk.push()
    before = await desk.kept(NoticeRequest, "TZ-1"), await desk.city.ledger()
    clock.advance(3600)
    assert await desk.push(by="another", subjects=(OTHER_CODE, SHOP_CODE)) == Outcome(done=("TZ-1",))
    assert (await desk.kept(NoticeRequest, "TZ-1"), await desk.city.ledger()) == before


async def test_other_content_under_the_same_number_is_a_conflict_that_names_what_differs(desk: Desk) -> None:
    await desk.push()
    (error,) = (await desk.push(title="别的", subjects=(), industry="印刷业")).refused
    assert isinstance(error, RequestConflict)
    assert (error.number, error.differs) == ("TZ-1", ["subjects", "industry", "title"])
    assert (await desk.kept(NoticeRequest, "TZ-1")).title == "通知"
    assert len(await desk.city.lines()) == 2


async def test_two_at_the_same_time_make_one_request_and_the_other_learns_of_it(desk: Desk) -> None:
    first, second = await asyncio.gather(desk.push(), desk.push(title="别的"))
    assert sorted([first.done, second.done]) == [(), ("TZ-1",)]
    assert await desk.push(title=(await desk.kept(NoticeRequest, "TZ-1")).title) == Outcome(done=("TZ-1",))


@pytest.mark.parametrize("code", ["NONE", "", "W\x00H"])
async def test_a_department_that_nobody_knows_is_refused(desk: Desk, code: str) -> None:
    await desk.city.say(observed(REPORT))
    for outcome in (await desk.push(department=code), await desk.check(department=code)):
        (error,) = outcome.refused
        assert isinstance(error, UnknownDepartment)
        assert (error.department, error.path) == (code, ["department"])
    assert {each.split(":")[0] for each in await desk.city.lines()} == {"repair"}


async def test_figures_are_checked_as_they_stand_now(desk: Desk) -> None:
    await desk.city.say(observed(REPORT))
    assert await desk.check() == Outcome(done=(CHECK_NO,))
    kept = await desk.kept(FiguresCheck, CHECK_NO)
    assert (kept.report_no, kept.subject_code, kept.conclusion) == ("4711", SHOP_CODE, FiguresConclusion.NONCONFORM)
    assert (kept.remarks, kept.inspect, kept.checked_by) == ("余额不符", True, "desk")
    assert (await desk.city.lines())[f"figures-inspection:{CHECK_NO}"] == "DUE"


async def test_the_same_check_again_is_the_same_answer_and_another_one_a_conflict(desk: Desk) -> None:
    await desk.city.say(observed(REPORT))
    await desk.check()
    assert await desk.check(by="another") == Outcome(done=(CHECK_NO,))
    (error,) = (await desk.check(holds=True, inspect=False)).refused
    assert isinstance(error, RequestConflict)
    assert (error.number, error.differs) == (CHECK_NO, ["conclusion", "inspect"])


async def test_a_report_that_was_changed_can_be_checked_anew(desk: Desk, clock: SettableClock) -> None:
    await desk.city.say(observed(REPORT))
    await desk.check()
    later = msgspec.structs.replace(REPORT, version=REPORT.version + 600, updated_at=START.replace(minute=1))
    await desk.city.say(observed(later))
    assert await desk.check(holds=True) == Outcome(done=("4711/20190902090100",))


@pytest.mark.parametrize("report_no", ["4712", "", "47\x0011"])
async def test_a_report_that_nobody_knows_is_refused(desk: Desk, report_no: str) -> None:
    (error,) = (await desk.check(report_no=report_no)).refused
    assert isinstance(error, UnknownReport)
    assert error.report_no == report_no


@pytest.mark.parametrize("figures", [None, "", " "])
async def test_a_report_without_figures_cannot_be_checked(desk: Desk, figures: str | None) -> None:
    await desk.city.say(observed(msgspec.structs.replace(REPORT, figures=figures)))
    (error,) = (await desk.check()).refused
    assert isinstance(error, FiguresMissing)
    assert await desk.kept(FiguresCheck, CHECK_NO) is None
