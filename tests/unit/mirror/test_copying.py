"""A copy holds every row, or nothing at all; what is not fit for it is refused with the way out."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TypeVar

import pytest
from sqlalchemy import Connection, func, select, text

from hub.mirror import copying, inbox, records
from hub.mirror.copying import CannotCopy, Sum, copy_database
from hub.mirror.database import PostgreSQLDatabase, SQLiteDatabase, open_database
from hub.mirror.rows import Rows
from hub.mirror.tables import METADATA, QUOTA, STATISTIC_DUE, TABLES
from hub.mirror.upgrade import current_revision
from tests.builders import approval, delivery, observed, stream_health, subject
from tests.servers import PostgreSQLServer
from tests.settable_clock import START

T = TypeVar("T")


def fill(connection: Connection, rows: Rows) -> None:
    approvals = [approval(approval_no=f"YW{n:04}", version=n + 1) for n in range(2500)]
    records.upsert(connection, rows, [observed(each) for each in (*approvals, subject(name="义乌市䶮𬭎贸易有限公司"))])
    inbox.store(connection, rows, [delivery(body=bytes(range(256)))])
    connection.execute(TABLES["StreamHealth"].insert(), [rows.as_row(stream_health(last_success_at=START, lease_until=None))])
    connection.execute(STATISTIC_DUE.insert(), [{"entity": "Approval", "key": f"YW{n}"} for n in range(7)])
    connection.execute(QUOTA.insert().values(platform="grid", next_slot_at=2**62))


def count_on(connection: Connection) -> tuple[int, int]:
    """Add a row with a key that the database counts; return the highest key before, and that of the new row."""
    highest = connection.execute(select(func.max(STATISTIC_DUE.c.id))).scalar_one()
    made = connection.execute(STATISTIC_DUE.insert().values(entity="Approval", key="new").returning(STATISTIC_DUE.c.id))
    return highest, made.scalar_one()


@pytest.fixture
async def filled(sqlite_database: SQLiteDatabase, rows: Rows, tmp_path: Path) -> str:
    """The URL of a file that nobody has open any more."""
    await sqlite_database.write(fill, rows)
    await sqlite_database.close()
    return f"sqlite:///{tmp_path / 'bihuan.db'}"


@pytest.fixture
async def empty(postgresql: PostgreSQLServer) -> AsyncIterator[str]:
    """The URL of a database without any table."""
    async with postgresql.fresh("template1") as url:
        yield url


async def revision(url: str) -> str | None:
    database = open_database(url)
    try:
        return await current_revision(database)
    finally:
        await database.close()


async def on(url: str, work: Callable[[Connection], T]) -> T:
    database = open_database(url)
    try:
        return await database.write(work)
    finally:
        await database.close()


async def test_every_row_arrives_and_counted_keys_go_on_behind_them(filled: str, empty: str) -> None:
    copied = await copy_database(filled, empty)
    assert set(copied) == set(METADATA.tables)
    assert {name: each.rows for name, each in copied.items() if each.rows} == {
        "approval": 2500,
        "delivery": 1,
        "stream_health": 1,
        "subject": 1,
        "change": 2501,
        "statistic_due": 2507,
        "quota": 1,
    }
    highest, made = await on(empty, count_on)
    assert made > highest


async def test_a_copy_of_a_copy_back_in_a_file_is_the_same(filled: str, empty: str, tmp_path: Path) -> None:
    there = await copy_database(filled, empty)
    back = f"sqlite:///{tmp_path / 'back.db'}"
    assert await copy_database(empty, back) == there
    highest, made = await on(back, count_on)
    assert made > highest


def test_a_sum_tells_any_difference_and_no_order() -> None:
    rows = [(1, "甲", b"\x00", None, True), (2, "乙", b"\x01", 1.5, False)]
    whole = Sum().plus(rows)  # type: ignore[arg-type]
    assert Sum().plus(rows[1:]).plus(rows[:1]) == whole  # type: ignore[arg-type]
    for other in ((1, "甲", b"\x00", None, False), (1, "甲", b"\x00", "", True), (1, "甲", b"", None, True)):
        assert Sum().plus([other, rows[1]]) != whole  # type: ignore[list-item]


async def test_a_target_with_rows_is_refused(filled: str, postgresql_database: PostgreSQLDatabase) -> None:
    await postgresql_database.write(lambda connection: connection.execute(QUOTA.insert().values(platform="sms", next_slot_at=1)))
    url = postgresql_database.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    with pytest.raises(CannotCopy, match="the target is not empty: table quota has rows; make a new, empty database"):
        await copy_database(filled, url)


async def test_a_target_with_tables_of_others_is_refused(filled: str, empty: str) -> None:
    await on(empty, lambda connection: connection.execute(text("CREATE TABLE theirs (id int)")))
    with pytest.raises(CannotCopy, match=r"tables of somebody else \(theirs\)"):
        await copy_database(filled, empty)


@pytest.mark.parametrize("side", ["source", "target"])
async def test_a_schema_of_another_version_is_refused(filled: str, postgresql: PostgreSQLServer, side: str) -> None:
    async with postgresql.fresh() as url:
        older = text("UPDATE alembic_version SET version_num = '0000'")
        await on(filled if side == "source" else url, lambda connection: connection.execute(older))
        with pytest.raises(CannotCopy, match=f"the {side} is at revision 0000, this version of the hub needs"):
            await copy_database(filled, url)


async def test_a_file_that_a_hub_has_open_is_refused_and_no_hub_opens_it_meanwhile(filled: str, empty: str, tmp_path: Path) -> None:
    hub = SQLiteDatabase(str(tmp_path / "bihuan.db"))
    await hub.read(lambda connection: connection.execute(text("SELECT 1")))
    with pytest.raises(CannotCopy, match=r"is in use .*: stop the hub, then copy again"):
        await copy_database(filled, empty)
    await hub.close()
    assert await revision(empty) is None, "nothing was made there"
    assert (await copy_database(filled, empty))["approval"].rows == 2500


async def test_a_server_that_a_hub_uses_is_refused(postgresql_database: PostgreSQLDatabase, tmp_path: Path) -> None:
    await postgresql_database.read(lambda connection: connection.execute(text("SELECT 1")))
    url = postgresql_database.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    with pytest.raises(CannotCopy, match="in use by 1 other connections: stop the hub's processes"):
        await copy_database(url, f"sqlite:///{tmp_path / 'new.db'}")


async def test_a_copy_that_fails_leaves_nothing_behind(filled: str, empty: str) -> None:
    nul = text("UPDATE subject SET name = 'a' || char(0)")
    await on(filled, lambda connection: connection.execute(nul))
    with pytest.raises(CannotCopy, match=r"table subject, one of the rows 1 to 1000: .*0x00"):
        await copy_database(filled, empty)
    assert await revision(empty) is None


async def test_what_arrives_differently_is_not_kept(filled: str, empty: str, monkeypatch: pytest.MonkeyPatch) -> None:
    copy_table = copying._copy_table

    def losing_one(source: Connection, target: Connection, table: object) -> Sum:
        sent = copy_table(source, target, table)  # type: ignore[arg-type]
        if table is STATISTIC_DUE:
            target.execute(STATISTIC_DUE.delete().where(STATISTIC_DUE.c.id == 3))
        return sent

    monkeypatch.setattr(copying, "_copy_table", losing_one)
    with pytest.raises(CannotCopy, match="table statistic_due: 2507 rows were sent, and what arrived differs; nothing is kept"):
        await copy_database(filled, empty)
    assert await revision(empty) is None


async def test_two_files_and_a_file_that_is_not_there_are_refused(tmp_path: Path, empty: str) -> None:
    with pytest.raises(CannotCopy, match="bihuan db backup"):
        await copy_database(f"sqlite:///{tmp_path / 'a'}", f"sqlite:///{tmp_path / 'b'}")
    with pytest.raises(CannotCopy, match="there is no file"):
        await copy_database(f"sqlite:///{tmp_path / 'none.db'}", empty)
    assert not (tmp_path / "none.db").exists()
