"""Every tip is answered, second half (闭环处置): when an event's check has ended, the town is told.

Key: event and its sending. Due: 1 working day. Proof: the event's status in the mirror, or code 8 with our task number.
It can be given once, so a later correction of the task goes to the ops list.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Literal, NamedTuple

from sqlalchemy import Connection

from hub.mirror import queries
from hub.mirror.queries import Check
from hub.mirror.rows import Rows
from hub.reconcile.rule import Owed, Rule, Rulebook, Verdict
from hub.reconcile.rules import grid_dispatch
from hub.reconcile.sending import sending_of
from schema.commands import AnyCommand, FeedbackEvent, decode_command
from schema.entities import Conclusion, EventStatus, GridEvent, Obligation, ObligationState, TaskStatus, VerificationTask
from schema.entity import Observation
from schema.identifiers import outgoing_number

NAME = "grid-feedback"
ANSWERED = frozenset({EventStatus.HANDLED, EventStatus.CLOSED, EventStatus.RETURNED, EventStatus.TRANSFERRED})
GIVEN = frozenset({ObligationState.SENT, ObligationState.CLOSED})
CONCLUSIONS = {
    Conclusion.CONFORM: "符合要求",
    Conclusion.NONCONFORM: "存在问题，已依法处理",
    Conclusion.UNREACHABLE: "未能联系到当事人",
}
Result = Literal["handled", "returned", "transferred"]


class Facts(NamedTuple):
    """An event, which sending of it this is, and the check that was made for that sending."""

    event: GridEvent
    sending: int
    check: Check | None


def key_for(event_no: str, sending: int) -> str:
    """Return the key of the answer to one sending of an event."""
    return f"{NAME}:{event_no}:{sending}"


def result_of(check: Check) -> Result | None:
    """Return what the town is told of a check; None while it goes on."""
    status, results = check.task.status, check.results
    if status is TaskStatus.TRANSFERRED or (status is TaskStatus.DONE and any(one.transferred_to for one in results)):
        return "transferred"
    if status is TaskStatus.CANCELLED:
        return "returned"
    if status is not TaskStatus.DONE:
        return None
    reached = [one for one in results if one.conclusion is not Conclusion.UNREACHABLE]
    return "returned" if results and not reached else "handled"


class GridFeedback(Rule[Facts]):
    """Such a task has ended -> feedback, grid; key: event and its sending."""

    name = NAME
    prefix = "GF"
    cause_entity = "GridEvent"

    def causes(self, observation: Observation) -> Iterable[str]:
        """An event, or a task that one caused."""
        record = observation.record
        if isinstance(record, GridEvent):
            return [record.event_no]
        if isinstance(record, VerificationTask) and record.origin_platform == "grid" and record.origin_ref:
            return [record.origin_ref]
        return []

    def load(self, connection: Connection, rows: Rows, causes: Sequence[str]) -> dict[str, Facts]:
        """Return events with the check of their present sending."""
        events = {no: one for no, (one,) in queries.records_where(connection, rows, GridEvent, "event_no", causes).items()}
        answers = queries.obligations_of(connection, rows, NAME, events)
        sendings = {no: sending_of(answers.get(no, [])) for no in events}
        numbers = {no: _task_number(no, sendings[no]) for no in events}
        checks = queries.checks(connection, rows, "external_no", numbers.values())
        return {no: Facts(event, sendings[no], next(iter(checks.get(numbers[no], [])), None)) for no, event in events.items()}

    def derive(self, facts: Facts, ledger: Sequence[Obligation], book: Rulebook, now: datetime) -> Verdict:
        """Owe one answer for the present sending, once its check has ended; earlier answers stay as they are."""
        event, key = facts.event, key_for(facts.event.event_no, facts.sending)
        proven = {one.key: event.event_no for one in ledger if one.key == key and _took_effect(one, event)}
        earlier = frozenset(one.key for one in ledger if one.key != key)
        result = result_of(facts.check) if facts.check else None
        held = any(one.key == key for one in ledger)
        if facts.check is None or result is None or (event.status in ANSWERED and not held):
            return Verdict(version=event.version, keep=earlier, proven=proven)
        check = facts.check
        ended_at = max((one.checked_at for one in check.results if one.checked_at), default=check.task.updated_at)
        command = FeedbackEvent(
            event_no=event.event_no,
            task_id=check.task.task_id,
            result=result,
            opinion=_opinion(check, result),
            handler="、".join(officer.name for officer in check.task.officers) or check.task.department_code,
            handled_at=ended_at,
        )
        owed = Owed(
            key=key,
            platform="grid",
            kind="FeedbackEvent",
            command=command,
            due=book.policy.due(NAME, None, ended_at),
            subject_code=None,
            chain=f"grid:{event.event_no}",
        )
        return Verdict(version=event.version, owed=(owed,), keep=earlier, proven=proven)

    def material(self, command: AnyCommand) -> Any:
        """What the town was told."""
        return command.result if isinstance(command, FeedbackEvent) else None

    def unsettled(self, connection: Connection, after: str, limit: int) -> list[str]:
        """Accepted events whose check has ended."""
        return queries.answers_unsettled(connection, NAME, after, limit)


def _task_number(event_no: str, sending: int) -> str:
    return outgoing_number(grid_dispatch.GridDispatch.prefix, grid_dispatch.key_for(event_no, sending) + "/1")


def _took_effect(one: Obligation, event: GridEvent) -> bool:
    """Return whether the mirror shows the answer: the status, or that the town has sent the event once more since."""
    if event.status in ANSWERED:
        return True
    if one.state not in GIVEN or not one.payload or event.status is not EventStatus.SENT:
        return False
    command = decode_command(one.payload)
    return isinstance(command, FeedbackEvent) and command.result == "returned" and event.version > one.cause_version


def _opinion(check: Check, result: Result) -> str:
    if result == "transferred":
        return "已移送：" + ("、".join(one.transferred_to for one in check.results if one.transferred_to) or "其他单位")
    if check.task.status is TaskStatus.CANCELLED:
        return "核查任务已取消"
    said = [one.remarks or CONCLUSIONS[one.conclusion] for one in check.results]
    return "；".join(dict.fromkeys(said)) or "已处理"
