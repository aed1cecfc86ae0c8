"""Two tasks with one of our numbers (重复任务): the one that has not begun is cancelled, so that officers are not sent twice.

Which one stands is in copies.py; every other one that has not begun is cancelled (enforcement.md: PENDING or DISPATCHED, else 409).
Of those that have begun ops is told, with both; what they found is settled once: breach-record and penalty-referral set aside all
but the one that stands. Somebody else's number is nobody's business here.

Key: the task that is cancelled. Due: at once. Proof: it is cancelled in the mirror. The version of a number is the sum of the
versions of its tasks.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from hub.domain.calendar import BEIJING
from hub.domain.deadlines import Due
from hub.mirror import check_queries, copy_queries, queries
from hub.mirror.ops_list import Trouble
from hub.mirror.rows import Rows, content_of
from hub.reconcile.copies import DUPLICATE_TASK, NOT_BEGUN, numbers_in, tasks_numbered
from hub.reconcile.rule import Owed, Rule, Rulebook, Verdict
from hub.reconcile.rules import approval_revoked, approval_verification
from hub.reconcile.standing import command_of
from schema.commands import AnyCommand, CancelTask
from schema.entities import Approval, ApprovalState, Obligation, ObligationState, TaskStatus, VerificationTask
from schema.entity import Observation

NAME = DUPLICATE_TASK


class Facts(NamedTuple):
    """The tasks that carry a number, the one that stands first, and the obligation whose number it is.

    `revoked` is the task that approval-revoked cancels: all others are too many.
    """

    number: str
    tasks: Sequence[VerificationTask]
    ordered: Obligation | None
    revoked: str | None = None


def key_for(task_id: str) -> str:
    """Return the key of what cancels a task that is too many."""
    return f"{NAME}:{task_id}"


class DuplicateTask(Rule[Facts]):
    """A number of ours is on two tasks -> the one that has not begun is cancelled, enforcement; key: that task."""

    name = NAME
    prefix = "DT"
    cause_entity = "TaskNumber"

    def causes(self, observation: Observation) -> Iterable[str]:
        """The number of a task; that of the check of an approval which is revoked."""
        record = observation.record
        if isinstance(record, Approval) and record.state is ApprovalState.REVOKED:
            return [approval_verification.task_number(record.approval_no)]
        return numbers_in([observation])

    def load(self, connection: Connection, rows: Rows, causes: Sequence[str]) -> dict[str, Facts]:
        """Return numbers with their tasks; of those that several carry also whose number it is."""
        tasks = tasks_numbered(connection, rows, causes)
        several = {number: group for number, group in tasks.items() if len(group) > 1}
        ordered = check_queries.obligations_numbered(connection, rows, several)
        origins = {number: group[0].origin_ref or "" for number, group in several.items() if group[0].origin_platform == "approval"}
        revoked = queries.obligations_of(connection, rows, approval_revoked.NAME, origins.values())
        return {
            number: Facts(number, tasks.get(number, ()), ordered.get(number), _named(revoked.get(origins.get(number, ""), ())))
            for number in causes
        }

    def derive(self, facts: Facts, ledger: Sequence[Obligation], book: Rulebook, now: datetime) -> Verdict:
        """Owe the cancellation of each task that is too many and has not begun; tell ops of those that have."""
        version = sum(task.version for task in facts.tasks)
        proven = {key_for(task.task_id): task.task_id for task in facts.tasks if task.status is TaskStatus.CANCELLED}
        if facts.ordered is None or len(facts.tasks) < 2:
            return Verdict(version=version, keep=frozenset(proven), proven=proven)
        stands = next((task for task in facts.tasks if task.task_id == facts.revoked), facts.tasks[0])
        others = [task for task in facts.tasks if task is not stands and task.status is not TaskStatus.CANCELLED]
        begun = [task for task in others if task.status not in NOT_BEGUN]
        return Verdict(
            version=version,
            owed=tuple(self._owed(facts, task, stands, book) for task in others if task.status in NOT_BEGUN),
            keep=frozenset(proven),
            proven=proven,
            troubles=(_begun(facts, stands, begun),) if begun else (),
        )

    def _owed(self, facts: Facts, task: VerificationTask, stands: VerificationTask, book: Rulebook) -> Owed:
        return Owed(
            key=key_for(task.task_id),
            platform="enforcement",
            kind="CancelTask",
            command=CancelTask(task_id=task.task_id, reason=f"与任务{stands.task_id}重复（外部编号{facts.number}）"),
            due=Due(max(task.created_at, stands.created_at).astimezone(BEIJING), False),  # at once: no policy can say otherwise
            subject_code=facts.ordered.subject_code if facts.ordered else None,
        )

    def material(self, command: AnyCommand) -> str | None:
        """Which task is cancelled."""
        return f"task {command.task_id} cancelled" if isinstance(command, CancelTask) else None

    def shows(self, facts: Facts) -> str | None:
        """All tasks with the number."""
        return content_of(facts.tasks[0], facts.tasks[1:]).decode() if facts.tasks else None

    def unsettled(self, connection: Connection, after: str, limit: int) -> list[str]:
        """Numbers of ours on several tasks."""
        return copy_queries.duplicates_unsettled(connection, NAME, after, limit)


def _named(ledger: Iterable[Obligation]) -> str | None:
    """Return the task that the cancellation of a revoked approval's check names, unless that was withdrawn."""
    commands = [command_of(one) for one in ledger if one.state is not ObligationState.WITHDRAWN]
    return next((command.task_id for command in commands if isinstance(command, CancelTask)), None)


def _begun(facts: Facts, stands: VerificationTask, begun: Sequence[VerificationTask]) -> Trouble:
    ids = ", ".join(task.task_id for task in begun)
    order = facts.ordered.key if facts.ordered else facts.number
    return Trouble(
        kind=NAME,
        cause=facts.number,
        subject_code=facts.ordered.subject_code if facts.ordered else None,
        message=f"task {stands.task_id} stands for {order}, and {ids} was begun under the same number and cannot be cancelled; "
        f"what it finds is not settled a second time: agree with department {begun[0].department_code} which of them goes on",
        before=content_of(stands).decode(),
        after=content_of(begun[0], begun[1:]).decode(),
        distinct=ids,
    )
