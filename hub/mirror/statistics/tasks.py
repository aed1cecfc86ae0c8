"""What checks contribute: ordered, done, nonconforming, led by a head, drawn in a joint inspection."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, Row

from hub.mirror.statistics.due import Target
from hub.mirror.statistics.fact import Fact, Facts, Source, day_of, grouped, rows_where
from schema.entities import Conclusion, Officer, TaskStatus
from schema.figures import CAMPAIGN, Kind

OVER = frozenset({TaskStatus.DONE.value, TaskStatus.TRANSFERRED.value})
NONCONFORM, UNREACHABLE = Conclusion.NONCONFORM.value, Conclusion.UNREACHABLE.value
RESULT = ("result_id", "task_id", "subject_code", "conclusion", "checked_at", "order_no", "case_no")
TASK = (
    "task_id",
    "type",
    "origin_platform",
    "origin_ref",
    "status",
    "department_code",
    "officers",
    "led_by_head",
    "campaign_id",
    "due_at",
    "created_at",
    "updated_at",
)
_officers = msgspec.json.Decoder(tuple[Officer, ...])


def results_of(connection: Connection, tasks: Iterable[str]) -> Mapping[str, list[Row[Any]]]:
    """Return the results of these checks as kept, in the platform's order."""
    found = rows_where(connection, "TaskResult", "task_id", tasks, RESULT)
    return grouped(sorted(found, key=lambda row: (len(row.result_id), row.result_id)), "task_id")


def ended_at(task: Any, results: Sequence[Any]) -> int:
    """Return when a check that is over ended, in microseconds: at its last check on site, else when it was last changed."""
    checked = [row.checked_at for row in results if row.checked_at is not None]
    return max(checked) if checked else int(task.updated_at)


class Tasks(Source):
    """A check has the matter of its approval, or the town of its grid event; its subject is the first that was checked."""

    entity = "VerificationTask"

    def facts(self, connection: Connection, keys: Sequence[str]) -> Facts:
        """Return the facts of checks."""
        tasks = rows_where(connection, self.entity, "task_id", keys, TASK)
        approvals, towns = _origins(connection, tasks)
        over = [row.task_id for row in tasks if row.status in OVER]
        results, bad = results_of(connection, keys), _bad_items(connection, over)
        return {
            row.task_id: self._facts(
                row, approvals.get(_ref(row, "approval")), towns.get(_ref(row, "grid"), ""), results[row.task_id], bad[row.task_id]
            )
            for row in tasks
        }

    def _facts(self, task: Any, approval: Any, town: str, results: Sequence[Any], bad: Sequence[Any]) -> list[Fact]:
        subject = next((row.subject_code for row in results if row.subject_code), approval.subject_code if approval else None)
        ordered = Fact(
            Kind.TASK.value,
            day_of(task.created_at),
            department=task.department_code,
            matter=approval.matter_code if approval else "",
            town=town,
            way=task.type,
            subject=subject or "",
            link=task.origin_ref or "",
        )
        found = [ordered]
        if task.campaign_id:
            found.append(ordered._replace(kind=Kind.CAMPAIGN_TASK.value, member=task.campaign_id))
        if task.status == TaskStatus.CANCELLED.value:
            found.append(ordered._replace(kind=Kind.TASK_CANCELLED.value))
        if task.status in OVER:
            ended = ended_at(task, results)
            found += _outcome(task, ordered._replace(day=day_of(ended)), ended, results, bad)
        return found

    def dependents(self, connection: Connection, keys: Sequence[str], links: Iterable[str]) -> Iterator[Target]:
        """Yield the grid events that these checks are for, or were for."""
        for row in rows_where(connection, "GridEvent", "event_no", links, ("event_no",)):
            yield Target("GridEvent", row.event_no)


def _origins(connection: Connection, tasks: Sequence[Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the approvals that caused these checks, and the towns of the grid events that did."""
    approvals = [_ref(row, "approval") for row in tasks]
    events = [_ref(row, "grid") for row in tasks]
    about = ("approval_no", "matter_code", "subject_code")
    by_number = {row.approval_no: row for row in rows_where(connection, "Approval", "approval_no", filter(None, approvals), about)}
    towns = rows_where(connection, "GridEvent", "event_no", filter(None, events), ("event_no", "town"))
    return by_number, {row.event_no: row.town for row in towns}


def _ref(task: Any, platform: str) -> str:
    return task.origin_ref if task.origin_platform == platform and task.origin_ref else ""


def _bad_items(connection: Connection, tasks: Iterable[str]) -> Mapping[str, list[Any]]:
    rows = rows_where(connection, "Finding", "task_id", tasks, ("task_id", "item_code", "conform"))
    return grouped((row for row in rows if not row.conform), "task_id")


def _outcome(task: Any, ended_fact: Fact, ended: int, results: Sequence[Any], bad: Sequence[Any]) -> Iterator[Fact]:
    """Yield what a check that is over contributes beside that it was ordered."""
    if task.status == TaskStatus.DONE.value:
        yield ended_fact._replace(kind=Kind.TASK_DONE.value, amount=int(ended <= task.due_at))
    else:
        yield ended_fact._replace(kind=Kind.TASK_TRANSFERRED.value)
    if any(row.conclusion == NONCONFORM for row in results):
        yield ended_fact._replace(kind=Kind.NONCONFORM.value)
    for finding in bad:
        yield ended_fact._replace(kind=Kind.FINDING.value, item=finding.item_code)
    yield from _measures(task, ended_fact, results)
    yield from _heads(task, ended_fact)


def _measures(task: Any, ended_fact: Fact, results: Sequence[Any]) -> Iterator[Fact]:
    """Yield cases, orders, and who was reached in a joint inspection."""
    way = CAMPAIGN if task.campaign_id else task.type
    for row in results:
        about = ended_fact._replace(way=way, subject=row.subject_code or "")
        if row.case_no:
            yield about._replace(kind=Kind.CASE.value, member=row.case_no)
        if row.order_no:
            yield about._replace(kind=Kind.ORDER.value, member=row.order_no)
        if task.campaign_id and row.conclusion != UNREACHABLE:
            day = ended_fact.day if row.checked_at is None else day_of(row.checked_at)
            yield about._replace(kind=Kind.CAMPAIGN_CHECK.value, day=day)


def _heads(task: Any, ended_fact: Fact) -> Iterator[Fact]:
    """Yield that a head led the check, and whose head: of the officers that are marked so, else of the department in charge."""
    marked = '"is_head":true' in task.officers
    if task.led_by_head or marked:
        officers = _officers.decode(task.officers) if marked else ()
        yield ended_fact._replace(kind=Kind.HEADED.value)
        for department in sorted({one.department for one in officers if one.is_head} or {task.department_code}):
            yield ended_fact._replace(kind=Kind.HEAD.value, department=department)
