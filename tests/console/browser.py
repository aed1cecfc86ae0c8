"""A Chromium of the system, and pages that take note of what must not happen: errors, and requests to anybody but the hub."""

import contextlib
import os
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, ConsoleMessage, Page, Request, Response, async_playwright, expect

from hub.web.console import BUILT

PICTURES = os.environ.get("BIHUAN_PICTURES")
"""Folder that screenshots are put into; none are taken without it."""
AXE = BUILT.parent / "node_modules" / "axe-core" / "axe.min.js"
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
PATIENCE = 180_000
"""Milliseconds until something is missing for good; it is there in a fraction of a second on an idle machine."""
expect.set_options(timeout=PATIENCE)


def chromium() -> str:
    """Return the program; skip the test where it cannot run."""
    if not (BUILT / "index.html").exists():
        pytest.skip("the console is not built: npm could not be reached when the package was installed")
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        pytest.skip("no Chromium is installed; on Debian: apt-get install chromium")
    return found


@dataclass
class Seen:
    """A page, and what it did."""

    page: Page
    address: str
    errors: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    received: dict[str, int] = field(default_factory=dict)
    """Bytes of each file of the console as they were sent, by address."""

    @property
    def foreign(self) -> list[str]:
        """Return what was asked of anybody but the hub."""
        return [each for each in self.requests if urlsplit(each).netloc != urlsplit(self.address).netloc and ":" in each[:6]]

    async def go(self, page: str) -> None:
        """Go to a page of the console: `obligations?state=STUCK`."""
        await self.page.goto(f"{self.address}/console/#/{page}")

    async def violations(self) -> list[str]:
        """Return what breaks WCAG 2.2 AA by axe-core; skip where that is not installed."""
        if not AXE.exists():
            pytest.skip("axe-core is not there: npm ci in hub/console")
        await self.page.wait_for_timeout(700)  # colours that fade in have no contrast of their own yet
        await self.page.evaluate(AXE.read_text())
        told: dict[str, Any] = await self.page.evaluate(
            "rules => axe.run(document, {runOnly: {type: 'tag', values: rules}, resultTypes: ['violations']})", WCAG
        )
        return [f"{each['id']}: {node['html'][:160]}" for each in told["violations"] for node in each["nodes"]]

    async def picture(self, name: str) -> None:
        """Take a screenshot where that was asked for."""
        if PICTURES:
            await self.page.wait_for_timeout(1500)  # charts and fonts
            await self.page.screenshot(path=str(Path(PICTURES) / f"{name}.png"))

    def note_request(self, request: Request) -> None:
        """Note who is asked."""
        if not request.url.startswith(("data:", "blob:")):
            self.requests.append(request.url)

    def note_response(self, response: Response) -> None:
        """Note how much came."""
        if "/console/" in response.url:
            self.received[response.url] = int(response.headers.get("content-length", "0"))


def _where(message: ConsoleMessage) -> str:
    return f"{message.text} ({message.location.get('url', '')})"


@contextlib.asynccontextmanager
async def started() -> AsyncIterator[Browser]:
    """Start Chromium; stop it in the end."""
    program = chromium()
    async with async_playwright() as playwright:
        flags = ["--no-sandbox", "--disable-background-networking"]
        browser = await playwright.chromium.launch(executable_path=program, args=flags)
        yield browser
        await browser.close()


@contextlib.asynccontextmanager
async def opened(browser: Browser, address: str, key: str | None, **options: Any) -> AsyncIterator[Seen]:
    """Open a browser window of its own, signed in with `key`; close it in the end."""
    given = {"viewport": {"width": 1280, "height": 800}, "locale": "en-US", **options}
    context = await browser.new_context(**given)
    context.set_default_timeout(PATIENCE)
    if key is not None:
        await context.add_init_script(f"sessionStorage.getItem('bihuan.key') ?? sessionStorage.setItem('bihuan.key', '{key}')")
    page = await context.new_page()
    seen = Seen(page, address)
    page.on("console", lambda message: seen.errors.append(_where(message)) if message.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: seen.errors.append(str(error)))
    page.on("request", seen.note_request)
    page.on("response", seen.note_response)
    page.on("websocket", lambda socket: seen.requests.append(socket.url))
    try:
        yield seen
    finally:
        await context.close()
