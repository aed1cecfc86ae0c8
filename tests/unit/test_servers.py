import subprocess
import sys
import uuid

import pytest

from tests.servers import PostgreSQLServer, elsewhere, postgresql_server

OTHER = """
from tests.servers import postgresql_server
with postgresql_server():
    print("there", flush=True)
    input()
"""


@pytest.fixture(autouse=True)
def a_run_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_XDIST_TESTRUNUID", uuid.uuid4().hex)


def test_a_server_stays_as_long_as_anyone_in_the_process_uses_it() -> None:
    with postgresql_server() as server:
        with postgresql_server():
            pass
        elsewhere(_used(server))


def test_a_process_that_comes_back_to_the_server_is_counted_again() -> None:
    with subprocess.Popen([sys.executable, "-c", OTHER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "there\n"
        with postgresql_server():
            pass
        with postgresql_server() as server:
            other.communicate("\n")  # it was the first, and goes
            elsewhere(_used(server))


async def _used(server: PostgreSQLServer) -> None:
    async with server.fresh():
        pass
