"""The version before: what a record said ahead of the one that was applied."""

from typing import Any

from sqlalchemy import Connection, update

from hub.mirror.database import Database
from hub.mirror.history import versions_before
from hub.mirror.records import upsert
from hub.mirror.rows import Rows
from hub.mirror.tables import CHANGE
from schema.entity import Observation
from tests.builders import finding, observed, task, task_result


def said(version: int, task_id: str = "T1", **fields: Any) -> Observation:
    return observed(
        task(task_id=task_id, version=version),
        task_result(task_id=task_id, result_id=f"{task_id}/0", version=version, order_no=f"ZG-{version}", **fields),
        finding(task_id=task_id, result_id=f"{task_id}/0", version=version),
    )


async def applied(database: Database, rows: Rows, *observations: Observation) -> list[Observation]:
    def write(connection: Connection) -> list[Observation]:
        upsert(connection, rows, list(observations))
        return versions_before(connection, rows, observations)

    return await database.write(write)


async def test_a_new_record_has_no_version_before(database: Database, rows: Rows) -> None:
    assert await applied(database, rows, said(1)) == []


async def test_the_version_before_is_what_was_said_then_with_all_its_parts(database: Database, rows: Rows) -> None:
    await applied(database, rows, said(1), said(3))
    (found,) = await applied(database, rows, said(5))
    assert found == said(3)


async def test_of_several_versions_in_one_go_the_one_before_the_first_counts(database: Database, rows: Rows) -> None:
    await applied(database, rows, said(2))
    (found,) = await applied(database, rows, said(3), said(4))
    assert found == said(2)


async def test_each_record_has_its_own(database: Database, rows: Rows) -> None:
    await applied(database, rows, said(1), said(7, "T2"), said(1, "T3"))
    found = await applied(database, rows, said(2), said(8, "T2"), said(1, "T4"))
    assert {(one.record.version, one.parts) for one in found} == {(1, said(1).parts), (7, said(7, "T2").parts)}


async def test_one_that_cannot_be_read_any_more_is_left_out(database: Database, rows: Rows) -> None:
    await applied(database, rows, said(1), said(1, "T2"))
    old_form = rows.seals.seal(b'[["VerificationTask",{"task_id":"T1","version":1}]]')
    await database.write(lambda connection: connection.execute(update(CHANGE).where(CHANGE.c.key == "T1").values(content=old_form)))
    (found,) = await applied(database, rows, said(2), said(2, "T2"))
    assert found == said(1, "T2")
