"""Grades and key supervision of subjects, which stand on every fact about them; and what those lists and notices contribute."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, select

from hub.mirror.statistics.due import Target
from hub.mirror.statistics.fact import CHUNK, Fact, Facts, Source, day_of, day_of_date, rows_where
from hub.mirror.tables import STATISTIC_FACT
from schema.figures import Kind


class Standing(NamedTuple):
    """How a subject stands now: its grade, empty while credit does not know it; and whether it is under key supervision."""

    grade: str = ""
    watched: bool = False


def standings(connection: Connection, subjects: Iterable[str]) -> dict[str, Standing]:
    """Return how subjects stand; one that neither list knows is left out."""
    wanted = sorted(set(subjects) - {""})
    grades = {row.code: row.grade for row in rows_where(connection, "CreditProfile", "code", wanted, ("code", "grade"))}
    watched = {row.code for row in rows_where(connection, "KeySubject", "code", wanted, ("code",))}
    return {code: Standing(grades.get(code, ""), code in watched) for code in grades.keys() | watched}


def misplaced(connection: Connection, subjects: Sequence[str]) -> Iterator[Target]:
    """Yield the records with facts about these subjects that do not have their present standing."""
    fact, now = STATISTIC_FACT.c, standings(connection, subjects)
    for start in range(0, len(subjects), CHUNK):
        here = fact.subject.in_(subjects[start : start + CHUNK])
        for row in connection.execute(select(fact.entity, fact.key, fact.subject, fact.grade, fact.watched).where(here)):
            if now.get(row.subject, Standing()) != Standing(row.grade, bool(row.watched)):
                yield Target(row.entity, row.key)


class Profiles(Source):
    """Contributes nothing itself, but gives its subject's grade to what others contribute."""

    entity = "CreditProfile"

    def facts(self, connection: Connection, keys: Sequence[str]) -> Facts:
        """Return nothing."""
        return {}

    def dependents(self, connection: Connection, keys: Sequence[str], links: Iterable[str]) -> Iterator[Target]:
        """Yield the records whose facts have another grade."""
        return misplaced(connection, keys)


class KeySubjects(Source):
    """A subject on the day since when it is under key supervision."""

    entity = "KeySubject"

    def facts(self, connection: Connection, keys: Sequence[str]) -> Facts:
        """Return the facts of entries."""
        rows = rows_where(connection, self.entity, "code", keys, ("code", "since"))
        return {row.code: [Fact(Kind.KEY_SUBJECT.value, day_of_date(row.since), subject=row.code)] for row in rows}

    def dependents(self, connection: Connection, keys: Sequence[str], links: Iterable[str]) -> Iterator[Target]:
        """Yield the records whose facts say otherwise of the subject."""
        return misplaced(connection, keys)


class Notices(Source):
    """A notice on the day of its issue."""

    entity = "Notice"

    def facts(self, connection: Connection, keys: Sequence[str]) -> Facts:
        """Return the facts of notices."""
        rows = rows_where(connection, self.entity, "notice_no", keys, ("notice_no", "subject_code", "department_code", "issued_at"))
        return {
            row.notice_no: [
                Fact(Kind.NOTICE.value, day_of(row.issued_at), department=row.department_code, subject=row.subject_code or "")
            ]
            for row in rows
        }
