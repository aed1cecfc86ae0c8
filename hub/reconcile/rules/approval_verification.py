"""Every approval is verified (有审必查): a granted approval has a check on the enforcement platform.

Due: the task at once; the check 20 working days after the decision for a commitment, 60 otherwise (deadlines.toml).
Proof: the enforcement platform's own task with our number.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from hub.mirror import queries, subjects
from hub.mirror.ops_list import Trouble
from hub.mirror.rows import Rows, content_of
from hub.reconcile.rule import Owed, Rule, Rulebook, Verdict
from hub.reconcile.standing import UNSENT, may_exist
from schema.commands import AnyCommand, CreateTask, TaskSubject
from schema.entities import Approval, ApprovalState, Obligation, Procedure, TaskType, VerificationTask
from schema.entity import Observation
from schema.identifiers import outgoing_number

NAME = "approval-verification"
PREFIX = "AV"


def key_for(approval_no: str) -> str:
    """Return the key of an approval's verification."""
    return f"{NAME}:{approval_no}"


def task_number(approval_no: str) -> str:
    """Return the number that the check of an approval carries on the enforcement platform."""
    return outgoing_number(PREFIX, key_for(approval_no))


class Facts(NamedTuple):
    """A granted approval, the code behind its old number where that is known, and tasks with our number."""

    approval: Approval
    code: str | None
    tasks: Sequence[VerificationTask]


class ApprovalVerification(Rule[Facts]):
    """An approval is granted -> a verification task, enforcement; key: approval."""

    name = NAME
    prefix = PREFIX
    cause_entity = "Approval"

    def causes(self, observation: Observation) -> Iterable[str]:
        """An approval, or a task with one of our numbers."""
        record = observation.record
        if isinstance(record, Approval):
            return [record.approval_no]
        if isinstance(record, VerificationTask) and record.origin_platform == "approval" and record.origin_ref:
            return [record.origin_ref]
        return []

    def load(self, connection: Connection, rows: Rows, causes: Sequence[str]) -> dict[str, Facts]:
        """Return approvals with the tasks that carry our number for them."""
        approvals = queries.records_where(connection, rows, Approval, "approval_no", causes)
        old = [one.old_number for found in approvals.values() for one in found if one.old_number and not one.subject_code]
        codes = subjects.codes_for(connection, old)
        tasks = queries.records_where(
            connection, rows, VerificationTask, "external_no", [self.number(key_for(cause)) for cause in approvals]
        )
        return {
            cause: Facts(one, one.subject_code or codes.get(one.old_number or ""), tasks.get(self.number(key_for(cause)), []))
            for cause, (one,) in approvals.items()
        }

    def derive(self, facts: Facts, ledger: Sequence[Obligation], book: Rulebook, now: datetime) -> Verdict:
        """Owe one task for a granted approval. What was made for a revoked one is left to approval-revoked."""
        approval, key = facts.approval, key_for(facts.approval.approval_no)
        task = min(facts.tasks, key=lambda task: (task.created_at, task.task_id), default=None)
        proven = {key: task.task_id} if task else {}
        if approval.state is not ApprovalState.GRANTED or approval.decided_at is None:
            made = {one.key for one in ledger if one.key in proven or (may_exist(one) and one.state not in UNSENT)}
            revoked = approval.state is ApprovalState.REVOKED
            return Verdict(version=approval.version, keep=frozenset(made if revoked else ()), proven=proven)
        owed = Owed(
            key=key,
            platform="enforcement",
            kind="CreateTask",
            command=self._task(approval, facts.code, key, book),
            due=book.policy.due(NAME, None, approval.decided_at),
            subject_code=facts.code,
        )
        return Verdict(
            version=approval.version,
            owed=(owed,),
            proven=proven,
            troubles=tuple(self._troubles(approval, book)),
        )

    def _task(self, approval: Approval, code: str | None, key: str, book: Rulebook) -> CreateTask:
        committed = approval.procedure is Procedure.COMMITMENT
        decided = approval.decided_at or approval.updated_at
        return CreateTask(
            external_no=self.number(key),
            type=TaskType.COMMITMENT if committed else TaskType.APPROVAL,
            title=f"{approval.matter_name}{'告知承诺' if committed else '审批'}核查：{approval.applicant_name}",
            subjects=(TaskSubject(code=code, name=approval.applicant_name, address=approval.address),),
            department=approval.department_code,
            due_at=book.policy.due(NAME, "commitment" if committed else "standard", decided).at,
            origin_platform="approval",
            origin_ref=approval.approval_no,
            urgency=2 if committed else 3,
        )

    def _troubles(self, approval: Approval, book: Rulebook) -> Iterable[Trouble]:
        if book.policy.matter(approval.matter_code) is None:
            yield Trouble(
                kind="unknown-matter",
                cause=approval.matter_code,
                message=f"matter '{approval.matter_code}' ({approval.matter_name}): no policy names it; add it to matters.csv. "
                f"Its approvals are verified all the same (first seen: {approval.approval_no})",
            )

    def material(self, command: AnyCommand) -> str | None:
        """Which kind of check, by which department."""
        return f"{command.type.value} by {command.department}" if isinstance(command, CreateTask) else None

    def shows(self, facts: Facts) -> str | None:
        """The approval."""
        return content_of(facts.approval).decode()

    def unsettled(self, connection: Connection, after: str, limit: int) -> list[str]:
        """Granted approvals that were never derived."""
        return queries.approvals_unsettled(connection, NAME, after, limit)
