"""Tasks of the enforcement platform with their results and findings (platforms/enforcement.md, Tasks)."""

from collections import Counter
from datetime import datetime
from functools import partial

from connectors.base import Item
from connectors.enforcement_values import PLATFORM, points, read_record
from connectors.record_fields import BadFieldError, Fields, instant, member, subject_code, text, texts, whole, yes_no
from schema.entities import (
    Conclusion,
    Finding,
    Officer,
    Photo,
    Severity,
    TaskResult,
    TaskStatus,
    TaskType,
    VerificationTask,
)
from schema.entity import Mirrored, Observation


def read_task(record: object, observed_at: datetime) -> Item:
    """Return what a task object says, with its results and findings as parts, or a Quarantined."""
    return read_record(record, VerificationTask, "taskId", partial(_task, observed_at=observed_at))


def _task(fields: Fields, observed_at: datetime) -> Observation:
    origin = fields.part("origin")
    task = VerificationTask(
        source=PLATFORM,
        observed_at=observed_at,
        version=fields.required("version", whole()),
        task_id=fields.required("taskId", text),
        external_no=fields.optional("externalNo", text),
        type=fields.required("type", member(TaskType)),
        title=fields.required("title", text),
        origin_platform=origin.optional("platform", text) if origin else None,
        origin_ref=origin.optional("ref", text) if origin else None,
        urgency=fields.required("urgency", whole(1, 4)),
        status=fields.required("status", member(TaskStatus)),
        department_code=fields.required("department", text),
        participants=fields.optional("participants", texts) or (),
        officers=tuple(_officer(officer) for officer in fields.parts("officers")),
        led_by_head=fields.optional("ledByHead", yes_no) or False,
        campaign_id=fields.optional("campaignId", text),
        due_at=fields.required("dueAt", instant),
        created_at=fields.required("createdAt", instant),
        updated_at=fields.required("updatedAt", instant),
    )
    parts: list[Mirrored] = []
    for index, result in enumerate(fields.parts("results")):
        made = _result(task, index, result)
        parts += [made, *(_finding(task, made.result_id, finding) for finding in result.parts("findings"))]
    _refuse_twins(parts)
    return Observation(record=task, parts=tuple(parts))


def _refuse_twins(parts: list[Mirrored]) -> None:
    counted = Counter(part.finding_id for part in parts if isinstance(part, Finding))
    if twins := [finding_id for finding_id, count in counted.items() if count > 1]:
        raise BadFieldError("BAD_VALUE", f"findingId is unique on the platform, but stands twice: {', '.join(twins)}")


def _officer(fields: Fields) -> Officer:
    return Officer(
        id=fields.required("id", text),
        name=fields.required("name", text),
        department=fields.required("department", text),
        is_head=fields.optional("isHead", yes_no) or False,
    )


def _result(task: VerificationTask, index: int, fields: Fields) -> TaskResult:
    order = fields.part("rectification")
    return TaskResult(
        source=PLATFORM,
        observed_at=task.observed_at,
        version=task.version,
        result_id=f"{task.task_id}/{index}",
        task_id=task.task_id,
        subject_code=fields.optional("subjectCode", subject_code),
        subject_name=fields.optional("subjectName", text),
        conclusion=fields.required("conclusion", member(Conclusion)),
        checked_at=fields.optional("checkedAt", instant),
        order_no=order.required("orderNo", text) if order else None,
        order_deadline=order.required("deadline", instant) if order else None,
        case_no=fields.optional("caseNo", text),
        transferred_to=fields.optional("transferredTo", text),
        photos=tuple(
            Photo(url=photo.required("url", text), taken_at=photo.optional("takenAt", instant)) for photo in fields.parts("photos")
        ),
        signed_by_subject=fields.optional("signedBySubject", yes_no) or False,
        signed_by_officers=fields.optional("signedByOfficers", yes_no) or False,
        remarks=fields.optional("remarks", text),
    )


def _finding(task: VerificationTask, result_id: str, fields: Fields) -> Finding:
    return Finding(
        source=PLATFORM,
        observed_at=task.observed_at,
        version=task.version,
        finding_id=fields.required("findingId", text),
        task_id=task.task_id,
        result_id=result_id,
        item_code=fields.required("itemCode", text),
        item_name=fields.required("itemName", text),
        conform=fields.required("conform", yes_no),
        points=fields.optional("points", points),
        severity=fields.optional("severity", member(Severity)),
        note=fields.optional("note", text),
    )
