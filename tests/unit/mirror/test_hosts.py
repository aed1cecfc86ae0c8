"""Several servers in one URL: whoever answers and takes writes is found, and the dead cost only their own time."""

import socket

import pytest
from sqlalchemy import Connection, text

from hub.mirror import hosts
from hub.mirror.database import DatabaseUnavailable, PostgreSQLDatabase
from hub.mirror.hosts import Hosts, NoServer
from tests.servers import PostgreSQLServer, elsewhere


@pytest.mark.parametrize(
    ("url", "places", "wanted"),
    [
        ("postgresql://u:p@h/n", [("h", None)], "any"),
        ("postgresql://u:p@h:6432/n", [("h", 6432)], "any"),
        ("postgresql+asyncpg://u:p@h1:1,h2:2/n", [("h1", 1), ("h2", 2)], "read-write"),
        ("postgresql://h1,h2/n", [("h1", 5432), ("h2", 5432)], "read-write"),
        ("postgresql://u:p%40@[::1]:1,[::2]/n?target_session_attrs=primary", [("::1", 1), ("::2", 5432)], "primary"),
        ("postgresql://u@/n?host=h1:1&host=h2:2", [("h1", 1), ("h2", 2)], "read-write"),
        ("postgresql://u@/n?host=/run/postgresql", [("/run/postgresql", None)], "any"),
    ],
)
def test_a_url_names_hosts_and_what_is_wanted_of_them(url: str, places: list[object], wanted: str) -> None:
    found = Hosts(url)
    assert found._places == places
    assert found._given["target_session_attrs"] == wanted
    assert found._given["database"] == "n"


def test_a_host_that_is_none_is_named() -> None:
    with pytest.raises(ValueError, match="'h2:none' is no host:port"):
        Hosts("postgresql://h1:1,h2:none/n")


async def test_a_machine_that_never_answers_costs_only_its_own_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hosts, "CONNECT_SECONDS", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as silent, socket.create_server(("127.0.0.1", 0)) as other:
        ports = [each.getsockname()[1] for each in (silent, other)]
        wanted = Hosts(f"postgresql://u@127.0.0.1:{ports[0]},127.0.0.1:{ports[1]}/n?ssl=disable")
        with pytest.raises(NoServer, match=r"127\.0\.0\.1: TimeoutError; 127\.0\.0\.1: TimeoutError"):
            await wanted.connect()


async def test_a_server_that_refuses_the_password_or_the_name_is_unavailable_and_says_so(
    postgresql_database: PostgreSQLDatabase,
) -> None:
    url = postgresql_database.engine.url.set(drivername="postgresql", database="no_such_name")
    other = PostgreSQLDatabase(url.render_as_string(hide_password=False))
    with pytest.raises(DatabaseUnavailable, match="no_such_name"):
        await other.read(lambda connection: connection.execute(text("SELECT 1")))
    await other.close()


async def test_what_the_server_says_on_a_connection_outside_the_pool_is_unavailable_too(
    postgresql_database: PostgreSQLDatabase,
) -> None:
    with pytest.raises(DatabaseUnavailable):
        async with postgresql_database.connection() as connection:
            await connection.execute("SELECT pg_terminate_backend(pg_backend_pid())")
    with pytest.raises(DatabaseUnavailable, match="TimeoutError"):
        async with postgresql_database.connection() as connection:
            await connection.execute("SELECT pg_sleep(60)", timeout=0.05)


async def test_a_process_that_is_suspended_in_the_middle_of_a_transaction_gives_its_locks_up(
    postgresql: PostgreSQLServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hosts, "ABANDONED_SECONDS", 0.5)
    take = text("INSERT INTO lease (name, until, last_run_at) VALUES ('a', 0, 0) ON CONFLICT (name) DO UPDATE SET until = 1")
    taken: list[str] = []
    async with postgresql.fresh() as url:

        async def another() -> None:
            other = PostgreSQLDatabase(url, connections=1)
            await other.write(lambda connection: connection.execute(take))
            await other.close()

        def suspended(connection: Connection) -> None:
            connection.execute(take)
            elsewhere(another())  # nothing else of this process goes on meanwhile
            taken.append("by another")

        mine = PostgreSQLDatabase(url, connections=1)
        with pytest.raises(DatabaseUnavailable):
            await mine.write(suspended)
        assert taken == ["by another"]
        await mine.write(lambda connection: connection.execute(take))  # it goes on as if nothing had been
        await mine.close()
