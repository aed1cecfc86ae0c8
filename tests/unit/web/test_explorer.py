"""The explorer is served from the package's own files, tells the browser to ask nobody else, and is off in production."""

import re
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from hub.settings import HubSettings, load_settings
from hub.web.explorer import BUILT, explorer_routes
from tests.unit.test_settings import complete

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "graph.md"


def browser_of(folder: Path) -> httpx.AsyncClient:
    served = httpx.ASGITransport(Starlette(routes=explorer_routes(folder)))
    return httpx.AsyncClient(transport=served, base_url="http://hub", follow_redirects=True)


@pytest.mark.parametrize(
    ("production", "explorer", "is_on"),
    [("true", None, False), ("false", None, True), ("true", "true", True), ("false", "false", False)],
)
def test_it_is_off_in_production_unless_a_setting_says_otherwise(production: str, explorer: str | None, is_on: bool) -> None:
    own: HubSettings = load_settings(complete(HUB_PRODUCTION=production, HUB_EXPLORER=explorer)).hub
    assert own.explored is is_on


async def test_its_files_are_served_with_a_policy_that_knows_this_hub_only(tmp_path: Path) -> None:
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text("<!doctype html><script src=./assets/a.js></script>")
    (tmp_path / "assets" / "a.js").write_text("1")
    async with browser_of(tmp_path) as browser:
        page = await browser.get("/explorer")
        assert (page.status_code, page.url.path) == (200, "/explorer/")
        script = await browser.get("/explorer/assets/a.js")
        assert (script.text, "immutable" in script.headers["cache-control"]) == ("1", True)
        assert (await browser.get("/explorer/nothing")).status_code == 404
    allowed = set(re.findall(r"https?:|wss?:|\*|'[\w-]+'|data:|blob:", page.headers["content-security-policy"]))
    assert allowed == {"'none'", "'self'", "'unsafe-inline'", "data:"}
    assert "script-src 'self';" in page.headers["content-security-policy"]


async def test_where_it_was_not_built_it_says_how_to_build_it(tmp_path: Path) -> None:
    async with browser_of(tmp_path) as browser:
        told = await browser.get("/explorer/")
    assert (told.status_code, "npm --prefix hub/explorer run build" in told.text) == (503, True)


@pytest.mark.skipif(not (BUILT / "index.html").exists(), reason="the explorer is not built; docs/explorer.md says how")
def test_what_was_built_asks_no_other_host_and_has_the_pages_queries() -> None:
    page = (BUILT / "index.html").read_text()
    assert re.findall(r"(?:src|href)=\"(?!\./|data:)", page) == []
    styles = "".join(path.read_text() for path in BUILT.glob("assets/*.css"))
    assert re.findall(r"url\(\s*[\"']?(?!data:|\./|[\w-]+\.)", styles) == []
    scripts = "".join(path.read_text() for path in BUILT.glob("assets/index-*.js"))
    for name in re.findall(r"```graphql\n(?:query|subscription) (\w+)", PAGE.read_text()):
        assert f"{name}" in scripts
