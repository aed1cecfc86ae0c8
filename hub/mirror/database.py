"""The database: SQLite in one file, or PostgreSQL; both run the same plain functions, each in one transaction.

`await database.write(function, *args)` calls `function(connection, *args)` inside a transaction and commits. A network call
cannot happen in there, because nothing in there can be awaited.
"""

import asyncio
import contextlib
import contextvars
import sqlite3
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection, Dialect, Engine, Table, create_engine, event, text
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, DisconnectionError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt, wait_random_exponential

from hub.mirror.driver import Reading, StatementRefused, driven, driven_by
from hub.mirror.hosts import Hosts
from hub.mirror.writer import Writer

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

P = ParamSpec("P")
T = TypeVar("T")
Work = Callable[Concatenate[Connection, P], T]

CONNECTIONS = 10
"""How many connections to a server a process uses at a time, unless a setting says otherwise."""
CONTENDED = {"40001", "40P01"}
"""PostgreSQL's serialization failure and deadlock: nothing was written, the transaction may simply run again."""
MAY_HEAL = frozenset({"BUSY", "LOCKED", "NOMEM", "READONLY", "INTERRUPT", "IOERR", "FULL", "CANTOPEN", "PROTOCOL"})
"""SQLite's errors that say nothing about what was asked: the same may work later."""


GONE_STATES, READ_ONLY = {"08", "53", "57"}, "25006"
MAYBE_GONE = (OSError, TimeoutError, DBAPIError)


class DatabaseUnavailable(Exception):
    """The database is locked, full or gone: nothing was written, or nobody knows whether it was (the server died in the commit).

    Callers acknowledge nothing: they answer 503, or wait and try again. What is tried again must do no harm twice.
    """


class Database(ABC):
    """Runs functions in transactions; see SQLiteDatabase and PostgreSQLDatabase."""

    shared: bool
    """Whether other processes may work on it too."""

    @abstractmethod
    async def write(self, work: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `work` in one transaction, commit durably, and return what it returned; raise DatabaseUnavailable."""

    async def write_first(self, work: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do as `write`, before all that waits for its turn: for the little that somebody outside waits for."""
        return await self.write(work, *args, **kwargs)

    @abstractmethod
    async def read(self, work: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `work` on a connection that only reads, in one snapshot; raise DatabaseUnavailable."""

    async def fetch(self, reading: Callable[[], Reading[T]], *, alone: bool = False) -> T:
        """Run statements that only read on the driver itself, in one snapshot; raise DatabaseUnavailable, StatementRefused.

        A reading of one statement says that it is `alone`: that is a snapshot by itself.
        """

        def run(connection: Connection) -> T:
            driver: Any = connection.connection.driver_connection
            return driven(reading(), lambda text, values: driver.execute(text, values).fetchall())

        try:
            return await self.read(run)
        except sqlite3.Error as error:
            if isinstance(error, sqlite3.OperationalError) and _sqlite_may_heal(error):
                raise DatabaseUnavailable(f"SQLite: {error}") from error
            raise StatementRefused(f"SQLite: {error}") from error

    @property
    def dialect(self) -> Dialect:
        """Return what the texts of `fetch` are made for."""
        return sqlite.dialect()

    @abstractmethod
    async def close(self) -> None:
        """Wait for running work and close all connections."""


class SQLiteDatabase(Database):
    """One file. A single writer thread owns the writing connection; readers never wait for it (WAL).

    `inline` runs everything in the caller's own thread, without driver threads: for simulated time.
    """

    shared = False

    def __init__(self, path: str, *, inline: bool = False, busy_seconds: float = 5.0) -> None:
        self.engine: Engine = create_engine(
            f"sqlite+pysqlite:///{path}",
            connect_args={"check_same_thread": False, "timeout": busy_seconds},
            pool_size=8,
            hide_parameters=True,  # names of people stand in them, and errors are logged
        )
        event.listen(self.engine, "connect", _prepare_sqlite)
        event.listen(self.engine, "begin", _begin_sqlite)
        self._inline = inline
        self._writer = None if inline else Writer("sqlite-writer", lambda: self._transaction(True))
        self._readers = None if inline else ThreadPoolExecutor(4, thread_name_prefix="sqlite-reader")

    async def write(self, work: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `work` under BEGIN IMMEDIATE; the commit is on the disk when this returns (synchronous=FULL)."""
        return await self._write(False, lambda connection: work(connection, *args, **kwargs))

    async def write_first(self, work: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do as `write`, next after the piece of work that the writer is at."""
        return await self._write(True, lambda connection: work(connection, *args, **kwargs))

    async def _write(self, first: bool, work: Callable[[Connection], T]) -> T:
        with _may_heal():
            if self._writer is None:
                return self._run(True, work)
            context = contextvars.copy_context()  # who asked, for the log and the audit
            submitted = self._writer.submit(lambda connection: context.run(work, connection), first=first)
            return await asyncio.wrap_future(submitted)

    async def read(self, work: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `work` on a snapshot."""
        with _may_heal():
            if self._readers is None:
                return self._run(False, lambda connection: work(connection, *args, **kwargs))
            context = contextvars.copy_context()
            running: Future[T] = self._readers.submit(
                context.run, self._run, False, lambda connection: work(connection, *args, **kwargs)
            )
            return await asyncio.wrap_future(running)

    def _run(self, writing: bool, work: Callable[[Connection], T]) -> T:
        with self._transaction(writing) as connection:
            return work(connection)

    @contextlib.contextmanager
    def _transaction(self, writing: bool) -> Iterator[Connection]:
        with self.engine.connect().execution_options(writing=writing) as connection:
            try:
                with connection.begin():
                    yield connection
            except BaseException:
                # A cursor that the work left open, and its traceback keeps, holds a snapshot: every later write would be refused.
                connection.invalidate()
                raise

    async def close(self) -> None:
        """Wait for the running work, then close the file."""
        if self._writer is not None:
            await asyncio.to_thread(self._writer.close)
        if self._readers is not None:
            await asyncio.to_thread(self._readers.shutdown)
        self.engine.dispose()


@contextlib.contextmanager
def _may_heal() -> Iterator[None]:
    """Raise DatabaseUnavailable for what SQLite says about itself and not about what was asked."""
    try:
        yield
    except OperationalError as error:
        if _sqlite_may_heal(error.orig):
            raise DatabaseUnavailable(f"SQLite: {error.orig}") from error
        raise
    except PoolTimeoutError as error:
        raise DatabaseUnavailable(f"SQLite: {error}") from error


def _sqlite_may_heal(error: BaseException | None) -> bool:
    name = str(getattr(error, "sqlite_errorname", ""))
    return name.removeprefix("SQLITE_").split("_")[0] in MAY_HEAL


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves, see _begin_sqlite
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "temp_store=MEMORY", "cache_size=-16000"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get("writing") else "BEGIN")


class PostgreSQLDatabase(Database):
    """A server. Work runs over asyncpg; contended transactions are run again, lost connections are replaced."""

    shared = True

    def __init__(self, url: str, *, connections: int = CONNECTIONS, wait_seconds: float = 10.0, wanted: str | None = None) -> None:
        """So many `connections` are used at a time, and one more by `write_first`. `wanted` of a server is as in hosts.py."""
        from sqlalchemy.ext.asyncio import create_async_engine  # noqa: PLC0415  (half a second that an embedded hub need not wait)

        self.hosts = Hosts(url, wanted=wanted)
        engine = partial(
            create_async_engine,
            self.hosts.url,
            max_overflow=0,
            pool_timeout=wait_seconds,
            hide_parameters=True,
            async_creator=self.hosts.connect,
        )
        self.engine: AsyncEngine = engine(pool_size=connections)
        self._first: AsyncEngine = engine(pool_size=1)
        for each in (self.engine, self._first):
            event.listen(each.sync_engine, "checkout", _still_open)
        self._wait_seconds = wait_seconds

    @contextlib.asynccontextmanager
    async def connection(self) -> AsyncIterator[Any]:
        """Lend a connection of the driver (asyncpg) outside the pool; raise DatabaseUnavailable, also where it ends."""
        import asyncpg  # noqa: PLC0415  (as above)

        try:
            connection = await self.hosts.connect()
            try:
                yield connection
            finally:
                connection.terminate()
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise _unavailable(error) from error

    async def write(self, work: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `work` in a transaction at READ COMMITTED; run it again when it met a deadlock or serialization failure.

        Raise DatabaseUnavailable where it meets them again and again: that says nothing about what was asked for.
        """
        return await self._write(self.engine, lambda connection: work(connection, *args, **kwargs))

    async def write_first(self, work: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do as `write`, on a connection that is kept free for it; several wait for each other."""
        return await self._write(self._first, lambda connection: work(connection, *args, **kwargs))

    async def _write(self, engine: "AsyncEngine", work: Callable[[Connection], T]) -> T:
        again = AsyncRetrying(
            retry=retry_if_exception(is_contended), stop=stop_after_attempt(8), wait=wait_random_exponential(0.01, 1), reraise=True
        )
        try:
            async for attempt in again:
                with attempt:
                    async with self._reached(), engine.begin() as connection:
                        return await connection.run_sync(work)
        except DBAPIError as error:
            if is_contended(error):
                raise _unavailable(error) from error
            raise
        raise AssertionError("tenacity reraises")

    async def read(self, work: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `work` read-only at REPEATABLE READ: one snapshot."""
        async with self._reached(), self.engine.connect() as connection:
            await connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            return await connection.run_sync(work, *args, **kwargs)

    async def fetch(self, reading: Callable[[], Reading[T]], *, alone: bool = False) -> T:
        """Run statements at REPEATABLE READ, read-only; one alone without a transaction of its own."""
        import asyncpg  # noqa: PLC0415  (as above)

        async with self._reached(), self.engine.connect() as connection:
            driver: Any = (await connection.get_raw_connection()).driver_connection
            try:
                snapshot = contextlib.nullcontext() if alone else driver.transaction(isolation="repeatable_read", readonly=True)
                async with snapshot:
                    return await driven_by(driver, reading())
            except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                if _gone(error):
                    raise _unavailable(error) from error
                raise StatementRefused(f"PostgreSQL: {error}") from error

    @property
    def dialect(self) -> Dialect:
        """Return PostgreSQL's, as asyncpg speaks it."""
        return self.engine.dialect

    @contextlib.asynccontextmanager
    async def alone(self) -> AsyncIterator["AsyncConnection"]:
        """Lend a connection at REPEATABLE READ; whoever has it commits. Raise DatabaseUnavailable."""
        async with self._reached(), self.engine.connect() as connection:
            await connection.execution_options(isolation_level="REPEATABLE READ")
            yield connection

    @contextlib.asynccontextmanager
    async def _reached(self) -> AsyncIterator[None]:
        """Raise DatabaseUnavailable where the server is or goes away, or no connection is free in time."""
        try:
            yield
        except PoolTimeoutError as error:
            raise DatabaseUnavailable(
                f"PostgreSQL: no connection of this process was free for {self._wait_seconds:g} s; raise HUB_DATABASE_CONNECTIONS, "
                "start another process, or see what holds them (docs/operations.md, Connections)"
            ) from error
        except MAYBE_GONE as error:
            if _gone(error):
                raise _unavailable(error) from error
            raise

    async def close(self) -> None:
        """Close all connections."""
        await self.engine.dispose()
        await self._first.dispose()


def _still_open(connection: Any, _record: Any, _proxy: Any) -> None:
    """Have a connection replaced that the server has ended. The driver knows; asking (pool_pre_ping) takes three round trips."""
    if connection.driver_connection.is_closed():
        raise DisconnectionError("the server has ended this connection")


def is_contended(error: BaseException) -> bool:
    """Return whether the work met others' in a deadlock or conflict, and may simply run again."""
    return isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) in CONTENDED


def _gone(error: Exception) -> bool:
    """Return whether the error may heal by itself: the server is gone, refuses, is full or read-only."""
    if isinstance(error, OSError | TimeoutError):
        return True
    state = str(getattr(getattr(error, "orig", error), "sqlstate", None) or "")
    if not isinstance(error, DBAPIError):  # of the driver itself; without a state it is about the connection
        return not state or state[:2] in GONE_STATES or state == READ_ONLY
    return error.connection_invalidated or state[:2] in GONE_STATES or state == READ_ONLY or isinstance(error, InterfaceError)


def _unavailable(error: Exception) -> DatabaseUnavailable:
    said = error.orig if isinstance(error, DBAPIError) else str(error) or type(error).__name__
    return DatabaseUnavailable(f"PostgreSQL: {said}")


def open_database(url: str, *, inline: bool = False, connections: int = CONNECTIONS) -> Database:
    """Return the database at a URL: `sqlite:///path` or `postgresql://...`; raise ValueError naming what is supported."""
    if url.startswith("postgresql"):
        return PostgreSQLDatabase(url, connections=connections)
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return SQLiteDatabase(parsed.database or ":memory:", inline=inline)
    raise ValueError(
        f"HUB_DATABASE_URL: '{parsed.get_backend_name()}' is not supported; use sqlite:///path or postgresql://host/name"
    )


def insert_into(connection: Connection, table: Table) -> Any:
    """Return an INSERT of the connection's dialect, which both have with `on_conflict_do_update`."""
    return insert_of(connection.dialect.name, table)


def insert_of(dialect: str, table: Table) -> Any:
    """Return an INSERT of a dialect, by its name; for statements that are made once and kept."""
    if dialect == "postgresql":
        from sqlalchemy.dialects import postgresql  # noqa: PLC0415  (as above)

        return postgresql.insert(table)
    return sqlite.insert(table)


def lock_names(connection: Connection, names: list[str]) -> None:
    """Hold a lock on each name until the transaction ends, so that what is derived from it is derived by one at a time.

    On SQLite the writing transaction is alone anyway. Sorted, so that two never wait for each other in a circle.
    """
    if connection.dialect.name == "postgresql" and names:
        ordered = "SELECT unnest(CAST(:names AS text[])) AS name ORDER BY 1"
        statement = text(f"SELECT pg_advisory_xact_lock(hashtextextended(name, 0)) FROM ({ordered}) AS ordered")  # noqa: S608  (fixed text)
        connection.execute(statement, {"names": sorted(set(names))})
