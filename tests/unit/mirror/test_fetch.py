"""Statements in the driver's own words, on both databases."""

import pytest

from hub.mirror.database import Database, DatabaseUnavailable, PostgreSQLDatabase
from hub.mirror.driver import Reading, StatementRefused


def both() -> Reading[int]:
    one = yield "SELECT 1", ()
    two = yield "SELECT 2", ()
    return int(one[0][0]) + int(two[0][0])


def wrong() -> Reading[None]:
    yield "SELECT 1 FROM nowhere", ()


def broken() -> Reading[None]:
    yield "SELECT 1", ()
    raise KeyError("ours")


async def test_each_statement_is_sent_its_rows(database: Database) -> None:
    assert await database.fetch(both) == 3


async def test_a_wrong_statement_is_refused_and_leaves_the_connection_usable(database: Database) -> None:
    for _ in range(20):  # more often than there are connections
        with pytest.raises(StatementRefused, match="nowhere"):
            await database.fetch(wrong)
        with pytest.raises(KeyError, match="ours"):
            await database.fetch(broken)
    assert await database.fetch(both) == 3


async def test_on_a_server_all_statements_see_one_snapshot_and_change_nothing(postgresql_database: PostgreSQLDatabase) -> None:
    def told() -> Reading[tuple[str, str]]:
        isolation = yield "SHOW transaction_isolation", ()
        read_only = yield "SHOW transaction_read_only", ()
        return isolation[0][0], read_only[0][0]

    assert await postgresql_database.fetch(told) == ("repeatable read", "on")


async def test_a_server_that_goes_away_meanwhile_is_unavailable(postgresql_database: PostgreSQLDatabase) -> None:
    def ended() -> Reading[None]:
        yield "SELECT pg_terminate_backend(pg_backend_pid())", ()

    with pytest.raises(DatabaseUnavailable):
        await postgresql_database.fetch(ended)
    assert await postgresql_database.fetch(both) == 3
