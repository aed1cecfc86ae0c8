"""A command line on a household's settings, in this process, and a city of platforms. Fixtures: tests/unit/conftest.py."""

import asyncio
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner, Result

from connectors.registry import CONNECTORS
from hub.commands import app
from hub.demo_household import Household
from mocks.approval import ApprovalPlatform
from mocks.config import Config, built_platforms, complete_settings
from mocks.enforcement import EnforcementPlatform
from mocks.server import serve

BIHUAN = Path(sys.executable).with_name("bihuan")
PLATFORMS = list(CONNECTORS)
NOWHERE = "http://127.0.0.1:9"
Bihuan = Callable[..., Result]


@pytest.fixture
def household(tmp_path: Path) -> Household:
    return Household.of(tmp_path / "house")


@pytest.fixture
def bihuan(household: Household, no_logs: None, monkeypatch: pytest.MonkeyPatch) -> Bihuan:
    """Run a command with a household's settings, some of them changed, in this process."""

    def run(*arguments: str, urls: dict[str, str] | None = None, **changes: str) -> Result:
        since = {"HUB_APPROVAL_HISTORY_SINCE": f"{datetime.now(UTC) - timedelta(days=2):%Y-%m-%d}", "HUB_CREDIT_READ_ATTEMPTS": "1"}
        for name, value in (household.environment(urls or dict.fromkeys(PLATFORMS, NOWHERE)) | since | changes).items():
            monkeypatch.setenv(name, value)
        return CliRunner().invoke(app, list(arguments), env={"COLUMNS": "200"})

    return run


class City:
    """The platforms in a thread of their own, with one granted approval."""

    def __init__(self, household: Household) -> None:
        given = household.platforms_config(NOWHERE, 7) | {"data_dir": None}
        settings = complete_settings(msgspec.convert(given, Config))
        self._platforms = built_platforms(settings, clock=lambda: datetime.now(UTC), sleep=asyncio.sleep, seed=7)
        for platform in self._platforms:
            platform.faults = platform.faults.changed({"callbacks_off": True})
        self.approval = next(each for each in self._platforms if isinstance(each, ApprovalPlatform))
        self.enforcement = next(each for each in self._platforms if isinstance(each, EnforcementPlatform))
        self.serial = self.approval.grant(procedure="1")
        self.urls: dict[str, str] = {}
        self._ready, self._over = threading.Event(), asyncio.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        async with serve(self._platforms) as urls:
            self.urls = urls
            self._ready.set()
            await self._over.wait()

    def __enter__(self) -> "City":
        self._thread.start()
        assert self._ready.wait(20)
        return self

    def __exit__(self, *_error: object) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(20)


@pytest.fixture
def city(household: Household) -> Iterator[City]:
    with City(household) as running:
        yield running
