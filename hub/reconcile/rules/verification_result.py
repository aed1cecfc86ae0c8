"""The result of an approval's check is written back to the approval (核查结果回传).

Key: task and version. Due: 1 working day. Proof: an accepted push, and then a version of the approval above the one before it.
UNREACHABLE writes no result back; a later version that changes the result is written back again, one that does not is not.

The key names the version that the check has now, and is owed unless its result is what was written back last. Which versions
were seen on the way, and in which order, makes no difference.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from hub.mirror import queries
from hub.mirror.queries import Check
from hub.mirror.rows import Rows, content_of
from hub.reconcile.copies import checks_numbered
from hub.reconcile.rule import Owed, Rule, Rulebook, Verdict
from hub.reconcile.rules.approval_verification import task_number
from hub.reconcile.standing import command_of, may_exist
from schema.commands import AnyCommand, PushVerificationResult
from schema.entities import Approval, Conclusion, Obligation, ObligationState, TaskStatus, VerificationTask
from schema.entity import Observation

NAME = "verification-result"


class Facts(NamedTuple):
    """An approval's number, its check, and the approval, None while we have not seen it."""

    approval_no: str
    check: Check
    approval: Approval | None


def kept(check: Check) -> bool | None:
    """Return whether a finished check found the promise kept; None where it says nothing (not done, nobody was reached)."""
    if check.task.status is not TaskStatus.DONE:
        return None
    said = {result.conclusion for result in check.results}
    if Conclusion.NONCONFORM in said:
        return False
    return True if Conclusion.CONFORM in said else None


def needs_approval(approval_no: str) -> str:
    """Return what a result waits for while its approval has not been seen."""
    return f"approval {approval_no} in the mirror"


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
        """Return the check that carries our number for each approval, of several the one that stands (copies.py)."""
        numbers = {cause: task_number(cause) for cause in causes}
        found = checks_numbered(connection, rows, numbers.values())
        approvals = queries.records_where(connection, rows, Approval, "approval_no", causes)
        return {
            cause: Facts(cause, found[number][0], next(iter(approvals.get(cause, [])), None))
            for cause, number in numbers.items()
            if number in found
        }

    def derive(self, facts: Facts, ledger: Sequence[Obligation], book: Rulebook, now: datetime) -> Verdict:
        """Owe the present result unless it is what was written back last; earlier write-backs stay as they are."""
        task, result = facts.check.task, kept(facts.check)
        proven = {one.key: facts.approval_no for one in ledger if _seen(one, facts.approval)}
        made = [one for one in ledger if may_exist(one) or one.state is ObligationState.WAIVED]
        last = made[-1] if made else None
        if result is None:  # what was written back last no longer holds: for ops to settle
            return Verdict(version=task.version, keep=_keys(made[:-1]), proven=proven)
        command = command_of(last) if last else None
        if last is not None and command is not None and self.material(command) == _in_words(result):
            owed, keep = self._owed(facts, last.key, last.sequence, result, book), _keys(made[:-1])
        else:
            owed, keep = self._owed(facts, f"{NAME}:{task.task_id}:{task.version}", task.version, result, book), _keys(made)
        return Verdict(version=task.version, owed=(owed,), keep=keep, proven=proven)

    def _owed(self, facts: Facts, key: str, place: int, result: bool, book: Rulebook) -> Owed:
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
            needs=None if approval else needs_approval(facts.approval_no),
            chain=f"approval:{facts.approval_no}",
            place=place,
        )

    def material(self, command: AnyCommand) -> str | None:
        """Whether the promise was kept."""
        return _in_words(command.kept) if isinstance(command, PushVerificationResult) else None

    def shows(self, facts: Facts) -> str | None:
        """The check with its results."""
        return content_of(facts.check.task, [*facts.check.results, *facts.check.findings]).decode()

    def unsettled(self, connection: Connection, after: str, limit: int) -> list[str]:
        """Finished checks of approvals that were never written back."""
        return queries.write_backs_unsettled(connection, NAME, after, limit)


def _in_words(result: bool) -> str:
    return "kept" if result else "not kept"


def _keys(ledger: Iterable[Obligation]) -> frozenset[str]:
    return frozenset(one.key for one in ledger)


def _seen(one: Obligation, approval: Approval | None) -> bool:
    if one.state is not ObligationState.SENT or approval is None:
        return False
    command = command_of(one)
    return isinstance(command, PushVerificationResult) and approval.version > command.version_before
