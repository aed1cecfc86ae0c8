"""What departments ask for through the graph, for self-governance: requests for notices, and checks of reported figures.

Each is kept as a record of the hub's own, source "hub", in one transaction with what follows from it. Built by app.py, used by
operator.py. The same again is the same answer; other content under the same number is refused, and the first stays.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import Connection

from connectors.base import Item
from hub.mirror import audit, queries
from hub.mirror.audit import Entry
from hub.mirror.database import Database, lock_names
from hub.mirror.rows import Rows
from hub.reconcile.repair import stamp_of
from schema.entities import Department, FiguresCheck, FiguresConclusion, NoticeRequest, SelfReport
from schema.entity import Mirrored, Observation
from schema.notice_operations import FiguresCheckWanted, NoticeWanted
from schema.operations import Outcome
from schema.user_errors import FiguresMissing, RequestConflict, UnknownDepartment, UnknownReport, UserError

SOURCE = "hub"
M = TypeVar("M", bound=Mirrored)


@dataclass(frozen=True)
class NoticeDesk:
    """Implements `schema.notice_operations.NoticeOperations`. `write` is the Applier's; `wake` is called after a commit."""

    database: Database
    rows: Rows
    write: Callable[[Connection, str, str, Sequence[Item]], object]
    clock: Callable[[], datetime]
    wake: Callable[[], None]

    async def push_notice(self, wanted: NoticeWanted, by: str) -> Outcome:
        """Keep a request for notices."""
        outcome = await self.database.write(self._push_notice, wanted, by)
        self.wake()
        return outcome

    async def record_figures_check(self, wanted: FiguresCheckWanted, by: str) -> Outcome:
        """Keep the check of a report's figures as they are now."""
        outcome = await self.database.write(self._record_figures_check, wanted, by)
        self.wake()
        return outcome

    def _push_notice(self, connection: Connection, wanted: NoticeWanted, by: str) -> Outcome:
        now = self.clock()
        request = NoticeRequest(
            source=SOURCE,
            observed_at=now,
            version=1,
            request_no=wanted.request_no,
            subject_codes=wanted.subjects,
            industry=wanted.industry,
            title=wanted.title,
            content=wanted.content,
            department_code=wanted.department,
            requested_by=by,
            requested_at=now,
        )
        said = {
            "subjects": lambda one: sorted(one.subject_codes),
            "industry": lambda one: one.industry,
            "title": lambda one: one.title,
            "content": lambda one: one.content,
            "department": lambda one: one.department_code,
        }
        return self._keep(connection, request, wanted.request_no, "request_no", said, wanted.department, by, "pushNotice")

    def _record_figures_check(self, connection: Connection, wanted: FiguresCheckWanted, by: str) -> Outcome:
        report = next(iter(self._found(connection, SelfReport, "report_no", wanted.report_no)), None)
        if report is None:
            message = f"no report '{wanted.report_no}'; selfReports lists them"
            return Outcome(refused=(UnknownReport(message=message, path=["reportNo"], report_no=wanted.report_no),))
        if not (report.figures or "").strip():
            message = f"report '{wanted.report_no}' has no figures to check"
            return Outcome(refused=(FiguresMissing(message=message, path=["reportNo"], report_no=wanted.report_no),))
        now = self.clock()
        check = FiguresCheck(
            source=SOURCE,
            observed_at=now,
            version=1,
            check_no=f"{report.report_no}/{stamp_of(report.updated_at)}",
            report_no=report.report_no,
            subject_code=report.subject_code,
            conclusion=FiguresConclusion.CONFORM if wanted.holds else FiguresConclusion.NONCONFORM,
            remarks=wanted.remarks,
            department_code=wanted.department,
            inspect=wanted.inspect,
            checked_by=by,
            checked_at=now,
        )
        said = {
            "conclusion": lambda one: one.conclusion,
            "remarks": lambda one: one.remarks,
            "department": lambda one: one.department_code,
            "inspect": lambda one: one.inspect,
        }
        return self._keep(connection, check, check.check_no, "check_no", said, wanted.department, by, "recordFiguresCheck")

    def _keep(
        self,
        connection: Connection,
        record: M,
        number: str,
        column: str,
        said: dict[str, Callable[[Any], object]],
        department: str,
        by: str,
        action: str,
    ) -> Outcome:
        """Write a record that is new; `said` are the inputs, by which one that is there already is compared."""
        kind = type(record)
        lock_names(connection, [f"{kind.__name__}:{number}"])  # of two at the same time the second sees the first
        for there in self._found(connection, kind, column, number):
            differs = [name for name, value in said.items() if value(there) != value(record)]
            return self._again(number, differs)
        if not self._found(connection, Department, "code", department):
            message = f"no department '{department}'; departments lists them"
            return _refused(UnknownDepartment(message=message, path=["department"], department=department))
        self.write(connection, SOURCE, "requests", [Observation(record=record)])
        entry = Entry(at=self.clock(), by=by, action=action, kind=kind.__name__, target=number, outcome="kept")
        audit.note(connection, self.rows, entry)
        return Outcome(done=(number,))

    def _again(self, number: str, differs: list[str]) -> Outcome:
        if not differs:
            return Outcome(done=(number,))
        message = f"'{number}' was asked for before with another {', '.join(differs)}; that stays: take a new number"
        return _refused(RequestConflict(message=message, path=[], number=number, differs=differs))

    def _found(self, connection: Connection, entity: type[M], column: str, value: str) -> list[M]:
        usable = [] if "\x00" in value else [value]  # PostgreSQL would refuse the whole statement
        return queries.records_where(connection, self.rows, entity, column, usable).get(value, [])


def _refused(error: UserError) -> Outcome:
    return Outcome(refused=(error,))
