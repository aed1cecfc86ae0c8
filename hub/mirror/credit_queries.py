"""Named reads of the rules that follow from credit records: dozens, the person in charge, the blacklist."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, case, exists, func, literal, or_, select, union

from hub.domain.calendar import BEIJING, beijing_day
from hub.mirror import identities
from hub.mirror.queries import APPROVAL, CHUNK, OBLIGATION, TASK, records_where, settled_at, unsettled_in
from hub.mirror.rows import Rows, micros, moment
from hub.mirror.tables import TABLES
from schema.entities import Approval, CreditRecord
from schema.entities.credit import Points

RECORD, RESULT, IDENTIFIER = TABLES["CreditRecord"], TABLES["TaskResult"], TABLES["SubjectIdentifier"]
OVER = ("DONE", "TRANSFERRED")


def records_of_subjects(connection: Connection, rows: Rows, codes: Iterable[str]) -> list[CreditRecord]:
    """Return all credit records of these subjects."""
    found = records_where(connection, rows, CreditRecord, "subject_code", codes)
    return [record for group in found.values() for record in group]


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

    The year is that of hub.domain.points.period_of, the version that of hub.reconcile.dozens.Period. Those of natural persons
    are left out where the rule owes them nothing.
    """
    periods = _periods(connection, after, persons)
    cause, of_rule = periods.c.cause, (OBLIGATION.c.rule == rule) & (OBLIGATION.c.cause == periods.c.cause)
    settled = exists().where(of_rule, OBLIGATION.c.cause_version == periods.c.version)
    outdated = exists().where(of_rule, OBLIGATION.c.cause_version != periods.c.version)
    there = select(cause).where(cause > after, or_(and_(periods.c.points >= int(dozen / Points.of), ~settled), outdated))
    # All of a period's records may have been deleted on the platform, which says no more than their ids.
    emptied = select(OBLIGATION.c.cause).where(
        OBLIGATION.c.rule == rule,
        OBLIGATION.c.cause > after,
        OBLIGATION.c.cause_version != 0,
        ~exists().where(cause == OBLIGATION.c.cause),
    )
    found = union(there, emptied).subquery()
    return list(connection.execute(select(found.c.cause).order_by(found.c.cause).limit(limit)).scalars())


def _periods(connection: Connection, after: str, persons: bool) -> Any:
    """Return (cause, points that count, version) of every period from the subject of `after` on."""
    since = after.partition(":")[0]
    here = (RECORD.c.category == "REGULATORY_POINTS") & (RECORD.c.subject_code >= since)
    if not persons:
        here &= RECORD.c.subject_code.not_like("RID-%")
    year = _beijing_year(connection)
    counting = case((RECORD.c.cancelled.is_(False), RECORD.c.points), else_=0)
    named = select((RECORD.c.subject_code + ":" + year).label("cause"), counting.label("points"), RECORD.c.version.label("version"))
    each = named.where(here).subquery()
    total, version = func.sum(each.c.points).label("points"), func.sum(each.c.version).label("version")
    return select(each.c.cause, total, version).group_by(each.c.cause).subquery()


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
