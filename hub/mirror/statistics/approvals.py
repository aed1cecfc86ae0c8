"""What approvals and the commitment blacklist contribute."""

from collections.abc import Iterable, Iterator, Sequence

from sqlalchemy import Connection

from hub.mirror.statistics.due import Target
from hub.mirror.statistics.fact import Fact, Facts, Source, day_of, day_of_date, rows_where
from schema.entities import ApprovalState
from schema.figures import Kind


class Approvals(Source):
    """An application on the day of its acceptance; a grant, for as long as it stands, on the day of the decision."""

    entity = "Approval"
    columns = ("approval_no", "matter_code", "procedure", "subject_code", "department_code", "state", "accepted_at", "decided_at")

    def facts(self, connection: Connection, keys: Sequence[str]) -> Facts:
        """Return the facts of approvals."""
        found: Facts = {}
        for row in rows_where(connection, self.entity, "approval_no", keys, self.columns):
            fact = Fact(
                Kind.APPLICATION.value,
                day_of(row.accepted_at),
                department=row.department_code,
                matter=row.matter_code,
                way=row.procedure,
                subject=row.subject_code or "",
            )
            found[row.approval_no] = [fact]
            if row.state == ApprovalState.GRANTED.value and row.decided_at is not None:
                found[row.approval_no].append(fact._replace(kind=Kind.GRANT.value, day=day_of(row.decided_at)))
        return found

    def dependents(self, connection: Connection, keys: Sequence[str], links: Iterable[str]) -> Iterator[Target]:
        """Yield the checks: their matter and subject are their approval's."""
        for row in rows_where(connection, "VerificationTask", "origin_ref", keys, ("task_id",)):
            yield Target("VerificationTask", row.task_id)


class Blacklistings(Source):
    """An entry on the day since when, whether it was removed or not; its department is the matter's."""

    entity = "BlacklistEntry"

    def facts(self, connection: Connection, keys: Sequence[str]) -> Facts:
        """Return the facts of entries."""
        entries = rows_where(connection, self.entity, "entry_no", keys, ("entry_no", "subject_code", "matter_code", "since"))
        matters = rows_where(connection, "Matter", "code", [row.matter_code for row in entries], ("code", "department_code"))
        departments = {row.code: row.department_code for row in matters}
        return {
            row.entry_no: [
                Fact(
                    Kind.BLACKLISTING.value,
                    day_of_date(row.since),
                    department=departments.get(row.matter_code, ""),
                    matter=row.matter_code,
                    subject=row.subject_code,
                )
            ]
            for row in entries
        }


class Matters(Source):
    """Contributes nothing itself, but says to which department blacklist entries belong."""

    entity = "Matter"

    def facts(self, connection: Connection, keys: Sequence[str]) -> Facts:
        """Return nothing."""
        return {}

    def dependents(self, connection: Connection, keys: Sequence[str], links: Iterable[str]) -> Iterator[Target]:
        """Yield the blacklist entries for these matters."""
        for row in rows_where(connection, "BlacklistEntry", "matter_code", keys, ("entry_no",)):
            yield Target("BlacklistEntry", row.entry_no)
