"""One subject, however many records name it: kept from what records say. Called by intake/apply.py.

The newest record that names a subject gives its name; of two in the same instant the greater name stays. Older versions count
as well as the present one, so that the order of arrival does not matter.
"""

from collections.abc import Iterable
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import Connection, tuple_

from hub.mirror import identities
from hub.mirror.database import insert_of
from hub.mirror.rows import Rows, micros
from hub.mirror.tables import CONTENT_HASH, TABLES
from schema.entities import Approval, CodeType, CreditProfile, Subject, TaskResult
from schema.entity import Observation


class _Named(NamedTuple):
    code: str
    record: Subject

    @property
    def rank(self) -> tuple[int, str, str]:
        return self.record.version, self.record.name, self.record.source


def code_type_of(code: str) -> CodeType:
    """Return what a code is: persons' codes begin with RID- (credit.md)."""
    return CodeType.RESIDENT_ID if code.startswith("RID-") else CodeType.USCC


def know_subjects(connection: Connection, rows: Rows, observations: Iterable[Observation]) -> None:
    """Keep the subjects that observations name, present or outdated ones, all identifiers, and what profiles say of old ones."""
    newest: dict[str, _Named] = {}
    told = list(observations)
    for observation in told:
        for named in _named(observation):
            if named.code not in newest or named.rank > newest[named.code].rank:
                newest[named.code] = named
    if newest:
        _keep_subjects(connection, rows, newest)
    identities.know(connection, rows, told)


def _keep_subjects(connection: Connection, rows: Rows, newest: dict[str, _Named]) -> None:
    values = [rows.as_row(newest[code].record) | {CONTENT_HASH: b""} for code in sorted(newest)]
    connection.execute(_keep_newer(connection.dialect.name), values)


@cache
def _keep_newer(dialect: str) -> Any:
    """Return the statement that keeps a subject where it is new or newer; made once."""
    table = TABLES["Subject"]
    insert = insert_of(dialect, table)
    changed = {name: insert.excluded[name] for name in ("name", "code_type", "source", "observed_at", "version")}
    as_python = "C" if dialect == "postgresql" else "BINARY"
    here, new = (
        tuple_(columns["version"], columns["name"].collate(as_python), columns["source"].collate(as_python))
        for columns in (table.c, insert.excluded)
    )
    return insert.on_conflict_do_update(index_elements=["code"], set_=changed, where=here < new)


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


def codes_for(connection: Connection, identifiers: Iterable[str]) -> dict[str, str]:
    """Return, for each old number or code, the code that the credit platform has for it now; left out where nobody knows one.

    The credit platform's own word counts (oldCodes), and for an old number a decision of ops. That ops merged one code into
    another changes nothing here: each keeps its records on the credit platform (docs/decisions/one-subject-many-identifiers.md).
    """
    return identities.credit_codes(connection, identifiers)


def codes_and_names_for(connection: Connection, identifiers: Iterable[str]) -> dict[str, str]:
    """Return what `codes_for` returns, and beside it the same code for all that the credit platform ever called it by."""
    found = codes_for(connection, identifiers)
    return found | identities.credit_names(connection, found.values())
