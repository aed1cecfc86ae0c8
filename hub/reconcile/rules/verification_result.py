"""The result of an approval's check is written back to the approval (核查结果回传).

Key: task and version. Due: 1 working day. Proof: an accepted push, and then a version of the approval above the one before it.
UNREACHABLE writes no result back; a later version that changes the result is written back again.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection

from hub.mirror import queries
from hub.mirror.queries import Check
from hub.mirror.rows import Rows
from hub.reconcile.rule import Owed, Rule, Rulebook, Verdict
from hub.reconcile.rules.approval_verification import ApprovalVerification, key_for
from schema.commands import AnyCommand, PushVerificationResult, decode_command
from schema.entities import Approval, Conclusion, Obligation, ObligationState, TaskStatus, VerificationTask
from schema.entity import Observation
from schema.identifiers import outgoing_number

NAME = "verification-result"
DROPPED = frozenset({ObligationState.WITHDRAWN})
MADE = frozenset(
    {ObligationState.SENT, ObligationState.CLOSED, ObligationState.WAIVED, ObligationState.SETTLED, ObligationState.LEASED}
)


class Facts(NamedTuple):
    """The check of an approval, and the approval, None while we have not seen it."""

    check: Check
    approval: Approval | None


def kept(check: Check) -> bool | None:
    """Return whether a finished check found the promise kept; None where it says nothing (nobody was reached)."""
    said = {result.conclusion for result in check.results}
    if Conclusion.NONCONFORM in said:
        return False
    return True if Conclusion.CONFORM in said else None


def verification_number(approval_no: str) -> str:
    """Return the number that the check of an approval carries on the enforcement platform."""
    return outgoing_number(ApprovalVerification.prefix, key_for(approval_no))


class VerificationResult(Rule[Facts]):
    """Such a task is done -> result written back, approval; key: task and version."""

    name = NAME
    prefix = "VR"
    cause_entity = "Approval"

    def causes(self, observation: Observation) -> Iterable[str]:
        """An approval, or a task that one caused."""
        record = observation.record
        if isinstance(record, VerificationTask) and record.origin_platform == "approval" and record.origin_ref:
            return [record.origin_ref]
        return [record.approval_no] if isinstance(record, Approval) else []

    def load(self, connection: Connection, rows: Rows, causes: Sequence[str]) -> dict[str, Facts]:
        """Return the check that carries our number for each approval, the oldest if there are several."""
        numbers = {cause: verification_number(cause) for cause in causes}
        found = queries.checks(connection, rows, "external_no", numbers.values())
        approvals = queries.records_where(connection, rows, Approval, "approval_no", causes)
        return {
            cause: Facts(found[number][0], next(iter(approvals.get(cause, [])), None))
            for cause, number in numbers.items()
            if number in found
        }

    def derive(self, facts: Facts, ledger: Sequence[Obligation], book: Rulebook, now: datetime) -> Verdict:
        """Owe the present result, once; results that were written back before it stay as they are."""
        task, result = facts.check.task, kept(facts.check)
        made = frozenset(one.key for one in ledger if one.state in MADE)
        proven = {one.key: task.task_id for one in ledger if self._seen(one, facts.approval)}
        if task.status is not TaskStatus.DONE or result is None:
            return Verdict(version=task.version, keep=made, proven=proven)
        last = next((one for one in reversed(ledger) if one.state not in DROPPED), None)
        same = last is not None and last.payload and self.material(decode_command(last.payload)) == result
        key = last.key if last is not None and (same or not last.payload) else f"{NAME}:{task.task_id}:{task.version}"
        return Verdict(version=task.version, owed=(self._owed(facts, key, result, book),), keep=made, proven=proven)

    def _owed(self, facts: Facts, key: str, result: bool, book: Rulebook) -> Owed:
        task, approval = facts.check.task, facts.approval
        checked_at = max((one.checked_at for one in facts.check.results if one.checked_at), default=task.updated_at)
        command = None
        if approval is not None:
            command = PushVerificationResult(
                approval_no=approval.approval_no,
                kept=result,
                checked_at=checked_at,
                task_id=task.task_id,
                version_before=approval.version,
            )
        return Owed(
            key=key,
            platform="approval",
            kind="PushVerificationResult",
            command=command,
            due=book.policy.due(NAME, None, checked_at),
            subject_code=approval.subject_code if approval else None,
            needs=None if approval else f"approval {task.origin_ref} in the mirror",
            chain=f"approval:{task.origin_ref}",
        )

    def _seen(self, one: Obligation, approval: Approval | None) -> bool:
        if one.state is not ObligationState.SENT or approval is None or not one.payload:
            return False
        command = decode_command(one.payload)
        return isinstance(command, PushVerificationResult) and approval.version > command.version_before

    def material(self, command: AnyCommand) -> Any:
        """Whether the promise was kept."""
        return command.kept if isinstance(command, PushVerificationResult) else None

    def unsettled(self, connection: Connection, after: str, limit: int) -> list[str]:
        """Finished checks of approvals that were never written back."""
        return queries.write_backs_unsettled(connection, NAME, after, limit)
