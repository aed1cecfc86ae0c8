"""Each full dozen of regulatory points takes comprehensive points as well (12分制): 33 points are two dozens.

Key: subject, period, n-th dozen. Due: at once, from when the record that filled it was accepted. Proof: the credit platform's
own record with our number. No chain is needed for "a dozen after its causes": a dozen counts records that credit has accepted.

A record that is seen late and was accepted earlier can change which record filled a dozen. The n-th dozen is the same one all
the same: its key stays, and what was sent is right as long as there is an n-th dozen, since the record that it names as its
cause decides neither whose score it lowers nor by how much. So only subject and points are material. The points are those of
the policy that made the record.

Dozens are counted under the subject's present code. One that was made under an earlier code keeps its key, counts, and stays
right; where it was not sent yet it goes to the present code. What is new is owed under the present code alone (made_dozens.py).
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import Connection

from hub.domain.points import period_of
from hub.mirror import credit_queries, queries
from hub.mirror.ops_list import Trouble
from hub.mirror.rows import Rows, content_of
from hub.mirror.subjects import code_type_of
from hub.reconcile.credit_proof import cancelled_though_owed, proven_by
from hub.reconcile.dozens import Period, period_key, periods_of
from hub.reconcile.made_dozens import Beside, Made, key_by_dozen, made_of
from hub.reconcile.rule import Candidates, Changes, Owed, Rule, Rulebook, Verdict
from hub.reconcile.standing import command_of, keeps_policy, may_exist
from hub.reconcile.subject_periods import counted_for, periods_linked
from schema.commands import AnyCommand, PostCreditRecord
from schema.entities import CreditRecord, Obligation, RecordCategory, Subject
from schema.entity import Observation

NAME = "comprehensive-deduction"
ONE_DECIMAL = Decimal("0.1")  # credit.md: points that are sent are text with exactly one decimal


class Facts(NamedTuple):
    """A subject's period, its name where we know one, and the deductions that credit keeps of it, by number."""

    period: Period
    name: str | None
    deductions: Mapping[str, Sequence[CreditRecord]]
    beside: Beside | None = None
    """What stands under the subject's other names, where it has any."""


def key_for(period: str, dozen: int) -> str:
    """Return the key of the deduction for the n-th dozen of a period."""
    return f"{NAME}:{period}:{dozen}"


def periods_touched(observation: Observation) -> list[str]:
    """Return the period whose points a changed record counts for."""
    record = observation.record
    return list(periods_of([record])) if isinstance(record, CreditRecord) else []


class ComprehensiveDeduction(Rule[Facts]):
    """Regulatory points complete another dozen in their period -> COMPREHENSIVE_DEDUCTION, credit; key: subject, period, dozen."""

    name = NAME
    prefix = "CD"
    cause_entity = "SubjectPeriod"

    def causes(self, observation: Observation) -> Iterable[str]:
        """A record of regulatory points, for its period; a deduction of ours, for that of the record that caused it."""
        record = observation.record
        if isinstance(record, CreditRecord) and record.category is RecordCategory.COMPREHENSIVE_DEDUCTION:
            return [period_key(record.subject_code, period_of(record.occurred_at))]
        return periods_touched(observation)

    def linked(self, connection: Connection, rows: Rows, changes: Changes) -> Iterable[str]:
        """The same period under other names of the subject."""
        return periods_linked(connection, NAME, changes)

    def load(self, connection: Connection, rows: Rows, causes: Sequence[str]) -> dict[str, Facts]:
        """Return periods with all their records."""
        accounts = credit_queries.records_of_subjects(connection, rows, {cause.partition(":")[0] for cause in causes})
        counted, deductions = counted_for(connection, rows, NAME, causes, accounts), dict[str, list[CreditRecord]]()
        for record in accounts.records:
            if record.category is RecordCategory.COMPREHENSIVE_DEDUCTION:
                deductions.setdefault(record.biz_no, []).append(record)
        subjects = queries.records_where(connection, rows, Subject, "code", accounts.present.values())
        names = {code: one.name for code, (one,) in subjects.items()}
        return {cause: Facts(period, names.get(period.code), deductions, other) for cause, (period, other) in counted.items()}

    def derive(self, facts: Facts, ledger: Sequence[Obligation], book: Rulebook, now: datetime) -> Verdict:
        """Owe a deduction for each full dozen of the points that count."""
        period, made = facts.period, {one.key: one for one in ledger}
        filled = period.filled(book.policy.points)
        keys = self._keys(facts, ledger, len(filled))
        owed = [self._owed(facts, keys[n], n, record, made, book) for n, record in enumerate(filled, 1) if n in keys]
        numbers = {key: self.number(key) for key in [*made, *(each.key for each in owed)]}
        proven = proven_by(numbers, (record for group in facts.deductions.values() for record in group))
        troubles: list[Trouble] = []
        for each in owed:
            troubles += cancelled_though_owed(each, facts.deductions.get(numbers[each.key], []))
        return Verdict(version=period.version, owed=tuple(owed), proven=proven, troubles=tuple(troubles))

    def _keys(self, facts: Facts, ledger: Sequence[Obligation], dozens: int) -> dict[int, str]:
        """Return the key of each dozen that stands, or is to stand, under the name that was asked about."""
        period, other = facts.period, facts.beside
        numbers = range(1, dozens + 1)
        if other is None:
            return {n: key_for(period.key, n) for n in numbers}
        held = {one.key: one for one in (*ledger, *other.obligations)}
        made = [made_of(one, int(one.key.rpartition(":")[2]), period) for one in held.values()]
        found = {one.key: one for one in made if one is not None}
        for cause in (other.cause, *other.others):
            for n in numbers:
                if self.number(key := key_for(cause, n)) in facts.deductions:
                    found[key] = Made(n, key, exists=True, present=cause == period.key)
        placed = key_by_dozen(found.values())
        keys = {n: placed.get(n) or key_for(period.key, n) for n in numbers}
        return {n: key for n, key in keys.items() if key.startswith(f"{NAME}:{other.cause}:")}

    def _owed(
        self, facts: Facts, key: str, dozen: int, cause: CreditRecord, made: Mapping[str, Obligation], book: Rulebook
    ) -> Owed:
        code = _code_when_made(facts, made.get(key)) or facts.period.code
        points = _points_when_made(made.get(key), book) or book.policy.points.dozen_deduction
        command = PostCreditRecord(
            biz_no=self.number(key),
            code=code,
            code_type=code_type_of(code),
            subject_name=facts.name or code,
            category=RecordCategory.COMPREHENSIVE_DEDUCTION,
            points=points.quantize(ONE_DECIMAL),
            item_code="DOZEN",
            item_name=f"{facts.period.year}年度监管信用扣分第{dozen}次满{book.policy.points.dozen}分",
            **taken_from(cause),
        )
        return Owed(
            key=key,
            platform="credit",
            kind="PostCreditRecord",
            command=command,
            due=book.policy.due(NAME, None, cause.created_at),
            subject_code=code,
        )

    def material(self, command: AnyCommand) -> str | None:
        """Whose score it lowers, and by how much."""
        return f"{command.points} points, for {command.code}" if isinstance(command, PostCreditRecord) else None

    def shows(self, facts: Facts) -> str | None:
        """The records of the period."""
        return shown(facts.period)

    def candidates(self, book: Rulebook, now: datetime) -> Candidates:
        """Periods with a dozen that were never derived, or in another version."""
        dozen = book.policy.points.dozen
        return lambda connection, after, limit: credit_queries.periods_unsettled(connection, NAME, dozen, after, limit)


def taken_from(cause: CreditRecord) -> dict[str, Any]:
    """Return what a record that another one caused takes from it (credit.md): evidence, department, time, region and its bizNo."""
    return {
        "occurred_at": cause.occurred_at,
        "department": cause.department_code,
        "region": cause.region,
        # Every record has evidence when it is posted; the mirror only does not insist on it.
        "evidence_platform": cause.evidence_platform or "enforcement",
        "evidence_ref": cause.evidence_ref or cause.record_id,
        "evidence_finding": cause.evidence_finding,
        "caused_by": cause.biz_no,
    }


def shown(period: Period) -> str | None:
    """Return the records of a period as JSON, for ops."""
    return content_of(period.records[0], period.records[1:]).decode() if period.records else None


def _code_when_made(facts: Facts, one: Obligation | None) -> str | None:
    """Return the code under which it may have been made, where that is a name of the same subject: it stays right."""
    command = command_of(one) if one is not None and facts.beside is not None and may_exist(one) else None
    if not isinstance(command, PostCreditRecord) or facts.beside is None:
        return None
    own = period_key(command.code, facts.period.year)
    return command.code if own in (facts.beside.cause, *facts.beside.others) else None


def _points_when_made(one: Obligation | None, book: Rulebook) -> Decimal | None:
    command = command_of(one) if one and keeps_policy(one, book.policy.version) else None
    return command.points if isinstance(command, PostCreditRecord) else None
