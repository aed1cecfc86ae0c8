"""What was ordered to be mended is checked anew (责令整改复查): a rectification order has a recheck on the enforcement platform.

Key: order, however many results name it. Due: the task at once; the recheck the first working day after the order's deadline
(deadlines.toml). Proof: the enforcement platform's own task with our number. An order that a recheck gives is an order too.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from hub.mirror import check_queries, queries
from hub.mirror.queries import Check
from hub.mirror.rows import Rows, content_of
from hub.reconcile.orders import Ordered, checked_at, deadline_of, given, naming, order_checked_by, subject_of, version_of
from hub.reconcile.rule import Changes, Owed, Rule, Rulebook, Verdict, said_in
from schema.commands import AnyCommand, CreateTask
from schema.entities import Obligation, TaskResult, TaskType, VerificationTask
from schema.entity import Observation

NAME = "recheck"


class Facts(NamedTuple):
    """An order's number, the checks whose results name it, the oldest first, and tasks with our number."""

    order_no: str
    checks: Sequence[Check]
    tasks: Sequence[VerificationTask]


def key_for(order_no: str) -> str:
    """Return the key of an order's recheck."""
    return f"{NAME}:{order_no}"


class Recheck(Rule[Facts]):
    """A rectification is ordered -> a recheck task, enforcement; key: order."""

    name = NAME
    prefix = "RC"
    cause_entity = "Rectification"

    def causes(self, observation: Observation) -> Iterable[str]:
        """The orders that a task gives, and the one that it checks anew."""
        orders = check_queries.orders_in([observation])
        if isinstance(observation.record, VerificationTask) and (order_no := order_checked_by(observation.record)):
            orders.add(order_no)
        return orders

    def linked(self, connection: Connection, rows: Rows, changes: Changes) -> Iterable[str]:
        """The orders that tasks gave in the version before."""
        return check_queries.orders_before(connection, rows, said_in(changes))

    def load(self, connection: Connection, rows: Rows, causes: Sequence[str]) -> dict[str, Facts]:
        """Return orders as they stand now; one that no result names any more has no checks."""
        checks = check_queries.checks_with_orders(connection, rows, causes)
        numbers = {cause: self.number(key_for(cause)) for cause in causes}
        tasks = queries.records_where(connection, rows, VerificationTask, "external_no", numbers.values())
        return {cause: Facts(cause, checks.get(cause, []), tasks.get(numbers[cause], [])) for cause in causes}

    def derive(self, facts: Facts, ledger: Sequence[Obligation], book: Rulebook, now: datetime) -> Verdict:
        """Owe one recheck for an order that stands; what was made for one that was withdrawn is for ops."""
        key, version = key_for(facts.order_no), version_of(facts.checks, facts.order_no)
        task = min(facts.tasks, key=lambda task: (task.created_at, task.task_id), default=None)
        proven = {key: task.task_id} if task else {}
        results = given(facts.checks, facts.order_no)
        owed = (self._owed(facts, results, book),) if results else ()
        return Verdict(version=version, owed=owed, proven=proven)

    def _owed(self, facts: Facts, results: Sequence[Ordered], book: Rulebook) -> Owed:
        key, first = key_for(facts.order_no), results[0]
        deadline = deadline_of(naming(facts.checks, facts.order_no))
        command = None
        if deadline is not None:
            subjects = tuple({_identity(one.result): subject_of(one.result) for one in results}.values())
            command = CreateTask(
                external_no=self.number(key),
                type=TaskType.RECHECK,
                title=f"责令整改复查：{subjects[0].name}",
                subjects=subjects,
                department=first.task.department_code,
                due_at=book.policy.due(NAME, "check", deadline).at,
                origin_platform="enforcement",
                origin_ref=facts.order_no,
                urgency=first.task.urgency,
                checklist=tuple(sorted({item for one in results for item in one.items})),
            )
        return Owed(
            key=key,
            platform="enforcement",
            kind="CreateTask",
            command=command,
            due=book.policy.due(NAME, None, checked_at(first.task, first.result)),
            subject_code=first.result.subject_code,
            needs=None if command else f"a deadline of order {facts.order_no}",
        )

    def material(self, command: AnyCommand) -> str | None:
        """By when, by which department, whom and what to check."""
        if not isinstance(command, CreateTask):
            return None
        whom = ", ".join(one.code or one.name for one in command.subjects)
        return f"{', '.join(command.checklist) or 'no item'} at {whom} by {command.department}, due {command.due_at.isoformat()}"

    def shows(self, facts: Facts) -> str | None:
        """The checks that name the order now."""
        if not facts.checks:
            return None
        first, *others = [each for check in facts.checks for each in (check.task, *check.results, *check.findings)]
        return content_of(first, others).decode()

    def unsettled(self, connection: Connection, after: str, limit: int) -> list[str]:
        """Orders without a recheck, and those that changed or are gone."""
        return check_queries.orders_unsettled(connection, NAME, after, limit)


def _identity(result: TaskResult) -> str:
    return result.subject_code or result.subject_name or ""
