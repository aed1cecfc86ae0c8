"""Every breach is recorded (失信必记): what does not conform leaves a credit record.

In a check on commitment the result as a whole counts, once an approval: COMMITMENT_BREACH (points.toml). In every other check,
rechecks apart, each finding that does not conform: REGULATORY_POINTS (the finding's points, else the item's, else its tier's).
Due: at once; 7 working days at the very latest (双公示). Proof: the credit platform's own record with our number.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import Connection

from hub.domain.errors import DomainError
from hub.domain.points import points_for
from hub.domain.policy_values import Item
from hub.mirror import queries, subjects
from hub.mirror.ops_list import Trouble
from hub.mirror.queries import Check
from hub.mirror.rows import Rows
from hub.mirror.subjects import code_type_of
from hub.reconcile.rule import Owed, Rule, Rulebook, Verdict
from schema.commands import AnyCommand, PostCreditRecord
from schema.entities import (
    Approval,
    Conclusion,
    CreditRecord,
    Finding,
    InspectionItem,
    Obligation,
    RecordCategory,
    TaskResult,
    TaskStatus,
    TaskType,
    VerificationTask,
)
from schema.entity import Observation

NAME = "breach-record"
SAID = frozenset({TaskStatus.DONE, TaskStatus.TRANSFERRED})


def key_for(cause: str) -> str:
    """Return the key of the record that a finding, or an approval's broken commitment, must leave."""
    return f"{NAME}:{cause}"


class Facts(NamedTuple):
    """A check, the approval behind it, the code behind that one's old number, items, and records with our numbers."""

    check: Check
    approval: Approval | None
    old_code: str | None
    items: Mapping[str, InspectionItem]
    records: Mapping[str, Sequence[CreditRecord]]


class BreachRecord(Rule[Facts]):
    """A finding does not conform -> a credit record, credit; key: finding (or approval)."""

    name = NAME
    prefix = "BR"
    cause_entity = "VerificationTask"

    def causes(self, observation: Observation) -> Iterable[str]:
        """A check, or a record that stands on one."""
        record = observation.record
        if isinstance(record, VerificationTask):
            return [record.task_id]
        return [record.evidence_ref] if isinstance(record, CreditRecord) and record.evidence_ref else []

    def load(self, connection: Connection, rows: Rows, causes: Sequence[str]) -> dict[str, Facts]:
        """Return checks with all that their records are made from."""
        found = {cause: check for cause, (check,) in queries.checks(connection, rows, "task_id", causes).items()}
        origins = [check.task.origin_ref or "" for check in found.values() if check.task.origin_platform == "approval"]
        approvals = {no: one for no, (one,) in queries.records_where(connection, rows, Approval, "approval_no", origins).items()}
        codes = subjects.codes_for(connection, [one.old_number for one in approvals.values() if one.old_number])
        items = queries.items_by_code(connection, rows, {one.item_code for check in found.values() for one in check.findings})
        numbers = [self.number(key) for check in found.values() for key in _keys(check)]
        records = queries.records_by_biz_no(connection, rows, numbers)
        facts = {}
        for cause, check in found.items():
            approval = approvals.get(check.task.origin_ref or "") if check.task.origin_platform == "approval" else None
            facts[cause] = Facts(check, approval, codes.get(approval.old_number or "") if approval else None, items, records)
        return facts

    def derive(self, facts: Facts, ledger: Sequence[Obligation], book: Rulebook, now: datetime) -> Verdict:
        """Owe a record for each breach; unreachable subjects, and breaches that name nothing, go to the ops list."""
        task = facts.check.task
        if task.status not in SAID:
            return Verdict(version=task.version)
        troubles = list(_unreachable(facts.check))
        owed: list[Owed] = []
        if task.type is TaskType.COMMITMENT:
            owed += self._broken_commitment(facts, book, troubles)
        elif task.type is not TaskType.RECHECK:
            for result in facts.check.results:
                owed += self._bad_findings(facts, result, book, troubles)
        proven = {
            one.key: record.record_id
            for one in owed
            for record in facts.records.get(self.number(one.key), [])
            if not record.cancelled
        }
        return Verdict(version=task.version, owed=tuple(owed), proven=proven, troubles=tuple(troubles))

    def _broken_commitment(self, facts: Facts, book: Rulebook, troubles: list[Trouble]) -> Iterable[Owed]:
        bad = next((result for result in facts.check.results if result.conclusion is Conclusion.NONCONFORM), None)
        if bad is None:
            return
        task, approval = facts.check.task, facts.approval
        if approval is None:
            yield self._waits(task, _commitment_key(task), f"approval {task.origin_ref} in the mirror", bad, book)
            return
        yield self._owed(
            facts,
            bad,
            _commitment_key(task),
            book,
            troubles,
            category=RecordCategory.COMMITMENT_BREACH,
            points=book.policy.points.commitment_breach,
            item=(approval.matter_code, approval.matter_name),
            finding=None,
        )

    def _bad_findings(self, facts: Facts, result: TaskResult, book: Rulebook, troubles: list[Trouble]) -> Iterable[Owed]:
        bad = [one for one in facts.check.findings if one.result_id == result.result_id and not one.conform]
        if result.conclusion is Conclusion.NONCONFORM and not bad:
            troubles.append(_nothing_named(facts.check.task, result))
        for finding in bad:
            try:
                points = points_for(finding.points, _item(facts, finding, book), _severity(finding), book.policy)
            except DomainError as problem:
                troubles.append(_no_points(finding, problem))
                yield self._waits(
                    facts.check.task, key_for(finding.finding_id), f"points of item {finding.item_code}", result, book
                )
                continue
            yield self._owed(
                facts,
                result,
                key_for(finding.finding_id),
                book,
                troubles,
                category=RecordCategory.REGULATORY_POINTS,
                points=points,
                item=(finding.item_code, finding.item_name),
                finding=finding.finding_id,
            )

    def _owed(
        self,
        facts: Facts,
        result: TaskResult,
        key: str,
        book: Rulebook,
        troubles: list[Trouble],
        *,
        category: RecordCategory,
        points: Decimal,
        item: tuple[str, str],
        finding: str | None,
    ) -> Owed:
        task, approval = facts.check.task, facts.approval
        code = result.subject_code or (approval.subject_code if approval else None) or facts.old_code
        if code is None:
            if approval is not None and approval.old_number:
                troubles.append(_old_number(key, approval))
            return self._waits(task, key, f"the code of subject {result.subject_name or 'unknown'}", result, book)
        occurred_at = result.checked_at or task.updated_at
        command = PostCreditRecord(
            biz_no=self.number(key),
            code=code,
            code_type=code_type_of(code),
            subject_name=result.subject_name or (approval.applicant_name if approval else code),
            category=category,
            points=points,
            item_code=item[0],
            item_name=item[1],
            occurred_at=occurred_at,
            department=task.department_code,
            region=approval.region if approval else book.region,
            evidence_platform="enforcement",
            evidence_ref=task.task_id,
            evidence_finding=finding,
            caused_by=None,
        )
        due = book.policy.due(NAME, None, occurred_at)
        return Owed(key=key, platform="credit", kind="PostCreditRecord", command=command, due=due, subject_code=code)

    def _waits(self, task: VerificationTask, key: str, needs: str, result: TaskResult, book: Rulebook) -> Owed:
        due = book.policy.due(NAME, None, result.checked_at or task.updated_at)
        return Owed(
            key=key,
            platform="credit",
            kind="PostCreditRecord",
            command=None,
            due=due,
            subject_code=result.subject_code,
            needs=needs,
        )

    def material(self, command: AnyCommand) -> Any:
        """Whose record it is, what for, and how many points."""
        if not isinstance(command, PostCreditRecord):
            return None
        return f"{command.category.value} {command.item_code}, {command.points} points, for {command.code}"

    def unsettled(self, connection: Connection, after: str, limit: int) -> list[str]:
        """Checks that found breaches and have no records."""
        return queries.breaches_unsettled(connection, NAME, after, limit)


def _commitment_key(task: VerificationTask) -> str:
    return key_for(task.origin_ref or task.task_id)


def _keys(check: Check) -> Iterable[str]:
    if check.task.type is TaskType.COMMITMENT:
        return [_commitment_key(check.task)]
    return [key_for(finding.finding_id) for finding in check.findings if not finding.conform]


def _severity(finding: Finding) -> str | None:
    return finding.severity.value if finding.severity else None


def _item(facts: Facts, finding: Finding, book: Rulebook) -> Item | None:
    """Return the item's points and severity: where platform and policy both speak, the platform wins."""
    policy, said = book.policy.item(finding.item_code), facts.items.get(finding.item_code)
    if said is None or (said.points is None and said.severity is None):
        return policy
    severity = said.severity.value if said.severity else None
    return Item(code=said.item_code, name=said.item_name, department="", points=said.points, severity=severity)


def _unreachable(check: Check) -> Iterable[Trouble]:
    for result in check.results:
        if result.conclusion is Conclusion.UNREACHABLE:
            yield Trouble(
                kind="unreachable",
                cause=check.task.task_id,
                subject_code=result.subject_code,
                distinct=result.result_id,
                message=f"task {check.task.task_id}: nobody reached at {result.subject_name or 'the subject'}; decide how to go on",
            )


def _nothing_named(task: VerificationTask, result: TaskResult) -> Trouble:
    return Trouble(
        kind="nonconform-without-findings",
        cause=task.task_id,
        subject_code=result.subject_code,
        distinct=result.result_id,
        message=f"task {task.task_id}: does not conform, but lists no finding; ask {task.department_code} to correct the result",
    )


def _no_points(finding: Finding, problem: DomainError) -> Trouble:
    return Trouble(
        kind="unknown-points",
        cause=finding.finding_id,
        message=f"finding {finding.finding_id}: {problem}",
        distinct=finding.item_code,
    )


def _old_number(key: str, approval: Approval) -> Trouble:
    return Trouble(
        kind="unresolved-old-number",
        cause=key,
        message=f"approval {approval.approval_no}: the credit platform knows no code for its old number; ask for oldCodes there",
    )
