"""The explorer in a real browser: an example runs, the schema's documentation is there, and nobody but the hub is asked."""

import asyncio

import pytest
from playwright.async_api import Browser, Route, expect

from hub.web.explorer import BUILT
from tests.console.browser import opened
from tests.console.city import ConsoleCity

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(not (BUILT / "index.html").exists(), reason="the explorer is not built; docs/explorer.md says how"),
]
OURS = ("entrance", 'id="key"', '<button type="submit">Use')
"""What of the page is the hub's; the rest is GraphiQL's."""


async def test_an_example_runs_and_the_documentation_is_at_hand(browser: Browser, city: ConsoleCity) -> None:
    async with opened(browser, city.address, None) as seen:
        await seen.page.route("**/assets/monaco-editor-*.js", late)
        await seen.page.goto(f"{city.address}/explorer")
        await seen.page.get_by_label("Application key").fill(city.key)
        await seen.page.get_by_role("button", name="Use").click()
        await expect(seen.page.get_by_role("tab")).not_to_have_count(0)
        await seen.page.get_by_role("button", name="Execute query").click()
        await expect(seen.page.locator(".graphiql-response")).to_contain_text("matterName")
        await seen.page.get_by_role("button", name="Show Documentation Explorer").click()
        await expect(seen.page.locator(".graphiql-doc-explorer")).to_contain_text("Query")
        await seen.picture("explorer")
        ours = [each for each in await seen.violations() if any(mark in each for mark in OURS)]
        assert (ours, seen.errors, seen.foreign) == ([], [], [])


async def late(route: Route) -> None:
    """Let the editor come two seconds after the page, as over a slow line: who clicks early must not click in vain."""
    await asyncio.sleep(2)
    await route.continue_()
