"""How the console's files are sent: small, kept for ever where their name says what is in them, and under a strict policy."""

import gzip
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware

from hub.web.base_path import BasePath
from hub.web.console import console_routes

SCRIPT = b"console.log('a script of the console')"


@pytest.fixture
def built(tmp_path: Path) -> Path:
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text("<!doctype html><title>console</title>")
    (tmp_path / "assets" / "index-abc.js").write_bytes(SCRIPT)
    (tmp_path / "assets" / "index-abc.js.gz").write_bytes(gzip.compress(SCRIPT))
    (tmp_path / "assets" / "index-abc.js.br").write_bytes(b"brotli")
    return tmp_path


def browser(folder: Path, base: str = "") -> httpx.AsyncClient:
    app = Starlette(routes=console_routes(folder), middleware=[Middleware(BasePath, base=base)] if base else [])
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://hub", headers={"accept-encoding": "identity"})


async def test_what_has_its_digest_in_its_name_is_kept_for_ever_and_the_page_is_asked_for_each_time(built: Path) -> None:
    async with browser(built) as client:
        page, script = await client.get("/console/"), await client.get("/console/assets/index-abc.js")
    assert (page.status_code, page.headers["cache-control"]) == (200, "no-cache")
    assert script.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert script.content == SCRIPT


@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [("gzip, deflate, br", "br"), ("gzip", "gzip"), ("br;q=0, gzip", "gzip"), ("identity", None), ("br;q=0.5", "br")],
)
async def test_a_file_is_sent_as_small_as_the_browser_takes_it(built: Path, accepted: str, encoding: str | None) -> None:
    async with (
        browser(built) as client,
        client.stream("GET", "/console/assets/index-abc.js", headers={"accept-encoding": accepted}) as answer,
    ):
        raw = b"".join([each async for each in answer.aiter_raw()])
    assert answer.headers.get("content-encoding") == encoding
    assert answer.headers["content-type"].startswith("text/javascript")
    assert answer.headers["vary"] == "accept-encoding"
    assert raw == {"br": b"brotli", "gzip": gzip.compress(SCRIPT), None: SCRIPT}[encoding] or encoding == "gzip"


async def test_nothing_but_the_hub_may_be_asked_by_the_page(built: Path) -> None:
    async with browser(built) as client:
        policy = (await client.get("/console/")).headers["content-security-policy"].split("; ")
    assert {"default-src 'none'", "script-src 'self'", "connect-src 'self'", "frame-ancestors 'none'"} <= set(policy)
    assert not [each for each in policy if "http" in each or "*" in each or "unsafe-eval" in each]


@pytest.mark.parametrize("asked", ["../secret", "%2e%2e/secret", "assets/../../secret", "none.js"])
async def test_nothing_beside_the_built_files_is_sent(built: Path, asked: str) -> None:
    (built.parent / "secret").write_text("no")
    async with browser(built) as client:
        assert (await client.get(f"/console/{asked}")).status_code == 404


async def test_behind_a_base_path_the_page_is_found_with_and_without_it(built: Path) -> None:
    async with browser(built, "/bihuan") as client:
        assert (await client.get("/console")).headers["location"] == "/bihuan/console/"
        for address in ("/bihuan/console/", "/console/"):
            assert "console" in (await client.get(address)).text


async def test_where_it_was_not_built_the_page_says_how(tmp_path: Path) -> None:
    async with browser(tmp_path) as client:
        answer = await client.get("/console/")
    assert answer.status_code == 503
    assert "npm --prefix hub/console ci" in answer.text


async def test_without_a_provider_people_sign_in_by_key_only(built: Path) -> None:
    async with browser(built) as client:
        assert (await client.get("/console/sign-in")).json() is None
