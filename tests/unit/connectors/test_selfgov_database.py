"""connectors/selfgov_database.py, selfgov_sessions.py, selfgov_troubles.py: a database that is away, locked, slow or wrong."""

import asyncio
import os
import threading
from collections.abc import AsyncIterator, Coroutine
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError

from connectors.errors import ConnectorError, PermanentError, PlatformDown, TransientError, UnknownOutcome
from connectors.selfgov import SelfgovConnector
from connectors.selfgov_settings import SelfgovSettings
from connectors.selfgov_troubles import Kind, trouble_of
from tests.contract.cases import FakeTime, UnlimitedQuota, surroundings
from tests.contract.selfgov_cases import SCORED, engine_of
from tests.mysql_server import MySQLServer, mysql_server, server_binary
from tests.unit.connectors.exchange import Reader, Shared, shared_file


@pytest.fixture
def time() -> FakeTime:
    return FakeTime()


@pytest.fixture
async def shared(tmp_path: Path, time: FakeTime) -> AsyncIterator[Shared]:
    async with shared_file(tmp_path, time) as found:
        yield found


def connector_to(url: str, time: FakeTime, **settings: Any) -> SelfgovConnector:
    return SelfgovConnector(SelfgovSettings.model_validate({"url": url, **settings}), surroundings(time))


async def failure_of(connector: SelfgovConnector, *, writing: bool = False) -> ConnectorError:
    call: Coroutine[Any, Any, object] = (
        connector.ensure(SCORED, "key", unknown_since=None) if writing else connector.fetch("SelfReport", ["1"])
    )
    with pytest.raises(ConnectorError) as failed:
        await call
    await connector.close()
    return failed.value


# --- away


async def test_a_file_that_is_not_there_is_named_by_its_setting_and_not_made(tmp_path: Path, time: FakeTime) -> None:
    url = f"sqlite:///{tmp_path / 'nowhere.sqlite'}"
    for writing in (False, True):
        failed = await failure_of(connector_to(url, time), writing=writing)
        assert type(failed) is TransientError
        assert (failed.code, "HUB_SELFGOV_URL" in str(failed)) == ("UNREACHABLE", True)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("kind", ["postgresql", "mysql"])
async def test_a_server_that_is_not_there_is_transient_and_no_password_is_shown(kind: str, time: FakeTime) -> None:
    failed = await failure_of(connector_to(f"{kind}://hub:geheim@127.0.0.1:9/zizhi", time), writing=True)
    assert type(failed) is TransientError
    assert failed.code == "UNREACHABLE"
    assert "HUB_SELFGOV_URL" in str(failed)
    assert "geheim" not in f"{failed} {failed.__cause__!r}"


async def test_a_database_that_stays_away_is_left_alone_and_found_again_by_a_probe(shared: Shared, time: FakeTime) -> None:
    bring_back = shared.exchange.put_away()
    connector = shared.connector(breaker_failures=3, breaker_cool_down_seconds=15, read_attempts=3)
    with pytest.raises(TransientError):
        await connector.fetch("SelfReport", ["1"])
    assert connector.open_until is not None
    with pytest.raises(PlatformDown):
        await connector.ensure(SCORED, "key", unknown_since=None)
    bring_back()
    time.advance(16)
    assert (await connector.ensure(SCORED, "key", unknown_since=None)).reference == SCORED.biz_no
    assert connector.open_until is None


async def test_a_read_is_tried_again_and_gets_through_when_the_database_is_back(shared: Shared, time: FakeTime) -> None:
    shared.insert(1)
    connector, bring_back = shared.connector(), shared.exchange.put_away()

    async def sleep(seconds: float) -> None:
        bring_back()

    connector.database.surroundings = msgspec.structs.replace(connector.surroundings, sleep=sleep)
    assert len(await connector.fetch("SelfReport", ["1"])) == 1


# --- locked, slow


async def test_a_write_into_a_locked_database_is_surely_not_carried_out(shared: Shared) -> None:
    unlock = shared.exchange.lock()
    failed = await failure_of(shared.connector(deadline_seconds=1), writing=True)
    unlock()
    assert type(failed) is TransientError
    assert (failed.code, failed.retry_after) == ("LOCKED", 1.0)
    assert shared.sql("SELECT * FROM zz_score") == []


async def test_a_locked_database_is_not_taken_for_one_that_is_away(shared: Shared) -> None:
    unlock = shared.exchange.lock()
    connector = shared.connector(deadline_seconds=1, breaker_failures=1)
    with pytest.raises(TransientError):
        await connector.ensure(SCORED, "key", unknown_since=None)
    unlock()
    assert connector.open_until is None


async def test_a_transaction_that_outlasts_its_deadline_before_the_commit_is_never_committed(shared: Shared) -> None:
    connector, going_on, ended = shared.connector(deadline_seconds=1), threading.Event(), threading.Event()
    engine = engine_of(connector)

    def hold(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        if statement.startswith("INSERT"):
            going_on.wait(10)

    event.listen(engine, "before_cursor_execute", hold)
    event.listen(engine, "rollback", lambda _connection: ended.set())
    with pytest.raises(TransientError) as failed:
        await connector.ensure(SCORED, "key", unknown_since=None)
    assert type(failed.value) is TransientError
    assert failed.value.code == "TIMEOUT"
    going_on.set()
    assert await asyncio.to_thread(ended.wait, 10)
    assert shared.sql("SELECT * FROM zz_score") == []


async def test_a_commit_that_is_not_answered_in_time_is_an_unknown_outcome_and_found_when_it_is_repeated(
    shared: Shared, time: FakeTime
) -> None:
    connector, going_on = shared.connector(deadline_seconds=2), threading.Event()
    engine = engine_of(connector)
    commit = engine.dialect.do_commit

    def slow(connection: Any) -> None:
        commit(connection)
        going_on.wait(10)

    engine.dialect.do_commit = slow  # type: ignore[assignment,method-assign]
    with pytest.raises(UnknownOutcome) as failed:
        await connector.ensure(SCORED, "key", unknown_since=None)
    going_on.set()
    assert (failed.value.code, failed.value.retry_after) == ("TIMEOUT", 1.0)
    again = await shared.connector().ensure(SCORED, "key", unknown_since=failed.value.sent_at)
    assert again.repeated


# --- another database than it must be


async def test_missing_tables_are_named_and_a_write_waits_for_them(tmp_path: Path, time: FakeTime) -> None:
    (tmp_path / "exchange.sqlite").touch()
    url = f"sqlite:///{tmp_path / 'exchange.sqlite'}"
    reading, connector = await failure_of(connector_to(url, time)), connector_to(url, time)
    assert isinstance(reading, PermanentError)
    assert "there is no table zz_result; the system makes its tables itself" in str(reading)
    with pytest.raises(TransientError, match="there is no table zz_score") as writing:
        await connector.ensure(SCORED, "key", unknown_since=None)
    assert writing.value.code == "NO_SUCH_TABLE"
    shared = Shared(url, time)
    assert (await connector.ensure(SCORED, "key", unknown_since=None)).reference
    await connector.close()
    await shared.close()


async def test_a_column_that_must_be_there_is_named_also_when_it_goes_later(shared: Shared) -> None:
    connector = shared.connector()
    await connector.fetch("SelfReport", ["1"])
    shared.sql("ALTER TABLE zz_result RENAME COLUMN clsm TO clsm2")
    with pytest.raises(PermanentError) as first:
        await connector.fetch("SelfReport", ["1"])
    with pytest.raises(PermanentError, match="zz_result has no column clsm") as second:
        await connector.fetch("SelfReport", ["1"])
    assert (first.value.code, second.value.code) == ("NO_SUCH_COLUMN", "NO_SUCH_COLUMN")


async def test_a_file_that_is_no_database_is_named(tmp_path: Path, time: FakeTime) -> None:
    (tmp_path / "exchange.sqlite").write_text("no database " * 100)
    failed = await failure_of(connector_to(f"sqlite:///{tmp_path / 'exchange.sqlite'}", time))
    assert (failed.code, "HUB_SELFGOV_URL must name the exchange database" in str(failed)) == ("NO_SUCH_DATABASE", True)


async def test_a_postgresql_without_that_database_says_so(postgresql: Any, time: FakeTime) -> None:
    failed = await failure_of(connector_to(postgresql.url("no_such_database"), time))
    assert (failed.code, "HUB_SELFGOV_URL" in str(failed)) == ("NO_SUCH_DATABASE", True)


@pytest.fixture(scope="module")
def mysql() -> Any:
    if server_binary() is None:
        pytest.skip("no MySQL or MariaDB server is installed here")
    with mysql_server() as server:
        yield server


async def test_a_mysql_that_refuses_the_password_says_so_and_is_not_asked_for_ever(mysql: MySQLServer, time: FakeTime) -> None:
    async with mysql.fresh() as url:
        await mysql.execute("CREATE USER 'hub'@'localhost' IDENTIFIED BY 'right'", "GRANT ALL ON *.* TO 'hub'@'localhost'")
        connector = connector_to(url.replace("root@", "hub:geheim@"), time, breaker_failures=1)
        with pytest.raises(PermanentError) as refused:
            await connector.fetch("SelfReport", ["1"])
        assert refused.value.code == "ACCESS_DENIED"
        assert "correct user and password in HUB_SELFGOV_URL" in str(refused.value)
        assert "geheim" not in str(refused.value)
        assert connector.open_until is not None
        await connector.close()
        right = connector_to(url.replace("root@", "hub:right@"), time)
        assert (await failure_of(right)).code == "NO_SUCH_TABLE"


class Said(Exception):
    """An error as a driver raises it."""

    def __init__(self, *args: object, sqlstate: str | None = None) -> None:
        super().__init__(*args)
        self.sqlstate = sqlstate


@pytest.mark.parametrize(
    ("error", "kind", "code"),
    [
        (Said("password authentication failed", sqlstate="28P01"), Kind.MISFIT, "ACCESS_DENIED"),
        (DBAPIError("x", {}, Said("relation is not there", sqlstate="42P01")), Kind.MISFIT, "NO_SUCH_TABLE"),
        (DBAPIError("x", {}, Said("permission denied", sqlstate="42501")), Kind.MISFIT, "NO_RIGHTS"),
        (DBAPIError("x", {}, Said("read-only", sqlstate="25006")), Kind.MISFIT, "READ_ONLY"),
        (DBAPIError("x", {}, Said("deadlock detected", sqlstate="40P01")), Kind.HELD, "LOCKED"),
        (DBAPIError("x", {}, Said("not now", sqlstate="57P03")), Kind.DOWN, "UNREACHABLE"),
        (DBAPIError("x", {}, Said("too many connections", sqlstate="53300")), Kind.DOWN, "UNREACHABLE"),
        (DBAPIError("x", {}, Said("too long", sqlstate="22001")), Kind.REFUSED, "REFUSED"),
        (IntegrityError("x", {}, Said("twice", sqlstate="23505")), Kind.REFUSED, "CONSTRAINT"),
        (OperationalError("x", {}, Said(1205, "lock wait timeout")), Kind.HELD, "LOCKED"),
        (OperationalError("x", {}, Said(1213, "deadlock")), Kind.HELD, "LOCKED"),
        (OperationalError("x", {}, Said(1045, "access denied")), Kind.MISFIT, "ACCESS_DENIED"),
        (OperationalError("x", {}, Said(2013, "lost connection")), Kind.DOWN, "UNREACHABLE"),
        (DBAPIError("x", {}, Said(1146, "no table")), Kind.MISFIT, "NO_SUCH_TABLE"),
        (DBAPIError("x", {}, Said(1406, "too long")), Kind.REFUSED, "REFUSED"),
        (ModuleNotFoundError("aiomysql", name="aiomysql"), Kind.MISFIT, "NO_DRIVER"),
        (ConnectionRefusedError(111, "refused"), Kind.DOWN, "UNREACHABLE"),
    ],
)
def test_each_driver_says_in_its_own_way_what_is_wrong(error: Exception, kind: Kind, code: str) -> None:
    found = trouble_of(error)
    assert found is not None
    assert (found.kind, found.code) == (kind, code)


def test_an_error_that_no_database_made_is_left_alone() -> None:
    assert trouble_of(KeyError("id")) is None


# --- house-keeping


async def test_every_call_asks_the_quota_and_is_told_of(shared: Shared, time: FakeTime) -> None:
    told: list[tuple[str, str, str]] = []
    quota = UnlimitedQuota(time)
    around = msgspec.structs.replace(
        surroundings(time), quota=quota, observe=lambda platform, name, outcome, _: told.append((platform, name, outcome))
    )
    connector = SelfgovConnector(SelfgovSettings.model_validate({"url": shared.url}), around)
    await Reader(connector).run()
    await connector.ensure(SCORED, "key", unknown_since=None)
    assert told == [
        ("selfgov", "read zz_result", "OK"),
        ("selfgov", "put score", "OK"),
    ]
    assert quota.calls == 2
    await connector.close()


async def test_in_simulated_time_it_works_in_the_threads_of_its_caller(shared: Shared, time: FakeTime) -> None:
    around = msgspec.structs.replace(surroundings(time), inline=True)
    for inline in (True, False):
        connector = SelfgovConnector(
            SelfgovSettings.model_validate({"url": shared.url}), msgspec.structs.replace(around, inline=inline)
        )
        threads: set[int] = set()
        event.listen(engine_of(connector), "begin", lambda _connection, seen=threads: seen.add(threading.get_ident()))
        await connector.fetch("SelfReport", ["1"])
        assert (threads == {threading.get_ident()}) is inline
        await connector.close()


def test_no_text_of_the_settings_shows_the_password() -> None:
    settings = SelfgovSettings.model_validate({"url": "mysql://hub:geheim@exchange.example/zizhi"})
    assert "geheim" not in f"{settings!r} {settings} {settings.database}"
    assert settings.database.drivername == "mysql+aiomysql"
    assert settings.settling == timedelta(seconds=300)


@pytest.mark.parametrize(
    ("url", "drivername", "database", "query"),
    [
        ("postgresql+psycopg2://hub:x@host/zizhi?sslmode=require", "postgresql+asyncpg", "zizhi", {"ssl": "require"}),
        ("postgresql://hub:x@host/zizhi?ssl=require", "postgresql+asyncpg", "zizhi", {"ssl": "require"}),
        ("mysql+pymysql://hub:x@host/zizhi?charset=utf8mb4", "mysql+aiomysql", "zizhi", {"charset": "utf8mb4"}),
        ("mariadb+mariadbconnector://hub:x@host/zizhi", "mysql+aiomysql", "zizhi", {}),
        ("sqlite+aiosqlite:////srv/zizhi.sqlite?timeout=5", "sqlite+pysqlite", "/srv/zizhi.sqlite", {}),
    ],
)
def test_any_sqlalchemy_url_will_do_and_our_driver_takes_the_place_of_theirs(
    url: str, drivername: str, database: str, query: dict[str, str]
) -> None:
    taken = SelfgovSettings.model_validate({"url": url}).database
    assert (taken.drivername, taken.database, dict(taken.query)) == (drivername, database, query)
