"""Named reads of the rules about the key supervision list: who is on it, and which causes each subject has."""

from collections.abc import Iterable
from decimal import Decimal

from sqlalchemy import Connection, Select, and_, case, exists, func, literal, select, union

from hub.mirror import credit_queries
from hub.mirror.credit_queries import RECORD, RESULT, start_of
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


def listed(connection: Connection, after: str, limit: int) -> list[str]:
    """Return the subjects on the list, in order, beginning after one."""
    return list(connection.execute(_listed(after, limit)).scalars())


def supervision_unsettled(connection: Connection, rule: str, dozen: Decimal, year: int, after: str, limit: int) -> list[str]:
    """Return subjects that are on the list, and those with a cause of which the ledger knows nothing.

    Causes are broken commitments, and a dozen of points in that Beijing year.
    """
    parts = [_listed(after, limit), _broken(rule, after, limit), _serious(rule, dozen, year, after, limit)]
    found = union(*(select(part.subquery().c.code) for part in parts)).subquery()
    return list(connection.execute(select(found.c.code).order_by(found.c.code).limit(limit)).scalars())


def _listed(after: str, limit: int) -> Select[str]:
    return select(LISTED.c.code).where(LISTED.c.code > after).order_by(LISTED.c.code).limit(limit)


def _broken(rule: str, after: str, limit: int) -> Select[str]:
    code = func.coalesce(IDENTIFIER.c.credit_code, APPROVAL.c.subject_code)
    approvals = TASK.join(APPROVAL, APPROVAL.c.approval_no == TASK.c.origin_ref)
    known = approvals.outerjoin(IDENTIFIER, IDENTIFIER.c.identifier == APPROVAL.c.identifier)
    put = exists().where(OBLIGATION.c.key == literal(f"{rule}:") + code + ":" + APPROVAL.c.approval_no)
    here = and_(credit_queries.broken_commitments(), code > after, ~put)
    return select(code.label("code")).select_from(known).where(here).distinct().order_by(code).limit(limit)


def _serious(rule: str, dozen: Decimal, year: int, after: str, limit: int) -> Select[str]:
    code = RECORD.c.subject_code
    taken = func.sum(case((RECORD.c.cancelled.is_(False), RECORD.c.points), else_=0))
    in_year = and_(RECORD.c.occurred_at >= start_of(year), RECORD.c.occurred_at < start_of(year + 1))
    put = exists().where(OBLIGATION.c.key == literal(f"{rule}:") + code + f":serious-{year}")
    here = and_(RECORD.c.category == "REGULATORY_POINTS", in_year, code > after, ~put)
    grouped = select(code.label("code")).where(here).group_by(code).having(taken >= int(dozen / Points.of))
    return grouped.order_by(code).limit(limit)
