"""An officer of a department that nobody knows (执法人员所属部门不明) goes to the ops list, once a department; the check counts.

Known is what the enforcement platform publishes or departments.csv names. Its list is read less often than tasks are: before it
was read to its end since the task was seen, the department may just be new there, and nothing is said.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from hub.mirror import officer_queries, queries
from hub.mirror.ops_list import Trouble
from hub.mirror.rows import Rows
from hub.reconcile.rule import Candidates, Rule, Rulebook, Verdict
from schema.entities import Department, Obligation, Officer, VerificationTask
from schema.entity import Observation

NAME = "unknown-officer-department"


class Facts(NamedTuple):
    """A task, which of its officers' departments the mirror knows, and whether the platform's list was read since."""

    task: VerificationTask
    published: frozenset[str]
    listed: bool


class UnknownOfficerDepartment(Rule[Facts]):
    """A task names an officer of an unknown department -> ops list; it owes nothing."""

    name = NAME
    prefix = "UO"
    cause_entity = "VerificationTask"

    def causes(self, observation: Observation) -> Iterable[str]:
        """A task with officers."""
        task = observation.record
        return [task.task_id] if isinstance(task, VerificationTask) and task.officers else []

    def load(self, connection: Connection, rows: Rows, causes: Sequence[str]) -> dict[str, Facts]:
        """Return tasks with the departments of their officers."""
        tasks = {no: one for no, (one,) in queries.records_where(connection, rows, VerificationTask, "task_id", causes).items()}
        named = {officer.department for task in tasks.values() for officer in task.officers}
        published = frozenset(queries.records_where(connection, rows, Department, "code", named))
        read_at = officer_queries.departments_read_at(connection)
        return {no: Facts(task, published, read_at is not None and read_at > task.observed_at) for no, task in tasks.items()}

    def derive(self, facts: Facts, ledger: Sequence[Obligation], book: Rulebook, now: datetime) -> Verdict:
        """Owe nothing; tell ops of each department that neither the platform nor policy names."""
        task = facts.task
        unknown: dict[str, Officer] = {}
        for officer in task.officers if facts.listed else ():
            if officer.department not in facts.published and book.policy.department(officer.department) is None:
                unknown.setdefault(officer.department, officer)
        return Verdict(version=task.version, troubles=tuple(_unknown(task, officer) for officer in unknown.values()))

    def candidates(self, book: Rulebook, now: datetime) -> Candidates:
        """Tasks with officers of departments that nobody knows and ops was not told of."""
        named = [row.code for row in book.policy.departments]
        return lambda connection, after, limit: officer_queries.officers_untold(connection, NAME, named, after, limit)


def _unknown(task: VerificationTask, officer: Officer) -> Trouble:
    return Trouble(
        kind=NAME,
        cause=officer.department,
        message=f"officer {officer.id} of task {task.task_id}: no list names the officer's department '{officer.department}'; "
        "add it to departments.csv, or have it put right on the enforcement platform. "
        "Checks by its officers count all the same",
    )
