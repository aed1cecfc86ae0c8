"""Merges by hand in the database, and what the index of identifiers lacks. Decided in hub/reconcile/identities.py.

A merge is one row that is added, and undone by writing into that row; the index follows (identities.py). The caller holds the
identifiers (`identities.hold`).
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Table, func, select, union, update

from hub.mirror.database import insert_into
from hub.mirror.identities import ALIAS, CHUNK, IDENTIFIER, MERGE, hold, lead
from hub.mirror.queries import records_where
from hub.mirror.rows import Rows
from hub.mirror.tables import TABLES
from schema.declare import ENTITIES, FirstOf
from schema.entities import Approval, Obligation, SubjectIdentifier, SubjectMerge, VerificationTask
from schema.entities.identity import TO_SUBJECT

SUBJECT = TABLES["Subject"]


def identifiers(connection: Connection, rows: Rows, wanted: Iterable[str]) -> dict[str, SubjectIdentifier]:
    """Return what the index says of identifiers; unknown ones are left out."""
    found = records_where(connection, rows, SubjectIdentifier, "identifier", wanted)
    return {identifier: one for identifier, (one,) in found.items()}


def has_subject(connection: Connection, code: str) -> bool:
    """Return whether any record tells of a subject under this code."""
    return connection.execute(select(SUBJECT.c.code).where(SUBJECT.c.code == code)).first() is not None


def merge_of(connection: Connection, rows: Rows, merge_id: str) -> SubjectMerge | None:
    """Return a merge, None if there is none of this id."""
    return next(iter(records_where(connection, rows, SubjectMerge, "merge_id", [merge_id]).get(merge_id, [])), None)


def add(connection: Connection, rows: Rows, identifier: str, code: str, by: str, reason: str, now: datetime) -> SubjectMerge:
    """Write a merge and let the identifier lead there; return it. Its id tells which merge of the identifier it is."""
    earlier = connection.execute(select(func.count()).where(MERGE.c.from_identifier == identifier)).scalar_one()
    made = SubjectMerge(
        merge_id=f"{identifier}/{earlier + 1}",
        from_identifier=identifier,
        into_code=code,
        merged_at=now,
        merged_by=by,
        reason=reason,
        undone_at=None,
        undone_by=None,
        undone_reason=None,
    )
    connection.execute(insert_into(connection, MERGE), [rows.as_row(made)])
    lead(connection, rows, [identifier])
    return made


def undo(connection: Connection, rows: Rows, merge: SubjectMerge, by: str, reason: str, now: datetime) -> None:
    """Note that a merge stands no more, and let its identifier lead where it leads without it."""
    values = rows.values(SubjectMerge, undone_at=now, undone_by=by, undone_reason=reason)
    connection.execute(update(MERGE).where(MERGE.c.merge_id == merge.merge_id).values(values))
    lead(connection, rows, [merge.from_identifier])


def obligations_named_by(connection: Connection, rows: Rows, number: str) -> list[Obligation]:
    """Return the obligations that approvals under an old number alone cause, themselves or by their checks."""
    approvals = [
        one.approval_no
        for one in records_where(connection, rows, Approval, "old_number", [number]).get(number, [])
        if one.subject_code is None
    ]
    tasks = records_where(connection, rows, VerificationTask, "origin_ref", approvals)
    checks = [one.task_id for found in tasks.values() for one in found if one.origin_platform == "approval"]
    caused = records_where(connection, rows, Obligation, "cause", [*approvals, *checks])
    return [one for found in caused.values() for one in found]


# --- What was written before there was an index ----------------------------------------------------------------------


def is_complete(connection: Connection) -> bool:
    """Return whether the index has been made: it is empty only in a database of before, or one without any subject. Cheap."""
    unfilled = any(connection.execute(select(1).where(here).limit(1)).first() for _, _, here in _unfilled())
    return not unfilled and connection.execute(select(1).select_from(IDENTIFIER).limit(1)).first() is not None


def complete(connection: Connection, rows: Rows, limit: int = CHUNK) -> int:
    """Fill in what records written before lack, at most `limit` identifiers in the index; return how many were missing.

    Repeated until it returns 0 everything is there; twice equals once.
    """
    for table, value, here in _unfilled():
        connection.execute(update(table).where(here).values(value))
    missing = _missing(connection, limit)
    if missing:
        hold(connection)
        lead(connection, rows, missing)
    return len(missing)


def _unfilled() -> list[tuple[Table, dict[str, Any], ColumnElement[bool]]]:
    """Return, for each declared field that follows from others: its table, its value, and the rows that lack it."""
    found: list[tuple[Table, dict[str, Any], ColumnElement[bool]]] = []
    for entity in ENTITIES.values():
        for name, field in entity.fields.items():
            if FirstOf in field.marks:
                table = TABLES[entity.name]
                value = func.coalesce(*(func.nullif(table.c[each], "") for each in field.marks[FirstOf].columns))
                found.append((table, {name: value}, table.c[name].is_(None) & value.is_not(None)))
    return found


def _missing(connection: Connection, limit: int) -> list[str]:
    """Return identifiers that stand in records, words or merges and not in the index."""
    parts = []
    for column in _naming_columns():
        unknown = ~select(1).where(IDENTIFIER.c.identifier == column).exists()
        parts.append(select(column.label("identifier")).where(column.is_not(None), unknown).distinct().limit(limit).subquery())
    found = union(*(select(part.c.identifier) for part in parts)).subquery()
    return list(connection.execute(select(found.c.identifier).order_by(found.c.identifier).limit(limit)).scalars())


def _naming_columns() -> Iterator[Column[Any]]:
    """Yield all columns that hold identifiers of subjects."""
    for entity in ENTITIES.values():
        named = {edge.ours for edge in entity.edges.values() if edge.through == TO_SUBJECT}
        named |= {entity.key} if entity.found_through == TO_SUBJECT else set()
        yield from (TABLES[entity.name].c[name] for name in sorted(named))
    yield from (ALIAS.c.identifier, MERGE.c.from_identifier)
