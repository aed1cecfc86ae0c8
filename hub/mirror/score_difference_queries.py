"""What score reconciliation reads and writes: sums by subject, what may explain a difference, and the list of differences.

Everything is asked for a page of subjects at once. The caller is hub/reconcile/scores.py.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, and_, func, select, union

from hub.domain.points import period_of
from hub.mirror import identities, queries
from hub.mirror.credit_queries import start_of
from hub.mirror.database import insert_into
from hub.mirror.queries import OBLIGATION
from hub.mirror.rows import Rows, micros, moment
from hub.mirror.tables import TABLES
from schema.entities import CreditRecord, Obligation, RecordCategory, Repair, ScoreDifference
from schema.entities.credit import Points

RECORD, PROFILE, DIFFERENCE = TABLES["CreditRecord"], TABLES["CreditProfile"], TABLES["ScoreDifference"]


class Sums(NamedTuple):
    """What the mirror holds of one subject in one period."""

    open_points: Decimal = Decimal(0)
    """Regulatory points as they stand: taken, less repaired; cancelled records left out."""
    taken: Decimal = Decimal(0)
    """Regulatory points as taken: dozens count these."""
    deductions: int = 0
    """COMPREHENSIVE_DEDUCTION records that stand and were caused by these."""
    persons: int = 0
    """RESPONSIBLE_PERSON records that stand and were caused by these."""


class Told(NamedTuple):
    """What the platform says of a subject."""

    regulatory_points: Decimal
    judged_at: datetime


class Figures(NamedTuple):
    """Both sides of one subject."""

    sums: Sums
    told: Told | None


def codes_after(connection: Connection, after: str, limit: int) -> list[str]:
    """Return the codes of subjects that have a profile or a record of points, in order, beginning after one."""
    first = select(PROFILE.c.code.label("code")).where(PROFILE.c.code > after).order_by(PROFILE.c.code).limit(limit).subquery()
    column = RECORD.c.subject_code
    second = select(column.label("code")).where(column > after).distinct().order_by(column).limit(limit).subquery()
    found = union(select(first.c.code), select(second.c.code)).subquery()
    return list(connection.execute(select(found.c.code).order_by(found.c.code).limit(limit)).scalars())


def figures_of(connection: Connection, codes: Sequence[str], year: int) -> dict[str, Figures]:
    """Return both sides for those of these codes that are present ones; what earlier codes have is counted under them."""
    present, names = identities.accounts_of(connection, codes)
    wanted = [code for code in codes if present[code] == code]
    sums = _sums(connection, names, year)
    told = _told(connection, wanted)
    return {code: Figures(sums.get(code, Sums()), told.get(code)) for code in wanted}


def _sums(connection: Connection, names: Mapping[str, str], year: int) -> dict[str, Sums]:
    found: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for here in _chunked(RECORD.c.subject_code, names):
        counting = and_(here, _in_period(year), RECORD.c.cancelled.is_(False))
        sums = select(RECORD.c.subject_code, func.sum(RECORD.c.open_points), func.sum(RECORD.c.points)).where(counting)
        for name, standing, taken in connection.execute(sums.group_by(RECORD.c.subject_code)):
            found[names[name]][0] += int(standing)
            found[names[name]][1] += int(taken)
        caused = RECORD.alias("caused")
        follows = and_(caused.c.caused_by == RECORD.c.biz_no, caused.c.cancelled.is_(False))
        number = func.count(caused.c.record_id.distinct())
        counts = select(RECORD.c.subject_code, caused.c.category, number).join(caused, follows).where(here, _in_period(year))
        for name, category, count in connection.execute(counts.group_by(RECORD.c.subject_code, caused.c.category)):
            if category in {RecordCategory.COMPREHENSIVE_DEDUCTION.value, RecordCategory.RESPONSIBLE_PERSON.value}:
                found[names[name]][2 + (category == RecordCategory.RESPONSIBLE_PERSON.value)] += count
    return {code: Sums(each[0] * Points.of, each[1] * Points.of, each[2], each[3]) for code, each in found.items()}


def _told(connection: Connection, codes: Iterable[str]) -> dict[str, Told]:
    found = {}
    for here in _chunked(PROFILE.c.code, codes):
        columns = (PROFILE.c.code, PROFILE.c.regulatory_points, PROFILE.c.updated_at)
        for code, points, updated_at in connection.execute(select(*columns).where(here)):
            found[code] = Told(points * Points.of, moment(updated_at))
    return found


class Evidence(NamedTuple):
    """What speaks for and against one side: the records of the period, their repairs, and what the ledger holds about them."""

    records: Sequence[CreditRecord]
    repairs: Sequence[Repair]
    obligations: Sequence[Obligation]


def evidence_of(connection: Connection, rows: Rows, codes: Iterable[str], year: int) -> dict[str, Evidence]:
    """Return the evidence for each of these present codes; cancelled records are left out."""
    present, names = identities.accounts_of(connection, codes)
    records: dict[str, list[CreditRecord]] = defaultdict(list)
    holders: dict[str, str] = {}
    for name, group in queries.records_where(connection, rows, CreditRecord, "subject_code", names).items():
        counting = [one for one in group if _is_in(one, year)]
        records[names[name]] += counting
        holders |= {one.record_id: names[name] for one in counting}
    repairs: dict[str, list[Repair]] = defaultdict(list)
    for record_id, made in queries.records_where(connection, rows, Repair, "record_id", holders).items():
        repairs[holders[record_id]] += made
    owed: dict[str, dict[str, Obligation]] = defaultdict(dict)
    periods = {f"{name}:{year}": code for name, code in names.items()}  # what follows for the person in charge names its cause only
    for column, holder in (("subject_code", names), ("cause", periods)):
        for value, some in queries.records_where(connection, rows, Obligation, column, holder).items():
            owed[holder[value]].update({one.key: one for one in some if one.platform == "credit"})
    return {code: Evidence(records[code], repairs[code], list(owed[code].values())) for code in present}


def numbers_known(connection: Connection, numbers: Iterable[str]) -> set[str]:
    """Return those of these numbers that obligations carry."""
    found: set[str] = set()
    for here in _chunked(OBLIGATION.c.number, numbers):
        found.update(connection.execute(select(OBLIGATION.c.number).where(here)).scalars())
    return found


def held(connection: Connection, rows: Rows, codes: Iterable[str]) -> dict[str, ScoreDifference]:
    """Return the differences, ended ones too, of these subjects by id."""
    found = queries.records_where(connection, rows, ScoreDifference, "code", codes)
    return {one.difference_id: one for group in found.values() for one in group}


def keep(connection: Connection, rows: Rows, differences: Sequence[ScoreDifference]) -> None:
    """Write differences in place of what was held of them."""
    if differences:
        insert = insert_into(connection, DIFFERENCE)
        changed = {column.name: insert.excluded[column.name] for column in DIFFERENCE.c if column.name != "difference_id"}
        kept = insert.on_conflict_do_update(index_elements=["difference_id"], set_=changed)
        connection.execute(kept, [rows.as_row(one) for one in differences])


def to_confirm(connection: Connection, before: datetime, after: str, limit: int) -> list[str]:
    """Return the codes of subjects with a difference that nothing explains, that began before then and that ops was not told of,
    in order, beginning after one."""
    here = and_(DIFFERENCE.c.ended_at.is_(None), DIFFERENCE.c.explanation.is_(None), DIFFERENCE.c.told_at.is_(None))
    old = DIFFERENCE.c.since <= micros(before)
    statement = (
        select(DIFFERENCE.c.code).where(here, old, DIFFERENCE.c.code > after).distinct().order_by(DIFFERENCE.c.code).limit(limit)
    )
    return list(connection.execute(statement).scalars())


def open_codes(connection: Connection, after: str, limit: int) -> list[str]:
    """Return the codes of subjects with differences that have not ended, in order, beginning after one."""
    here = and_(DIFFERENCE.c.ended_at.is_(None), DIFFERENCE.c.code > after)
    return list(
        connection.execute(select(DIFFERENCE.c.code).where(here).distinct().order_by(DIFFERENCE.c.code).limit(limit)).scalars()
    )


def open_count(connection: Connection) -> int:
    """Return how many differences there are now, explained ones too."""
    return connection.execute(select(func.count()).where(DIFFERENCE.c.ended_at.is_(None))).scalar_one()


def _in_period(year: int) -> ColumnElement[bool]:
    began, ended = RECORD.c.occurred_at >= start_of(year), RECORD.c.occurred_at < start_of(year + 1)
    return and_(RECORD.c.category == RecordCategory.REGULATORY_POINTS.value, began, ended)


def _is_in(record: CreditRecord, year: int) -> bool:
    counts = record.category is RecordCategory.REGULATORY_POINTS and not record.cancelled
    return counts and period_of(record.occurred_at) == str(year)


def _chunked(column: Any, values: Iterable[str]) -> Iterator[ColumnElement[bool]]:
    wanted = sorted(set(values))
    for start in range(0, len(wanted), queries.CHUNK):
        yield column.in_(wanted[start : start + queries.CHUNK])
