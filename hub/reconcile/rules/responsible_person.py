"""Who is in charge of a serious subject (严重失信主体法定代表人) gets a record too: RESPONSIBLE_PERSON, without points.

A subject is serious once its regulatory points of a period fill a dozen; whether 12 itself fills it is policy. Key: subject,
period. Due: at once. Proof: the credit platform's own record with our number.

The person is the legal representative that the subject's newest approval names. Until an approval names one the obligation
waits. Who was sent stays right while any approval of the subject still names that person: another one who takes over later
did not cause it. Where none does any more, the name was a mistake, and ops is told.

A subject that is itself a person has no legal representative: its own record and points are all that follows.

A period is counted under the subject's present code. A record that was made for it under an earlier one is the record of that
period; it keeps its key, and there is no second one.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from sqlalchemy import Connection

from hub.mirror import credit_queries, identities, ledger, queries
from hub.mirror.rows import Rows
from hub.mirror.subjects import code_type_of
from hub.reconcile.credit_proof import cancelled_though_owed, proven_by
from hub.reconcile.dozens import Period
from hub.reconcile.made_dozens import Beside, Made, key_by_dozen, made_of
from hub.reconcile.rule import Candidates, Changes, Owed, Rule, Rulebook, Verdict, said_in
from hub.reconcile.rules.comprehensive_deduction import periods_touched, shown, taken_from
from hub.reconcile.standing import command_of, may_exist
from hub.reconcile.subject_periods import counted_for, periods_linked
from schema.commands import AnyCommand, PostCreditRecord
from schema.entities import Approval, CodeType, CreditProfile, CreditRecord, Obligation, RecordCategory
from schema.entity import Observation

NAME = "responsible-person"
NO_POINTS = Decimal("0.0")  # credit.md: the platform lowers the person's score by its own rule


class Facts(NamedTuple):
    """A subject's period, its approvals that name a representative, the newest first, and records with our number."""

    period: Period
    approvals: Sequence[Approval]
    records: Sequence[CreditRecord]
    beside: Beside | None = None
    """What stands under the subject's other names, where it has any."""
    recorded: frozenset[str] = frozenset()
    """The keys, under whatever name, whose number stands on a record."""


def key_for(period: str) -> str:
    """Return the key of the record of a serious period's person in charge."""
    return f"{NAME}:{period}"


def needs_representative(code: str) -> str:
    """Return what the record waits for while no approval of the subject names a legal representative."""
    return f"the legal representative of {code}, from an approval"


class ResponsiblePerson(Rule[Facts]):
    """Regulatory points of a subject reach a dozen -> RESPONSIBLE_PERSON, credit; key: subject, period."""

    name = NAME
    prefix = "RP"
    cause_entity = "SubjectPeriod"

    def causes(self, observation: Observation) -> Iterable[str]:
        """A record of regulatory points, for its period."""
        return periods_touched(observation)

    def linked(self, connection: Connection, rows: Rows, changes: Changes) -> Iterable[str]:
        """An approval, or an old number's code, for the serious periods of its subject; a record of ours, for what it proves."""
        records = [each.record for each in said_in(changes)]
        codes = credit_queries.codes_of_approvals(connection, [one.approval_no for one in records if isinstance(one, Approval)])
        codes += [one.code for one in records if isinstance(one, CreditProfile) and one.old_codes]
        names = identities.accounts_of(connection, codes)[1]
        ours = [one for one in records if isinstance(one, CreditRecord) and one.category is RecordCategory.RESPONSIBLE_PERSON]
        return [
            *periods_linked(connection, NAME, changes),
            *ledger.causes_having(connection, NAME, "subject_code", names),
            *ledger.causes_having(connection, NAME, "number", [one.biz_no for one in ours]),
        ]

    def load(self, connection: Connection, rows: Rows, causes: Sequence[str]) -> dict[str, Facts]:
        """Return periods with the approvals of their subjects."""
        codes = {cause.partition(":")[0] for cause in causes}
        accounts = credit_queries.records_of_subjects(connection, rows, codes)
        counted = counted_for(connection, rows, NAME, causes, accounts)
        approvals = credit_queries.approvals_of_subjects(connection, rows, codes)
        keys = {key_for(each) for cause, (_, other) in counted.items() for each in (cause, *(other.others if other else ()))}
        numbers = {key: self.number(key) for key in keys}
        records = queries.records_by_biz_no(connection, rows, numbers.values())
        recorded = frozenset(key for key, number in numbers.items() if number in records)
        return {
            cause: Facts(
                period,
                newest_first(approvals.get(cause.partition(":")[0], [])),
                records.get(numbers[key_for(cause)], []),
                other,
                recorded,
            )
            for cause, (period, other) in counted.items()
        }

    def derive(self, facts: Facts, ledger: Sequence[Obligation], book: Rulebook, now: datetime) -> Verdict:
        """Owe one record for a serious period, unless the subject is a person."""
        period, key = facts.period, key_for(facts.beside.cause if facts.beside else facts.period.key)
        proven = proven_by({key: self.number(key)}, facts.records)
        filled = period.filled(book.policy.points)
        if not filled or code_type_of(period.code) is CodeType.RESIDENT_ID or _key_of(facts, ledger) != key:
            return Verdict(version=period.version, proven=proven)
        owed = self._owed(facts, key, filled[0], ledger, book)
        troubles = tuple(cancelled_though_owed(owed, facts.records))
        return Verdict(version=period.version, owed=(owed,), proven=proven, troubles=troubles)

    def _owed(self, facts: Facts, key: str, cause: CreditRecord, ledger: Sequence[Obligation], book: Rulebook) -> Owed:
        code, command = facts.period.code, None
        named_by = _sent_for(facts, ledger) or next(iter(facts.approvals), None)
        person = named_by.representative_code if named_by else None
        if named_by is not None and person is not None:
            command = PostCreditRecord(
                biz_no=self.number(key),
                code=person,
                code_type=code_type_of(person),
                subject_name=named_by.representative_name or person,
                category=RecordCategory.RESPONSIBLE_PERSON,
                points=NO_POINTS,
                item_code="SERIOUS",
                item_name=f"{facts.period.year}年度监管信用扣分满{book.policy.points.dozen}分，严重失信",
                **taken_from(cause),
            )
        return Owed(
            key=key,
            platform="credit",
            kind="PostCreditRecord",
            command=command,
            due=book.policy.due(NAME, None, cause.created_at),
            subject_code=code,
            needs=None if command else needs_representative(code),
        )

    def material(self, command: AnyCommand) -> str | None:
        """Whose record it is."""
        return f"SERIOUS, for {command.code}" if isinstance(command, PostCreditRecord) else None

    def shows(self, facts: Facts) -> str | None:
        """The records of the period."""
        return shown(facts.period)

    def candidates(self, book: Rulebook, now: datetime) -> Candidates:
        """Serious periods that were never derived, or in another version."""
        dozen = book.policy.points.dozen
        return lambda connection, after, limit: credit_queries.periods_unsettled(
            connection, NAME, dozen, after, limit, persons=False
        )


def newest_first(approvals: Iterable[Approval]) -> list[Approval]:
    """Return the approvals that name a legal representative, the newest application first."""
    named = [one for one in approvals if one.representative_code]
    return sorted(named, key=lambda one: (one.accepted_at, one.approval_no), reverse=True)


def _key_of(facts: Facts, ledger: Sequence[Obligation]) -> str:
    """Return the key of the one record of a serious period: what was made of it under any name, else that of the present code."""
    own = key_for(facts.period.key)
    if facts.beside is None:
        return own
    made = [made_of(one, 1, facts.period) for one in (*ledger, *facts.beside.obligations)]
    found = {one.key: one for one in made if one is not None}
    for key in map(key_for, (facts.beside.cause, *facts.beside.others)):
        if key in facts.recorded:
            found[key] = Made(1, key, exists=True, present=key == own)
    return key_by_dozen(found.values()).get(1, own)


def _sent_for(facts: Facts, ledger: Sequence[Obligation]) -> Approval | None:
    """Return the newest approval that names whom the record was sent for; None where it was not, or none does."""
    sent = next((command_of(one) for one in ledger if may_exist(one)), None)
    if not isinstance(sent, PostCreditRecord):
        return None
    return next((one for one in facts.approvals if one.representative_code == sent.code), None)
