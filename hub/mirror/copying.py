"""Copies a whole database into an empty one: from the file of an embedded hub up to a server, and back. Used by `bihuan db copy`.

All of it in one transaction on either side: what is copied is one moment, and a copy that fails leaves nothing behind.
"""

import contextlib
import hashlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec
from sqlalchemy import Connection, Row, Table, create_engine, event, func, inspect, select, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, OperationalError

from hub.mirror.database import PostgreSQLDatabase, lock_names
from hub.mirror.tables import METADATA
from hub.mirror.upgrade import head_revision, revision_of, run_migrations

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

BATCH = 1000
"""Rows that are in memory at a time."""
MODULUS = 1 << 256


class CannotCopy(Exception):
    """Source or target are not fit for it, or what arrived differs from what was sent; the message names it and the way out."""


class Sum(NamedTuple):
    """The rows of a table: how many, and the sum of their SHA-256, which no order changes."""

    rows: int = 0
    digest: int = 0

    def plus(self, rows: list[Row[tuple[object, ...]]]) -> "Sum":
        """Return the sum with these rows."""
        hashes = (int.from_bytes(hashlib.sha256(msgspec.msgpack.encode(tuple(row))).digest(), "big") for row in rows)
        return Sum(self.rows + len(rows), (self.digest + sum(hashes)) % MODULUS)


async def copy_database(source: str, target: str) -> dict[str, Sum]:
    """Copy all tables from one URL to another; return what each holds, the same on both sides. Raise CannotCopy.

    Nobody else may use the source meanwhile: what was written there afterwards would be lost.
    """
    if not any(url.startswith("postgresql") for url in (source, target)):
        raise CannotCopy("both are files; copy one with: bihuan db backup COPY")
    async with _opened(source, "the source") as given, _opened(target, "the target") as wanted:
        if isinstance(given, Connection):
            assert not isinstance(wanted, Connection)  # noqa: S101  (one of them is a server, see above)
            found = await wanted.run_sync(lambda connection: _copy(given, connection))
        else:
            other = wanted if isinstance(wanted, Connection) else wanted.sync_connection
            assert other is not None  # noqa: S101  (it is open)
            found = await given.run_sync(lambda connection: _copy(connection, other))
        if isinstance(wanted, Connection):
            wanted.commit()
        else:
            await wanted.commit()
        return found


def _copy(source: Connection, target: Connection) -> dict[str, Sum]:
    _alone(source)
    if (revision := revision_of(source)) != (head := head_revision()):
        at = revision or "none"
        raise CannotCopy(f"the source is at revision {at}, this version of the hub needs {head}: run `bihuan db upgrade` on it")
    _prepare(target, head)
    sent = {table.name: _copy_table(source, target, table) for table in METADATA.sorted_tables}
    for table in METADATA.sorted_tables:
        arrived = Sum()
        for rows in _batches(target, table):
            arrived = arrived.plus(rows)
        if arrived != sent[table.name]:
            raise CannotCopy(
                f"table {table.name}: {sent[table.name].rows} rows were sent, and what arrived differs; nothing is kept"
            )
    if target.dialect.name == "postgresql":
        target.execute(text("ANALYZE"))
    return sent


def _alone(source: Connection) -> None:
    """Raise CannotCopy while others are connected. A file is locked for us alone when it is opened."""
    if source.dialect.name != "postgresql":
        return
    here = "datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
    if others := source.execute(text(f"SELECT count(*) FROM pg_stat_activity WHERE {here}")).scalar_one():  # noqa: S608  (fixed)
        raise CannotCopy(f"the source is in use by {others} other connections: stop the hub's processes, then copy again")


def _prepare(target: Connection, head: str) -> None:
    """Make the tables where there are none; raise CannotCopy where there is anything else."""
    lock_names(target, ["migrations"])
    revision = revision_of(target)
    if revision is None and (tables := inspect(target).get_table_names()):
        raise CannotCopy(f"the target holds tables of somebody else ({', '.join(sorted(tables)[:5])}): make a new, empty database")
    if revision is None:
        run_migrations(target)
    elif revision != head:
        raise CannotCopy(f"the target is at revision {revision}, this version of the hub needs {head}: make a new, empty database")
    for table in METADATA.sorted_tables:
        if target.execute(select(table).limit(1)).first() is not None:
            raise CannotCopy(f"the target is not empty: table {table.name} has rows; make a new, empty database")


def _copy_table(source: Connection, target: Connection, table: Table) -> Sum:
    sent = Sum()
    try:
        for rows in _batches(source, table):
            target.execute(table.insert(), [dict(row._mapping) for row in rows])
            sent = sent.plus(rows)
    except DBAPIError as error:
        raise CannotCopy(f"table {table.name}, one of the rows {sent.rows + 1} to {sent.rows + BATCH}: {error.orig}") from error
    if (
        target.dialect.name == "postgresql"
        and (counted := table.autoincrement_column) is not None
        and counted.autoincrement is True
    ):
        highest = target.execute(select(func.max(counted))).scalar()
        if highest is not None:
            sequence = func.pg_get_serial_sequence(table.name, counted.name)
            target.execute(select(func.setval(sequence, highest)))
    return sent


def _batches(connection: Connection, table: Table) -> Iterator[list[Row[tuple[object, ...]]]]:
    with connection.execution_options(yield_per=BATCH).execute(select(table)) as result:
        for rows in result.partitions():
            yield list(rows)


@contextlib.asynccontextmanager
async def _opened(url: str, which: str) -> AsyncIterator["Connection | AsyncConnection"]:
    """Lend a connection in a transaction that sees one moment; what is not committed is rolled back. Raise DatabaseUnavailable."""
    if url.startswith("postgresql"):
        database = PostgreSQLDatabase(url, connections=1)
        try:
            async with database.alone() as connection:
                yield connection
        finally:
            await database.close()
        return
    with _file(url, which) as held:
        yield held


@contextlib.contextmanager
def _file(url: str, which: str) -> Iterator[Connection]:
    path = make_url(url).database or ""
    if which == "the source" and not Path(path).is_file():
        raise CannotCopy(f"{which}: there is no file {path}")
    engine = create_engine(f"sqlite+pysqlite:///{path}", connect_args={"timeout": 1}, hide_parameters=True)

    @event.listens_for(engine, "connect")
    def only_we(connection: object, _record: object) -> None:
        connection.isolation_level = None  # type: ignore[attr-defined]
        connection.execute("PRAGMA locking_mode=EXCLUSIVE")  # type: ignore[attr-defined]

    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN EXCLUSIVE"))
    try:
        with engine.connect() as connection:
            try:
                connection.execute(text("SELECT 1"))
            except OperationalError as error:
                raise CannotCopy(f"{which}, {path}, is in use ({error.orig}): stop the hub, then copy again") from error
            yield connection
    finally:
        engine.dispose()
