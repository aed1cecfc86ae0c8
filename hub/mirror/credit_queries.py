"""Named reads of the rules that follow from credit records: dozens, the person in charge, the blacklist."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, FromClause, and_, case, exists, func, literal, or_, select, union

from hub.domain.calendar import BEIJING, beijing_day
from hub.domain.points import period_of
from hub.mirror import identities, ledger
from hub.mirror.queries import APPROVAL, CHUNK, OBLIGATION, TASK, records_where, settled_at, unsettled_in
from hub.mirror.rows import Rows, micros, moment
from hub.mirror.tables import TABLES
from schema.entities import Approval, CreditRecord
from schema.entities.credit import Points

RECORD, RESULT, IDENTIFIER = TABLES["CreditRecord"], TABLES["TaskResult"], TABLES["SubjectIdentifier"]
OVER = ("DONE", "TRANSFERRED")


class Accounts(NamedTuple):
    """Subjects as the credit platform knows them, with all records under all of their names."""

    present: Mapping[str, str]
    """The present code of each code that was asked for."""
    names: Mapping[str, str]
    """All names of these subjects, each with the present code."""
    records: Sequence[CreditRecord]


def records_of_subjects(connection: Connection, rows: Rows, codes: Iterable[str]) -> Accounts:
    """Return all credit records of the subjects behind these codes, also those under their other names."""
    present, names = identities.accounts_of(connection, codes)
    found = records_where(connection, rows, CreditRecord, "subject_code", names)
    return Accounts(present, names, [record for group in found.values() for record in group])


def periods_under_other_names(
    connection: Connection, rule: str, periods: Iterable[tuple[str, str]], renamed: Iterable[str]
) -> list[str]:
    """Return the periods `<code>:<year>` that are one with these (code, year), under all names of their subjects; and all
    periods of subjects whose earlier names a profile has told, where points or the ledger of a rule stand under one of them."""
    wanted = set(periods)
    present, names = identities.accounts_of(connection, {code for code, _ in wanted})
    named = defaultdict[str, set[str]](set)
    for name, code in names.items():
        named[code].add(name)
    found = {f"{name}:{year}" for code, year in wanted for name in named[present[code]]}
    return sorted(found.union(*(_periods_renamed(connection, rule, code) for code in sorted(set(renamed)))))


def _periods_renamed(connection: Connection, rule: str, code: str) -> set[str]:
    names = identities.accounts_of(connection, [code])[1]
    pointed = _years_of_points(connection, names)
    years, earlier = set[str]().union(*pointed.values()), {name for name, now in names.items() if name != now}
    held = [f"{name}:{year}" for name in earlier for year in years]
    if not earlier & pointed.keys() and not ledger.causes_having(connection, rule, "cause", held):
        return set()
    # A name may have been another subject's until now: that one has less.
    others = identities.accounts_of(connection, identities.codes_told(connection, names))[1]
    return {f"{name}:{year}" for name in names.keys() | others.keys() for year in years}


def _years_of_points(connection: Connection, codes: Iterable[str]) -> dict[str, set[str]]:
    """Return the Beijing years in which regulatory points were taken under these very codes, by code."""
    found: dict[str, set[str]] = {}
    for chunk in _chunks(codes):
        here = and_(RECORD.c.subject_code.in_(chunk), RECORD.c.category == "REGULATORY_POINTS")
        for code, at in connection.execute(select(RECORD.c.subject_code, RECORD.c.occurred_at).where(here)):
            found.setdefault(code, set()).add(period_of(moment(at)))
    return found


def approvals_of_subjects(connection: Connection, rows: Rows, codes: Iterable[str]) -> dict[str, list[Approval]]:
    """Return the approvals of the subject behind each code, those that name its old number or an earlier code of it too."""
    present, names = identities.accounts_of(connection, codes)
    found: dict[str, list[Approval]] = {}
    for identifier, group in records_where(connection, rows, Approval, "identifier", names).items():
        found.setdefault(names[identifier], []).extend(group)
    return {code: found[now] for code, now in present.items() if now in found}


def codes_of_approvals(connection: Connection, approval_nos: Iterable[str]) -> list[str]:
    """Return the codes of the subjects of these approvals: their own, or the one behind their old number; unknown ones left out."""
    code = func.coalesce(IDENTIFIER.c.credit_code, APPROVAL.c.subject_code)
    known = APPROVAL.outerjoin(IDENTIFIER, IDENTIFIER.c.identifier == APPROVAL.c.identifier)
    found: set[str] = set()
    for chunk in _chunks(approval_nos):
        here = select(code).select_from(known).where(APPROVAL.c.approval_no.in_(chunk), code.is_not(None))
        found.update(connection.execute(here).scalars())
    return sorted(found)


def periods_unsettled(
    connection: Connection, rule: str, dozen: Decimal, after: str, limit: int, *, persons: bool = True
) -> list[str]:
    """Return periods `<code>:<year>` with a dozen of points of which the ledger knows nothing, or another version.

    The year is that of hub.domain.points.period_of, the version that of hub.reconcile.dozens.Period, both of all names of a
    subject together: what stands in the ledger under an earlier name is compared with the period of the present code. One whose
    dozens were all made under earlier names is found each time. Those of natural persons are left out where the rule owes them
    nothing.
    """
    periods, held = _periods(connection, persons), _held(rule)
    settled = exists().where(
        OBLIGATION.c.rule == rule, OBLIGATION.c.cause == periods.c.cause, OBLIGATION.c.cause_version == periods.c.version
    )
    full = select(periods.c.cause).where(periods.c.points >= int(dozen / Points.of), ~settled)
    outdated = select(held.c.cause).join(periods, periods.c.cause == held.c.now).where(held.c.version != periods.c.version)
    # All of a period's records may have been deleted on the platform, which says no more than their ids.
    emptied = select(held.c.cause).where(held.c.version != 0, ~exists().where(periods.c.cause == held.c.now))
    found = union(full, outdated, emptied).subquery()
    cause = found.c.cause
    return list(connection.execute(select(cause).where(cause > after).order_by(cause).limit(limit)).scalars())


def _periods(connection: Connection, persons: bool) -> Any:
    """Return (cause, points that count, version) of every period of a present code."""
    here = RECORD.c.category == "REGULATORY_POINTS"
    if not persons:
        here &= RECORD.c.subject_code.not_like("RID-%")
    of, code = points_from()
    counting = case((RECORD.c.cancelled.is_(False), RECORD.c.points), else_=0)
    columns = ((code + ":" + _beijing_year(connection)).label("cause"), counting.label("points"), RECORD.c.version.label("version"))
    each = select(*columns).select_from(of).where(here).subquery()
    total, version = func.sum(each.c.points).label("points"), func.sum(each.c.version).label("version")
    return select(each.c.cause, total, version).group_by(each.c.cause).cte("periods")


def points_from() -> tuple[FromClause, ColumnElement[str]]:
    """Return credit records, and the present code of each one's subject."""
    return RECORD.outerjoin(IDENTIFIER, _another(RECORD.c.subject_code)), _present(RECORD.c.subject_code)


def _another(code: ColumnElement[str]) -> ColumnElement[bool]:
    """Return the condition that the index of identifiers may have another code for one: a word or a merge leads on from it.

    Most codes stand for themselves; what leads on is found by two indexes, and is little.
    """
    return and_(IDENTIFIER.c.identifier == code, or_(IDENTIFIER.c.told_code.is_not(None), IDENTIFIER.c.merge_id.is_not(None)))


def _present(code: ColumnElement[str]) -> ColumnElement[str]:
    return func.coalesce(IDENTIFIER.c.credit_code, code)


def _held(rule: str) -> Any:
    """Return (cause, what it is under the present code, version) of what the ledger holds of periods."""
    cause = OBLIGATION.c.cause
    code = func.rtrim(func.rtrim(cause, "0123456789"), ":")
    now = _present(code) + func.substr(cause, func.length(code) + 1)
    of = OBLIGATION.outerjoin(IDENTIFIER, _another(code))
    columns = (cause.label("cause"), now.label("now"), OBLIGATION.c.cause_version.label("version"))
    return select(*columns).select_from(of).where(OBLIGATION.c.rule == rule).cte("held")


def _beijing_year(connection: Connection) -> ColumnElement[str]:
    """Return the Beijing year of a record's `occurred_at` in SQL: neither database knows it of microseconds."""
    first, last = connection.execute(select(func.min(RECORD.c.occurred_at), func.max(RECORD.c.occurred_at))).one()
    if first is None:
        return literal("")
    last_year = beijing_day(moment(last)).year
    years = range(beijing_day(moment(first)).year, last_year)
    before = [(RECORD.c.occurred_at < start_of(year + 1), str(year)) for year in years]
    return case(*before, else_=str(last_year)) if before else literal(str(last_year))


def start_of(year: int) -> int:
    """Return the first instant of a year, Beijing, as the database keeps it."""
    return micros(datetime(year, 1, 1, tzinfo=BEIJING))


def broken_commitments() -> ColumnElement[bool]:
    """Return the condition that a task is an approval's check on commitment, and found the promise broken."""
    bad = exists().where(RESULT.c.task_id == TASK.c.task_id, RESULT.c.conclusion == "NONCONFORM")
    ours = and_(TASK.c.origin_platform == "approval", TASK.c.origin_ref.is_not(None), TASK.c.external_no.is_not(None))
    return and_(ours, TASK.c.type == "COMMITMENT", TASK.c.status.in_(OVER), bad)


def blacklist_unsettled(connection: Connection, rule: str, after: str, limit: int) -> list[str]:
    """Return approvals whose promise was found broken and that a rule was not asked about, or was in another version."""
    never = and_(broken_commitments(), ~settled_at(rule, TASK, "origin_ref"))
    return unsettled_in(connection, rule, TASK, "origin_ref", (never,), after, limit)


def _chunks(values: Iterable[str]) -> Iterable[Sequence[str]]:
    wanted = sorted(set(values))
    for start in range(0, len(wanted), CHUNK):
        yield wanted[start : start + CHUNK]
