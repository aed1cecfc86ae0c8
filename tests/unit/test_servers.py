import uuid

import pytest

from tests.servers import postgresql_server


async def test_a_server_stays_as_long_as_anyone_in_the_process_uses_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_XDIST_TESTRUNUID", uuid.uuid4().hex)
    with postgresql_server() as server:
        with postgresql_server():
            pass
        async with server.fresh():
            pass
