"""Where the console sends people to sign in: what the provider's discovery document says, and never to another origin."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from hub.access import key_sources
from hub.access.sign_in import KEPT_SECONDS, SignIn
from hub.web.console import console_routes
from hub.web.serving import address_of, listen, serving


class Place:
    """A provider's discovery document, and how often it was asked for."""

    def __init__(self) -> None:
        self.issuer, self.asked, self.changes = "", 0, dict[str, Any]()

    async def discovery(self, _request: Request) -> Response:
        self.asked += 1
        plain = {"issuer": self.issuer, "jwks_uri": f"{self.issuer}/jwks", "authorization_endpoint": f"{self.issuer}/auth"}
        return JSONResponse({**plain, "token_endpoint": f"{self.issuer}/token", **self.changes})


@pytest.fixture
async def place(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Place]:
    monkeypatch.setattr(key_sources, "SECONDS", 120.0)  # a busy machine is no provider that is down
    found = Place()
    app = Starlette(routes=[Route("/.well-known/openid-configuration", found.discovery)])
    with contextlib.closing(listen("127.0.0.1", 0)) as listening:
        found.issuer = address_of(listening)
        async with serving(app, listening):
            yield found


async def test_the_endpoints_are_those_of_the_provider_and_it_is_asked_once_a_minute(place: Place) -> None:
    now = 0.0
    sign_in = SignIn(place.issuer, "console", "openid", lambda: now)
    told = await sign_in()
    assert told == {
        "authorizationEndpoint": f"{place.issuer}/auth",
        "tokenEndpoint": f"{place.issuer}/token",
        "clientId": "console",
        "scope": "openid",
    }
    now = KEPT_SECONDS - 1
    assert (await sign_in(), place.asked) == (told, 1)
    now = KEPT_SECONDS
    assert (await sign_in(), place.asked) == (told, 2)


@pytest.mark.parametrize(
    "changes",
    [{"token_endpoint": "https://elsewhere.example/token"}, {"token_endpoint": None}, {"issuer": "https://elsewhere.example"}],
)
async def test_a_provider_that_says_otherwise_is_not_offered(place: Place, changes: dict[str, Any]) -> None:
    place.changes = changes
    assert await SignIn(place.issuer, "console", "openid", lambda: 0.0)() is None


async def test_a_provider_that_does_not_answer_leaves_the_key() -> None:
    assert await SignIn("http://127.0.0.1:9", "console", "openid", lambda: 0.0)() is None


async def test_the_page_may_ask_the_provider_and_nobody_else(place: Place, tmp_path: Any) -> None:
    (tmp_path / "index.html").write_text("<!doctype html>")
    app = Starlette(routes=console_routes(tmp_path, SignIn(place.issuer, "console", "openid", lambda: 0.0)))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://hub") as client:
        assert (await client.get("/console/sign-in")).json()["clientId"] == "console"
        policy = (await client.get("/console/")).headers["content-security-policy"]
    assert f"connect-src 'self' {place.issuer};" in policy
