"""What is read again unchanged is fresh again, and nothing else of it changes."""

from sqlalchemy import Connection, func, select

from hub.mirror.confirming import confirm
from hub.mirror.database import Database
from hub.mirror.records import get, upsert
from hub.mirror.rows import Rows
from hub.mirror.tables import CHANGE, TABLES
from schema.entities import VerificationTask
from schema.entity import Mirrored, Observation
from tests.builders import HOUR, finding, observed, task, task_result
from tests.settable_clock import START

LATER = START + HOUR


def seen(at: object, **fields: object) -> Observation:
    return observed(
        task(task_id="T", observed_at=at, **fields),
        task_result(task_id="T", result_id="T/0", observed_at=at),
        finding(task_id="T", finding_id="F", observed_at=at),
    )


def held(connection: Connection, rows: Rows) -> Mirrored:
    return get(connection, rows, VerificationTask, ["T"])["T"]


async def test_a_record_and_its_parts_are_as_fresh_as_they_were_seen_again(database: Database, rows: Rows) -> None:
    def work(connection: Connection) -> None:
        upsert(connection, rows, [seen(START, version=3)])
        before = connection.execute(select(func.count()).select_from(CHANGE)).scalar()
        confirm(connection, [seen(LATER, version=3)])
        assert (held(connection, rows).observed_at, held(connection, rows).version) == (LATER, 3)
        for part in ("TaskResult", "Finding"):
            assert connection.execute(select(TABLES[part].c.observed_at)).scalar() == int(LATER.timestamp()) * 1_000_000
        assert connection.execute(select(func.count()).select_from(CHANGE)).scalar() == before

    await database.write(work)


async def test_it_is_never_less_fresh_and_never_for_another_version_or_content(database: Database, rows: Rows) -> None:
    def work(connection: Connection) -> None:
        upsert(connection, rows, [seen(LATER, version=3)])
        for other in (seen(START, version=3), seen(LATER + HOUR, version=4), seen(LATER + HOUR, version=3, title="另一个")):
            confirm(connection, [other])
            assert held(connection, rows).observed_at == LATER
        confirm(connection, [observed(task(task_id="unknown", observed_at=LATER))])

    await database.write(work)
