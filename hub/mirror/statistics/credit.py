"""What credit records, repairs and the subjects' own efforts contribute. Amounts are tenths of points."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import Connection

from hub.mirror.statistics.due import Target
from hub.mirror.statistics.fact import Fact, Facts, Source, day_of, rows_where
from schema.entities import RecordCategory
from schema.figures import Kind

RECORD = (
    "record_id",
    "biz_no",
    "subject_code",
    "category",
    "points",
    "item_code",
    "occurred_at",
    "department_code",
    "cancelled",
)


class CreditRecords(Source):
    """A record counts on the day its breach was found, unless it is cancelled. The item of a breached commitment is its matter."""

    entity = "CreditRecord"

    def facts(self, connection: Connection, keys: Sequence[str]) -> Facts:
        """Return the facts of records."""
        records = rows_where(connection, self.entity, "record_id", keys, RECORD)
        return {row.record_id: [] if row.cancelled else [self._fact(row)] for row in records}

    def _fact(self, row: Any) -> Fact:
        return Fact(
            Kind.RECORD.value,
            day_of(row.occurred_at),
            department=row.department_code,
            matter=row.item_code if row.category == RecordCategory.COMMITMENT_BREACH.value else "",
            item=row.item_code,
            way=row.category,
            subject=row.subject_code,
            link=row.biz_no,
            amount=row.points,
        )

    def dependents(self, connection: Connection, keys: Sequence[str], links: Iterable[str]) -> Iterator[Target]:
        """Yield the repairs of these records, and what subjects did to have them repaired."""
        for row in rows_where(connection, "Repair", "record_id", keys, ("repair_id",)):
            yield Target("Repair", row.repair_id)
        for row in rows_where(connection, "SelfReport", "repairs_biz_no", links, ("report_no",)):
            yield Target("SelfReport", row.report_no)


class Repairs(Source):
    """Subject, department and item are those of the record that is repaired."""

    entity = "Repair"

    def facts(self, connection: Connection, keys: Sequence[str]) -> Facts:
        """Return the facts of repairs."""
        repairs = rows_where(
            connection, self.entity, "repair_id", keys, ("repair_id", "record_id", "points", "way", "completed_at")
        )
        wanted = [row.record_id for row in repairs]
        records = {row.record_id: row for row in rows_where(connection, "CreditRecord", "record_id", wanted, RECORD)}
        found: Facts = {}
        for row in repairs:
            record = records.get(row.record_id)
            found[row.repair_id] = [
                Fact(
                    Kind.REPAIR.value,
                    day_of(row.completed_at),
                    department=record.department_code if record else "",
                    item=record.item_code if record else "",
                    way=row.way,
                    subject=record.subject_code if record else "",
                    amount=row.points,
                )
            ]
        return found


class SelfReports(Source):
    """A row counts on the day of completion; its department is that of the record that it repairs, if it repairs one."""

    entity = "SelfReport"

    def facts(self, connection: Connection, keys: Sequence[str]) -> Facts:
        """Return the facts of self-checks, self-reports, studies and exams."""
        columns = ("report_no", "way", "subject_code", "repairs_biz_no", "item_code", "completed_at")
        reports = rows_where(connection, self.entity, "report_no", keys, columns)
        numbers = [row.repairs_biz_no for row in reports if row.repairs_biz_no]
        records = rows_where(connection, "CreditRecord", "biz_no", numbers, RECORD)
        standing = sorted((row for row in records if not row.cancelled), key=lambda row: str(row.record_id), reverse=True)
        departments = {row.biz_no: row.department_code for row in standing}
        return {
            row.report_no: [
                Fact(
                    Kind.REPORT.value,
                    day_of(row.completed_at),
                    department=departments.get(row.repairs_biz_no, ""),
                    item=row.item_code or "",
                    way=row.way,
                    subject=row.subject_code,
                )
            ]
            for row in reports
        }
