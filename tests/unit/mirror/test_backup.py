"""A backup of a database in use is whole, refuses to overwrite, and takes the place of a database only when nobody has it open."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Connection, select

from hub.mirror import ledger
from hub.mirror.audit_reading import check_database
from hub.mirror.backup import BackupRefused, back_up, restore
from hub.mirror.database import Database, SQLiteDatabase
from hub.mirror.restored import mark_restored
from hub.mirror.rows import Rows
from hub.mirror.tables import TABLES
from schema.entities import ObligationState
from tests.builders import obligation
from tests.settable_clock import START
from tests.unit.mirror.sealed_history import approvals, say, write_history


def changes(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        found: int = connection.execute("SELECT count(*) FROM change").fetchone()[0]
        return found


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


async def test_a_backup_holds_what_was_committed_while_the_hub_goes_on(
    sqlite_database: SQLiteDatabase, rows: Rows, tmp_path: Path
) -> None:
    await sqlite_database.write(write_history, rows)  # it is in the log only, and the connection stays open
    target = tmp_path / "backup.db"
    with sqlite_database.engine.connect().execution_options(writing=True) as writer, writer.begin():
        say(writer, rows, *approvals([99]))  # not committed yet
        assert back_up(tmp_path / "bihuan.db", target) == target.stat().st_size
    assert changes(target) == 12
    assert changes(tmp_path / "bihuan.db") == 13
    copy = SQLiteDatabase(str(target))
    assert (await copy.read(check_database)).differences == ()
    await copy.close()
    assert [name for name in names(tmp_path) if name.startswith("backup")] == ["backup.db"]


async def test_a_backup_overwrites_nothing_and_makes_nothing_out_of_nothing(
    sqlite_database: SQLiteDatabase, tmp_path: Path
) -> None:
    (tmp_path / "backup.db").write_text("something")
    with pytest.raises(BackupRefused, match="exists already"):
        back_up(tmp_path / "bihuan.db", tmp_path / "backup.db")
    assert (tmp_path / "backup.db").read_text() == "something"
    with pytest.raises(BackupRefused, match="no such file"):
        back_up(tmp_path / "none.db", tmp_path / "other.db")
    assert not (tmp_path / "other.db").exists()
    assert not (tmp_path / "none.db").exists()


def test_a_backup_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "broken.db").write_bytes(b"no database" * 1000)
    with pytest.raises(BackupRefused, match="cannot be copied"):
        back_up(tmp_path / "broken.db", tmp_path / "backup.db")
    assert names(tmp_path) == ["broken.db"]


async def test_a_backup_takes_the_place_of_the_database_with_its_log(
    sqlite_database: SQLiteDatabase, rows: Rows, tmp_path: Path
) -> None:
    live, backup, aside = tmp_path / "bihuan.db", tmp_path / "backup.db", tmp_path / "aside.db"
    await sqlite_database.write(write_history, rows)
    back_up(live, backup)
    await sqlite_database.write(say, rows, *approvals([99]))
    with pytest.raises(BackupRefused, match="a process has it open"):
        restore(backup, live, aside)
    assert changes(live) == 13
    await sqlite_database.close()
    (tmp_path / "bihuan.db-wal").write_bytes(b"left behind")
    restore(backup, live, aside)
    assert (changes(live), changes(aside)) == (12, 13)
    assert not (tmp_path / "bihuan.db-wal").exists()
    with pytest.raises(BackupRefused, match="exists already"):
        restore(backup, live, aside)


async def test_what_is_no_database_replaces_nothing_and_a_damaged_database_is_replaced(
    sqlite_database: SQLiteDatabase, rows: Rows, tmp_path: Path
) -> None:
    live, backup = tmp_path / "bihuan.db", tmp_path / "backup.db"
    await sqlite_database.write(write_history, rows)
    back_up(live, backup)
    await sqlite_database.close()
    (tmp_path / "broken.db").write_bytes(b"no database" * 1000)
    with pytest.raises(BackupRefused, match="no database that can be read"):
        restore(tmp_path / "broken.db", live, tmp_path / "aside.db")
    assert changes(live) == 12
    live.write_bytes(b"damaged" * 5000)
    restore(backup, live, tmp_path / "aside.db")
    assert changes(live) == 12


async def test_after_a_restore_open_obligations_count_as_perhaps_sent_and_the_audit_says_so(database: Database, rows: Rows) -> None:
    states = {f"o/{state.value}": state for state in ObligationState}
    made = [obligation(key=key, number=key, state=state, unknown_since=None) for key, state in states.items()]
    await database.write(ledger.insert, rows, made)
    assert await database.write(mark_restored, rows, "lou", START) == 4

    def read(connection: Connection) -> tuple[set[str], list[str]]:
        table = TABLES["Obligation"]
        found = connection.execute(select(table.c.key).where(table.c.unknown_since.is_not(None)))
        acted = connection.execute(select(TABLES["AuditEntry"].c.action)).scalars()
        return {key for (key,) in found}, list(acted)

    marked, acted = await database.read(read)
    assert marked == {"o/DUE", "o/LEASED", "o/SENT", "o/STUCK"}
    assert acted == ["restore"]
