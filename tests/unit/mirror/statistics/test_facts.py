"""What each kind of record contributes, and to which day, department, matter, town and subject."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from hub.mirror.rows import micros
from hub.mirror.statistics.due import COUNTED
from hub.mirror.statistics.fact import UNKNOWN_DAY, day_of, day_of_date
from hub.mirror.statistics.sources import SOURCES
from schema.counting import StatisticAxis
from schema.entities import (
    ApprovalState,
    Conclusion,
    CoordinationStatus,
    EventStatus,
    Grade,
    Officer,
    Procedure,
    RecordCategory,
    RepairWay,
    TaskStatus,
    TaskType,
)
from schema.figures import FIGURES
from tests.builders import (
    DAY,
    HOUR,
    OTHER_CODE,
    SHOP_CODE,
    approval,
    blacklist_entry,
    coordination,
    credit_profile,
    credit_record,
    finding,
    gone,
    grid_event,
    key_subject,
    matter,
    notice,
    observed,
    repair,
    self_report,
    task,
    task_result,
)
from tests.settable_clock import BEIJING, START
from tests.unit.mirror.statistics.books import Books

EVENT_NO = grid_event().event_no


def done(task_id: str = "T1", conclusion: Conclusion = Conclusion.CONFORM, **fields: Any) -> Any:
    """A finished check with one result."""
    result = {name: fields.pop(name) for name in ("case_no", "order_no", "checked_at", "subject_code") if name in fields}
    found = task_result(task_id=task_id, result_id=f"{task_id}/0", conclusion=conclusion, **result)
    return observed(task(**{"task_id": task_id, "status": TaskStatus.DONE} | fields), found)


def test_every_counted_entity_has_a_source_and_every_kind_a_figure() -> None:
    assert set(SOURCES) == COUNTED
    assert {figure.kind for figure in FIGURES} == set(type(FIGURES[0].kind))


def test_a_day_is_a_day_in_beijing() -> None:
    midnight = datetime(2019, 9, 2, tzinfo=BEIJING)
    assert day_of(micros(midnight)) == 20190902
    assert day_of(micros(midnight - timedelta(microseconds=1))) == 20190901
    assert day_of_date("2019-09-02") == 20190902
    assert day_of_date("unknown") == UNKNOWN_DAY


async def test_applications_and_grants_count_by_procedure_each_on_its_own_day(books: Books) -> None:
    await books.tell(
        observed(approval(approval_no="A1", accepted_at=START - DAY, decided_at=START)),
        observed(approval(approval_no="A2", procedure=Procedure.STANDARD, state=ApprovalState.REFUSED)),
        observed(approval(approval_no="A3", procedure=Procedure.STANDARD, state=ApprovalState.ACCEPTED, decided_at=None)),
    )
    names = ("applications", "applications_by_commitment", "applications_by_standard", "approvals_granted", "granted_by_commitment")
    assert await books.total(*names) == dict(zip(names, (3, 1, 2, 1, 1), strict=True))
    assert await books.total("applications", "approvals_granted", first=20190902) == {"applications": 0, "approvals_granted": 1}
    await books.tell(observed(approval(approval_no="A1", version=2, state=ApprovalState.REVOKED)))
    assert await books.total("applications", "approvals_granted") == {"applications": 3, "approvals_granted": 0}


async def test_a_verification_has_the_matter_of_its_approval_whichever_comes_first(each_books: Books) -> None:
    books = each_books
    await books.tell(observed(task()))
    assert await books.by(StatisticAxis.MATTER, "verifications_received") == {"": 1}
    await books.tell(observed(approval()))
    assert await books.by(StatisticAxis.MATTER, "verifications_received") == {"WH-SX01": 1}
    await books.tell(observed(approval(version=2, matter_code="WH-SX02")))
    assert await books.by(StatisticAxis.MATTER, "verifications_received") == {"WH-SX02": 1}
    await books.tell(gone(approval()))
    assert await books.by(StatisticAxis.MATTER, "verifications_received") == {"": 1}
    await books.check()


async def test_a_check_of_another_platform_with_the_same_number_is_not_the_approvals(books: Books) -> None:
    await books.tell(observed(approval()), observed(task(origin_platform="enforcement", type=TaskType.RECHECK)))
    assert await books.by(StatisticAxis.MATTER, "tasks_received") == {"": 1}
    assert await books.total("verifications_received") == {"verifications_received": 0}


async def test_a_check_is_done_on_the_day_of_its_last_visit_and_on_time_by_its_deadline(books: Books) -> None:
    await books.tell(
        done("T1", checked_at=START + 3 * DAY, due_at=START + 3 * DAY, updated_at=START + 9 * DAY),
        done("T2", checked_at=START + 3 * DAY, due_at=START + 3 * DAY - HOUR),
        done("T3", checked_at=None, updated_at=START + 4 * DAY, due_at=START + 9 * DAY),
        observed(task(task_id="T4")),
    )
    assert await books.by(StatisticAxis.DAY, "tasks_done") == {20190905: 2, 20190906: 1}
    assert await books.total("tasks_received", "tasks_done", "tasks_done_on_time") == {
        "tasks_received": 4,
        "tasks_done": 3,
        "tasks_done_on_time": 2,
    }


async def test_cancelled_and_transferred_checks_were_received_and_are_not_done(books: Books) -> None:
    await books.tell(
        observed(task(task_id="T1", status=TaskStatus.CANCELLED)), observed(task(task_id="T2", status=TaskStatus.TRANSFERRED))
    )
    assert await books.total("tasks_received", "tasks_done", "tasks_cancelled", "tasks_transferred") == {
        "tasks_received": 2,
        "tasks_done": 0,
        "tasks_cancelled": 1,
        "tasks_transferred": 1,
    }


async def test_a_commitment_is_not_kept_once_a_check_and_a_correction_takes_it_back(books: Books) -> None:
    bad = [finding(finding_id=f"F{n}", task_id="T1", result_id="T1/0") for n in range(3)]
    of = task(task_id="T1", status=TaskStatus.DONE)
    await books.tell(observed(of, task_result(task_id="T1", result_id="T1/0"), *bad), done("T2", Conclusion.UNREACHABLE))
    names = ("commitments_checked", "commitments_not_kept", "findings_nonconforming", "checks_nonconforming")
    assert await books.total(*names) == dict(zip(names, (2, 1, 3, 1), strict=True))
    await books.tell(done("T1", version=2))
    assert await books.total(*names) == dict(zip(names, (2, 0, 0, 0), strict=True))


async def test_what_is_not_over_has_found_nothing_yet(books: Books) -> None:
    await books.tell(observed(task(status=TaskStatus.IN_PROGRESS), task_result(case_no="C1", order_no="O1"), finding()))
    names = ("checks_nonconforming", "findings_nonconforming", "cases_filed", "rectifications_ordered")
    assert await books.total(*names) == dict.fromkeys(names, 0)


async def test_a_joint_inspection_counts_subjects_reached_cases_and_orders_once(books: Books) -> None:
    drawn = {"campaign_id": "C1", "type": TaskType.RANDOM}
    await books.tell(
        done("T1", Conclusion.NONCONFORM, **drawn, case_no="P1", subject_code=SHOP_CODE),
        done("T2", Conclusion.NONCONFORM, **drawn, case_no="P1", order_no="O1", subject_code=SHOP_CODE),
        done("T3", Conclusion.UNREACHABLE, **drawn, subject_code=OTHER_CODE),
        done("T4", Conclusion.NONCONFORM, case_no="P9", order_no="O9", subject_code=OTHER_CODE),
        observed(task(task_id="T5", **drawn)),
    )
    names = (
        "campaigns",
        "campaign_subjects_checked",
        "campaign_checks",
        "campaign_cases_filed",
        "campaign_rectifications_ordered",
        "cases_filed",
        "rectifications_ordered",
    )
    assert await books.total(*names) == dict(zip(names, (1, 1, 2, 1, 1, 2, 2), strict=True))


async def test_an_inspection_led_by_heads_counts_each_department_whose_head_led(books: Books) -> None:
    officers = tuple(
        Officer(id=f"{department}{head}", name="某", department=department, is_head=head)
        for department, head in (("WS", True), ("WS", False), ("JY", True), ("JT", False))
    )
    await books.tell(
        done("T1", led_by_head=True, officers=officers, department_code="WS"),
        done("T2", led_by_head=True, officers=(), department_code="ZFJ"),
        done("T3", led_by_head=False, officers=officers[:1], department_code="ZFJ"),
        done("T4", led_by_head=False, department_code="ZFJ"),
        observed(task(task_id="T5", led_by_head=True)),
    )
    assert await books.total("head_inspections", "departments_of_heads") == {"head_inspections": 3, "departments_of_heads": 3}
    assert await books.by(StatisticAxis.DEPARTMENT, "head_inspections") == {"WS": 1, "ZFJ": 2}


@pytest.mark.parametrize(
    ("status", "checked", "counts"),
    [
        (EventStatus.REPORTED, False, (1, 0, 0, 0)),
        (EventStatus.SENT, False, (1, 1, 0, 0)),
        (EventStatus.SENT, True, (1, 1, 1, 0)),
        (EventStatus.ACCEPTED, False, (1, 1, 1, 0)),
        (EventStatus.RETURNED, False, (1, 1, 1, 0)),
        (EventStatus.HANDLED, True, (1, 1, 1, 1)),
        (EventStatus.CLOSED, False, (1, 1, 1, 1)),
        (EventStatus.TRANSFERRED, False, (1, 1, 1, 1)),
    ],
)
async def test_how_far_an_event_has_come(books: Books, status: EventStatus, checked: bool, counts: tuple[int, ...]) -> None:
    await books.tell(observed(grid_event(status=status)))
    if checked:
        await books.tell(observed(task(task_id="T-E", origin_platform="grid", origin_ref=EVENT_NO, type=TaskType.GRID)))
    names = ("events_reported", "events_received", "events_dispatched", "events_closed")
    assert await books.total(*names) == dict(zip(names, counts, strict=True))


async def test_an_event_is_closed_in_time_when_its_check_was_though_it_is_changed_later(books: Books) -> None:
    limit = START + 2 * DAY
    check: dict[str, Any] = {"task_id": "T-E", "origin_platform": "grid", "origin_ref": EVENT_NO, "type": TaskType.GRID}
    event = grid_event(status=EventStatus.CLOSED, limit_at=limit, updated_at=limit + DAY)
    await books.tell(observed(event))
    names = ("events_closed", "events_closed_within_limit")
    assert await books.total(*names) == dict(zip(names, (1, 0), strict=True))
    await books.tell(done(**check, checked_at=limit))
    assert await books.total(*names) == dict(zip(names, (1, 1), strict=True))
    await books.tell(observed(grid_event(version=9, status=EventStatus.CLOSED, limit_at=None)))
    assert await books.total(*names) == dict(zip(names, (1, 0), strict=True))


async def test_a_check_has_its_events_town_and_an_event_its_newest_checks_department(each_books: Books) -> None:
    books = each_books
    check = {"origin_platform": "grid", "origin_ref": EVENT_NO, "type": TaskType.GRID}
    older = task(task_id="T-1", department_code="JT", created_at=START, **check)
    newer = task(task_id="T-2", department_code="ZFJ", created_at=START + HOUR, **check)
    await books.tell(observed(older), observed(newer))
    assert await books.by(StatisticAxis.TOWN, "tasks_received") == {"": 2}
    event = grid_event(department_code=None, town="佛堂镇")
    await books.tell(observed(event))
    assert await books.by(StatisticAxis.TOWN, "tasks_received") == {"佛堂镇": 2}
    assert await books.by(StatisticAxis.DEPARTMENT, "events_reported") == {"ZFJ": 1}
    await books.tell(gone(newer))
    assert await books.by(StatisticAxis.DEPARTMENT, "events_reported") == {"JT": 1}
    await books.tell(observed(task(task_id="T-1", version=2, department_code="JT", origin_platform="grid", origin_ref="YW-OTHER")))
    assert await books.by(StatisticAxis.DEPARTMENT, "events_reported") == {"": 1}
    await books.tell(observed(grid_event(version=9, department_code="JY", town="苏溪镇")))
    assert await books.by(StatisticAxis.DEPARTMENT, "events_reported") == {"JY": 1}
    await books.check()


async def test_coordinations_count_on_the_day_they_are_to_be_handled_by(books: Books) -> None:
    await books.tell(
        observed(coordination(coordination_id="K1", due_at=START, status=CoordinationStatus.HANDLED, updated_at=START + 9 * DAY)),
        observed(coordination(coordination_id="K2", due_at=START + DAY, status=CoordinationStatus.ISSUED)),
    )
    assert await books.by(StatisticAxis.DAY, "coordinations_issued") == {20190902: 1, 20190903: 1}
    assert await books.by(StatisticAxis.DAY, "coordinations_handled") == {20190902: 1}


async def test_points_are_exact_and_cancelled_records_do_not_count(books: Books) -> None:
    regulatory = {"category": RecordCategory.REGULATORY_POINTS, "item_code": "JY-001", "department_code": "JY"}
    await books.tell(
        observed(credit_record(record_id="R1", biz_no="B1", points=Decimal("0.5"), **regulatory)),
        observed(credit_record(record_id="R2", biz_no="B2", points=Decimal("3.0"), **regulatory)),
        observed(credit_record(record_id="R3", biz_no="B3", points=Decimal(9), cancelled=True, **regulatory)),
        observed(credit_record(record_id="R4", biz_no="B4")),
        observed(credit_record(record_id="R5", biz_no="B5", category=RecordCategory.COMPREHENSIVE_DEDUCTION, points=Decimal(2))),
        observed(credit_record(record_id="R6", biz_no="B6", category=RecordCategory.RESPONSIBLE_PERSON, points=Decimal(0))),
    )
    found = await books.total(
        "credit_records",
        "points_taken",
        "subjects_scored",
        "departments_scoring",
        "items_scored",
        "commitment_breaches",
        "comprehensive_points_for_commitments",
        "comprehensive_points_taken",
        "people_recorded",
    )
    assert found == {
        "credit_records": 5,
        "points_taken": Decimal("3.5"),
        "subjects_scored": 1,
        "departments_scoring": 1,
        "items_scored": 1,
        "commitment_breaches": 1,
        "comprehensive_points_for_commitments": Decimal("6.0"),
        "comprehensive_points_taken": Decimal("8.0"),
        "people_recorded": 1,
    }
    assert await books.by(StatisticAxis.MATTER, "commitment_breaches") == {"WH-SX01": 1}


async def test_a_repair_and_a_report_have_the_department_of_the_record_whichever_comes_first(each_books: Books) -> None:
    books = each_books
    await books.tell(observed(repair(points=Decimal("1.5"), way=RepairWay.EXAM)), observed(self_report()))
    assert await books.by(StatisticAxis.DEPARTMENT, "points_repaired") == {"": Decimal("1.5")}
    await books.tell(observed(credit_record(department_code="JY")))
    assert await books.by(StatisticAxis.DEPARTMENT, "points_repaired_by_exam") == {"JY": Decimal("1.5")}
    assert await books.by(StatisticAxis.DEPARTMENT, "studies") == {"JY": 1}
    assert await books.total("points_repaired_by_study", "subjects_repaired") == {
        "points_repaired_by_study": 0,
        "subjects_repaired": 1,
    }
    await books.tell(gone(credit_record()))
    assert await books.by(StatisticAxis.DEPARTMENT, "points_repaired") == {"": Decimal("1.5")}
    assert await books.by(StatisticAxis.DEPARTMENT, "studies") == {"": 1}
    await books.check()


async def test_a_record_that_is_cancelled_gives_a_report_no_department(books: Books) -> None:
    await books.tell(observed(self_report()), observed(credit_record(department_code="JY")))
    await books.tell(observed(credit_record(version=2, department_code="JY", cancelled=True)))
    assert await books.by(StatisticAxis.DEPARTMENT, "studies") == {"": 1}


async def test_self_governance_counts_ways_subjects_and_items(books: Books) -> None:
    plain = {"repairs_biz_no": None, "points": None}
    await books.tell(
        observed(self_report(report_no="1", way=RepairWay.SELF_CHECK, item_code="I1", **plain)),
        observed(self_report(report_no="2", way=RepairWay.SELF_CHECK, item_code="I2", subject_code=OTHER_CODE, **plain)),
        observed(self_report(report_no="3", way=RepairWay.SELF_REPORT, item_code="I3", subject_code=OTHER_CODE, **plain)),
        observed(self_report(report_no="4", way=RepairWay.STUDY, subject_code="91330782MA00000000", **plain)),
    )
    names = ("self_checks", "self_reports", "studies", "exams", "subjects_self_governing", "items_self_checked")
    assert await books.total(*names) == dict(zip(names, (2, 1, 1, 0, 2, 2), strict=True))


async def test_a_blacklisting_has_its_matters_department(books: Books) -> None:
    await books.tell(observed(blacklist_entry()), observed(blacklist_entry(entry_no="2", removed_on="2019-09-30", version=2)))
    assert await books.by(StatisticAxis.DEPARTMENT, "blacklistings") == {"": 2}
    await books.tell(observed(matter(code="WH-SX01", department_code="WH")))
    assert await books.by(StatisticAxis.DEPARTMENT, "blacklistings", first=20190902, last=20190902) == {"WH": 2}
    assert await books.total("subjects_blacklisted") == {"subjects_blacklisted": 1}


async def test_a_grade_is_the_present_one_of_the_subject_on_everything_about_it(each_books: Books) -> None:
    books = each_books
    await books.tell(
        observed(approval()),
        observed(task()),
        observed(credit_record()),
        observed(credit_record(record_id="O", biz_no="O", subject_code=OTHER_CODE)),
    )
    assert await books.by(StatisticAxis.GRADE, "credit_records") == {"": 2}
    await books.tell(observed(credit_profile(grade=Grade.B)))
    await books.tell(observed(credit_profile(grade=Grade.D, version=2)))
    assert await books.by(StatisticAxis.GRADE, "credit_records") == {"": 1, "D": 1}
    assert await books.by(StatisticAxis.GRADE, "verifications_received") == {"D": 1}
    assert await books.total("credit_records", grade=["D"]) == {"credit_records": 1}
    await books.tell(gone(credit_profile()))
    assert await books.by(StatisticAxis.GRADE, "credit_records") == {"": 2}
    await books.check()


async def test_key_supervision_is_the_present_one(each_books: Books) -> None:
    books = each_books
    await books.tell(observed(credit_record()), observed(key_subject(code=SHOP_CODE, since="2019-09-02")))
    assert await books.by(StatisticAxis.KEY_SUPERVISION, "credit_records") == {True: 1}
    assert await books.total("key_subjects", first=20190902) == {"key_subjects": 1}
    await books.tell(gone(key_subject(code=SHOP_CODE)))
    assert await books.by(StatisticAxis.KEY_SUPERVISION, "credit_records") == {False: 1}
    assert await books.total("key_subjects") == {"key_subjects": 0}
    await books.check()


async def test_a_notice_counts_for_its_department(books: Books) -> None:
    await books.tell(observed(notice(department_code="JR", issued_at=START)))
    assert await books.by(StatisticAxis.DEPARTMENT, "notices_pushed") == {"JR": 1}
