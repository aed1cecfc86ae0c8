"""Every record of every entity comes back from the database as it went in."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, select

from hub.mirror.database import Database
from hub.mirror.rows import Rows, micros, moment
from hub.mirror.sealing import Seals
from hub.mirror.tables import CONTENT_HASH, TABLES
from schema.declare import ENTITIES, Declared, Field, Step, declared
from schema.entities import Attachment, Exchange, Officer, Photo
from schema.entity import Entity
from tests.builders import EVERYTHING, IDENTITY_NO, approval

ROWS = Rows(Seals([("test", bytes(32))], b"join"))
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)
MOMENTS = st.datetimes(
    datetime(1900, 1, 1),  # noqa: DTZ001  (the zone is drawn)
    datetime(2200, 1, 1),  # noqa: DTZ001
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=8))]),
)
PLAIN: dict[type, st.SearchStrategy[Any]] = {
    str: TEXT,
    int: st.integers(-(2**63), 2**63 - 1),
    bool: st.booleans(),
    float: st.floats(allow_nan=False),
    bytes: st.binary(max_size=20),
    datetime: MOMENTS,
    Officer: st.builds(Officer, id=TEXT, name=TEXT, department=TEXT, is_head=st.booleans()),
    Photo: st.builds(Photo, url=TEXT, taken_at=st.none() | MOMENTS),
    Exchange: st.builds(
        Exchange,
        operation=TEXT,
        sent_at=MOMENTS,
        answered_at=st.none() | MOMENTS,
        outcome=TEXT,
        request=TEXT,
        answer=st.none() | TEXT,
    ),
    Attachment: st.builds(Attachment, name=TEXT, url=TEXT, md5=st.none() | TEXT),
}


def values_of(field: Field) -> st.SearchStrategy[Any]:
    if issubclass(field.kind, Enum):
        one: st.SearchStrategy[Any] = st.sampled_from(list(field.kind))
    elif field.kind is Decimal:
        one = st.integers(-(10**12), 10**12).map(lambda steps: steps * field.marks[Step].of)
    else:
        one = PLAIN[field.kind]
    if field.many:
        one = st.lists(one, max_size=3).map(tuple)
    return st.none() | one if field.nullable else one


def records_of(entity: Declared) -> st.SearchStrategy[Entity]:
    return st.builds(entity.record, **{name: values_of(field) for name, field in entity.fields.items()})  # type: ignore[arg-type]


def columns_of(entity: Declared) -> list[Any]:
    return [TABLES[entity.name].c[name] for name in entity.fields]


@given(st.data())
@settings(max_examples=12, deadline=None)
@pytest.mark.parametrize("name", ENTITIES)
def test_a_row_read_back_is_the_record(name: str, data: st.DataObject) -> None:
    record = data.draw(records_of(ENTITIES[name]))
    row = ROWS.as_row(record)
    assert ROWS.reader(type(record))([row[column] for column in ENTITIES[name].fields]) == record


async def test_every_entity_survives_the_database(database: Database, rows: Rows) -> None:
    def there_and_back(connection: Connection, record: Entity) -> Entity:
        entity = declared(type(record))
        table = TABLES[entity.name]
        row = rows.as_row(record) | ({CONTENT_HASH: b""} if CONTENT_HASH in table.c else {})
        connection.execute(table.insert().values(row))
        return rows.reader(type(record))(connection.execute(select(*columns_of(entity))).one())

    for record in EVERYTHING:
        assert await database.write(there_and_back, record) == record


def test_the_builders_know_every_entity() -> None:
    assert {type(record).__name__ for record in EVERYTHING} == set(ENTITIES)


async def test_what_is_empty_survives_the_database(database: Database, rows: Rows) -> None:
    """A record with nothing in what may be empty."""
    for record in EVERYTHING:
        entity = declared(type(record))
        bare = msgspec.structs.replace(record, **{name: None for name, field in entity.fields.items() if field.nullable})
        row = rows.as_row(bare)
        assert rows.reader(type(bare))([row[name] for name in entity.fields]) == bare


def test_personal_values_have_a_join_column_and_are_not_in_the_row() -> None:
    row = ROWS.as_row(approval(identity_no=IDENTITY_NO))
    assert row["identity_no_join"] == ROWS.seals.join(IDENTITY_NO)
    assert IDENTITY_NO not in repr(row)
    assert ROWS.as_row(approval(identity_no=None))["identity_no_join"] is None


@given(MOMENTS)
def test_moments_are_kept_to_the_microsecond_in_utc(at: datetime) -> None:
    assert moment(micros(at)) == at
    assert moment(micros(at)).tzinfo is UTC


def test_changed_columns_are_kept_as_in_a_row() -> None:
    changed = ROWS.values(type(approval()), state=approval().state, decided_at=None, updated_at=approval().updated_at)
    row = ROWS.as_row(approval())
    assert changed == {"state": row["state"], "decided_at": None, "updated_at": row["updated_at"]}
    assert {column: ROWS.read("Approval", column, value) for column, value in changed.items()} == {
        "state": approval().state,
        "decided_at": None,
        "updated_at": approval().updated_at,
    }
