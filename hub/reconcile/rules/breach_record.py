"""Every breach is recorded (失信必记): what does not conform leaves a credit record.

In a check on commitment the result as a whole counts, once an approval: COMMITMENT_BREACH (points.toml). In every other check,
rechecks apart, each finding that does not conform: REGULATORY_POINTS (the finding's points, else the item's, else its tier's).
Due: at once; 7 working days at the very latest (双公示). Proof: the credit platform's own record with our number.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from sqlalchemy import Connection

from hub.mirror import copy_queries, queries, subjects
from hub.mirror.ops_list import Trouble
from hub.mirror.queries import Check
from hub.mirror.rows import Rows, content_of
from hub.mirror.subjects import code_type_of
from hub.reconcile.breach import SAID, Breach, Measures, breaches_of, keys_of
from hub.reconcile.copies import numbers_in, set_aside
from hub.reconcile.credit_proof import cancelled_though_owed
from hub.reconcile.rule import Changes, Owed, Rule, Rulebook, Verdict, said_in
from hub.reconcile.rules.verification_result import needs_approval
from hub.reconcile.standing import command_of, is_corrected, keeps_policy, may_exist
from schema.commands import AnyCommand, PostCreditRecord
from schema.entities import (
    Approval,
    CreditProfile,
    CreditRecord,
    InspectionItem,
    Obligation,
    TaskType,
    VerificationTask,
)
from schema.entity import Observation
from schema.identifiers import redact

NAME = "breach-record"
ONE_DECIMAL = Decimal("0.1")  # credit.md: points that are sent are text with exactly one decimal


class Facts(NamedTuple):
    """A check, the approval behind it, the code behind that one's old number, items, and records with our numbers.

    `codes` are the credit platform's present codes, by whatever check and approval name, and by earlier names of these.
    """

    check: Check
    approval: Approval | None
    old_code: str | None
    items: Mapping[str, InspectionItem]
    records: Mapping[str, Sequence[CreditRecord]]
    codes: Mapping[str, str] = {}
    aside: bool = False
    """Whether another task stands under its number (copies.py): what this one found takes no points a second time."""


class BreachRecord(Rule[Facts]):
    """A finding does not conform -> a credit record, credit; key: finding (or approval)."""

    name = NAME
    prefix = "BR"
    cause_entity = "VerificationTask"
    shares_keys = True  # two tasks of one approval, where somebody sent our order again

    def causes(self, observation: Observation) -> Iterable[str]:
        """A check, or a record that stands on one."""
        record = observation.record
        if isinstance(record, VerificationTask):
            return [record.task_id]
        return [record.evidence_ref] if isinstance(record, CreditRecord) and record.evidence_ref else []

    def linked(self, connection: Connection, rows: Rows, changes: Changes) -> Iterable[str]:
        """The other tasks that carry the number of one that changed: which of them counts may have changed."""
        return copy_queries.copies_of(connection, numbers_in(said_in(changes)))

    def load(self, connection: Connection, rows: Rows, causes: Sequence[str]) -> dict[str, Facts]:
        """Return checks with all that their records are made from."""
        found = {cause: check for cause, (check,) in queries.checks(connection, rows, "task_id", causes).items()}
        origins = [check.task.origin_ref or "" for check in found.values() if check.task.origin_platform == "approval"]
        approvals = {no: one for no, (one,) in queries.records_where(connection, rows, Approval, "approval_no", origins).items()}
        named = [one.subject_code for check in found.values() for one in check.results]
        named += [number for one in approvals.values() for number in (one.subject_code, one.old_number)]
        codes = subjects.codes_and_names_for(connection, [each for each in named if each])
        items = queries.items_by_code(connection, rows, {one.item_code for check in found.values() for one in check.findings})
        records = queries.records_of_checks(connection, rows, found)  # of findings that are gone now, too
        records.update(
            queries.records_by_biz_no(connection, rows, [self.number(key) for check in found.values() for key in keys_of(check)])
        )
        facts, aside = {}, set_aside(connection, rows, [check.task for check in found.values()])
        for cause, check in found.items():
            approval = approvals.get(check.task.origin_ref or "") if check.task.origin_platform == "approval" else None
            old_code = codes.get(approval.old_number or "") if approval else None
            facts[cause] = Facts(check, approval, old_code, items, records, codes, cause in aside)
        return facts

    def derive(self, facts: Facts, ledger: Sequence[Obligation], book: Rulebook, now: datetime) -> Verdict:
        """Owe a record for each breach; unreachable subjects, and breaches that name nothing, go to the ops list."""
        task = facts.check.task
        numbers = {one.key: self.number(one.key) for one in ledger} | {key: self.number(key) for key in keys_of(facts.check)}
        proven = {key: facts.records[number][0].record_id for key, number in numbers.items() if facts.records.get(number)}
        if task.status not in SAID or facts.aside:
            return Verdict(version=task.version, proven=proven)
        troubles: list[Trouble] = []
        measures = Measures(book.policy, facts.items, _points_when_made(ledger, task, book))
        breaches = breaches_of(facts.check, facts.approval, measures, troubles)
        codes = _codes_when_made(ledger)
        owed = tuple([self._owed(facts, breach, codes.get(breach.key), book, troubles) for breach in breaches])
        for each in owed:
            troubles += cancelled_though_owed(each, facts.records.get(self.number(each.key), []))
        return Verdict(version=task.version, owed=owed, proven=proven, troubles=tuple(troubles))

    def _owed(self, facts: Facts, breach: Breach, made_for: str | None, book: Rulebook, troubles: list[Trouble]) -> Owed:
        task, approval, result = facts.check.task, facts.approval, breach.result
        code = result.subject_code or (approval.subject_code if approval else None) or facts.old_code
        code = _credit_code(facts, code, made_for)
        occurred_at = result.checked_at or task.updated_at
        needs, command = self._needs(facts, breach, code), None
        if needs is None and code is not None and breach.points is not None:
            command = PostCreditRecord(
                biz_no=self.number(breach.key),
                code=code,
                code_type=code_type_of(code),
                subject_name=result.subject_name or (approval.applicant_name if approval else code),
                category=breach.category,
                points=breach.points.quantize(ONE_DECIMAL),
                item_code=breach.item_code,
                item_name=breach.item_name,
                occurred_at=occurred_at,
                department=task.department_code,
                region=approval.region if approval else book.region,
                evidence_platform="enforcement",
                evidence_ref=task.task_id,
                evidence_finding=breach.finding,
                caused_by=None,
            )
        elif code is None and approval is not None and approval.old_number:
            troubles.append(_old_number(breach.key, approval))
        return Owed(
            key=breach.key,
            platform="credit",
            kind="PostCreditRecord",
            command=command,
            due=book.policy.due(NAME, None, occurred_at),
            subject_code=code,
            needs=needs,
        )

    def _needs(self, facts: Facts, breach: Breach, code: str | None) -> str | None:
        """Return the first thing that is missing, None where the record can be made."""
        task, approval = facts.check.task, facts.approval
        if approval is None and task.type is TaskType.COMMITMENT:
            return needs_approval(task.origin_ref or "of no number")
        if breach.points is None:
            return needs_points(breach.item_code)
        if code is not None:
            return None
        if approval is not None and approval.old_number:
            return needs_code(approval.old_number)
        return f"the code of subject {redact(breach.result.subject_name or 'unknown')} of task {task.task_id}"

    def releases(self, observation: Observation) -> Iterable[str]:
        """An approval, an item's points, or the code behind an old number has come."""
        record = observation.record
        if isinstance(record, Approval):
            return [needs_approval(record.approval_no)] + ([needs_code(record.old_number)] if record.old_number else [])
        if isinstance(record, CreditProfile):
            return [needs_code(number) for number in record.old_codes]
        return [needs_points(record.item_code)] if isinstance(record, InspectionItem) else []

    def material(self, command: AnyCommand) -> str | None:
        """Whose record it is, what for, and how many points."""
        if not isinstance(command, PostCreditRecord):
            return None
        return f"{command.category.value} {command.item_code}, {command.points} points, for {command.code}"

    def shows(self, facts: Facts) -> str | None:
        """The check with its results and findings."""
        return content_of(facts.check.task, [*facts.check.results, *facts.check.findings]).decode()

    def unsettled(self, connection: Connection, after: str, limit: int) -> list[str]:
        """Checks that found breaches and have no records."""
        return queries.breaches_unsettled(connection, NAME, after, limit)


def needs_points(item_code: str) -> str:
    """Return what a record waits for while nothing names the points of its item."""
    return f"points of item {item_code}, from its platform or items.csv"


def needs_code(old_number: str) -> str:
    """Return what a record waits for while the credit platform knows no code for an old number."""
    return f"the code of old number {old_number}"


def _points_when_made(ledger: Iterable[Obligation], task: VerificationTask, book: Rulebook) -> dict[str, Decimal]:
    """Return the points of what was made from this very version, and sent or under another policy, which it keeps."""
    made: dict[str, Decimal] = {}
    for one in ledger:
        command = command_of(one)
        as_it_is = one.cause_version == task.version and keeps_policy(one, book.policy.version) and not is_corrected(one)
        if as_it_is and isinstance(command, PostCreditRecord):
            made[one.key] = command.points
    return made


def _codes_when_made(ledger: Iterable[Obligation]) -> dict[str, str]:
    """Return the codes under which records may have been made, by key."""
    commands = ((one.key, command_of(one)) for one in ledger if may_exist(one))
    return {key: command.code for key, command in commands if isinstance(command, PostCreditRecord)}


def _credit_code(facts: Facts, code: str | None, made_for: str | None) -> str | None:
    """Return the code that the credit platform knows now; a record that was made under an earlier one of it stays right."""
    if code is None:
        return None
    now = facts.codes.get(code, code)
    return made_for if made_for is not None and facts.codes.get(made_for, made_for) == now else now


def _old_number(key: str, approval: Approval) -> Trouble:
    return Trouble(
        kind="unresolved-old-number",
        cause=key,
        message=f"approval {approval.approval_no}: the credit platform knows no code for its old number; ask for oldCodes there",
    )
