"""Tasks that carry one of our numbers twice (重复任务), and which of them stands: the one that counts, in every rule alike.

Somebody sent our order again, a backup of the hub was restored, a paused process woke up: the enforcement platform makes a second
task. A cancelled one never stands before one that is not. One that has begun comes before one that has not; of these the one whose
findings have led to something, then the one that our obligation's receipt names, then the older. A cancellation of ours that
may have been sent counts as carried out, so that two are never taken from each other.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import Connection

from hub.mirror import check_queries, copy_queries, queries
from hub.mirror.queries import Check
from hub.mirror.rows import Rows
from hub.reconcile.standing import command_of, may_exist
from schema.commands import CancelTask
from schema.entities import Obligation, TaskStatus, VerificationTask
from schema.entity import Observation
from schema.identifiers import is_outgoing_number

DUPLICATE_TASK = "duplicate-task"
CONSEQUENCES = frozenset({"breach-record", "penalty-referral"})
"""Rules that make something of what one task found: whose findings have led to something, that one counts."""
NOT_BEGUN = frozenset({TaskStatus.PENDING, TaskStatus.DISPATCHED})
"""In these a task can be cancelled (enforcement.md)."""


class Known(NamedTuple):
    """What mirror and ledger hold of tasks that share a number, beside themselves."""

    cancelling: frozenset[str] = frozenset()
    """Tasks for which a cancellation by duplicate-task may have been sent."""
    settled: frozenset[str] = frozenset()
    """Tasks whose findings have left credit records or a referral, or may have."""
    receipts: frozenset[str] = frozenset()
    """Tasks that obligations name in their receipts."""


NOTHING = Known()


def in_rank(tasks: Iterable[VerificationTask], known: Known = NOTHING) -> list[VerificationTask]:
    """Return tasks with one number, the one that stands first."""

    def rank(task: VerificationTask) -> tuple[object, ...]:
        waits = task.status in NOT_BEGUN
        by_us = task.task_id in known.cancelling
        gone = task.status is TaskStatus.CANCELLED or (waits and by_us)
        unsettled, unnamed = task.task_id not in known.settled, task.task_id not in known.receipts
        return gone, gone and by_us, waits, unsettled, unnamed, task.created_at, task.task_id

    return sorted(tasks, key=rank)


def known_of(connection: Connection, rows: Rows, groups: Mapping[str, Sequence[VerificationTask]]) -> Known:
    """Return what is known of tasks, grouped by their number; groups of one need nothing, and cost nothing."""
    several = {number: group for number, group in groups.items() if len(group) > 1}
    if not several:
        return NOTHING
    ids = [task.task_id for group in several.values() for task in group]
    made = queries.records_where(connection, rows, Obligation, "cause", ids)
    settled = {task_id for task_id, group in made.items() if any(one.rule in CONSEQUENCES and may_exist(one) for one in group)}
    ours = check_queries.obligations_numbered(connection, rows, several)
    off = queries.obligations_of(connection, rows, DUPLICATE_TASK, several)
    sent = [command_of(one) for group in off.values() for one in group if may_exist(one)]
    return Known(
        frozenset(command.task_id for command in sent if isinstance(command, CancelTask)),
        frozenset(settled | copy_queries.tasks_on_record(connection, ids)),
        frozenset(one.receipt for one in ours.values() if one.receipt),
    )


def tasks_numbered(connection: Connection, rows: Rows, numbers: Iterable[str]) -> dict[str, list[VerificationTask]]:
    """Return tasks by the number that they carry, of each number the one that stands first."""
    found = queries.records_where(connection, rows, VerificationTask, "external_no", numbers)
    known = known_of(connection, rows, found)
    return {number: in_rank(group, known) for number, group in found.items()}


def checks_numbered(connection: Connection, rows: Rows, numbers: Iterable[str]) -> dict[str, list[Check]]:
    """Return tasks with their results by the number that they carry, of each number the one that stands first."""
    found = queries.checks(connection, rows, "external_no", numbers)
    tasks = {number: [check.task for check in group] for number, group in found.items()}
    known = known_of(connection, rows, tasks)
    by_id = {check.task.task_id: check for group in found.values() for check in group}
    return {number: [by_id[task.task_id] for task in in_rank(group, known)] for number, group in tasks.items()}


def numbers_in(observations: Iterable[Observation]) -> set[str]:
    """Return the numbers of ours that changed tasks carry."""
    tasks = [each.record for each in observations if isinstance(each.record, VerificationTask)]
    return {task.external_no for task in tasks if task.external_no and is_outgoing_number(task.external_no)}


def set_aside(connection: Connection, rows: Rows, tasks: Iterable[VerificationTask]) -> frozenset[str]:
    """Return the ids of those of these tasks that do not count, because another one stands under their number of ours."""
    wanted = {task.task_id: task.external_no for task in tasks if task.external_no and is_outgoing_number(task.external_no)}
    several = copy_queries.numbers_with_several(connection, wanted.values())
    standing = {group[0].task_id for group in tasks_numbered(connection, rows, several).values()} if several else set()
    return frozenset(task_id for task_id, number in wanted.items() if number in several and task_id not in standing)
