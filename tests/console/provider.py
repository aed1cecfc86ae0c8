"""An OpenID provider that people sign in at: a page with a form, codes that hold once, PKCE and CORS as browsers ask for them."""

import base64
import contextlib
import hashlib
import secrets
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from html import escape
from typing import Any
from urllib.parse import parse_qsl, urlencode

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from hub.web.serving import address_of, listen, serving
from tests.unit.access.provider import Provider, rsa

CLIENT = "console"
FORM = """<!doctype html><html lang="en"><title>City account</title><main><h1>City account</h1>
<form method="post"><label>Name <input name="name"></label><button name="answer" value="yes">Continue</button>
<button name="answer" value="no">Cancel</button>{hidden}</form></main></html>"""


class SignInProvider(Provider):
    """Knows one public client, the console at `redirect`; `roles` are given to whoever signs in."""

    def __init__(self) -> None:
        super().__init__()
        self.key = rsa("now")
        self.shown = [self.key]
        self.redirect = ""
        self.roles = ["operator"]
        self.asked_for: dict[str, str] = {}
        self.refused: list[str] = []
        self._codes: dict[str, tuple[str, str]] = {}
        """By code: who signed in, and the challenge that the code was asked for with."""

    async def discovery(self, _request: Request) -> Response:
        """Name the endpoints."""
        own = {"authorization_endpoint": f"{self.issuer}/auth", "token_endpoint": f"{self.issuer}/token"}
        return JSONResponse({"issuer": self.issuer, "jwks_uri": f"{self.issuer}/jwks", **own})

    async def auth(self, request: Request) -> Response:
        """Show the form; send whoever fills it in back with a code."""
        if request.method == "GET":
            self.asked_for = asked = dict(request.query_params)
            if (asked.get("client_id"), asked.get("redirect_uri")) != (CLIENT, self.redirect):
                return HTMLResponse("unknown client or address", 400)
            fields = (f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">' for name, value in asked.items())
            return HTMLResponse(FORM.format(hidden="".join(fields)))
        form = dict(parse_qsl((await request.body()).decode()))
        if form["answer"] == "no":
            told = {"error": "access_denied", "error_description": "they did not want to", "state": form["state"]}
            return RedirectResponse(f"{self.redirect}?{urlencode(told)}", 303)
        code = secrets.token_urlsafe()
        self._codes[code] = (form["name"], form["code_challenge"])
        return RedirectResponse(f"{self.redirect}?{urlencode({'code': code, 'state': form['state']})}", 303)

    async def hand_out(self, request: Request) -> Response:
        """Give a token for a code, once, and only to whoever asked for the code."""
        form = dict(parse_qsl((await request.body()).decode()))
        name, challenge = self._codes.pop(form.get("code", ""), ("", ""))
        proof = base64.urlsafe_b64encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest()).decode().rstrip("=")
        good = name and proof == challenge and (form.get("client_id"), form.get("redirect_uri")) == (CLIENT, self.redirect)
        if not good or form.get("grant_type") != "authorization_code":
            self.refused.append(str(form))
            return JSONResponse({"error": "invalid_grant"}, 400)
        self.now = datetime.now(UTC)
        claims: dict[str, Any] = {"sub": name, "scope": "openid", "roles": self.roles}
        return JSONResponse({"access_token": self.token(self.key, **claims), "token_type": "Bearer", "expires_in": 300})


@contextlib.asynccontextmanager
async def sign_in_provider() -> AsyncIterator[SignInProvider]:
    """Serve a provider on loopback; any page may ask it, as far as the browser is concerned."""
    provider = SignInProvider()
    listening = listen("127.0.0.1", 0)
    provider.issuer = address_of(listening)
    routes = [
        Route("/.well-known/openid-configuration", provider.discovery),
        Route("/jwks", provider.jwks),
        Route("/auth", provider.auth, methods=["GET", "POST"]),
        Route("/token", provider.hand_out, methods=["POST"]),
        Route("/favicon.ico", lambda _request: Response(status_code=204)),  # else a browser complains
    ]
    cors = Middleware(CORSMiddleware, allow_origins=["*"], allow_methods=["POST"])
    async with serving(Starlette(routes=routes, middleware=[cors]), listening):
        yield provider
