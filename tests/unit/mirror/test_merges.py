"""What was written before there were identifiers is found by them after an upgrade, and only then costs anything."""

from typing import Any

import pytest
from sqlalchemy import Connection, event, func, select, update

from hub.mirror import merges
from hub.mirror.database import Database, SQLiteDatabase
from hub.mirror.records import Outcome, upsert
from hub.mirror.rows import Rows, content_of
from hub.mirror.subjects import know_subjects
from hub.mirror.tables import TABLES
from schema.entity import Observation
from tests.builders import HOUR, approval, credit_profile, credit_record, observed
from tests.settable_clock import START
from tests.subject_codes import old_number, rid, uscc
from tests.unit.mirror.test_identities import index

A, B, C = (uscc(number) for number in range(3))
N = old_number(1)
SAID = (
    observed(approval(approval_no="1", subject_code=A)),
    observed(approval(approval_no="2", subject_code=None, old_number=N)),
    observed(approval(approval_no="3", subject_code=rid(1))),
    observed(credit_profile(code=B, old_codes=(N, A), updated_at=START - HOUR)),
    observed(credit_record(subject_code=C)),
)


def as_before(connection: Connection, rows: Rows) -> None:
    """Write what a hub without identifiers would have left."""
    upsert(connection, rows, SAID)
    know_subjects(connection, rows, SAID)
    merges.add(connection, rows, C, A, "lou", "why", START)
    connection.execute(TABLES["SubjectIdentifier"].delete())
    connection.execute(update(TABLES["Approval"]).values(identifier=None))


def complete(connection: Connection, rows: Rows, limit: int) -> list[int]:
    counted = [merges.complete(connection, rows, limit)]
    while counted[-1]:
        counted.append(merges.complete(connection, rows, limit))
    return counted


def named(connection: Connection) -> list[str | None]:
    table = TABLES["Approval"]
    return list(connection.execute(select(table.c.identifier).order_by(table.c.approval_no)).scalars())


@pytest.mark.parametrize("limit", [1, 2, 500])
async def test_an_upgraded_database_is_made_right_in_steps_of_any_size(database: Database, rows: Rows, limit: int) -> None:
    await database.write(as_before, rows)
    assert not await database.read(merges.is_complete)
    counted = await database.write(complete, rows, limit)
    assert max(counted) <= limit
    assert await database.read(merges.is_complete)
    assert await database.read(named) == [A, N, rid(1)]
    found = await database.read(index, rows)
    assert {identifier: one.code for identifier, one in found.items()} == {A: B, B: B, N: B, C: B, rid(1): rid(1)}
    assert (found[C].merge_id, found[N].told_code) == (f"{C}/1", B)


async def test_making_it_right_twice_is_making_it_right_once(database: Database, rows: Rows) -> None:
    await database.write(as_before, rows)
    await database.write(complete, rows, 500)
    before = await database.read(index, rows)
    assert await database.write(complete, rows, 500) == [0]
    assert await database.read(index, rows) == before


async def test_one_approval_that_was_left_out_is_noticed(database: Database, rows: Rows) -> None:
    await database.write(as_before, rows)
    await database.write(complete, rows, 500)
    table = TABLES["Approval"]
    leave_out = update(table).where(table.c.approval_no == "2").values(identifier=None)
    await database.write(lambda connection: connection.execute(leave_out))
    assert not await database.read(merges.is_complete)
    await database.write(complete, rows, 500)
    assert await database.read(named) == [A, N, rid(1)]


async def test_the_look_whether_anything_is_missing_reads_no_table_through(sqlite_database: SQLiteDatabase, rows: Rows) -> None:
    await sqlite_database.write(as_before, rows)
    await sqlite_database.write(complete, rows, 500)
    asked: list[tuple[str, Any]] = []

    def note(_connection: object, _cursor: object, statement: str, values: Any, *_rest: object) -> None:
        asked.append((statement, values))

    event.listen(sqlite_database.engine, "before_cursor_execute", note)
    assert await sqlite_database.read(merges.is_complete)

    def plan(connection: Connection) -> list[str]:
        looks = [each for each in asked if each[0].startswith("SELECT")]
        return [
            step[3] for look, values in looks for step in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {look}", values).all()
        ]

    plans = await sqlite_database.read(plan)
    assert any("SEARCH approval USING" in step for step in plans)
    assert not any(step.startswith("SCAN approval") for step in plans)


def told_again(connection: Connection, rows: Rows, said: Observation) -> Outcome:
    (result,) = upsert(connection, rows, [said])
    return result.outcome


async def test_an_approval_from_before_that_comes_again_is_no_conflict(database: Database, rows: Rows) -> None:
    """Its identifier follows from its other fields: it is no content of its own, whatever the row held."""
    assert b'"identifier"' not in content_of(SAID[1].record)  # the digest that an older hub kept is still the right one
    await database.write(as_before, rows)
    assert await database.write(told_again, rows, SAID[1]) is Outcome.UNCHANGED
    changed = observed(approval(approval_no="2", subject_code=None, old_number=old_number(2)))
    assert await database.write(told_again, rows, changed) is Outcome.CONFLICT


def test_an_approval_names_its_applicant_by_the_best_identifier_it_has() -> None:
    assert approval(subject_code=A, old_number=N).identifier == A
    assert approval(subject_code=None, old_number=N).identifier == N
    assert approval(subject_code=None, old_number=None).identifier is None
    assert approval(subject_code=A, identifier="something else").identifier == A


async def test_an_empty_database_has_nothing_to_make_right(sqlite_database: SQLiteDatabase, rows: Rows) -> None:
    assert await sqlite_database.write(complete, rows, 500) == [0]
    count = select(func.count()).select_from(TABLES["SubjectIdentifier"])
    assert await sqlite_database.read(lambda connection: connection.execute(count).scalar()) == 0
