"""Named reads about tasks that carry one number of ours twice. Asked by hub/reconcile/copies.py and rules/duplicate_task.py."""

from collections.abc import Iterable

from sqlalchemy import Connection, and_, func, literal, select

from hub.mirror.queries import CHUNK, OBLIGATION, TASK, first_causes
from hub.mirror.tables import TABLES

RECORD = TABLES["CreditRecord"]
ANOTHER = TASK.alias("another")


def numbers_with_several(connection: Connection, numbers: Iterable[str]) -> set[str]:
    """Return those of these numbers that more than one task carries."""
    wanted, found = sorted(set(numbers)), set[str]()
    for start in range(0, len(wanted), CHUNK):
        here = select(TASK.c.external_no).where(TASK.c.external_no.in_(wanted[start : start + CHUNK]))
        found.update(connection.execute(here.group_by(TASK.c.external_no).having(func.count() > 1)).scalars())
    return found


def copies_of(connection: Connection, numbers: Iterable[str]) -> list[str]:
    """Return the ids of all tasks that share one of these numbers with another task."""
    wanted, found = sorted(set(numbers)), list[str]()
    shared = select(1).where(ANOTHER.c.external_no == TASK.c.external_no, ANOTHER.c.task_id != TASK.c.task_id).exists()
    for start in range(0, len(wanted), CHUNK):
        here = select(TASK.c.task_id).where(TASK.c.external_no.in_(wanted[start : start + CHUNK]), shared)
        found += connection.execute(here).scalars()
    return found


def tasks_on_record(connection: Connection, task_ids: Iterable[str]) -> set[str]:
    """Return those of these tasks that are the evidence of a credit record which stands."""
    wanted, found = sorted(set(task_ids)), set[str]()
    for start in range(0, len(wanted), CHUNK):
        here = and_(RECORD.c.evidence_ref.in_(wanted[start : start + CHUNK]), RECORD.c.cancelled.is_(False))
        found.update(connection.execute(select(RECORD.c.evidence_ref).where(here).distinct()).scalars())
    return found


def duplicates_unsettled(connection: Connection, rule: str, after: str, limit: int) -> list[str]:
    """Return numbers of ours that several tasks carry, not all of them cancelled, and those that the rule knows in another version.

    The version of a number is the sum of the versions of its tasks.
    """
    # First the numbers that an index alone shows twice, then the conditions for these few.
    counted = select(TASK.c.external_no).where(TASK.c.external_no > after).group_by(TASK.c.external_no)
    shared = counted.having(func.count() > 1).cte("shared").prefix_with("MATERIALIZED")
    number, one = shared.c.external_no, TASK.alias("one")
    beside = and_(one.c.external_no == number, ANOTHER.c.external_no == number, one.c.task_id != ANOTHER.c.task_id)
    stand = and_(one.c.status != "CANCELLED", ANOTHER.c.status != "CANCELLED")
    two = select(literal(1)).where(beside, stand).limit(1).scalar_subquery()
    ours = select(literal(1)).where(OBLIGATION.c.number == number).limit(1).scalar_subquery()
    several = and_(two.is_not(None), ours.is_not(None))
    version = select(func.coalesce(func.sum(ANOTHER.c.version), 0)).where(ANOTHER.c.external_no == OBLIGATION.c.cause)
    outdated = and_(OBLIGATION.c.rule == rule, OBLIGATION.c.cause_version != version.correlate(OBLIGATION).scalar_subquery())
    return first_causes(connection, [(number, several), (OBLIGATION.c.cause, outdated)], after, limit)
