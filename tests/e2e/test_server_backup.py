"""A PostgreSQL server is copied while it runs and brought back to a moment, by the commands of docs/backup.md."""

import contextlib
import shutil
import tempfile
from pathlib import Path

import pytest
from sqlalchemy import Connection, select

from hub.mirror.audit_reading import check_database
from hub.mirror.audit_sealing import head, seal
from hub.mirror.database import PostgreSQLDatabase
from hub.mirror.restored import mark_restored
from hub.mirror.rows import Rows
from hub.mirror.tables import CHANGE
from hub.mirror.upgrade import upgrade
from tests.cluster import NAME, Server, _hand_over, _run
from tests.e2e.eventually import eventually
from tests.servers import free_ports
from tests.settable_clock import START
from tests.unit.mirror.sealed_history import approvals, say


def keys(connection: Connection) -> list[str]:
    return list(connection.execute(select(CHANGE.c.key).where(CHANGE.c.entity == "Approval").order_by(CHANGE.c.sequence)).scalars())


async def write(database: PostgreSQLDatabase, rows: Rows, number: int) -> None:
    await database.write(say, rows, *approvals([number]))
    await database.write(seal, START)


@pytest.mark.usefixtures("postgresql")  # it makes the user that servers run as
async def test_a_server_is_brought_back_to_a_moment_between_two_changes(rows: Rows) -> None:
    folder = Path(tempfile.mkdtemp(prefix="bihuan-backup-"))
    _hand_over(folder)
    archive, copy = folder / "archive", folder / "copy"
    archive.mkdir()
    _hand_over(archive)
    primary, again = (Server(folder / name, port) for name, port in zip(("primary", "again"), free_ports(2), strict=True))
    try:
        await _run("initdb", "-D", str(primary.folder), "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--no-sync")
        archiving = f"test ! -f {archive}/%f && cp %p {archive}/%f.part && mv {archive}/%f.part {archive}/%f"  # never half a file
        await primary.start(archive_mode="on", archive_command=archiving, wal_level="replica")
        await primary.ask(f"CREATE DATABASE {NAME}", "postgres")
        database = PostgreSQLDatabase(primary.url, connections=2)
        await upgrade(database)
        await write(database, rows, 1)
        await _run("pg_basebackup", "-d", f"host=127.0.0.1 port={primary.port} user=postgres", "-D", str(copy), "-c", "fast")
        await write(database, rows, 2)
        noted = await database.read(head)
        moment = str(await primary.ask("SELECT clock_timestamp()::text"))
        await write(database, rows, 3)
        closed = str(await primary.ask("SELECT pg_walfile_name(pg_switch_wal())"))
        await eventually((archive / closed).exists, within=60, or_say=f"{closed} in the archive")
        await database.close()
        await primary.stop()

        shutil.copytree(copy, again.folder)
        (again.folder / "recovery.signal").touch()
        _hand_over_all(again.folder)
        await again.start(
            restore_command=f"cp {archive}/%f %p", recovery_target_time=moment, recovery_target_action="promote", archive_mode="off"
        )
        await eventually(lambda: _is_primary(again), within=60, or_say="the end of the recovery")
        database = PostgreSQLDatabase(again.url, connections=2)
        assert await database.read(keys) == ["YW0001", "YW0002"]
        assert noted is not None
        assert (await database.read(check_database, [noted])).differences == ()
        await database.write(mark_restored, rows, "lou", START)
        await write(database, rows, 4)
        assert (await database.read(check_database, [noted])).differences == ()
        await database.close()
    finally:
        for server in (primary, again):
            with contextlib.suppress(ProcessLookupError):  # the first one has ended
                await server.stop()
        shutil.rmtree(folder)


def _hand_over_all(folder: Path) -> None:
    owner = folder.parent.stat()
    for path in (folder, *folder.rglob("*")):
        shutil.chown(path, owner.st_uid, owner.st_gid)
    folder.chmod(0o700)


async def _is_primary(server: Server) -> bool:
    return not await server.ask("SELECT pg_is_in_recovery()", "postgres")
