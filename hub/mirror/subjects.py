"""One subject, however many records name it: kept from what applied records say. Called by intake/apply.py.

The newest record that names a subject gives its name; of two in the same instant the greater name stays, so that the order
of arrival does not matter.
"""

from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import Connection, or_, select

from hub.mirror.database import insert_into
from hub.mirror.rows import Rows, micros
from hub.mirror.tables import SUBJECT_ALIAS, TABLES
from schema.entities import Approval, CodeType, CreditProfile, Subject, TaskResult
from schema.entity import Observation


class _Named(NamedTuple):
    code: str
    name: str
    at: int
    record: Subject


def code_type_of(code: str) -> CodeType:
    """Return what a code is: persons' codes begin with RID- (credit.md)."""
    return CodeType.RESIDENT_ID if code.startswith("RID-") else CodeType.USCC


def know_subjects(connection: Connection, rows: Rows, observations: Iterable[Observation]) -> None:
    """Keep the subjects that applied observations name, and the old numbers that credit profiles tell of."""
    newest: dict[str, _Named] = {}
    aliases: dict[str, str] = {}
    for observation in observations:
        for named in _named(observation):
            if named.code not in newest or (named.at, named.name) > (newest[named.code].at, newest[named.code].name):
                newest[named.code] = named
        if isinstance(observation.record, CreditProfile):
            aliases.update(dict.fromkeys(observation.record.old_codes, observation.record.code))
    if newest:
        table = TABLES["Subject"]
        insert = insert_into(connection, table)
        changed = {name: insert.excluded[name] for name in ("name", "code_type", "source", "observed_at", "version")}
        later = or_(
            table.c.version < insert.excluded.version,
            (table.c.version == insert.excluded.version) & (table.c.name < insert.excluded.name),
        )
        values = [rows.as_row(named.record) | {"content_hash": b""} for named in newest.values()]
        connection.execute(insert.on_conflict_do_update(index_elements=["code"], set_=changed, where=later), values)
    if aliases:
        insert = insert_into(connection, SUBJECT_ALIAS)
        insert = insert.on_conflict_do_update(index_elements=["old_code"], set_={"code": insert.excluded.code})
        connection.execute(insert, [{"old_code": old, "code": code} for old, code in aliases.items()])


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
            yield _Named(code, name, at, kept)


def codes_for(connection: Connection, old_numbers: Iterable[str]) -> dict[str, str]:
    """Return the present code for each old number that the credit platform has told of."""
    wanted = sorted(set(old_numbers))
    if not wanted:
        return {}
    found = connection.execute(select(SUBJECT_ALIAS.c.old_code, SUBJECT_ALIAS.c.code).where(SUBJECT_ALIAS.c.old_code.in_(wanted)))
    return dict(found.tuples().all())
