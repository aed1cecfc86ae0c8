"""Our count of a subject's points beside the platform's own figures, and what explains where they differ. Pure; no I/O.

Compared is what credit.md lets anybody compute: open regulatory points of the running period, full dozens with their deductions, a
serious period with the record of the person in charge. Score and grade are judged by the platform's own rule and only read back.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import NamedTuple, TypeGuard

from hub.domain.calendar import BEIJING
from hub.domain.points import full_dozens, period_of
from hub.domain.policy_values import PointsPolicy
from hub.mirror.score_difference_queries import Evidence, Figures
from hub.mirror.subjects import code_type_of
from hub.reconcile.standing import command_of, is_corrected, may_exist
from schema.commands import PostCreditRecord, PostRepair
from schema.entities import (
    OPEN_STATES,
    CodeType,
    CreditRecord,
    Explanation,
    Measure,
    Obligation,
    ObligationState,
    RecordCategory,
)

NOTHING = Decimal(0)
RULES = {Measure.DOZENS: "comprehensive-deduction", Measure.SERIOUS: "responsible-person"}
BY_PEOPLE = frozenset({ObligationState.WAIVED, ObligationState.SETTLED})


class Mismatch(NamedTuple):
    """One measure that differs. `theirs` is None where the platform's word on the subject is not known."""

    measure: Measure
    ours: Decimal
    theirs: Decimal | None

    @property
    def difference(self) -> Decimal:
        """Return ours less theirs."""
        return self.ours - (self.theirs or NOTHING)


def mismatches(code: str, figures: Figures, policy: PointsPolicy) -> list[Mismatch]:
    """Return what differs. Of natural persons no serious period follows (DOMAIN.md: it follows for a legal representative)."""
    sums, told = figures.sums, figures.told
    dozens = full_dozens(sums.taken, policy)
    found = [
        Mismatch(Measure.REGULATORY_POINTS, sums.open_points, told.regulatory_points if told else None),
        Mismatch(Measure.DOZENS, Decimal(dozens), Decimal(sums.deductions)),
    ]
    if code_type_of(code) is CodeType.USCC:
        found.append(Mismatch(Measure.SERIOUS, Decimal(min(dozens, 1)), Decimal(sums.persons)))
    return [one for one in found if one.difference]


def explained(one: Mismatch, figures: Figures, evidence: Evidence, year: int, policy: PointsPolicy) -> Explanation | None:
    """Return why a measure may differ though nobody is wrong; None where nothing that we know explains it."""
    if one.measure is Measure.REGULATORY_POINTS:
        return _points_explained(one, figures, evidence, year, policy)
    ours = [each for each in evidence.obligations if each.rule == RULES[one.measure] and each.cause.endswith(f":{year}")]
    if one.difference > 0 and any(each.state in OPEN_STATES for each in ours):
        return Explanation.OWED
    if any(each.state in BY_PEOPLE or is_corrected(each) for each in ours):
        return Explanation.DECIDED
    return None


def _points_explained(one: Mismatch, figures: Figures, evidence: Evidence, year: int, policy: PointsPolicy) -> Explanation | None:
    if figures.told is None:
        return None
    if NOTHING < one.difference <= _repairs_in_flight(evidence):
        return Explanation.REPAIR_IN_FLIGHT
    if NOTHING < -one.difference <= _records_in_flight(evidence, year):
        return Explanation.RECORD_IN_FLIGHT
    if figures.told.judged_at < datetime.combine(date(year, 1, 1), time(), BEIJING):
        return Explanation.EARLIER_PERIOD
    if one.difference == full_dozens(figures.sums.taken, policy) * policy.dozen:
        return Explanation.STANDING
    return None


def _repairs_in_flight(evidence: Evidence) -> Decimal:
    """Return the points of repairs that the records do not show yet: those sent, and those seen before their record."""
    shown = {record.record_id: record.points - record.open_points for record in evidence.records}
    seen = dict.fromkeys(shown, NOTHING)
    for repair in evidence.repairs:
        seen[repair.record_id] += repair.points
    numbers = {repair.biz_no for repair in evidence.repairs}
    for one in _under_way(evidence.obligations):
        command = command_of(one)
        if isinstance(command, PostRepair) and command.record_id in shown and command.biz_no not in numbers:
            seen[command.record_id] += command.points
    return sum((max(NOTHING, seen[key] - shown[key]) for key in shown), NOTHING)


def _records_in_flight(evidence: Evidence, year: int) -> Decimal:
    """Return the points of records of ours that were sent and are not in the mirror yet."""
    numbers = {record.biz_no for record in evidence.records}
    commands = [command_of(one) for one in _under_way(evidence.obligations)]
    return sum((each.points for each in commands if _takes(each, year) and each.biz_no not in numbers), NOTHING)


def _takes(command: object, year: int) -> TypeGuard[PostCreditRecord]:
    if not isinstance(command, PostCreditRecord) or command.category is not RecordCategory.REGULATORY_POINTS:
        return False
    return period_of(command.occurred_at) == str(year)


def _under_way(obligations: Iterable[Obligation]) -> list[Obligation]:
    return [one for one in obligations if one.state in OPEN_STATES and may_exist(one)]


def in_words(one: Mismatch, code: str, year: int, records: Sequence[CreditRecord]) -> str:
    """Return what ops is told: both figures, what ours is made of, and the way out. No name, no identity number."""
    made = ", ".join(record.record_id for record in records) or "no record"
    if one.theirs is None:
        return (
            f"{code}: its records of {year} have {one.ours} regulatory points open ({made}), and the credit platform knows no such "
            f"subject; ask the platform what became of it, then resolve this"
        )
    what = {
        Measure.REGULATORY_POINTS: f"{one.ours} regulatory points open, the credit platform says {one.theirs}",
        Measure.DOZENS: f"{one.ours:.0f} full dozens, the credit platform holds {one.theirs:.0f} deductions for them",
        Measure.SERIOUS: f"{'reached' if one.ours else 'not reached'} a dozen, the credit platform holds {one.theirs:.0f} records "
        "of the person in charge for it",
    }[one.measure]
    return (
        f"{code}: its records of {year} ({made}) have {what}, read live just before this was written; settle with the platform "
        f"which of them it counts otherwise, then resolve this"
    )
