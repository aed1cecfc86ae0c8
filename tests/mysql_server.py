"""A MariaDB for tests, where one is installed: started by each worker that asks, in a folder of its own, removed at the end."""

import contextlib
import os
import shutil
import subprocess
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from tests.servers import elsewhere

STARTS_WITHIN = 60.0


def server_binary() -> str | None:
    """Return the server's program, None where there is none."""
    return shutil.which("mariadbd") or shutil.which("mysqld") or next(iter(map(str, Path("/usr/sbin").glob("mariadbd"))), None)


class MySQLServer:
    """A running server, reached over a socket in its folder. `fresh` lends an empty database."""

    def __init__(self, socket: Path) -> None:
        self._socket = socket

    def url(self, name: str) -> str:
        return f"mysql://root@localhost/{name}?unix_socket={self._socket}"

    async def execute(self, *statements: str) -> None:
        """Carry statements out as the administrator."""
        engine = create_async_engine(self.url("").replace("mysql:", "mysql+aiomysql:"), poolclass=NullPool)
        async with engine.begin() as connection:
            for statement in statements:
                await connection.execute(text(statement))
        await engine.dispose()

    @asynccontextmanager
    async def fresh(self) -> AsyncIterator[str]:
        """Lend the URL of a new database without tables; it is dropped at the end."""
        name = f"t_{uuid.uuid4().hex}"
        await self.execute(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
        try:
            yield self.url(name)
        finally:
            await self.execute(f"DROP DATABASE {name}")


@contextmanager
def mysql_server() -> Iterator[MySQLServer]:
    """Start a server in a folder of its own, listening on a socket only; stop it at the end."""
    binary = server_binary()
    assert binary is not None, "ask server_binary first"
    folder = Path(tempfile.mkdtemp(prefix="bihuan-my-"))
    data, socket = folder / "data", folder / "s.sock"
    user = [f"--user={os.environ.get('USER', 'root')}"] if os.geteuid() == 0 else []
    with (folder / "log").open("wb") as log:
        subprocess.run(
            ["mariadb-install-db", "--no-defaults", f"--datadir={data}", "--auth-root-authentication-method=normal", *user],
            stdout=log,
            stderr=log,
            check=True,
        )
        quick = ["--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=16M", "--skip-log-bin"]
        process = subprocess.Popen(
            [binary, "--no-defaults", f"--datadir={data}", f"--socket={socket}", "--skip-networking", *quick, *user],
            stdout=log,
            stderr=log,
        )
    try:
        server = MySQLServer(socket)
        until = time.monotonic() + STARTS_WITHIN
        while not socket.exists():
            assert process.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < until, (folder / "log").read_text()
            time.sleep(0.05)
        elsewhere(server.execute("SELECT 1"))
        yield server
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(20)
        process.kill()
        process.wait()
        shutil.rmtree(folder)
