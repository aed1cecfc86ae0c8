"""An approval is revoked (审批撤销): its check is cancelled if it has not begun, else it is for ops.

Key: approval. Due: at once. Proof: the task is cancelled in the mirror. A check that was never sent is withdrawn by
approval-verification; one that was accepted and has not been seen yet is waited for; of one whose fate is unknown
approval-verification tells ops, and should it show up it is cancelled all the same.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from hub.mirror import check_queries, queries
from hub.mirror.ops_list import Trouble
from hub.mirror.rows import Rows, content_of
from hub.reconcile.copies import NOT_BEGUN, tasks_numbered
from hub.reconcile.rule import Owed, Rule, Rulebook, Verdict
from hub.reconcile.rules import approval_verification
from hub.reconcile.standing import command_of, may_exist
from schema.commands import AnyCommand, CancelTask
from schema.entities import Approval, ApprovalState, Obligation, ObligationState, TaskStatus, VerificationTask
from schema.entity import Observation

NAME = "approval-revoked"
UNDER_WAY = frozenset({ObligationState.LEASED, ObligationState.SENT, ObligationState.CLOSED})


class Facts(NamedTuple):
    """An approval, its checks with our number (more than one only by a fault), the one that stands first, and what made them."""

    approval: Approval
    tasks: Sequence[VerificationTask]
    verification: Obligation | None


def key_for(approval_no: str) -> str:
    """Return the key of what cancels the check of a revoked approval."""
    return f"{NAME}:{approval_no}"


def needs_task(approval_no: str) -> str:
    """Return what a cancellation waits for while the check that was sent has not been seen."""
    return f"the task of approval {approval_no} in the mirror"


class ApprovalRevoked(Rule[Facts]):
    """An approval is revoked -> its task is cancelled, enforcement; key: approval."""

    name = NAME
    prefix = "AR"
    cause_entity = "Approval"

    def causes(self, observation: Observation) -> Iterable[str]:
        """An approval, or a task that one caused."""
        record = observation.record
        if isinstance(record, VerificationTask) and record.origin_platform == "approval" and record.origin_ref:
            return [record.origin_ref]
        return [record.approval_no] if isinstance(record, Approval) else []

    def load(self, connection: Connection, rows: Rows, causes: Sequence[str]) -> dict[str, Facts]:
        """Return approvals with the checks that carry our number for them, and the obligation behind these."""
        approvals = {no: one for no, (one,) in queries.records_where(connection, rows, Approval, "approval_no", causes).items()}
        numbers = {no: approval_verification.task_number(no) for no in approvals}
        tasks = tasks_numbered(connection, rows, numbers.values())
        verified = queries.obligations_of(connection, rows, approval_verification.NAME, approvals)
        return {no: Facts(one, tasks.get(numbers[no], []), next(iter(verified.get(no, [])), None)) for no, one in approvals.items()}

    def derive(self, facts: Facts, ledger: Sequence[Obligation], book: Rulebook, now: datetime) -> Verdict:
        """Owe the cancellation of a check that has not begun; one that has is for ops."""
        approval, task = facts.approval, _named(facts.tasks, ledger)
        key = key_for(approval.approval_no)
        if approval.state is not ApprovalState.REVOKED:
            return Verdict(version=approval.version)
        if task is not None and task.status is TaskStatus.CANCELLED:
            return Verdict(version=approval.version, keep=frozenset({key}), proven={key: task.task_id})
        if task is None:
            under_way = facts.verification is not None and facts.verification.state in UNDER_WAY
            by_hand = facts.verification is not None and facts.verification.state is ObligationState.SETTLED
            owed = (self._owed(facts, None, book),) if under_way else ()
            return Verdict(version=approval.version, owed=owed, troubles=(_not_cancelled(facts, None),) if by_hand else ())
        if task.status in NOT_BEGUN:
            return Verdict(version=approval.version, owed=(self._owed(facts, task, book),))
        # Where a cancellation may have been sent, ops is told of that one (settle.py).
        told = any(may_exist(one) for one in ledger)
        return Verdict(version=approval.version, troubles=() if told else (_not_cancelled(facts, task),))

    def _owed(self, facts: Facts, task: VerificationTask | None, book: Rulebook) -> Owed:
        approval, command = facts.approval, None
        if task is not None:
            command = CancelTask(task_id=task.task_id, reason=f"审批 {approval.approval_no} 已撤销")
        return Owed(
            key=key_for(approval.approval_no),
            platform="enforcement",
            kind="CancelTask",
            command=command,
            due=book.policy.due(NAME, None, approval.updated_at),
            subject_code=approval.subject_code,
            needs=None if task else needs_task(approval.approval_no),
        )

    def material(self, command: AnyCommand) -> str | None:
        """Which task is cancelled."""
        return f"task {command.task_id} cancelled" if isinstance(command, CancelTask) else None

    def shows(self, facts: Facts) -> str | None:
        """The approval, and its checks."""
        return content_of(facts.approval, facts.tasks).decode()

    def unsettled(self, connection: Connection, after: str, limit: int) -> list[str]:
        """Revoked approvals whose check stands."""
        return check_queries.revocations_unsettled(connection, NAME, approval_verification.NAME, after, limit)


def _named(tasks: Sequence[VerificationTask], ledger: Sequence[Obligation]) -> VerificationTask | None:
    """Return the check that a cancellation which may have been sent names, else the one that stands.

    What else carries our number is left to duplicate-task.
    """
    sent = [command_of(one) for one in ledger if may_exist(one)]
    named = {command.task_id for command in sent if isinstance(command, CancelTask)}
    return next((task for task in tasks if task.task_id in named), tasks[0] if tasks else None)


def _not_cancelled(facts: Facts, task: VerificationTask | None) -> Trouble:
    no = facts.approval.approval_no
    stands = f"its check {task.task_id} is {task.status.value}" if task else "its check was made by hand"
    return Trouble(
        kind=f"{NAME}.not-cancelled",
        cause=no,
        subject_code=facts.approval.subject_code,
        message=f"approval {no} was revoked, but {stands} and cannot be cancelled by the hub; settle it with the department",
        before=content_of(task).decode() if task else None,
        after=content_of(facts.approval).decode(),
    )
