"""Named reads of what follows from a check: orders to mend and their rechecks, cancelled tasks, tasks of revoked approvals."""

from collections.abc import Iterable, Mapping

from sqlalchemy import Connection, and_, func, or_, select

from hub.mirror import queries
from hub.mirror.history import versions_before
from hub.mirror.queries import APPROVAL, CHUNK, OBLIGATION, TASK, Check
from hub.mirror.rows import Rows
from hub.mirror.tables import TABLES
from schema.entities import Obligation, TaskResult, VerificationTask
from schema.entity import Observation

RESULT, FINDING, OPS_ITEM = (TABLES[name] for name in ("TaskResult", "Finding", "OpsItem"))


def orders_in(observations: Iterable[Observation]) -> set[str]:
    """Return the numbers of the orders to mend that tasks give."""
    parts = [part for observation in observations for part in observation.parts]
    return {part.order_no for part in parts if isinstance(part, TaskResult) and part.order_no}


def orders_before(connection: Connection, rows: Rows, observations: Iterable[Observation]) -> set[str]:
    """Return the numbers of the orders that these tasks gave in the version before: a later one may have dropped them."""
    tasks = [one for one in observations if isinstance(one.record, VerificationTask)]
    return orders_in(versions_before(connection, rows, tasks))


def checks_with_orders(connection: Connection, rows: Rows, orders: Iterable[str]) -> dict[str, list[Check]]:
    """Return the checks whose results name an order, by its number, the oldest first."""
    results = queries.records_where(connection, rows, TaskResult, "order_no", orders)
    ids = {result.task_id for group in results.values() for result in group}
    found = {task_id: check for task_id, (check,) in queries.checks(connection, rows, "task_id", ids).items()}
    return {
        order: sorted(
            (found[task_id] for task_id in {result.task_id for result in group}),
            key=lambda check: (check.task.created_at, check.task.task_id),
        )
        for order, group in results.items()
    }


def rechecks_of(connection: Connection, orders: Iterable[str]) -> set[str]:
    """Return the ids of the tasks that check anew what these orders told to mend."""
    found: set[str] = set()
    wanted = sorted(orders)
    for start in range(0, len(wanted), CHUNK):
        here = and_(TASK.c.origin_ref.in_(wanted[start : start + CHUNK]), TASK.c.origin_platform == "enforcement")
        found.update(connection.execute(select(TASK.c.task_id).where(here, TASK.c.type == "RECHECK")).scalars())
    return found


def obligations_numbered(connection: Connection, rows: Rows, numbers: Iterable[str]) -> Mapping[str, Obligation]:
    """Return obligations by the number of ours that they carry on their platform."""
    found = queries.records_where(connection, rows, Obligation, "number", numbers)
    return {number: group[0] for number, group in found.items()}


def orders_unsettled(connection: Connection, rule: str, after: str, limit: int) -> list[str]:
    """Return orders of finished checks without a recheck, and those whose results are in other versions than it was derived from.

    The version of an order is the sum of the versions of all results that name it, 0 when none does any more.
    """
    asked = select(1).where(OBLIGATION.c.rule == rule, OBLIGATION.c.cause == RESULT.c.order_no).exists()
    said = select(1).where(TASK.c.task_id == RESULT.c.task_id, TASK.c.status.in_(["DONE", "TRANSFERRED"])).exists()
    now_at = select(func.coalesce(func.sum(RESULT.c.version), 0)).where(RESULT.c.order_no == OBLIGATION.c.cause)
    outdated = and_(OBLIGATION.c.rule == rule, OBLIGATION.c.cause_version != now_at.correlate(OBLIGATION).scalar_subquery())
    wanted = [(RESULT.c.order_no, and_(RESULT.c.order_no.is_not(None), said, ~asked)), (OBLIGATION.c.cause, outdated)]
    return queries.first_causes(connection, wanted, after, limit)


def referrals_unsettled(connection: Connection, rule: str, after: str, limit: int) -> list[str]:
    """Return rechecks that found something unmended and led to nothing, and those that the rule knows in another version.

    The version of a recheck is its own and those of all other results that name its order.
    """
    others = select(func.coalesce(func.sum(RESULT.c.version), 0))
    others = others.where(RESULT.c.order_no == TASK.c.origin_ref, RESULT.c.task_id != TASK.c.task_id)
    bad_result = select(1).where(RESULT.c.task_id == TASK.c.task_id, RESULT.c.conclusion == "NONCONFORM").exists()
    bad_finding = select(1).where(FINDING.c.task_id == TASK.c.task_id, FINDING.c.conform.is_(False)).exists()
    asked = select(1).where(OBLIGATION.c.rule == rule, OBLIGATION.c.cause == TASK.c.task_id).exists()
    done = and_(TASK.c.type == "RECHECK", TASK.c.status == "DONE", TASK.c.origin_platform == "enforcement")
    never = and_(done, or_(bad_result, bad_finding), ~asked)
    version = TASK.c.version + others.correlate(TASK).scalar_subquery()
    return queries.unsettled_in(connection, rule, TASK, "task_id", (never,), after, limit, version=version)


def revocations_unsettled(connection: Connection, rule: str, verification: str, after: str, limit: int) -> list[str]:
    """Return revoked approvals whose check stands, or is still to show up, and those that the rule knows in another version."""
    task = select(1).where(TASK.c.origin_ref == APPROVAL.c.approval_no, TASK.c.origin_platform == "approval")
    stands = task.where(TASK.c.external_no.is_not(None), TASK.c.status != "CANCELLED").exists()
    of_rule = (OBLIGATION.c.rule == verification) & (OBLIGATION.c.cause == APPROVAL.c.approval_no)
    made = select(1).where(of_rule, OBLIGATION.c.state.in_(["SENT", "CLOSED", "SETTLED"])).exists()
    never = and_(APPROVAL.c.state == "REVOKED", or_(stands, made), ~queries.settled_at(rule, APPROVAL, "approval_no"))
    return queries.unsettled_in(connection, rule, APPROVAL, "approval_no", (never,), after, limit)


def cancellations_untold(connection: Connection, kind: str, after: str, limit: int) -> list[str]:
    """Return cancelled tasks that we had ordered, those of grid events apart, and that no item of this kind tells of."""
    told = select(1).where(OPS_ITEM.c.cause == TASK.c.task_id, OPS_ITEM.c.kind == kind).exists()
    ours = select(1).where(OBLIGATION.c.number == TASK.c.external_no).exists()
    here = and_(TASK.c.status == "CANCELLED", TASK.c.origin_platform != "grid", ours, ~told)
    return queries.first_causes(connection, [(TASK.c.task_id, here)], after, limit)
