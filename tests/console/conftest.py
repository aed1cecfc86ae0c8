"""One city and one browser for the tests of a module."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from tests.console.browser import chromium, started
from tests.console.city import ConsoleCity, console_city


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with started() as ready:
        yield ready


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def city(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ConsoleCity]:
    chromium()  # skip before anything is started
    async with console_city(tmp_path_factory.mktemp("console")) as ready:
        yield ready
