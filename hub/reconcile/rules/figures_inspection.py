"""Reported figures that do not hold are checked on site, where the one who checked them on line asks for it (申报数据现场检查).

Key: check of the figures. The task is due at once, the check on site in the time of deadlines.toml.
Proof: the enforcement platform's own task with our number.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from hub.mirror import ledger as obligations
from hub.mirror import notice_queries, queries
from hub.mirror.rows import Rows, content_of
from hub.reconcile.rule import Changes, Owed, Rule, Rulebook, Verdict, said_in
from schema.commands import AnyCommand, CreateTask, TaskSubject
from schema.entities import FiguresCheck, FiguresConclusion, Obligation, SelfReport, TaskType, VerificationTask
from schema.entity import Observation

NAME = "figures-inspection"


class Facts(NamedTuple):
    """A check of figures, the name of the subject that reported them, and tasks with our number."""

    check: FiguresCheck
    name: str | None = None
    tasks: Sequence[VerificationTask] = ()


def key_for(check_no: str) -> str:
    """Return the key of the inspection that a check of figures asks for."""
    return f"{NAME}:{check_no}"


class FiguresInspection(Rule[Facts]):
    """Figures do not hold and a check on site is wanted -> a special task, enforcement; key: check of the figures."""

    name = NAME
    prefix = "FI"
    cause_entity = "FiguresCheck"

    def causes(self, observation: Observation) -> Iterable[str]:
        """A check of figures."""
        record = observation.record
        return [record.check_no] if isinstance(record, FiguresCheck) else []

    def linked(self, connection: Connection, rows: Rows, changes: Changes) -> Iterable[str]:
        """Checks of figures whose task was seen."""
        said = [each.record for each in said_in(changes)]
        tasks = [one.external_no for one in said if isinstance(one, VerificationTask) and one.origin_platform == "selfgov"]
        numbers = [number for number in tasks if number]
        return obligations.causes_having(connection, NAME, "number", numbers)

    def load(self, connection: Connection, rows: Rows, causes: Sequence[str]) -> dict[str, Facts]:
        """Return checks of figures with the tasks that carry our number for them."""
        checks = {no: one for no, (one,) in queries.records_where(connection, rows, FiguresCheck, "check_no", causes).items()}
        reports = queries.records_where(connection, rows, SelfReport, "report_no", [one.report_no for one in checks.values()])
        numbers = {no: self.number(key_for(no)) for no in checks}
        tasks = queries.records_where(connection, rows, VerificationTask, "external_no", numbers.values())
        return {
            no: Facts(
                one, next((report.subject_name for report in reports.get(one.report_no, [])), None), tasks.get(numbers[no], [])
            )
            for no, one in checks.items()
        }

    def derive(self, facts: Facts, ledger: Sequence[Obligation], book: Rulebook, now: datetime) -> Verdict:
        """Owe one task where the figures do not hold and a check on site is wanted."""
        check, key = facts.check, key_for(facts.check.check_no)
        task = min(facts.tasks, key=lambda task: (task.created_at, task.task_id), default=None)
        proven = {key: task.task_id} if task else {}
        if check.conclusion is not FiguresConclusion.NONCONFORM or not check.inspect:
            return Verdict(version=check.version, proven=proven)
        owed = Owed(
            key=key,
            platform="enforcement",
            kind="CreateTask",
            command=self._task(facts, key, book),
            due=book.policy.due(NAME, None, check.checked_at),
            subject_code=check.subject_code,
        )
        return Verdict(version=check.version, owed=(owed,), proven=proven)

    def _task(self, facts: Facts, key: str, book: Rulebook) -> CreateTask:
        check, name = facts.check, facts.name or facts.check.subject_code
        return CreateTask(
            external_no=self.number(key),
            type=TaskType.SPECIAL,
            title=f"申报数据不符专项检查：{name}",
            subjects=(TaskSubject(code=check.subject_code, name=name),),
            department=check.department_code,
            due_at=book.policy.due(NAME, "check", check.checked_at).at,
            origin_platform="selfgov",
            origin_ref=check.report_no,
            urgency=3,
        )

    def material(self, command: AnyCommand) -> str | None:
        """Which department checks whom."""
        if not isinstance(command, CreateTask):
            return None
        return f"by {command.department} at {command.subjects[0].code}"

    def shows(self, facts: Facts) -> str | None:
        """The check of the figures."""
        return content_of(facts.check).decode()

    def unsettled(self, connection: Connection, after: str, limit: int) -> list[str]:
        """Checks of figures that ask for one on site and have none."""
        return notice_queries.inspections_unsettled(connection, NAME, after, limit)
