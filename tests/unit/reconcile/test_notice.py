"""notice and figures-inspection, read like docs/plan.md: what departments ask for through the graph is carried out, once."""

from datetime import datetime
from typing import Any

import pytest

from hub.reconcile.rules.figures_inspection import Facts as InspectionFacts
from hub.reconcile.rules.figures_inspection import FiguresInspection
from hub.reconcile.rules.notice import Facts, Notices
from schema.commands import CreateTask, PutNotice, TaskSubject
from schema.entities import FiguresCheck, FiguresConclusion, TaskType
from tests.builders import OTHER_CODE, SHOP_CODE, figures_check, notice, notice_request, observed, self_report, task
from tests.settable_clock import BEIJING, START
from tests.unit.reconcile.city import BOOK, City, only

RULE, INSPECTION = Notices(), FiguresInspection()
FIRST, SECOND = (f"notice:TZ-2019-0001:{code}" for code in (SHOP_CODE, OTHER_CODE))
INSPECT = "figures-inspection:4711/20190902100000"


# --- Notices ---------------------------------------------------------------------------------------------------------


def test_each_chosen_subject_gets_its_own_notice() -> None:
    verdict = RULE.derive(Facts(notice_request()), (), BOOK, START)
    assert {owed.key: owed.subject_code for owed in verdict.owed} == {FIRST: SHOP_CODE, SECOND: OTHER_CODE}
    assert verdict.owed[0].command == PutNotice(
        notice_no=RULE.number(FIRST),
        code=SHOP_CODE,
        industry=None,
        title="关于学习《印刷业管理条例》的通知",
        content="请于月底前完成学习。",
        issued_at=START,
        department="WH",
    )
    assert {owed.platform for owed in verdict.owed} == {"selfgov"}


def test_an_industry_gets_one_notice_for_all() -> None:
    owed = only(RULE.derive(Facts(notice_request(subject_codes=(), industry="印刷业")), (), BOOK, START))
    assert (owed.key, owed.subject_code) == ("notice:TZ-2019-0001:industry:印刷业", None)
    assert isinstance(owed.command, PutNotice)
    assert (owed.command.code, owed.command.industry) == (None, "印刷业")


async def test_the_notice_with_our_number_closes_its_own_obligation_and_no_other(city: City) -> None:
    await city.say(observed(notice_request()))
    await city.accept(FIRST)
    await city.say(observed(notice(notice_no=RULE.number(FIRST))))
    assert await city.lines() == {FIRST: "CLOSED", SECOND: "DUE"}


async def test_a_request_that_no_rule_was_asked_about_is_found_by_the_sweep(city: City) -> None:
    await city.keep_silent(observed(notice_request()))
    await city.sweep.everything()
    assert await city.lines() == {FIRST: "DUE", SECOND: "DUE"}
    await city.sweep.everything()
    assert await city.lines() == {FIRST: "DUE", SECOND: "DUE"}


# --- Checks on site of figures that do not hold ----------------------------------------------------------------------


def test_figures_that_do_not_hold_are_checked_on_site_where_that_is_wanted() -> None:
    owed = only(INSPECTION.derive(InspectionFacts(figures_check(), "义乌市某担保公司"), (), BOOK, START))
    assert (owed.key, owed.platform, owed.due.at) == (INSPECT, "enforcement", START)
    assert owed.command == CreateTask(
        external_no=INSPECTION.number(INSPECT),
        type=TaskType.SPECIAL,
        title="申报数据不符专项检查：义乌市某担保公司",
        subjects=(TaskSubject(code=SHOP_CODE, name="义乌市某担保公司"),),
        department="WH",
        due_at=datetime(2019, 9, 30, 23, 59, 59, tzinfo=BEIJING),  # 20 working days
        origin_platform="selfgov",
        origin_ref="4711",
        urgency=3,
    )


@pytest.mark.parametrize("check", [figures_check(inspect=False), figures_check(conclusion=FiguresConclusion.CONFORM)])
def test_nobody_goes_there_otherwise(check: FiguresCheck) -> None:
    assert INSPECTION.derive(InspectionFacts(check, None), (), BOOK, START).owed == ()


def test_a_subject_without_a_name_goes_by_its_code() -> None:
    command: Any = only(INSPECTION.derive(InspectionFacts(figures_check()), (), BOOK, START)).command
    assert command.subjects == (TaskSubject(code=SHOP_CODE, name=SHOP_CODE),)


async def test_the_task_with_our_number_closes_the_inspection(city: City) -> None:
    await city.say(observed(self_report(repairs_biz_no=None)), observed(figures_check()))
    command: Any = await city.command(INSPECT)
    assert command.subjects[0].name == "义乌市天䶮印刷有限公司"
    await city.accept(INSPECT)
    number = INSPECTION.number(INSPECT)
    await city.say(observed(task(task_id="T-FIG", external_no=number, origin_platform="selfgov", origin_ref="4711")))
    one = (await city.ledger())[INSPECT]
    assert (one.state.value, one.receipt) == ("CLOSED", "T-FIG")


async def test_a_check_that_no_rule_was_asked_about_is_found_by_the_sweep(city: City) -> None:
    await city.keep_silent(observed(figures_check()), observed(figures_check(check_no="4712/1", inspect=False)))
    await city.sweep.everything()
    assert await city.lines() == {INSPECT: "DUE"}
