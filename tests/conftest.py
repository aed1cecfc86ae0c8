"""Fixtures for everybody: a database of each kind, a clock that is moved by hand, rows with test seals."""

import logging
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import structlog

from hub import demo, demo_case, demo_city
from hub.commands import base
from hub.mirror.database import Database, PostgreSQLDatabase, SQLiteDatabase
from hub.mirror.rows import Rows
from hub.mirror.sealing import Seals
from hub.mirror.upgrade import upgrade
from hub.telemetry import Forwarding
from tests.servers import PostgreSQLServer, elsewhere, postgresql_server
from tests.settable_clock import SettableClock


@pytest.fixture(autouse=True)
def no_test_configures_the_logs_of_the_whole_process(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A logger that was used once keeps its configuration, so that tests after it would log to what is closed by then."""
    for each in (base, demo, demo_case, demo_city):  # whoever else runs in this process
        monkeypatch.setattr(each, "configure_logs", lambda level, *, as_json: None)
    yield
    assert not any(isinstance(handler, Forwarding) for handler in logging.getLogger().handlers)


@pytest.fixture
def no_logs() -> Iterator[None]:
    """For commands that run in this process: what they log is dropped."""
    before = structlog.get_config()
    structlog.configure(processors=[], logger_factory=structlog.ReturnLoggerFactory())
    yield
    structlog.configure(**before)


@pytest.fixture
def clock() -> SettableClock:
    """Monday 2 September 2019, 09:00 in Beijing, until it is moved."""
    return SettableClock()


@pytest.fixture(scope="session")
def seals() -> Seals:
    return Seals([("test", bytes(range(32)))], b"a join key for tests")


@pytest.fixture(scope="session")
def rows(seals: Seals) -> Rows:
    return Rows(seals)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQLServer]:
    """A PostgreSQL 18, started when the first test asks for it."""
    with postgresql_server() as server:
        yield server


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty SQLite file to copy."""
    path = tmp_path_factory.mktemp("template") / "template.db"

    async def make() -> None:
        database = SQLiteDatabase(str(path), inline=True)
        await upgrade(database)
        await database.close()

    elsewhere(make())
    return path


@pytest.fixture
async def sqlite_database(sqlite_template: Path, tmp_path: Path) -> AsyncIterator[SQLiteDatabase]:
    """A fresh SQLite file: `bihuan.db` in tmp_path."""
    shutil.copy(sqlite_template, tmp_path / "bihuan.db")
    database = SQLiteDatabase(str(tmp_path / "bihuan.db"))
    yield database
    await database.close()


@pytest.fixture
async def postgresql_database(postgresql: PostgreSQLServer) -> AsyncIterator[PostgreSQLDatabase]:
    """A fresh PostgreSQL database."""
    async with postgresql.fresh() as url:
        database = PostgreSQLDatabase(url)
        yield database
        await database.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> Database:
    """A fresh, migrated database of each kind: a test that asks for it runs twice."""
    found: Database = request.getfixturevalue(f"{request.param}_database")
    return found
