"""Who broke a promise may no longer use commitment for that matter (告知承诺黑名单).

Key: approval. Due: at once. Proof: the entry with our number in the mirror, also one that was taken off again later: the
approval system's own decision is not fought over. A person is on the list under the identity number, everybody else under the
USCC; an old number waits until the credit platform knows the code behind it.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from hub.domain.calendar import beijing_day
from hub.mirror import credit_queries, ledger, queries, subjects
from hub.mirror.queries import Check
from hub.mirror.rows import Rows, content_of
from hub.mirror.subjects import code_type_of
from hub.reconcile.breach import broken_commitment
from hub.reconcile.copies import checks_numbered
from hub.reconcile.rule import Changes, Owed, Rule, Rulebook, Verdict, said_in
from hub.reconcile.rules.approval_verification import task_number
from hub.reconcile.rules.breach_record import needs_code
from hub.reconcile.rules.verification_result import needs_approval
from schema.commands import AddToBlacklist, AnyCommand
from schema.entities import Approval, BlacklistEntry, CodeType, CreditProfile, Obligation, TaskResult, VerificationTask
from schema.entity import Observation
from schema.identifiers import redact

NAME = "commitment-blacklist"


class Facts(NamedTuple):
    """An approval's number, its check, the approval, the code behind its old number, and whether our entry is on the list."""

    approval_no: str
    check: Check
    approval: Approval | None
    old_code: str | None
    listed: bool


def key_for(approval_no: str) -> str:
    """Return the key of the entry for an approval's broken promise."""
    return f"{NAME}:{approval_no}"


class CommitmentBlacklist(Rule[Facts]):
    """A commitment is breached -> a blacklist entry for that matter, approval; key: approval."""

    name = NAME
    prefix = "CB"
    cause_entity = "Approval"

    def causes(self, observation: Observation) -> Iterable[str]:
        """An approval, or a task that one caused."""
        record = observation.record
        if isinstance(record, VerificationTask) and record.origin_platform == "approval" and record.origin_ref:
            return [record.origin_ref]
        return [record.approval_no] if isinstance(record, Approval) else []

    def linked(self, connection: Connection, rows: Rows, changes: Changes) -> Iterable[str]:
        """An entry of ours, for the approval behind its number."""
        records = [each.record for each in said_in(changes)]
        numbers = [one.entry_no for one in records if isinstance(one, BlacklistEntry)]
        return ledger.causes_having(connection, NAME, "number", numbers)

    def load(self, connection: Connection, rows: Rows, causes: Sequence[str]) -> dict[str, Facts]:
        """Return the check that carries our number for each approval, of several the one that stands (copies.py)."""
        numbers = {cause: task_number(cause) for cause in causes}
        found = checks_numbered(connection, rows, numbers.values())
        approvals = {no: one for no, (one,) in queries.records_where(connection, rows, Approval, "approval_no", causes).items()}
        codes = subjects.codes_for(connection, [one.old_number for one in approvals.values() if one.old_number])
        entries = {cause: self.number(key_for(cause)) for cause in causes}
        listed = queries.records_where(connection, rows, BlacklistEntry, "entry_no", entries.values())
        facts = {}
        for cause, number in numbers.items():
            if number in found:
                approval = approvals.get(cause)
                old = codes.get(approval.old_number or "") if approval else None
                facts[cause] = Facts(cause, found[number][0], approval, old, entries[cause] in listed)
        return facts

    def derive(self, facts: Facts, ledger: Sequence[Obligation], book: Rulebook, now: datetime) -> Verdict:
        """Owe one entry while the check says that the promise was broken."""
        key, task = key_for(facts.approval_no), facts.check.task
        proven = {key: self.number(key)} if facts.listed else {}
        bad = broken_commitment(facts.check)
        owed = (self._owed(facts, key, bad, book),) if bad else ()
        return Verdict(version=task.version, owed=owed, proven=proven)

    def _owed(self, facts: Facts, key: str, bad: TaskResult, book: Rulebook) -> Owed:
        approval, found_at = facts.approval, bad.checked_at or facts.check.task.updated_at
        code = (approval.subject_code or facts.old_code) if approval else None
        holder = _holder(approval, code) if approval else None
        command = None
        if approval is not None and holder is not None:
            command = AddToBlacklist(
                entry_no=self.number(key),
                holder=holder,
                holder_name=approval.applicant_name,
                matter_code=approval.matter_code,
                reason=f"未履行告知承诺：{approval.approval_no}，核查任务{facts.check.task.task_id}",
                since=beijing_day(found_at),
            )
        return Owed(
            key=key,
            platform="approval",
            kind="AddToBlacklist",
            command=command,
            due=book.policy.due(NAME, None, found_at),
            subject_code=code,
            needs=None if command else _needs(facts),
        )

    def releases(self, observation: Observation) -> Iterable[str]:
        """The code behind an old number has come."""
        record = observation.record
        return [needs_code(number) for number in record.old_codes] if isinstance(record, CreditProfile) else []

    def material(self, command: AnyCommand) -> str | None:
        """Who is on the list, for which matter, since when. An identity number is masked; its check digit tells it apart."""
        if not isinstance(command, AddToBlacklist):
            return None
        return f"{redact(command.holder)} for matter {command.matter_code} since {command.since}"

    def shows(self, facts: Facts) -> str | None:
        """The check with its results."""
        return content_of(facts.check.task, [*facts.check.results, *facts.check.findings]).decode()

    def unsettled(self, connection: Connection, after: str, limit: int) -> list[str]:
        """Approvals whose promise was found broken."""
        return credit_queries.blacklist_unsettled(connection, NAME, after, limit)


def _holder(approval: Approval, code: str | None) -> str | None:
    """Return the identity number of a person, else the USCC (approval.md, dxbs)."""
    if code is not None and code_type_of(code) is CodeType.RESIDENT_ID:
        return approval.identity_no
    return code


def _needs(facts: Facts) -> str:
    approval = facts.approval
    if approval is None:
        return needs_approval(facts.approval_no)
    if approval.subject_code is None and approval.old_number:
        return needs_code(approval.old_number)
    return f"the code or identity number of the applicant of approval {approval.approval_no}"
