"""A check of ours that someone cancelled there (核查任务被取消) goes to the ops list, once; it is not made again by itself.

The check of a revoked approval is cancelled by right, and so is a second task with its number; that of a grid event is answered
to its town as returned.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from hub.mirror import check_queries, queries
from hub.mirror.ops_list import Trouble
from hub.mirror.rows import Rows, content_of
from hub.reconcile.copies import set_aside
from hub.reconcile.rule import Rule, Rulebook, Verdict
from hub.reconcile.rules import approval_revoked
from hub.reconcile.standing import may_exist
from schema.entities import Approval, ApprovalState, Obligation, TaskStatus, VerificationTask
from schema.entity import Observation

NAME = "task-cancelled"


class Facts(NamedTuple):
    """A cancelled task that we had ordered, what for, and whether that was asked for.

    `wanted`: the approval behind it is revoked, or another task with its number stands (copies.py).
    """

    task: VerificationTask
    ordered: Obligation
    wanted: bool


class TaskCancelled(Rule[Facts]):
    """A verification task was cancelled on the platform -> ops list; it owes nothing."""

    name = NAME
    prefix = "TC"
    cause_entity = "VerificationTask"

    def causes(self, observation: Observation) -> Iterable[str]:
        """A cancelled task that somebody ordered; that of a grid event apart."""
        task = observation.record
        if not isinstance(task, VerificationTask) or task.status is not TaskStatus.CANCELLED:
            return []
        return [task.task_id] if task.external_no and task.origin_platform != "grid" else []

    def load(self, connection: Connection, rows: Rows, causes: Sequence[str]) -> dict[str, Facts]:
        """Return those tasks that carry the number of an obligation of ours."""
        tasks = {no: one for no, (one,) in queries.records_where(connection, rows, VerificationTask, "task_id", causes).items()}
        ordered = check_queries.obligations_numbered(connection, rows, [one.external_no or "" for one in tasks.values()])
        origins = [one.origin_ref or "" for one in tasks.values() if one.origin_platform == "approval"]
        approvals = queries.records_where(connection, rows, Approval, "approval_no", origins)
        ours = queries.obligations_of(connection, rows, approval_revoked.NAME, origins)
        aside = set_aside(connection, rows, tasks.values())

        def revoked(task: VerificationTask) -> bool:
            no = (task.origin_ref or "") if task.origin_platform == "approval" else ""
            by_us = any(may_exist(one) for one in ours.get(no, []))
            return by_us or any(one.state is ApprovalState.REVOKED for one in approvals.get(no, []))

        return {
            task_id: Facts(task, ordered[task.external_no or ""], task_id in aside or revoked(task))
            for task_id, task in tasks.items()
            if (task.external_no or "") in ordered
        }

    def derive(self, facts: Facts, ledger: Sequence[Obligation], book: Rulebook, now: datetime) -> Verdict:
        """Owe nothing; tell ops of a cancellation that nothing asked for."""
        task = facts.task
        theirs = task.status is TaskStatus.CANCELLED and task.origin_platform != "grid" and not facts.wanted
        return Verdict(version=task.version, troubles=(_cancelled(facts),) if theirs else ())

    def unsettled(self, connection: Connection, after: str, limit: int) -> list[str]:
        """Cancelled tasks of ours that ops was not told of."""
        return check_queries.cancellations_untold(connection, NAME, after, limit)


def _cancelled(facts: Facts) -> Trouble:
    task, ordered = facts.task, facts.ordered
    return Trouble(
        kind=NAME,
        cause=task.task_id,
        subject_code=ordered.subject_code,
        message=f"task {task.task_id} ({ordered.key}) was cancelled on the platform and is not made again by itself; "
        f"settle with department {task.department_code} whether the check is still needed",
        before=ordered.payload.decode() or None,
        after=content_of(task).decode(),
    )
