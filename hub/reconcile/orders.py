"""Orders to mend (责令整改) as checks give them, and what they are about. Pure; asked by rules/recheck.py and penalty_referral.py.

A recheck may name the order that it checks once more, with another deadline say; the order stays that of the check before.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from hub.mirror.queries import Check
from hub.reconcile.breach import SAID
from schema.commands import TaskSubject
from schema.entities import TaskResult, TaskType, VerificationTask


class Ordered(NamedTuple):
    """One result that gives an order, with the items that do not conform."""

    task: VerificationTask
    result: TaskResult
    items: frozenset[str]


def order_checked_by(task: VerificationTask) -> str | None:
    """Return the number of the order that a task checks anew, None for one that is no recheck of an order."""
    is_recheck = task.type is TaskType.RECHECK and task.origin_platform == "enforcement"
    return task.origin_ref if is_recheck else None


def bad_items(check: Check, result: TaskResult) -> frozenset[str]:
    """Return the codes of the items that do not conform in one result of a check."""
    return frozenset(one.item_code for one in check.findings if one.result_id == result.result_id and not one.conform)


def naming(checks: Iterable[Check], order_no: str) -> list[Ordered]:
    """Return all results of finished checks that name an order, rechecks of it included, in the order of the checks."""
    return [
        Ordered(check.task, result, bad_items(check, result))
        for check in checks
        for result in check.results
        if result.order_no == order_no and check.task.status in SAID
    ]


def given(checks: Iterable[Check], order_no: str) -> list[Ordered]:
    """Return the results that gave an order: what its rechecks say of it gives no new one."""
    return [one for one in naming(checks, order_no) if order_checked_by(one.task) != order_no]


def deadline_of(results: Sequence[Ordered]) -> datetime | None:
    """Return by when an order is to be mended: the last check that names it counts. None where it names no time."""
    dated = [one for one in results if one.result.order_deadline]
    newest = max(dated, key=lambda one: (checked_at(one.task, one.result), one.result.result_id), default=None)
    return newest.result.order_deadline if newest else None


def checked_at(task: VerificationTask, result: TaskResult) -> datetime:
    """Return when a result was found, as far as it says."""
    return result.checked_at or task.updated_at


def subject_of(result: TaskResult) -> TaskSubject:
    """Return whom a result is about, as a new task names it."""
    return TaskSubject(code=result.subject_code, name=result.subject_name or result.subject_code or "当事人")


def version_of(checks: Iterable[Check], order_no: str, but: str | None = None) -> int:
    """Return the sum of the versions of all results that name an order, those of one task left out; 0 when none does."""
    results = [result for check in checks for result in check.results if check.task.task_id != but]
    return sum(result.version for result in results if result.order_no == order_no)
