"""Named reads of the rules about the key supervision list: who is on it, and which causes each subject has."""

from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, FromClause, Select, and_, case, exists, func, literal, or_, select, union

from hub.mirror import credit_queries, queries
from hub.mirror.credit_queries import RECORD, RESULT, points_from, start_of
from hub.mirror.queries import APPROVAL, OBLIGATION, TASK, Check, checks
from hub.mirror.rows import Rows
from hub.mirror.tables import TABLES
from schema.entities import TaskType
from schema.entities.credit import Points

LISTED, IDENTIFIER = TABLES["KeySubject"], TABLES["SubjectIdentifier"]


def rechecks_of(connection: Connection, rows: Rows, orders: Iterable[str]) -> dict[str, list[Check]]:
    """Return rechecks by the order that they look after, those of orders which rechecks themselves gave too."""
    found: dict[str, list[Check]] = {}
    wanted = set(orders)
    while wanted:
        here = checks(connection, rows, "origin_ref", wanted)
        ours = {order: [one for one in group if one.task.origin_platform == "enforcement"] for order, group in here.items()}
        rechecks = {order: [one for one in group if one.task.type is TaskType.RECHECK] for order, group in ours.items()}
        found.update(rechecks)
        given = {result.order_no for group in rechecks.values() for one in group for result in one.results if result.order_no}
        wanted = given - found.keys() - wanted
    return found


def codes_of_orders(connection: Connection, orders: Iterable[str]) -> list[str]:
    """Return the codes of the subjects whose approval's check led to these rectification orders, through rechecks too."""
    approvals: set[str] = set()
    wanted, seen = set(orders), set[str]()
    while wanted:
        seen |= wanted
        here = select(TASK.c.origin_platform, TASK.c.origin_ref).join(RESULT, RESULT.c.task_id == TASK.c.task_id)
        origins = connection.execute(here.where(RESULT.c.order_no.in_(sorted(wanted)), TASK.c.origin_ref.is_not(None))).all()
        approvals |= {ref for platform, ref in origins if platform == "approval"}
        wanted = {ref for platform, ref in origins if platform == "enforcement"} - seen
    return credit_queries.codes_of_approvals(connection, approvals)


class Entry(NamedTuple):
    """A subject on the list, and the reason that the entry gives."""

    code: str
    reason: str


class Broken(NamedTuple):
    """A promise that a check found broken: the subject's present code, the approval, the check's number."""

    code: str
    approval_no: str
    external_no: str
    unsure: bool
    """Whether rechecks or another check of the same number may say otherwise."""


def entries(connection: Connection, after: str, limit: int, *, naming: str = "") -> list[Entry]:
    """Return the subjects on the list, in order, beginning after one; those whose reason has some words in it."""
    here = and_(LISTED.c.code > after, LISTED.c.reason.contains(naming, autoescape=True))
    statement = select(LISTED.c.code, LISTED.c.reason).where(here).order_by(LISTED.c.code).limit(limit)
    return [Entry(*row) for row in connection.execute(statement)]


def broken_promises(connection: Connection, after: str, last: str) -> list[Broken]:
    """Return the broken promises of the subjects from after one up to another."""
    recheck, order, twin = TASK.alias("recheck"), RESULT.alias("order"), TASK.alias("twin")
    looks_after = and_(order.c.task_id == TASK.c.task_id, recheck.c.origin_ref == order.c.order_no, recheck.c.type == "RECHECK")
    rechecked = exists().where(looks_after, recheck.c.status.in_(credit_queries.OVER))
    doubled = exists().where(twin.c.external_no == TASK.c.external_no, twin.c.task_id != TASK.c.task_id)
    of, code = _broken_from()
    here = and_(credit_queries.broken_commitments(), code > after, code <= last)
    columns = (code, APPROVAL.c.approval_no, TASK.c.external_no, or_(rechecked, doubled))
    return [Broken(*row) for row in connection.execute(select(*columns).select_from(of).where(here))]


def serious(connection: Connection, dozen: Decimal, year: int, after: str, last: str) -> set[str]:
    """Return the present codes, from after one up to another, of subjects with a dozen of points in that Beijing year."""
    of, code = points_from()
    here = and_(_in_year(year), code > after, code <= last)
    grouped = select(code).select_from(of).where(here).group_by(code)
    return set(connection.execute(grouped.having(_taken() >= int(dozen / Points.of))).scalars())


def outdated(connection: Connection, rule: str, after: str, limit: int) -> list[str]:
    """Return subjects whose entry a rule knows in another version."""
    return queries.first_causes(connection, [queries.outdated(rule, LISTED, "code")], after, limit)


def not_put(connection: Connection, rule: str, dozen: Decimal, year: int, after: str, limit: int) -> list[str]:
    """Return subjects with a cause of which the ledger knows nothing: a broken promise, or a dozen of points in that year."""
    parts = [_broken(rule, after, limit), _serious(rule, dozen, year, after, limit)]
    found = union(*(select(part.subquery().c.code) for part in parts)).subquery()
    return list(connection.execute(select(found.c.code).order_by(found.c.code).limit(limit)).scalars())


def _broken_from() -> tuple[FromClause, ColumnElement[str]]:
    """Return checks with their approvals, and the present code of the approval's subject."""
    code = func.coalesce(IDENTIFIER.c.credit_code, APPROVAL.c.subject_code)
    approvals = TASK.join(APPROVAL, APPROVAL.c.approval_no == TASK.c.origin_ref)
    return approvals.outerjoin(IDENTIFIER, IDENTIFIER.c.identifier == APPROVAL.c.identifier), code


def _in_year(year: int) -> ColumnElement[bool]:
    within = and_(RECORD.c.occurred_at >= start_of(year), RECORD.c.occurred_at < start_of(year + 1))
    return and_(RECORD.c.category == "REGULATORY_POINTS", within)


def _taken() -> ColumnElement[int]:
    return func.sum(case((RECORD.c.cancelled.is_(False), RECORD.c.points), else_=0))


def _broken(rule: str, after: str, limit: int) -> Select[str]:
    of, code = _broken_from()
    put = exists().where(OBLIGATION.c.key == literal(f"{rule}:") + code + ":" + APPROVAL.c.approval_no)
    here = and_(credit_queries.broken_commitments(), code > after, ~put)
    return select(code.label("code")).select_from(of).where(here).distinct().order_by(code).limit(limit)


def _serious(rule: str, dozen: Decimal, year: int, after: str, limit: int) -> Select[str]:
    of, code = points_from()
    put = exists().where(OBLIGATION.c.key == literal(f"{rule}:") + code + f":serious-{year}")
    grouped = select(code.label("code")).select_from(of).where(_in_year(year), code > after, ~put).group_by(code)
    return grouped.having(_taken() >= int(dozen / Points.of)).order_by(code).limit(limit)
