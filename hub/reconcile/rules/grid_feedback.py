"""Every tip is answered, second half (闭环处置): when an event's check has ended, the town is told.

Key: event and its sending. Due: 1 working day. Proof: the event's status in the mirror, or code 8 with our task number.
It can be given once, so a later correction of the task goes to the ops list.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Literal, NamedTuple

from sqlalchemy import Connection

from hub.mirror import queries
from hub.mirror.queries import Check
from hub.mirror.rows import Rows, content_of
from hub.reconcile.copies import checks_numbered
from hub.reconcile.rule import Owed, Rule, Rulebook, Verdict
from hub.reconcile.rules import grid_dispatch
from hub.reconcile.rules.grid_dispatch import sendings_of, task_number
from hub.reconcile.sending import ANSWER, TOOK_EFFECT, is_returned, place_of
from hub.reconcile.standing import command_of, may_exist
from schema.commands import AcceptEvent, AnyCommand, FeedbackEvent
from schema.entities import Conclusion, EventStatus, GridEvent, Obligation, TaskStatus, VerificationTask
from schema.entity import Observation

NAME = "grid-feedback"
ANSWERED = frozenset({EventStatus.HANDLED, EventStatus.CLOSED, EventStatus.RETURNED, EventStatus.TRANSFERRED})
CONCLUSIONS = {
    Conclusion.CONFORM: "符合要求",
    Conclusion.NONCONFORM: "存在问题，已依法处理",
    Conclusion.UNREACHABLE: "未能联系到当事人",
}
Result = Literal["handled", "returned", "transferred"]


class Facts(NamedTuple):
    """An event, which sending of it this is, and the check that was made for each sending so far.

    `accepted` names the task with which a sending was accepted, where another one stands now.
    """

    event: GridEvent
    sending: int
    checks: Mapping[int, Check]
    accepted: Mapping[int, str] = {}


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
        """Return events with the checks of their sendings, of each the one that stands (copies.py)."""
        events = {no: one for no, (one,) in queries.records_where(connection, rows, GridEvent, "event_no", causes).items()}
        sendings = sendings_of(connection, rows, events)
        numbers = {(no, n): task_number(no, n) for no, last in sendings.items() for n in range(1, last + 1)}
        found = checks_numbered(connection, rows, numbers.values())
        doubled = {no for (no, _), number in numbers.items() if len(found.get(number, ())) > 1}
        dispatched = queries.obligations_of(connection, rows, grid_dispatch.NAME, doubled)
        facts = {}
        for no, event in events.items():
            mine = {n: numbers[no, n] for n in range(1, sendings[no] + 1)}
            checks = {n: found[number][0] for n, number in mine.items() if number in found}
            facts[no] = Facts(event, sendings[no], checks, _accepted(dispatched.get(no, ())))
        return facts

    def derive(self, facts: Facts, ledger: Sequence[Obligation], book: Rulebook, now: datetime) -> Verdict:
        """Owe one answer for the present sending, once its check has ended; what took effect for earlier ones must still hold."""
        event, present = facts.event, key_for(facts.event.event_no, facts.sending)
        held = {one.key: one for one in ledger}
        open_to_answer = event.status not in ANSWERED or present in held
        owed = []
        for sending, check in facts.checks.items():
            key, result = key_for(event.event_no, sending), result_of(check)
            took_effect = key in held and held[key].state in TOOK_EFFECT
            if result is not None and (took_effect or (key == present and open_to_answer)):
                owed.append(self._owed(facts, sending, check, result, book))
        return Verdict(
            version=event.version,
            owed=tuple(owed),
            keep=frozenset(held) - {present} - {each.key for each in owed},
            proven={present: event.event_no} if present in held and _took_effect(held[present], event) else {},
        )

    def _owed(self, facts: Facts, sending: int, check: Check, result: Result, book: Rulebook) -> Owed:
        event = facts.event
        ended_at = max((one.checked_at for one in check.results if one.checked_at), default=check.task.updated_at)
        command = FeedbackEvent(
            event_no=event.event_no,
            task_id=facts.accepted.get(sending, check.task.task_id),  # with another one the answer is refused (grid.md)
            result=result,
            opinion=_opinion(check, result),
            handler="、".join(officer.name for officer in check.task.officers) or check.task.department_code,
            handled_at=ended_at,
        )
        return Owed(
            key=key_for(event.event_no, sending),
            platform="grid",
            kind="FeedbackEvent",
            command=command,
            due=book.policy.due(NAME, None, ended_at),
            subject_code=None,
            chain=f"grid:{event.event_no}",
            place=place_of(sending, ANSWER),
        )

    def material(self, command: AnyCommand) -> str | None:
        """What the town was told."""
        return f"{command.result}: {command.opinion}" if isinstance(command, FeedbackEvent) else None

    def shows(self, facts: Facts) -> str | None:
        """The check of the present sending."""
        check = facts.checks.get(facts.sending)
        return content_of(check.task, [*check.results, *check.findings]).decode() if check else None

    def unsettled(self, connection: Connection, after: str, limit: int) -> list[str]:
        """Accepted events whose check has ended."""
        return queries.answers_unsettled(connection, NAME, after, limit)


def _accepted(dispatched: Iterable[Obligation]) -> dict[int, str]:
    """Return the task with which each sending was accepted, as far as that may have come true."""
    found = {}
    for one in dispatched:
        command = command_of(one)
        if isinstance(command, AcceptEvent) and may_exist(one):
            found[grid_dispatch.sending_in(one.key)] = command.task_id
    return found


def _took_effect(one: Obligation, event: GridEvent) -> bool:
    """Return whether the mirror shows the answer: the status, or that the town has sent the event once more since."""
    if event.status in ANSWERED:
        return True
    return may_exist(one) and is_returned(one) and event.status is EventStatus.SENT and event.version > one.cause_version


def _opinion(check: Check, result: Result) -> str:
    if result == "transferred":
        return "已移送：" + ("、".join(one.transferred_to for one in check.results if one.transferred_to) or "其他单位")
    if check.task.status is TaskStatus.CANCELLED:
        return "核查任务已取消"
    said = [one.remarks or CONCLUSIONS[one.conclusion] for one in check.results]
    return "；".join(dict.fromkeys(said)) or "已处理"
