"""The same contract with the exchange database on a PostgreSQL, and on a MySQL or MariaDB where one is installed."""

import contextlib
from collections.abc import AsyncIterator, Callable, Iterator

import pytest

from tests.contract import test_connector_contract as contract
from tests.contract.cases import FakeTime, PlatformCases
from tests.contract.selfgov_cases import SelfgovCases
from tests.mysql_server import MySQLServer, mysql_server, server_binary
from tests.servers import PostgreSQLServer, lent

Fresh = Callable[[], contextlib.AbstractAsyncContextManager[str]]


@pytest.fixture(scope="module")
def mysql() -> Iterator[MySQLServer]:
    if server_binary() is None:
        pytest.skip("no MySQL or MariaDB server is installed here")
    with mysql_server() as server:
        yield server


class OnServer(SelfgovCases):
    """The cases of the self-governance system with databases that a server lends."""

    def __init__(self, lend: Fresh) -> None:
        super().__init__()
        self._lend = lend
        self._lent = contextlib.ExitStack()

    def fresh(self) -> str:
        return self._lent.enter_context(lent(self._lend()))

    async def close(self) -> None:
        await self.let_go()
        self._lent.close()


class ServerContract(contract.TestConnectorContract):
    """The contract; a subclass says on which server."""

    __test__ = False

    @pytest.fixture
    def time(self) -> FakeTime:
        return FakeTime()


class TestOnPostgreSQL(ServerContract):
    __test__ = True

    @pytest.fixture
    async def cases(self, postgresql: PostgreSQLServer) -> AsyncIterator[PlatformCases]:
        found = OnServer(lambda: postgresql.fresh("template1"))
        yield found
        await found.close()


class TestOnMySQL(ServerContract):
    __test__ = True

    @pytest.fixture
    async def cases(self, mysql: MySQLServer) -> AsyncIterator[PlatformCases]:
        found = OnServer(mysql.fresh)
        yield found
        await found.close()
