"""One subject, however many records name it: kept from what records say. Called by intake/apply.py.

The newest record that names a subject gives its name; of two in the same instant the greater name stays. Older versions count
as well as the present one, so that the order of arrival does not matter.
"""

from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import Connection, select, tuple_

from hub.mirror.database import insert_into
from hub.mirror.rows import Rows, micros
from hub.mirror.tables import CONTENT_HASH, SUBJECT_ALIAS, TABLES
from schema.entities import Approval, CodeType, CreditProfile, Subject, TaskResult
from schema.entity import Observation


class _Named(NamedTuple):
    code: str
    record: Subject

    @property
    def rank(self) -> tuple[int, str, str]:
        return self.record.version, self.record.name, self.record.source


class _Alias(NamedTuple):
    told_at: int
    code: str


def code_type_of(code: str) -> CodeType:
    """Return what a code is: persons' codes begin with RID- (credit.md)."""
    return CodeType.RESIDENT_ID if code.startswith("RID-") else CodeType.USCC


def know_subjects(connection: Connection, rows: Rows, observations: Iterable[Observation]) -> None:
    """Keep the subjects that observations name, present or outdated ones, and the old numbers that credit profiles tell of."""
    newest: dict[str, _Named] = {}
    aliases: dict[str, _Alias] = {}
    for observation in observations:
        for named in _named(observation):
            if named.code not in newest or named.rank > newest[named.code].rank:
                newest[named.code] = named
        if isinstance(profile := observation.record, CreditProfile):
            for old in profile.old_codes:
                aliases[old] = max(aliases.get(old, _Alias(0, "")), _Alias(micros(profile.updated_at), profile.code))
    if newest:
        _keep_subjects(connection, rows, newest)
    if aliases:
        _keep_aliases(connection, aliases)


def _keep_subjects(connection: Connection, rows: Rows, newest: dict[str, _Named]) -> None:
    table = TABLES["Subject"]
    insert = insert_into(connection, table)
    changed = {name: insert.excluded[name] for name in ("name", "code_type", "source", "observed_at", "version")}
    as_python = "C" if connection.dialect.name == "postgresql" else "BINARY"
    here, new = (
        tuple_(columns["version"], columns["name"].collate(as_python), columns["source"].collate(as_python))
        for columns in (table.c, insert.excluded)
    )
    values = [rows.as_row(newest[code].record) | {CONTENT_HASH: b""} for code in sorted(newest)]
    connection.execute(insert.on_conflict_do_update(index_elements=["code"], set_=changed, where=here < new), values)


def _keep_aliases(connection: Connection, aliases: dict[str, _Alias]) -> None:
    insert = insert_into(connection, SUBJECT_ALIAS)
    changed = {name: insert.excluded[name] for name in ("code", "told_at")}
    as_python = "C" if connection.dialect.name == "postgresql" else "BINARY"
    here, new = (tuple_(columns["told_at"], columns["code"].collate(as_python)) for columns in (SUBJECT_ALIAS.c, insert.excluded))
    values = [{"old_code": old, "code": aliases[old].code, "told_at": aliases[old].told_at} for old in sorted(aliases)]
    connection.execute(insert.on_conflict_do_update(index_elements=["old_code"], set_=changed, where=here < new), values)


def _named(observation: Observation) -> Iterable[_Named]:
    record = observation.record
    pairs: list[tuple[str | None, str | None]] = []
    if isinstance(record, CreditProfile):
        pairs = [(record.code, record.name)]
    elif isinstance(record, Approval):
        pairs = [(record.subject_code, record.applicant_name)]
    else:
        pairs = [(part.subject_code, part.subject_name) for part in observation.parts if isinstance(part, TaskResult)]
    updated = getattr(record, "updated_at", record.observed_at)
    for code, name in pairs:
        if code and name:
            at = micros(updated)
            kept = Subject(
                code=code, code_type=code_type_of(code), name=name, source=record.source, observed_at=record.observed_at, version=at
            )
            yield _Named(code, kept)


def codes_for(connection: Connection, old_numbers: Iterable[str]) -> dict[str, str]:
    """Return the present code for each old number that the credit platform has told of."""
    wanted = sorted(set(old_numbers))
    if not wanted:
        return {}
    found = connection.execute(select(SUBJECT_ALIAS.c.old_code, SUBJECT_ALIAS.c.code).where(SUBJECT_ALIAS.c.old_code.in_(wanted)))
    return {row[0]: row[1] for row in found}


def old_numbers_of(connection: Connection, codes: Iterable[str]) -> dict[str, str]:
    """Return the code behind each old number that the credit platform has told of for these codes."""
    wanted = sorted(set(codes))
    if not wanted:
        return {}
    found = connection.execute(select(SUBJECT_ALIAS.c.old_code, SUBJECT_ALIAS.c.code).where(SUBJECT_ALIAS.c.code.in_(wanted)))
    return {row[0]: row[1] for row in found}
