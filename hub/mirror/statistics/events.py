"""What grid events and coordinations contribute."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from hub.mirror.statistics.due import Target
from hub.mirror.statistics.fact import Fact, Facts, Source, day_of, grouped, rows_where
from hub.mirror.statistics.tasks import OVER, ended_at, results_of
from schema.entities import CoordinationStatus, EventStatus
from schema.figures import Kind

BEFORE = frozenset({EventStatus.REPORTED.value, EventStatus.SENT.value})
CLOSED = frozenset({EventStatus.HANDLED.value, EventStatus.CLOSED.value, EventStatus.TRANSFERRED.value})
EVENT = ("event_no", "category", "town", "reported_at", "status", "department_code", "limit_at", "updated_at")
CHECK = ("task_id", "origin_platform", "origin_ref", "status", "department_code", "created_at", "updated_at")


class Events(Source):
    """All facts of an event lie on the day it was reported, so that each is a part of the one before.

    Its department is the one that the town names, else that of its newest check: the route itself is policy, not a record.
    """

    entity = "GridEvent"

    def facts(self, connection: Connection, keys: Sequence[str]) -> Facts:
        """Return the facts of events."""
        tasks = rows_where(connection, "VerificationTask", "origin_ref", keys, CHECK)
        mine = sorted((row for row in tasks if row.origin_platform == "grid"), key=lambda row: (row.created_at, row.task_id))
        results = results_of(connection, [row.task_id for row in mine if row.status in OVER])
        by_event = grouped(mine, "origin_ref")
        events = rows_where(connection, self.entity, "event_no", keys, EVENT)
        return {row.event_no: list(_facts(row, by_event[row.event_no], results)) for row in events}

    def dependents(self, connection: Connection, keys: Sequence[str], links: Iterable[str]) -> Iterator[Target]:
        """Yield the checks: their town is their event's."""
        for row in rows_where(connection, "VerificationTask", "origin_ref", keys, ("task_id",)):
            yield Target("VerificationTask", row.task_id)


def _facts(event: Any, tasks: Sequence[Any], results: Mapping[str, Sequence[Any]]) -> Iterator[Fact]:
    department = event.department_code or (tasks[-1].department_code if tasks else "")
    day = day_of(event.reported_at)
    reported = Fact(Kind.EVENT.value, day, department=department, town=event.town, item=event.category)
    yield reported
    if event.status == EventStatus.REPORTED.value and not tasks:
        return
    yield reported._replace(kind=Kind.EVENT_SENT.value)
    if event.status in BEFORE and not tasks:
        return
    yield reported._replace(kind=Kind.EVENT_DISPATCHED.value)
    if event.status in CLOSED:
        yield reported._replace(kind=Kind.EVENT_CLOSED.value, amount=int(_within_limit(event, tasks, results)))


def _within_limit(event: Any, tasks: Sequence[Any], results: Mapping[str, Sequence[Any]]) -> bool:
    """Return whether it was closed by its limit. An event that is changed later, as by its closing, was handled before."""
    ended = [ended_at(task, results[task.task_id]) for task in tasks if task.status in OVER]
    closed = min(event.updated_at, max(ended)) if ended else event.updated_at
    return event.limit_at is not None and closed <= event.limit_at


class Coordinations(Source):
    """Both facts lie on the day it is to be handled by: the platform says neither when it was issued nor when handled."""

    entity = "Coordination"

    def facts(self, connection: Connection, keys: Sequence[str]) -> Facts:
        """Return the facts of coordinations."""
        columns = ("coordination_id", "department_code", "town", "category", "due_at", "status")
        found: Facts = {}
        for row in rows_where(connection, self.entity, "coordination_id", keys, columns):
            day = day_of(row.due_at)
            issued = Fact(Kind.COORDINATION.value, day, department=row.department_code, town=row.town, item=row.category)
            handled = row.status == CoordinationStatus.HANDLED.value
            found[row.coordination_id] = [issued, *([issued._replace(kind=Kind.COORDINATION_HANDLED.value)] if handled else [])]
        return found
