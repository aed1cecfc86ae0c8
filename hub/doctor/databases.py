"""Whether the hub's database can be reached, is safe, and has the tables of this version. Nothing is written, no file is made."""

import contextlib
import sqlite3
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Protocol, TypeVar
from urllib.parse import quote

from sqlalchemy import Connection, create_engine
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DatabaseError
from sqlalchemy.pool import NullPool

from hub.doctor.file_systems import file_system_finding
from hub.doctor.findings import Finding, fine, problem, warning
from hub.doctor.servers import server_findings, standby_findings
from hub.mirror.database import DatabaseUnavailable, PostgreSQLDatabase
from hub.mirror.upgrade import head_revision, revision_of
from hub.settings import HubSettings

T = TypeVar("T")
HEADER, FORMAT_AT, WAL = b"SQLite format 3\0", 18, 2
"""The first bytes of an SQLite file, and where it says how it is written (sqlite.org/fileformat.html, 1.3)."""


class Look(Protocol):
    """Runs a function that only reads in the hub's database."""

    async def __call__(self, work: Callable[[Connection], T]) -> T:
        """Return what it returned."""
        ...


@contextlib.asynccontextmanager
async def examined(own: HubSettings) -> AsyncIterator[tuple[list[Finding], Look | None]]:
    """Lend what is found of the database, and a way to look into it; None where there is none, or its tables are others."""
    if own.database_url.startswith("postgresql"):
        async with _server(own) as found:
            yield found
    else:
        yield _file(Path(make_url(own.database_url).database or ""))


@contextlib.asynccontextmanager
async def _server(own: HubSettings) -> AsyncIterator[tuple[list[Finding], Look | None]]:
    database = PostgreSQLDatabase(own.database_url, connections=1)
    try:
        try:
            findings = await database.read(server_findings, own)
            revision = await database.read(revision_of)
        except DatabaseUnavailable as error:
            cure = "is HUB_DATABASE_URL right, the database up, and does its pg_hba.conf let this machine in?"
            yield [problem("database", "HUB_DATABASE_URL", str(error), cure)], None
            return
        tables = _tables(revision, shared=True)
        standby = await standby_findings(own)
        yield [*findings, tables, *standby], database.read if revision == head_revision() else None
    finally:
        await database.close()


def _file(path: Path) -> tuple[list[Finding], Look | None]:
    """Return what is found of an embedded database."""
    folder = path.resolve().parent
    if not folder.is_dir():
        return [problem("database", str(path), f"there is no folder {folder}", "make it, or correct HUB_DATABASE_URL")], None
    findings = [file_system_finding(path)]
    try:
        head = path.read_bytes()[:100] if path.stat().st_size <= 100 else _head(path)
    except FileNotFoundError:
        return [*findings, fine("database", str(path), "is not there yet: the first start makes it")], None
    except OSError as error:
        cure = "let the user that the hub runs as read and write it, and its folder"
        return [*findings, problem("database", str(path), f"cannot be read ({error.strerror})", cure)], None
    if head and not head.startswith(HEADER):
        cure = "correct HUB_DATABASE_URL, or restore a backup: docs/backup.md"
        return [*findings, problem("database", str(path), "is no SQLite database", cure)], None
    if head and head[FORMAT_AT] != WAL:
        told = "is not written by WAL, so that reading and writing wait for each other"
        cure = "start the hub once, which switches it on; if that does not help the file system cannot have it: take a local disk"
        findings.append(problem("database", str(path), told, cure))
    return _looked_into(path, findings)


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(100)


def _looked_into(path: Path, findings: list[Finding]) -> tuple[list[Finding], Look | None]:
    look = _look_of(path)
    engine = create_engine("sqlite+pysqlite://", creator=look, poolclass=NullPool, hide_parameters=True)

    async def looking(work: Callable[[Connection], T]) -> T:
        with engine.connect() as connection:
            return work(connection)

    try:
        with engine.connect() as connection:
            revision = revision_of(connection)
    except DatabaseError as error:
        cure = "see that its disk is whole and the hub's user may read it; then restore a backup: docs/backup.md"
        return [*findings, problem("database", str(path), f"cannot be read ({error.orig})", cure)], None
    tables = _tables(revision, shared=False)
    return [*findings, tables], looking if revision == head_revision() else None


def _look_of(path: Path) -> Callable[[], sqlite3.Connection]:
    """Return what opens the file without making anything beside it: while nobody has it open, it must not be taken for shared."""
    alone = not Path(f"{path}-shm").exists()
    address = f"file:{quote(str(path))}?mode=ro{'&immutable=1' if alone else ''}"
    return lambda: sqlite3.connect(address, uri=True, timeout=5.0, check_same_thread=False)


def _tables(revision: str | None, *, shared: bool) -> Finding:
    """Return whether the tables are those of this version."""
    head = head_revision()
    if revision == head:
        return fine("database", "tables", f"are at revision {head}, as this version needs them")
    if revision is not None and revision > head:
        told = f"are at revision {revision}, and this version of the hub knows up to {head}"
        return problem("database", "tables", told, "start the version that upgraded it, or restore the backup from before")
    told = f"are at revision {revision or 'none'}, and this version of the hub needs {head}"
    cure = "stop the hub's processes, make a backup (docs/backup.md), run `bihuan db upgrade`"
    return (
        problem("database", "tables", told, cure)
        if shared
        else warning("database", "tables", told, "the next start upgrades it; make a backup before: `bihuan db backup FILE`")
    )
