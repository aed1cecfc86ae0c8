"""The exchange database (前置库) that the mock self-governance system shares with the hub: three tables by a SQLAlchemy URL.

SQLite, PostgreSQL and MySQL. Each call is one transaction, carried out before it returns; async drivers run in a thread of their
own.
"""

import asyncio
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, Final, TypeVar

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    MetaData,
    Numeric,
    String,
    Table,
    Text,
    create_engine,
    event,
    text,
)
from sqlalchemy.engine import URL, make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

T = TypeVar("T")
Work = Callable[[Connection], T]

METADATA: Final = MetaData()

RESULT: Final = Table(
    "zz_result",
    METADATA,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("lx", String(1), nullable=False),
    Column("tyshxydm", String(18), nullable=False),
    Column("ztmc", String(200)),
    Column("jf_bizno", String(64)),
    Column("xffs", Numeric(6, 1, asdecimal=False)),
    Column("sxbm", String(50)),
    Column("sxmc", String(200)),
    Column("sbnr", Text),
    Column("wcsj", String(19), nullable=False),
    Column("shzt", String(1), nullable=False),
    Column("gxsj", String(19), nullable=False, index=True),
    Column("clbz", String(1), nullable=False),
    Column("clsm", String(200)),
)
SCORE: Final = Table(
    "zz_score",
    METADATA,
    Column("bizno", String(64), primary_key=True),
    Column("tyshxydm", String(80), nullable=False),
    Column("points", Numeric(6, 1, asdecimal=False), nullable=False),
    Column("itemcode", String(50), nullable=False),
    Column("itemname", String(200), nullable=False),
    Column("occurred", String(19), nullable=False),
    Column("repair_until", String(19), nullable=False),
    Column("state", String(10), nullable=False),
    Column("updated", String(19), nullable=False),
)
NOTICE: Final = Table(
    "zz_notice",
    METADATA,
    Column("notice_no", String(64), primary_key=True),
    Column("tyshxydm", String(80)),
    Column("industry", String(50)),
    Column("title", String(200), nullable=False),
    Column("content", Text, nullable=False),
    Column("issued", String(19), nullable=False),
    Column("department", String(50), nullable=False),
)
_LOCKS: Final = {
    "sqlite": "BEGIN EXCLUSIVE",
    "postgresql": "LOCK TABLE zz_result, zz_score, zz_notice IN ACCESS EXCLUSIVE MODE",
    "mysql": "LOCK TABLES zz_result WRITE, zz_score WRITE, zz_notice WRITE",
}


class Exchange(ABC):
    """The database; its tables are made where they are missing."""

    @abstractmethod
    def run(self, work: Work[T]) -> T:
        """Return what `work` returned, committed."""

    @abstractmethod
    def lock(self) -> Callable[[], None]:
        """Lock all tables against everybody; return what lets them go."""

    def put_away(self) -> Callable[[], None]:
        """Take the database away; return what brings it back. Raise ValueError where only its own server can."""
        raise ValueError("a database on a server is taken away by stopping the server")

    @abstractmethod
    def close(self) -> None:
        """Let all connections go."""


class FileExchange(Exchange):
    """A SQLite file, in SQLite's ordinary journal mode: who reads holds up who commits, and the other way round."""

    def __init__(self, url: URL) -> None:
        self._path = Path(url.database or "")
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._engine = create_engine(url, poolclass=NullPool, connect_args={"timeout": 5.0})
        event.listen(self._engine, "connect", lambda connection, _record: connection.execute("PRAGMA synchronous=OFF"))
        self._is_away = False
        self.run(METADATA.create_all)

    def run(self, work: Work[T]) -> T:
        """Return what `work` returned, committed; raise ValueError while the file is away."""
        if self._is_away:
            raise ValueError("the database is away: wait until it is back")
        with self._engine.begin() as connection:
            return work(connection)

    def lock(self) -> Callable[[], None]:
        """Lock the file."""
        connection = self._engine.raw_connection()
        connection.cursor().execute(_LOCKS["sqlite"])

        def unlock() -> None:
            connection.rollback()
            connection.close()

        return unlock

    def put_away(self) -> Callable[[], None]:
        """Move the file to another name."""
        hidden = self._path.with_suffix(".away")
        self._path.rename(hidden)
        self._is_away = True

        def bring_back() -> None:
            hidden.rename(self._path)
            self._is_away = False

        return bring_back

    def close(self) -> None:
        """Let go; nothing is open between two calls."""
        self._engine.dispose()


class ServerExchange(Exchange):
    """A database on a server, reached by an async driver on a loop of its own."""

    def __init__(self, url: URL) -> None:
        self._kind = url.get_backend_name()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="exchange", daemon=True)
        self._thread.start()
        self._engine: AsyncEngine = create_async_engine(url)
        self.run(METADATA.create_all)

    def _wait(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)

    def run(self, work: Work[T]) -> T:
        """Return what `work` returned, committed."""

        async def transaction() -> T:
            async with self._engine.begin() as connection:
                return await connection.run_sync(work)

        return self._wait(transaction())

    def lock(self) -> Callable[[], None]:
        """Lock the tables by a connection that stays open."""

        async def locked() -> AsyncConnection:
            connection = await self._engine.connect()
            await connection.execute(text(_LOCKS[self._kind]))
            return connection

        async def released() -> None:
            if self._kind == "mysql":
                await connection.execute(text("UNLOCK TABLES"))
            await connection.rollback()
            await connection.close()

        connection = self._wait(locked())
        return lambda: self._wait(released())

    def close(self) -> None:
        """Let go, and end the thread."""
        self._wait(self._engine.dispose())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


def open_exchange(url: str) -> Exchange:
    """Return the database at a SQLAlchemy URL, with its tables; raise ValueError for a kind that the page does not name."""
    parsed = make_url(url)
    match parsed.get_backend_name():
        case "sqlite":
            return FileExchange(parsed.set(drivername="sqlite+pysqlite"))
        case "postgresql":
            return ServerExchange(parsed.set(drivername="postgresql+asyncpg"))
        case "mysql" | "mariadb":
            return ServerExchange(parsed.set(drivername="mysql+aiomysql"))
        case other:
            raise ValueError(f"selfgov: the exchange database is SQLite, PostgreSQL or MySQL, not {other}")
