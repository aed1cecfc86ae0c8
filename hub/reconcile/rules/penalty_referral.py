"""What is found unmended is referred (复查未整改移送处罚): a recheck that finds the same item becomes a task of the case unit.

Key: recheck. "The same item" is the same itemCode, or NONCONFORM where the recheck or the order lists none. Due: the task at once,
its check by deadlines.toml. Proof: the enforcement platform's own task with our number. New items are for ops; that nobody was
reached breach-record tells.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from hub.domain.calendar import beijing_day
from hub.mirror import check_queries, copy_queries, queries
from hub.mirror.ops_list import Trouble
from hub.mirror.queries import Check
from hub.mirror.rows import Rows, content_of
from hub.reconcile.copies import numbers_in, set_aside
from hub.reconcile.orders import Ordered, bad_items, checked_at, given, order_checked_by, subject_of, version_of
from hub.reconcile.rule import Changes, Owed, Rule, Rulebook, Verdict, said_in
from hub.reconcile.standing import may_exist
from schema.commands import AnyCommand, CreateTask
from schema.entities import Conclusion, Obligation, TaskResult, TaskStatus, TaskType, VerificationTask
from schema.entity import Observation

NAME = "penalty-referral"


class Facts(NamedTuple):
    """A recheck, the checks whose results name its order, and tasks with our number."""

    recheck: Check
    order_no: str
    checks: Sequence[Check]
    tasks: Sequence[VerificationTask]
    aside: bool = False
    """Whether another recheck stands under its number (copies.py): nobody is referred twice."""


class Found(NamedTuple):
    """What one result of a recheck found unmended, and what is new in it."""

    result: TaskResult
    unmended: bool
    items: frozenset[str]
    new: frozenset[str]


def key_for(task_id: str) -> str:
    """Return the key of a recheck's referral."""
    return f"{NAME}:{task_id}"


def needs_order(order_no: str) -> str:
    """Return what a referral waits for while the order has not been seen."""
    return f"order {order_no} in the mirror"


class PenaltyReferral(Rule[Facts]):
    """A recheck finds the same item unmended -> a SPECIAL task for the case unit, enforcement; key: recheck."""

    name = NAME
    prefix = "PR"
    cause_entity = "VerificationTask"

    def causes(self, observation: Observation) -> Iterable[str]:
        """A recheck of an order, or a task that one caused."""
        task = observation.record
        if not isinstance(task, VerificationTask):
            return []
        if order_checked_by(task):
            return [task.task_id]
        referred = task.type is TaskType.SPECIAL and task.origin_platform == "enforcement"
        return [task.origin_ref] if referred and task.origin_ref else []

    def linked(self, connection: Connection, rows: Rows, changes: Changes) -> Iterable[str]:
        """The rechecks of orders that tasks give, or gave in the version before; others with the number of a task that changed."""
        observations = said_in(changes)
        orders = check_queries.orders_in(observations) | check_queries.orders_before(connection, rows, observations)
        copies = copy_queries.copies_of(connection, numbers_in(observations))
        return check_queries.rechecks_of(connection, orders) | set(copies)

    def load(self, connection: Connection, rows: Rows, causes: Sequence[str]) -> dict[str, Facts]:
        """Return rechecks with what gave their orders."""
        found = {cause: check for cause, (check,) in queries.checks(connection, rows, "task_id", causes).items()}
        orders = {cause: order_no for cause, check in found.items() if (order_no := order_checked_by(check.task))}
        checks = check_queries.checks_with_orders(connection, rows, orders.values())
        numbers = {cause: self.number(key_for(cause)) for cause in orders}
        tasks = queries.records_where(connection, rows, VerificationTask, "external_no", numbers.values())
        aside = set_aside(connection, rows, [found[cause].task for cause in orders])
        return {
            cause: Facts(found[cause], order_no, checks.get(order_no, []), tasks.get(numbers[cause], []), cause in aside)
            for cause, order_no in orders.items()
        }

    def derive(self, facts: Facts, ledger: Sequence[Obligation], book: Rulebook, now: datetime) -> Verdict:
        """Owe a referral for what is unmended; it waits while the order is not known, and is for ops once that is withdrawn."""
        task = facts.recheck.task
        key, version = key_for(task.task_id), task.version + version_of(facts.checks, facts.order_no, but=task.task_id)
        made = min(facts.tasks, key=lambda task: (task.created_at, task.task_id), default=None)
        proven = {key: made.task_id} if made else {}
        bad = [one for one in facts.recheck.results if _is_bad(facts.recheck, one)]
        if task.status is not TaskStatus.DONE or not bad or facts.aside:
            return Verdict(version=version, proven=proven)
        ordered = given(facts.checks, facts.order_no)
        if not ordered:
            withdrawn = any(may_exist(one) for one in ledger)
            return Verdict(version=version, owed=() if withdrawn else (self._owed(facts, bad, None, book),), proven=proven)
        found = [_compared(facts.recheck, one, ordered) for one in bad]
        troubles = [_new_items(facts, one) for one in found if one.new]
        unmended = [one for one in found if one.unmended]
        owed = (self._owed(facts, [one.result for one in unmended], unmended, book),) if unmended else ()
        if unmended and book.policy.department(task.department_code, beijing_day(checked_at(task, unmended[0].result))) is None:
            troubles.append(_unknown_department(task))
        return Verdict(version=version, owed=owed, proven=proven, troubles=tuple(troubles))

    def _owed(self, facts: Facts, results: Sequence[TaskResult], unmended: Sequence[Found] | None, book: Rulebook) -> Owed:
        task = facts.recheck.task
        key, at = key_for(task.task_id), checked_at(task, results[0])
        command = None
        if unmended is not None:
            subjects = tuple(subject_of(one.result) for one in unmended)
            command = CreateTask(
                external_no=self.number(key),
                type=TaskType.SPECIAL,
                title=f"复查未整改移送处罚：{subjects[0].name}",
                subjects=subjects,
                department=book.policy.case_unit(task.department_code, beijing_day(at)),
                due_at=book.policy.due(NAME, "check", at).at,
                origin_platform="enforcement",
                origin_ref=task.task_id,
                urgency=task.urgency,
                checklist=tuple(sorted({item for one in unmended for item in one.items})),
            )
        return Owed(
            key=key,
            platform="enforcement",
            kind="CreateTask",
            command=command,
            due=book.policy.due(NAME, None, at),
            subject_code=results[0].subject_code,
            needs=None if command else needs_order(facts.order_no),
        )

    def releases(self, observation: Observation) -> Iterable[str]:
        """An order has come."""
        return [needs_order(order_no) for order_no in check_queries.orders_in([observation])]

    def material(self, command: AnyCommand) -> str | None:
        """Whom, what for, and to whom."""
        if not isinstance(command, CreateTask):
            return None
        whom = ", ".join(one.code or one.name for one in command.subjects)
        return f"{whom} referred to {command.department} for {', '.join(command.checklist) or 'an unnamed item'}"

    def shows(self, facts: Facts) -> str | None:
        """The recheck with its results and findings."""
        return content_of(facts.recheck.task, [*facts.recheck.results, *facts.recheck.findings]).decode()

    def unsettled(self, connection: Connection, after: str, limit: int) -> list[str]:
        """Rechecks that found something and led to nothing, and those whose order changed."""
        return check_queries.referrals_unsettled(connection, NAME, after, limit)


def _is_bad(recheck: Check, result: TaskResult) -> bool:
    if result.conclusion is Conclusion.UNREACHABLE:
        return False
    return result.conclusion is Conclusion.NONCONFORM or bool(bad_items(recheck, result))


def _compared(recheck: Check, result: TaskResult, ordered: Sequence[Ordered]) -> Found:
    """Return what of a result was ordered to be mended at the same subject; of a subject that no order names, at any."""
    own = [one for one in ordered if one.result.subject_code == result.subject_code] or ordered
    told, found = frozenset(item for one in own for item in one.items), bad_items(recheck, result)
    if not found or not told:
        return Found(result, True, found or told, frozenset())
    return Found(result, bool(found & told), found & told, found - told)


def _new_items(facts: Facts, found: Found) -> Trouble:
    task, items = facts.recheck.task, ", ".join(sorted(found.new))
    return Trouble(
        kind="new-items-in-recheck",
        cause=task.task_id,
        subject_code=found.result.subject_code,
        distinct=f"{found.result.result_id} {items}",
        message=f"recheck {task.task_id}: {items} does not conform and was not in order {facts.order_no}; "
        f"decide with {task.department_code} how to go on, no points were taken for it",
    )


def _unknown_department(task: VerificationTask) -> Trouble:
    return Trouble(
        kind="unknown-department",
        cause=task.department_code,
        message=f"department '{task.department_code}': no policy names it, so that its penalty cases are referred to itself; "
        f"add it to departments.csv with its case unit (first seen: recheck {task.task_id})",
    )
