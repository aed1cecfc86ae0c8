"""What the enforcement platform says, record by record."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from connectors.base import Item, Quarantined
from connectors.enforcement_records import read_campaign, read_coordination, read_department, read_item, read_key_subject
from connectors.enforcement_tasks import read_task
from connectors.enforcement_values import updated_at
from connectors.json_text import DAMAGED, decode
from schema.entities import (
    Campaign,
    Conclusion,
    Coordination,
    Finding,
    InspectionItem,
    KeySubject,
    Severity,
    TaskResult,
    TaskStatus,
    TaskType,
    VerificationTask,
)
from schema.entity import Observation
from tests.contract.cases import NOW, WIRE, said

ENFORCEMENT = WIRE / "enforcement"
COMPANY = "91330782MA2E4K7B4C"
RID = "RID-" + "0f" * 32


def sample(name: str) -> Any:
    return json.loads((ENFORCEMENT / name).read_text(encoding="utf-8"))


def task(**changed: object) -> dict[str, Any]:
    """Return the sample's finished task, changed."""
    return {**sample("tasks.json")["items"][0], **changed}


def result(**changed: object) -> dict[str, Any]:
    """Return a task whose only result is the sample's first, changed."""
    return task(results=[{**task()["results"][0], **changed}])


def finding(**changed: object) -> dict[str, Any]:
    """Return a task whose only finding is the sample's first, changed."""
    return result(findings=[{**task()["results"][0]["findings"][0], **changed}])


def read(item: Item) -> Observation:
    assert isinstance(item, Observation), item
    return item


def bad(item: Item) -> Quarantined:
    assert isinstance(item, Quarantined), item
    return item


def parts(item: Item, kind: type[Any]) -> list[Any]:
    return [part for part in read(item).parts if isinstance(part, kind)]


def test_a_task_is_read_with_its_results_and_findings() -> None:
    item = read(read_task(task(), NOW))

    record = item.record
    assert isinstance(record, VerificationTask)
    assert (record.task_id, record.external_no, record.version, record.source) == ("RW0000000042", "av-5f0c", 5, "enforcement")
    assert (record.type, record.status, record.urgency) == (TaskType.COMMITMENT, TaskStatus.DONE, 3)
    assert (record.origin_platform, record.origin_ref) == ("approval", "YW2019080500042")
    assert (record.department_code, record.participants, record.campaign_id) == ("WHJ", ("SCJ",), None)
    assert [(officer.name, officer.is_head) for officer in record.officers] == [("楼䶮", False), ("朱𬭎", True)]
    assert record.led_by_head
    assert record.created_at == datetime(2019, 8, 15, 1, 0, 0, 125000, tzinfo=UTC)
    assert record.updated_at == datetime(2019, 8, 15, 1, 59, 30, 250000, tzinfo=UTC)
    assert record.due_at == datetime(2019, 9, 12, 10, 0, tzinfo=UTC)
    first, second = parts(item, TaskResult)
    assert (first.result_id, first.task_id, first.version) == ("RW0000000042/0", "RW0000000042", 5)
    assert (first.subject_code, first.conclusion) == (COMPANY, Conclusion.NONCONFORM)
    assert (first.order_no, first.order_deadline) == ("ZG2019000017", datetime(2019, 8, 22, 10, 0, tzinfo=UTC))
    assert (first.signed_by_subject, first.signed_by_officers, len(first.photos)) == (True, True, 1)
    assert (second.result_id, second.subject_code, second.conclusion) == ("RW0000000042/1", RID, Conclusion.UNREACHABLE)
    assert (second.order_no, second.checked_at) == (None, None)
    broken, kept = parts(item, Finding)
    assert (broken.finding_id, broken.result_id, broken.task_id) == ("FD000000001", "RW0000000042/0", "RW0000000042")
    assert (broken.conform, broken.points, broken.severity) == (False, Decimal("3.0"), Severity.GENERAL)
    assert (kept.conform, kept.points, kept.severity, kept.note) == (True, None, None, None)


def test_a_task_of_the_platform_itself_has_neither_number_nor_origin() -> None:
    record = read(read_task(sample("tasks.json")["items"][1], NOW)).record

    assert isinstance(record, VerificationTask)
    assert (record.external_no, record.origin_platform, record.origin_ref) == (None, None, None)


def test_equal_moments_in_other_zones_are_equal_content() -> None:
    assert read_task(task(updatedAt="2019-08-15T01:59:30.250Z"), NOW) == read_task(task(), NOW)
    assert read_task(task(updatedAt="2019-08-15T09:59:30.25+0800"), NOW) == read_task(task(), NOW)


@pytest.mark.parametrize("optional", ["externalNo", "origin", "campaignId", "participants", "officers", "results"])
def test_what_is_optional_in_a_task_may_be_absent_or_null(optional: str) -> None:
    absent = {name: value for name, value in task().items() if name != optional}

    assert read_task(absent, NOW) == read_task(task(**{optional: None}), NOW)


@pytest.mark.parametrize(
    "optional", ["subjectCode", "subjectName", "rectification", "caseNo", "transferredTo", "remarks", "findings", "photos"]
)
def test_what_is_optional_in_a_result_may_be_absent_null_or_empty(optional: str) -> None:
    whole = result()
    absent = {name: value for name, value in whole["results"][0].items() if name != optional}

    assert read(read_task(task(results=[absent]), NOW)) == read(read_task(result(**{optional: None}), NOW))
    if optional not in {"rectification", "findings", "photos"}:
        assert read_task(task(results=[absent]), NOW) == read_task(result(**{optional: ""}), NOW)


@pytest.mark.parametrize(
    "name",
    ["taskId", "version", "type", "title", "urgency", "status", "department", "dueAt", "createdAt", "updatedAt"],
)
def test_a_required_field_that_is_missing_spoils_the_task(name: str) -> None:
    for absent in (None, ""):
        item = bad(read_task(task(**{name: absent}), NOW))
        assert (item.reason, item.entity) == ("MISSING_FIELD", "VerificationTask")
        assert name in item.detail


@pytest.mark.parametrize(
    ("record", "reason", "where"),
    [
        (task(version="v5"), "BAD_VALUE", "version"),
        (task(version=True), "BAD_VALUE", "version"),
        (task(status="SUSPENDED"), "BAD_VALUE", "status"),
        (task(urgency=5), "BAD_VALUE", "urgency"),
        (task(dueAt="2019-09-12T18:00:00"), "BAD_VALUE", "dueAt"),
        (task(dueAt="2019-09-12"), "BAD_VALUE", "dueAt"),
        (task(title="核查\x00"), "BAD_VALUE", "title"),
        (task(title=DAMAGED), "BAD_ENCODING", "UTF-8"),
        (task(results="none"), "BAD_VALUE", "results"),
        (task(results=["x"]), "BAD_VALUE", "results"),
        (result(conclusion=None), "MISSING_FIELD", "results[0].conclusion"),
        (result(subjectCode="91330782MA2E4K7B4D"), "BAD_CHECK_DIGIT", "results[0].subjectCode"),
        (result(subjectCode="91330782MA2E4K7B5C"), "BAD_CHECK_DIGIT", "results[0].subjectCode"),
        (result(subjectCode="13857912345"), "BAD_VALUE", "results[0].subjectCode"),
        (result(rectification={"deadline": "2019-08-22T18:00:00+08:00"}), "MISSING_FIELD", "results[0].rectification.orderNo"),
        (finding(findingId=None), "MISSING_FIELD", "results[0].findings[0].findingId"),
        (finding(conform="no"), "BAD_VALUE", "results[0].findings[0].conform"),
        (finding(points="3.25"), "BAD_VALUE", "points"),
        (finding(points="NaN"), "BAD_VALUE", "points"),
        (finding(points="1E+9999"), "BAD_VALUE", "points"),
        (finding(points="-1.0"), "BAD_VALUE", "points"),
        (finding(severity="GRAVE"), "BAD_VALUE", "severity"),
        (["not an object"], "BAD_VALUE", "object"),
    ],
)
def test_a_bad_field_anywhere_in_a_task_spoils_this_task_and_is_named(record: object, reason: str, where: str) -> None:
    item = bad(read_task(record, NOW))

    assert item.reason == reason
    assert where in item.detail
    assert "13857912345" not in item.detail
    if isinstance(record, dict):
        assert item.key == "RW0000000042"


def test_a_finding_that_stands_twice_spoils_the_task() -> None:
    twice = task()["results"][0]["findings"][:1] * 2

    assert "FD000000001" in bad(read_task(result(findings=twice), NOW)).detail


@pytest.mark.parametrize(
    ("written", "points"),
    [("3", Decimal("3.0")), ("0.5", Decimal("0.5")), ("3.2", Decimal("3.2")), (12, Decimal("12.0")), ("", None)],
)
def test_points_are_exact_and_equal_however_written(written: object, points: Decimal | None) -> None:
    (one,) = parts(read_task(finding(points=written), NOW), Finding)

    assert (one.points, str(one.points)) == (points, str(points))


def test_a_coordination_is_read() -> None:
    record = read(read_coordination(sample("coordinations.json")["items"][0], NOW)).record

    assert isinstance(record, Coordination)
    assert (record.coordination_id, record.department_code, record.town) == ("XG00000001", "ZFJ", "佛堂镇")


def test_a_campaign_is_read_and_its_version_is_the_second_of_the_read() -> None:
    record = read(read_campaign(sample("campaign.json"), NOW)).record

    assert isinstance(record, Campaign)
    assert record.drawn_subjects == (COMPANY, "92330782MA28D19X9T")
    assert (record.seed, record.task_ids) == ("a3f9c1", ("RW0000000050", "RW0000000051"))
    assert record.version == 1565834400


def test_a_campaign_that_tells_only_what_its_creation_told_is_read_as_well() -> None:
    short = {"campaignId": "SJ1", "seed": 42, "drawnSubjects": [COMPANY], "tasks": []}

    record = read(read_campaign(short, NOW)).record

    assert isinstance(record, Campaign)
    assert (record.seed, record.title, record.external_no) == ("42", "", None)
    assert bad(read_campaign({**short, "drawnSubjects": ["91330782MA2E4K7B4D"]}, NOW)).reason == "BAD_CHECK_DIGIT"


def test_key_subjects_departments_and_items_are_read() -> None:
    key_subjects = [read(read_key_subject(each, NOW)).record for each in sample("key_subjects.json")["items"]]
    items = [read(read_item(each, NOW)).record for each in sample("items.json")["items"]]

    assert [each.code for each in key_subjects if isinstance(each, KeySubject)] == [COMPANY, RID]
    assert [(each.points, each.severity) for each in items if isinstance(each, InspectionItem)] == [
        (Decimal("2.0"), None),
        (None, Severity.GENERAL),
    ]
    assert said(read_department({"code": "JTJ", "name": "交通运输局"}, NOW)) == "Department JTJ@1565834400"


def test_points_of_an_item_come_in_tenths() -> None:
    item = read(read_item({"itemCode": "SC-1", "itemName": "x", "points": "0.3", "severity": None}, NOW)).record

    assert isinstance(item, InspectionItem)
    assert item.points == Decimal("0.3")


@pytest.mark.parametrize(
    ("make", "record"),
    [
        (read_key_subject, {"code": COMPANY, "reason": "x", "since": "15 Aug", "ref": "r", "version": 1}),
        (read_key_subject, {"code": "330782", "reason": "x", "since": "2019-08-15", "ref": "r", "version": 1}),
        (read_department, {"code": "JTJ"}),
        (read_item, {"itemCode": "SC-1", "itemName": "x", "severity": "GRAVE"}),
        (read_coordination, {}),
    ],
)
def test_bad_records_of_each_kind_are_quarantined(make: Callable[[object, datetime], Item], record: object) -> None:
    assert bad(make(record, NOW)).content == json.dumps(record, separators=(",", ":")).encode()


@pytest.mark.parametrize("raw", [b'["\xff", "a"]', b'["\\ud83d", "a"]'])
def test_what_is_no_character_spoils_only_the_place_where_it_stands(raw: bytes) -> None:
    assert decode(raw) == [DAMAGED, "a"]


@pytest.mark.parametrize("raw", [b"", b"<html>", b"[1", b"[NaN]"])
def test_what_is_no_json_is_an_error(raw: bytes) -> None:
    with pytest.raises(ValueError, match=r".*"):
        decode(raw)


@pytest.mark.parametrize("record", [None, [], {}, {"updatedAt": 3}, {"updatedAt": "0001-01-01T00:00:00+14:00"}])
def test_an_unreadable_update_time_is_none(record: object) -> None:
    assert updated_at(record) is None
