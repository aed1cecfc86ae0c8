"""Every tip is answered, first half (闭环处置): a grid event that is sent to a department becomes a check, then is accepted.

Key: event and its sending. Due: level 1 at once, others within 1 hour (deadlines.toml). Two platforms, so two obligations:
`/1` the task on enforcement, `/2` accepting on grid, which needs the task's number. Proof: the task with our number; the
event's status in the mirror.

An event that nobody can be found for waits for its route, and is named on the ops list and in the quarantine (NO_ROUTE) meanwhile.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from connectors.base import Quarantined
from hub.domain.calendar import beijing_day
from hub.domain.routing import Route, department_for
from hub.mirror import queries
from hub.mirror.ops_list import Trouble
from hub.mirror.rows import Rows, content_of
from hub.reconcile.copies import tasks_numbered
from hub.reconcile.rule import Owed, Quarantine, Rule, Rulebook, Verdict
from hub.reconcile.sending import ACCEPTANCE, DISPATCH, place_of, sending_of
from hub.reconcile.standing import is_unsent, may_exist
from schema.commands import AcceptEvent, AnyCommand, CreateTask, FileLink, TaskSubject
from schema.entities import EventStatus, GridEvent, Obligation, ObligationState, TaskType, VerificationTask
from schema.entity import Observation
from schema.identifiers import outgoing_number

NAME = "grid-dispatch"
PREFIX = "GD"
TAKEN_UP = frozenset({EventStatus.ACCEPTED, EventStatus.HANDLED, EventStatus.CLOSED, EventStatus.RETURNED, EventStatus.TRANSFERRED})


class Facts(NamedTuple):
    """An event, which sending of it this is, and tasks with our number for that sending, the one that stands first (copies.py)."""

    event: GridEvent
    sending: int
    tasks: Sequence[VerificationTask]
    answered: bool = False
    """Whether an answer of ours to this sending may be on the platform."""


def key_for(event_no: str, sending: int) -> str:
    """Return the key of one sending of an event, without the /1 and /2 of its two platforms."""
    return f"{NAME}:{event_no}:{sending}"


def sending_in(key: str) -> int:
    """Return which sending a key of this rule is about."""
    return int(key.rpartition("/")[0].rpartition(":")[2])


def task_number(event_no: str, sending: int) -> str:
    """Return the number that the task of a sending carries on the enforcement platform."""
    return outgoing_number(PREFIX, f"{key_for(event_no, sending)}/1")


def sendings_of(connection: Connection, rows: Rows, event_nos: Iterable[str]) -> dict[str, int]:
    """Return which sending of each event this is: by the answers that took effect, and by the tasks that were made.

    A sending that has a task has begun, also where the ledger that knew of the answers before it was lost.
    """
    wanted = list(event_nos)
    answers = queries.obligations_of(connection, rows, "grid-feedback", wanted)
    tasks = queries.records_where(connection, rows, VerificationTask, "origin_ref", wanted)
    found = {}
    for no in wanted:
        carried = {task.external_no for task in tasks.get(no, []) if task.origin_platform == "grid"}
        counted = sending_of(answers.get(no, []))
        begun = (n for n in range(counted + len(carried), counted, -1) if task_number(no, n) in carried)
        found[no] = next(begun, counted)
    return found


class GridDispatch(Rule[Facts]):
    """A grid event is sent to a department -> a task, enforcement; then accepted, grid; key: event and its sending."""

    name = NAME
    prefix = PREFIX
    cause_entity = "GridEvent"
    quarantine = Quarantine("grid", "NO_ROUTE")

    def causes(self, observation: Observation) -> Iterable[str]:
        """An event, or a task that one caused."""
        record = observation.record
        if isinstance(record, GridEvent):
            return [record.event_no]
        if isinstance(record, VerificationTask) and record.origin_platform == "grid" and record.origin_ref:
            return [record.origin_ref]
        return []

    def load(self, connection: Connection, rows: Rows, causes: Sequence[str]) -> dict[str, Facts]:
        """Return events with the tasks of their present sending."""
        events = {no: one for no, (one,) in queries.records_where(connection, rows, GridEvent, "event_no", causes).items()}
        sendings = sendings_of(connection, rows, events)
        numbers = {no: task_number(no, sendings[no]) for no in events}
        tasks = tasks_numbered(connection, rows, numbers.values())
        waiting = [no for no, event in events.items() if event.status is EventStatus.SENT]
        answers = queries.obligations_of(connection, rows, "grid-feedback", waiting)
        answered = {one.key for group in answers.values() for one in group if may_exist(one)}
        return {
            no: Facts(event, sendings[no], tasks.get(numbers[no], []), f"grid-feedback:{no}:{sendings[no]}" in answered)
            for no, event in events.items()
        }

    def derive(self, facts: Facts, ledger: Sequence[Obligation], book: Rulebook, now: datetime) -> Verdict:
        """Owe task and acceptance while the event waits for the hub; what was made for earlier sendings stays as it is."""
        event, sending = facts.event, facts.sending
        key = key_for(event.event_no, sending)
        task = next(iter(facts.tasks), None)
        proven = {f"{key}/1": task.task_id} if task else {}
        earlier = frozenset(one.key for one in ledger if not one.key.startswith(f"{key}/"))
        if event.status in TAKEN_UP:
            # A task that was not made yet is not made any more: somebody else has taken the event up.
            made = frozenset(one.key for one in ledger if one.key.endswith("/2") or not is_unsent(one))
            taken = {one.key: event.event_no for one in ledger if one.key.endswith("/2")}
            return Verdict(version=event.version, keep=earlier | made, proven=proven | taken)
        if event.status is not EventStatus.SENT:
            return Verdict(version=event.version, keep=earlier, proven=proven)
        route = department_for(event.department_code, event.category, book.policy, beijing_day(event.reported_at))
        return Verdict(
            version=event.version,
            owed=(self._dispatch(event, sending, route, book), self._acceptance(event, sending, task, book)),
            keep=earlier,
            proven=proven,
            troubles=(*_troubles(event, route), *_sent_again(facts, task, ledger, f"{key}/2")),
            quarantined=_held_up(event) if route is None and _waits(f"{key}/1", ledger, proven) else None,
        )

    def _dispatch(self, event: GridEvent, sending: int, route: Route | None, book: Rulebook) -> Owed:
        key = f"{key_for(event.event_no, sending)}/1"
        command = None
        if route is not None:
            command = CreateTask(
                external_no=self.number(key),
                type=TaskType.GRID,
                title=event.title,
                subjects=(TaskSubject(code=None, name=event.address or event.town, address=event.address),),
                department=route.department,
                due_at=event.limit_at or book.policy.due(NAME, "check", event.updated_at).at,
                origin_platform="grid",
                origin_ref=event.event_no,
                urgency=event.level,
                attachments=tuple(FileLink(name=file.name, url=file.url, md5=file.md5) for file in event.attachments),
            )
        return Owed(
            key=key,
            platform="enforcement",
            kind="CreateTask",
            command=command,
            due=book.policy.due(NAME, f"level-{event.level}", event.updated_at),
            subject_code=None,
            needs=None if route else f"a route for category '{event.category}' in grid_categories.csv",
            chain=f"grid:{event.event_no}",
            place=place_of(sending, DISPATCH),
        )

    def _acceptance(self, event: GridEvent, sending: int, task: VerificationTask | None, book: Rulebook) -> Owed:
        key = key_for(event.event_no, sending)
        command = None
        if task is not None:
            command = AcceptEvent(
                event_no=event.event_no, task_id=task.task_id, department=task.department_code, accepted_at=task.created_at
            )
        return Owed(
            key=f"{key}/2",
            platform="grid",
            kind="AcceptEvent",
            command=command,
            due=book.policy.due(NAME, f"level-{event.level}", event.updated_at),
            subject_code=None,
            needs=None if task else f"the task of {key}/1 in the mirror",
            chain=f"grid:{event.event_no}",
            place=place_of(sending, ACCEPTANCE),
        )

    def material(self, command: AnyCommand) -> str | None:
        """Which department the task is for."""
        return f"department {command.department}" if isinstance(command, CreateTask) else None

    def shows(self, facts: Facts) -> str | None:
        """The event."""
        return content_of(facts.event).decode()

    def unsettled(self, connection: Connection, after: str, limit: int) -> list[str]:
        """Events that wait for the hub."""
        return queries.events_unsettled(connection, NAME, after, limit)


def _troubles(event: GridEvent, route: Route | None) -> Iterable[Trouble]:
    if route is None:
        yield Trouble(
            kind="no-route",
            cause=event.event_no,
            distinct=event.category,
            message=_no_route(event),
        )
    elif route.category_department is None:
        yield Trouble(
            kind="unknown-category",
            cause=event.category,
            message=f"category '{event.category}' ({event.category_name or 'without a name'}): no policy names it; add it to "
            f"grid_categories.csv. Events whose department the town names are sent on all the same (first seen: {event.event_no})",
        )
    elif route.differs:
        yield Trouble(
            kind="department-differs",
            cause=event.event_no,
            distinct=f"{route.department}/{route.category_department}",
            message=f"grid event {event.event_no}: the town names department {route.department}, category '{event.category}' "
            f"routes to {route.category_department}; the town's was taken",
        )


def _sent_again(facts: Facts, task: VerificationTask | None, ledger: Sequence[Obligation], acceptance: str) -> Iterable[Trouble]:
    """Tell of an event that waits once more though no answer of ours returned it: somebody took it back there by hand.

    The mirror showed it as taken up, which is when its number became the receipt, and shows it as sent now.
    """
    event = facts.event
    taken_up = [one for one in ledger if one.key == acceptance and one.state is ObligationState.CLOSED]
    if not facts.answered and any(one.receipt == event.event_no for one in taken_up):
        check = f"its check {task.task_id} is {task.status.value}" if task else "its check is not in the mirror"
        yield Trouble(
            kind="sent-again",
            cause=event.event_no,
            distinct=str(event.version),
            message=f"grid event {event.event_no} was sent to a department once more, and no answer of ours had returned it: "
            f"{check}, and nothing is made a second time; agree with {event.town} how it is answered, by telephone",
            after=content_of(event).decode(),
        )


def _no_route(event: GridEvent) -> str:
    return f"grid event {event.event_no}: no route for category '{event.category}'; add it to policy/grid_categories.csv"


def _waits(key: str, ledger: Sequence[Obligation], proven: Mapping[str, str]) -> bool:
    """Return whether the task of a sending is still to be made: nobody made it by hand, or took it off the ledger."""
    return key not in proven and all(is_unsent(one) or one.state is ObligationState.WITHDRAWN for one in ledger if one.key == key)


def _held_up(event: GridEvent) -> Quarantined:
    return Quarantined(
        reason="NO_ROUTE", detail=_no_route(event), content=content_of(event), entity="GridEvent", key=event.event_no
    )
