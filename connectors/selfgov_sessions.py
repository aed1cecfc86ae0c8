"""Transactions on the exchange database: on SQLite in threads, on PostgreSQL and MySQL by async drivers. One promise for both.

What is done in a transaction is a plain function of a SQLAlchemy Connection. Used by selfgov_database.py only.
"""

import asyncio
import sqlite3
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.pool import NullPool

from connectors.json_text import mended

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

T = TypeVar("T")
Work = Callable[[Connection], T]


class GivenUp(Exception):
    """Nobody waits for the transaction any more, so that it was not committed."""


class Commitment:
    """The point of no return of one transaction: its commit begins, or whoever waits for it gives it up; never both.

    A thread cannot be stopped from outside, so that the two have to agree.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._begun = self._given_up = False

    def begin(self) -> None:
        """Note that the commit is about to be sent; raise GivenUp if nobody waits for it."""
        with self._lock:
            if self._given_up:
                raise GivenUp
            self._begun = True

    def give_up(self) -> bool:
        """Return whether the transaction is surely not carried out, now or later: its commit had not begun, and will not."""
        with self._lock:
            self._given_up = not self._begun
            return self._given_up


class Sessions(ABC):
    """Runs functions in transactions."""

    @abstractmethod
    async def run(self, work: Work[T], commitment: Commitment | None) -> T:
        """Return what `work` returned, committed; without a commitment it only reads. Raises what the driver raises."""

    @abstractmethod
    async def close(self) -> None:
        """Close all connections; transactions under way are not waited for."""


class SQLiteSessions(Sessions):
    """A file that others write as well. It is opened for each transaction, so that one that was put in its place is seen."""

    def __init__(self, url: URL, *, threads: int, busy_seconds: float, inline: bool) -> None:
        """`inline` runs everything in the caller's own thread: for simulated time."""
        self._path, self._busy_seconds = url.database or "", busy_seconds
        self.engine: Engine = create_engine("sqlite+pysqlite://", creator=self._connect, poolclass=NullPool, hide_parameters=True)
        event.listen(self.engine, "begin", _begin)
        self._threads = None if inline else ThreadPoolExecutor(threads, thread_name_prefix="selfgov")

    def _connect(self) -> sqlite3.Connection:
        # mode=rw: a file that is not there must not be made, empty, by us.
        address = f"file:{quote(self._path)}?mode=rw"
        connection = sqlite3.connect(address, uri=True, timeout=self._busy_seconds, check_same_thread=False, isolation_level=None)
        connection.text_factory = lambda raw: mended(raw).decode()  # bytes that are no UTF-8 spoil their own row only
        return connection

    async def run(self, work: Work[T], commitment: Commitment | None) -> T:
        """Run `work` under BEGIN IMMEDIATE, so that nobody writes between what it looks at and what it writes."""

        def transaction() -> T:
            with self.engine.connect().execution_options(writing=commitment is not None) as connection:
                result = work(connection)
                if commitment is not None:
                    commitment.begin()
                    connection.commit()
                return result

        if self._threads is None:
            return transaction()
        return await asyncio.get_running_loop().run_in_executor(self._threads, transaction)

    async def close(self) -> None:
        """Let the threads go."""
        if self._threads is not None:
            self._threads.shutdown(wait=False, cancel_futures=True)
        self.engine.dispose()


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get("writing") else "BEGIN")


class ServerSessions(Sessions):
    """PostgreSQL or MySQL; the driver is loaded with the first connection. READ COMMITTED: a look sees what was committed last."""

    def __init__(self, url: URL, *, connections: int, connect_seconds: float) -> None:
        self._url, self._connections, self._connect_seconds = url, connections, connect_seconds
        self._opened: AsyncEngine | None = None

    async def run(self, work: Work[T], commitment: Commitment | None) -> T:
        """Run `work`; whoever cancels it cuts the connection, which the server takes for a rollback."""
        async with self.engine.connect() as connection:
            result = await connection.run_sync(work)
            if commitment is not None:
                commitment.begin()
                await connection.commit()
            return result

    @property
    def engine(self) -> "AsyncEngine":
        """Return the engine; raise ModuleNotFoundError where the driver is not installed."""
        if self._opened is None:
            from sqlalchemy.ext.asyncio import create_async_engine  # noqa: PLC0415  (half a second that others need not wait)

            self._opened = create_async_engine(
                self._url,
                pool_size=self._connections,
                max_overflow=0,
                pool_pre_ping=True,
                pool_timeout=self._connect_seconds,
                pool_recycle=1800,
                isolation_level="READ COMMITTED",
                hide_parameters=True,  # names of people stand in them
                connect_args=self._arguments(),
            )
        return self._opened

    def _arguments(self) -> dict[str, Any]:
        if self._url.get_backend_name() == "postgresql":
            return {"timeout": self._connect_seconds}
        # Where a server is lax, what is too long would be cut off in silence.
        strict = "SET SESSION sql_mode = CONCAT(@@sql_mode, ',STRICT_TRANS_TABLES')"
        return {"connect_timeout": self._connect_seconds, "charset": "utf8mb4", "init_command": strict}

    async def close(self) -> None:
        """Close the pool."""
        if self._opened is not None:
            await self._opened.dispose()


def sessions_of(url: URL, *, at_once: int, deadline_seconds: float, inline: bool) -> Sessions:
    """Return the sessions of a database. Connecting, or waiting for SQLite's lock, ends well before the deadline of a call."""
    if url.get_backend_name() == "sqlite":
        return SQLiteSessions(url, threads=at_once, busy_seconds=deadline_seconds / 2, inline=inline)
    return ServerSessions(url, connections=at_once, connect_seconds=deadline_seconds / 2)
