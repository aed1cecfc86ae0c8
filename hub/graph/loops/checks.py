"""What happened at checks, and what drew them."""

from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise
from typing import Any

from hub.graph.loops.happening import Happening, Past, day_shown, entered, moment_of, shown
from hub.mirror.histories import Version
from schema.entities import Campaign, CampaignRequest, Conclusion, Finding, TaskResult, TaskStatus, VerificationTask
from schema.step_kinds import StepKind as K

TASK_STATES = {
    TaskStatus.DISPATCHED: K.TASK_DISPATCHED,
    TaskStatus.ACCEPTED: K.TASK_ACCEPTED,
    TaskStatus.IN_PROGRESS: K.TASK_BEGUN,
    TaskStatus.CANCELLED: K.TASK_CANCELLED,
    TaskStatus.TRANSFERRED: K.TASK_TRANSFERRED,
}
CONCLUSIONS = {
    Conclusion.CONFORM: ("conforms", "符合要求"),
    Conclusion.NONCONFORM: ("does not conform", "不符合要求"),
    Conclusion.UNREACHABLE: ("nobody reached", "未能联系到当事人"),
}
OVER = frozenset({TaskStatus.DONE, TaskStatus.CANCELLED, TaskStatus.TRANSFERRED})


def of_task(one: VerificationTask, past: Past) -> Iterator[Happening]:
    """Tell of a check: ordered, its states, corrections; awaited until it is over."""
    yield Happening(K.TASK_CREATED, one.created_at, one.task_id, one.title)
    for kind, at in entered(one, past, "status", TASK_STATES):
        yield Happening(kind, at, one.task_id, one.title)
    done = [version for version in past.versions if version.fields.get("status") == TaskStatus.DONE.value]
    if one.status is TaskStatus.DONE and not past.has_results:
        yield Happening(K.TASK_DONE, done_at(one, past), one.task_id, one.title)
    for before, after in pairwise(done):
        if _said(before) != _said(after):
            at = moment_of(after.fields.get("updated_at")) or after.seen_at
            yield Happening(K.RESULT_CORRECTED, at, one.task_id, one.title)
    if one.status not in OVER:
        yield Happening(K.AWAITED, None, one.task_id, f"check, {one.title}", f"检查，{one.title}", due_at=one.due_at)


def done_at(task: VerificationTask, past: Past) -> datetime:
    """Return when a check was first known to be done."""
    done = (version.fields.get("updated_at") for version in past.versions if version.fields.get("status") == TaskStatus.DONE.value)
    return moment_of(next(done, None)) or task.updated_at


def _said(version: Version) -> list[dict[str, Any]]:
    """Return what a version's results and findings say, whatever its number."""
    return [{name: value for name, value in part.items() if name != "version"} for part in version.parts]


def of_result(one: TaskResult, past: Past) -> Iterator[Happening]:
    """Tell of what a check concluded about one subject, and what was ordered at once."""
    at = checked_at(one, past)
    (said, says), code = CONCLUSIONS[one.conclusion], one.subject_code
    name = one.subject_name or ""
    yield Happening(
        K.CHECKED,
        at,
        one.task_id,
        f"{name}, {said}" if name else said,
        f"{name}，{says}" if name else says,
        code,
        past.task.due_at if past.task else None,
    )
    if one.order_no:
        until = day_shown(one.order_deadline) if one.order_deadline else None
        said, says = (f"until {until}", f"期限{until}") if until else ("", "")
        yield Happening(K.RECTIFICATION_ORDERED, at, one.order_no, said, says, code)
    if one.case_no:
        yield Happening(K.CASE_FILED, at, one.case_no, one.case_no, subject_code=code)
    if one.transferred_to:
        yield Happening(K.TASK_TRANSFERRED, at, one.task_id, one.transferred_to, subject_code=code)


def checked_at(one: TaskResult, past: Past) -> datetime:
    """Return when a subject was checked; where the result does not say, when the task changed last."""
    return one.checked_at or (past.task.updated_at if past.task else one.observed_at)


def of_finding(one: Finding, past: Past) -> Iterator[Happening]:
    """Tell of an item that does not conform; one that does is no step."""
    if one.conform:
        return
    at = checked_at(past.result, past) if past.result else one.observed_at
    points = one.points
    yield Happening(
        K.FINDING,
        at,
        one.finding_id,
        one.item_name + (f", {shown(points)} points" if points is not None else ""),
        one.item_name + (f"，{shown(points)}分" if points is not None else ""),
        past.result.subject_code if past.result else None,
    )


def of_request(one: CampaignRequest, past: Past) -> Iterator[Happening]:
    """Tell of a joint inspection that was asked for."""
    said, says = f"{one.title}, {one.subjects} subjects", f"{one.title}，抽取{one.subjects}家"
    yield Happening(K.CAMPAIGN_REQUESTED, one.requested_at, one.request_no, said, says)


def of_campaign(one: Campaign, past: Past) -> Iterator[Happening]:
    """The platform tells no time of a draw; its tasks are made with it."""
    at = past.drawn_at or (past.versions[0].seen_at if past.versions else one.observed_at)
    count = len(one.drawn_subjects)
    yield Happening(K.CAMPAIGN_DRAWN, at, one.campaign_id, f"{one.title}, {count} subjects", f"{one.title}，抽取{count}家")
