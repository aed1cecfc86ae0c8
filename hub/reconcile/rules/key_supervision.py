"""A broken promise or a serious period puts a subject on the key supervision list (重点监管对象).

Key: subject, cause, where a cause is an approval's number or `serious-<year>`. Due: at once. Proof: the entry names the cause,
or carries our number for it; so one PUT, which names all open causes, proves those that were due beside it. A later round of a
cause is proven only once its having been taken off was seen: until then the mirror may show the entry of before.

What may have been carried out and has ended meanwhile is made certain first, then taken off (rules/key_supervision_off.py), in
the order of the chain. The subject is the approval's, under its present code; one of which only an old number is known has no
entry until the credit platform names its code, and waits where its record and its blacklist entry wait. An entry under what
becomes an earlier code was right, and moves: the list is kept by code. An entry that somebody else took off or rewrote is for ops.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import Connection

from hub.domain.calendar import beijing_day
from hub.domain.points import period_of
from hub.domain.policy_values import PointsPolicy
from hub.mirror import credit_queries, identities, queries, subjects, supervision_queries
from hub.mirror.ops_list import Trouble
from hub.mirror.queries import Check
from hub.mirror.rows import Rows, content_of
from hub.reconcile.breach import broken_commitment
from hub.reconcile.copies import checks_numbered
from hub.reconcile.dozens import Period, periods_of
from hub.reconcile.listed import among_listed
from hub.reconcile.rule import Candidates, Changes, Owed, Rule, Rulebook, Verdict
from hub.reconcile.rules.approval_verification import task_number
from hub.reconcile.rules.verification_result import kept
from hub.reconcile.standing import may_exist
from hub.reconcile.supervision import (
    OFF,
    PUT,
    PUT_PREFIX,
    Cause,
    Commitment,
    Facts,
    Place,
    chain_of,
    entry_for,
    place_of,
    present,
    put_key,
    rounds_of,
    shown,
)
from schema.entities import (
    OPEN_STATES,
    Approval,
    CreditProfile,
    CreditRecord,
    KeySubject,
    Obligation,
    ObligationState,
    RecordCategory,
    TaskResult,
    TaskType,
    VerificationTask,
)
from schema.entity import Observation, Tombstone

NAME = PUT


class KeySupervision(Rule[Facts]):
    """A commitment is breached, or a subject is serious -> an entry with all open causes, enforcement; key: subject, cause."""

    name = NAME
    prefix = PUT_PREFIX
    cause_entity = "KeySubject"
    replaces = True

    def causes(self, observation: Observation) -> Iterable[str]:
        """An entry, a record of points, a promise or the checks on it, an old number that has a code: for their subject."""
        return subjects_touched(observation)

    def linked(self, connection: Connection, rows: Rows, changes: Changes) -> Iterable[str]:
        """An entry that is gone; the subject behind a check that does not name it."""
        return subjects_traced(connection, changes)

    def load(self, connection: Connection, rows: Rows, causes: Sequence[str]) -> dict[str, Facts]:
        """Return subjects with all that may put them on the list."""
        return load_subjects(connection, rows, causes)

    def derive(self, facts: Facts, ledger: Sequence[Obligation], book: Rulebook, now: datetime) -> Verdict:
        """Owe an entry for each open cause; what has ended stays as it is, where it may have been put."""
        causes, offs = causes_of(facts, book.policy.points, now), rounds_of(facts.offs)
        open_now = [one for one in causes if one.ended_at is None]
        ended = {one.name for one in causes if one.ended_at is not None}
        owed = [self._owed(facts, one, causes, offs, book, now) for one in open_now]
        keys = {each.key for each in owed}
        places = {one.key: place_of(one) for one in ledger}
        places |= {put_key(facts.code, present(one.name, offs)): present(one.name, offs) for one in open_now}
        return Verdict(
            version=facts.version,
            owed=tuple(owed),
            keep=frozenset(one.key for one in ledger if self._stays(facts, one, ended, offs)) - keys,
            proven={key: facts.code for key, place in places.items() if self._proven(key, place, facts)},
            troubles=tuple(_troubles(facts, ledger, keys)),
        )

    def _owed(
        self, facts: Facts, cause: Cause, causes: Sequence[Cause], offs: dict[str, int], book: Rulebook, now: datetime
    ) -> Owed:
        place = present(cause.name, offs)
        return Owed(
            key=put_key(facts.code, place),
            platform="enforcement",
            kind="PutKeySubject",
            command=entry_for(facts.code, causes, offs),
            due=book.policy.due(NAME, None, cause.started_at if place.round == 1 else now),
            subject_code=facts.code,
            chain=chain_of(facts.code),
        )

    def _stays(self, facts: Facts, one: Obligation, ended: set[str], offs: dict[str, int]) -> bool:
        if facts.moved:
            return may_exist(one)
        return _stays(one, ended, present(place_of(one).cause, offs))

    def _proven(self, key: str, place: Place, facts: Facts) -> bool:
        if facts.entry is None:
            return False
        going = any(one.state in OPEN_STATES and place_of(one) == Place(place.cause, place.round - 1) for one in facts.offs)
        return facts.entry.ref == self.number(key) or (place.cause in facts.named and not going)

    def shows(self, facts: Facts) -> str | None:
        """The entry, and what speaks for and against it."""
        return shown(facts)

    def candidates(self, book: Rulebook, now: datetime) -> Candidates:
        """Subjects whose entry names other causes than are open, and those with a cause of which the ledger knows nothing."""
        dozen, year = book.policy.points.dozen, int(period_of(now))

        def others(connection: Connection, after: str, limit: int) -> list[str]:
            changed = supervision_queries.outdated(connection, NAME, after, limit)
            return sorted({*changed, *supervision_queries.not_put(connection, NAME, dozen, year, after, limit)})

        return among_listed(others, dozen, year)


def subjects_touched(observation: Observation) -> list[str]:
    """Return the subjects that a changed record names, where it may be a cause, an end or a proof."""
    record = observation.record
    if isinstance(record, KeySubject):
        return [record.code]
    if isinstance(record, CreditRecord):
        return [record.subject_code] if _takes_points(record) else []
    if isinstance(record, CreditProfile):
        return [record.code, *record.old_codes] if record.old_codes else []
    if isinstance(record, Approval):
        return [record.subject_code] if record.subject_code else []
    if isinstance(record, VerificationTask) and record.type in {TaskType.COMMITMENT, TaskType.RECHECK}:
        return [part.subject_code for part in observation.parts if isinstance(part, TaskResult) and part.subject_code]
    return []


def subjects_traced(connection: Connection, changes: Sequence[Observation | Tombstone]) -> list[str]:
    """Return the subjects of entries that are gone, and those behind approvals, checks on commitment and rechecks."""
    records = [item.record for item in changes if isinstance(item, Observation)]
    gone = [item.key for item in changes if isinstance(item, Tombstone) and item.entity == "KeySubject"]
    pointed = [one.subject_code for one in records if isinstance(one, CreditRecord) and _takes_points(one)]
    renamed = [one.code for one in records if isinstance(one, CreditProfile) and one.old_codes]
    tasks = [one for one in records if isinstance(one, VerificationTask) and one.origin_ref]
    approvals = [one.approval_no for one in records if isinstance(one, Approval)]
    approvals += [one.origin_ref or "" for one in tasks if one.type is TaskType.COMMITMENT]
    orders = [one.origin_ref or "" for one in tasks if one.type is TaskType.RECHECK]
    return [
        *gone,
        *subjects.codes_for(connection, pointed).values(),
        *_names_of(connection, renamed),
        *credit_queries.codes_of_approvals(connection, approvals),
        *supervision_queries.codes_of_orders(connection, orders),
    ]


def _takes_points(record: CreditRecord) -> bool:
    return record.category is RecordCategory.REGULATORY_POINTS


def _names_of(connection: Connection, renamed: Sequence[str]) -> Iterable[str]:
    """Return all names of the subjects that these codes name, and those of whom one was a name before."""
    names = identities.accounts_of(connection, renamed)[1]
    return names.keys() | identities.accounts_of(connection, identities.codes_told(connection, names))[1].keys()


def load_subjects(connection: Connection, rows: Rows, codes: Sequence[str]) -> dict[str, Facts]:
    """Return all that may put these subjects on the list, their entries, and what the ledger holds of them.

    Broken promises and points, under whatever name, are a matter of the subject's present code: an earlier one has none.
    """
    accounts = credit_queries.records_of_subjects(connection, rows, codes)
    present = [code for code in codes if accounts.present[code] == code]
    approvals = credit_queries.approvals_of_subjects(connection, rows, present)
    numbers = {one.approval_no: task_number(one.approval_no) for group in approvals.values() for one in group}
    found = checks_numbered(connection, rows, numbers.values())
    puts = queries.obligations_of(connection, rows, PUT, codes)
    offs = queries.obligations_of(connection, rows, OFF, codes)
    known = {place_of(one).cause for group in puts.values() for one in group}
    first = {no: found[number][0] for no, number in numbers.items() if number in found}
    checks = {no: check for no, check in first.items() if broken_commitment(check) or no in known}
    orders = {result.order_no for check in checks.values() for result in check.results if result.order_no}
    rechecks = supervision_queries.rechecks_of(connection, rows, orders)
    periods = periods_of(accounts.records, accounts.names)
    entries = queries.records_where(connection, rows, KeySubject, "code", codes)

    def commitments(code: str) -> list[Commitment]:
        checked = [(one, checks[one.approval_no]) for one in approvals.get(code, []) if one.approval_no in checks]
        return [Commitment(one, check, _followed(check, rechecks)) for one, check in checked]

    return {
        code: Facts(
            code,
            commitments(code),
            [period for period in periods.values() if period.code == code],
            next(iter(entries.get(code, [])), None),
            puts.get(code, []),
            offs.get(code, []),
            moved=accounts.present[code] != code,
        )
        for code in codes
    }


def _followed(check: Check, rechecks: dict[str, list[Check]]) -> list[Check]:
    """Return the rechecks of a check's orders, and those of the orders that they gave."""
    found: list[Check] = []
    orders, seen = [one.order_no for one in check.results if one.order_no], set[str]()
    while orders:
        order = orders.pop()
        if order not in seen:
            seen.add(order)
            found += rechecks.get(order, [])
            orders += [result.order_no for one in rechecks.get(order, []) for result in one.results if result.order_no]
    return found


def causes_of(facts: Facts, policy: PointsPolicy, now: datetime) -> list[Cause]:
    """Return a subject's causes, ended ones too.

    A broken promise ends when a recheck conforms; a serious period when its year is over, in Beijing.
    """
    causes = [cause for one in facts.commitments if (cause := _of_commitment(one))]
    return causes + [cause for one in facts.periods if (cause := _of_period(one, policy, now))]


def _of_commitment(one: Commitment) -> Cause | None:
    bad = broken_commitment(one.check)
    if bad is None:
        return None
    started_at = bad.checked_at or one.check.task.updated_at
    mended = [_checked_at(recheck) for recheck in one.rechecks if kept(recheck)]
    return Cause(one.approval.approval_no, started_at, beijing_day(started_at), min(mended, default=None))


def _checked_at(check: Check) -> datetime:
    return max((one.checked_at for one in check.results if one.checked_at), default=check.task.updated_at)


def _of_period(period: Period, policy: PointsPolicy, now: datetime) -> Cause | None:
    filled = period.filled(policy)
    if not filled:
        return None
    since = beijing_day(filled[0].occurred_at)
    return Cause(f"serious-{period.year}", filled[0].created_at, since, period.end if now >= period.end else None)


def _stays(one: Obligation, ended: set[str], current: Place) -> bool:
    """Return whether what is owed no longer stays as it is: it was right when it was made, or must be made certain first."""
    place = place_of(one)
    if place.round < current.round or place.cause in ended:
        return may_exist(one)
    return may_exist(one) and one.state in {ObligationState.DUE, ObligationState.STUCK}


def _troubles(facts: Facts, ledger: Sequence[Obligation], owed: set[str]) -> Iterable[Trouble]:
    if any(one.state in OPEN_STATES for one in (*ledger, *facts.offs)):
        return  # what is under way may change the entry
    for one in ledger:
        cause = place_of(one).cause
        if one.key in owed and one.state is ObligationState.CLOSED and cause not in facts.named:
            yield Trouble(
                kind="off-the-list-though-owed",
                cause=one.key,
                subject_code=facts.code,
                message=f"{one.key}: the key supervision list no longer names it, and it is open; settle it with the platform",
                after=content_of(facts.entry).decode() if facts.entry else None,
                distinct=str(facts.version),
            )
