"""An OpenID provider for tests: real keys, and a real HTTP server that shows them; it can be slow, wrong or gone."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from hub.access.claims import ClaimRules
from hub.access.key_sources import source_of
from hub.access.signing_keys import SigningKeys
from hub.access.tokens import TokenRules, Tokens
from hub.web.serving import address_of, listen, serving

NOW = datetime(2026, 11, 27, 2, 0, tzinfo=UTC)
AUDIENCE = "bihuan"
Key = RSAKey | ECKey | OKPKey | OctKey


class Provider:
    """`issuer` is its address. `shown` are the keys in its JWKS."""

    def __init__(self) -> None:
        self.issuer = ""
        self.now = NOW
        self.shown: list[Any] = []
        self.asked = 0
        self.status = 200
        self.content: bytes | None = None
        self.hangs: asyncio.Event | None = None
        self.named: str | None = None
        """What the discovery document says as its issuer, where that is not its own."""

    def clock(self) -> datetime:
        return self.now

    async def discovery(self, _request: Request) -> Response:
        return JSONResponse({"issuer": self.named or self.issuer, "jwks_uri": f"{self.issuer}/jwks"})

    async def jwks(self, _request: Request) -> Response:
        self.asked += 1
        if self.hangs is not None:
            await self.hangs.wait()
        if self.content is not None:
            return Response(self.content, self.status)
        keys = [each if isinstance(each, dict) else each.as_dict(private=False) for each in self.shown]
        return JSONResponse({"keys": keys}, self.status)

    def token(self, key: Any, algorithm: str = "RS256", header: dict[str, Any] | None = None, **claims: Any) -> str:
        """Return a token that holds, apart from what is told; a claim that is None is left out."""
        now = int(self.now.timestamp())
        whole = {"iss": self.issuer, "aud": AUDIENCE, "sub": "lou", "scope": "openid graph:read", "iat": now, "exp": now + 300}
        told = {name: value for name, value in (whole | claims).items() if value is not None}
        head = {"alg": algorithm, "typ": "at+jwt", "kid": key.kid} | (header or {})
        plain = {name: value for name, value in head.items() if value is not None}
        return jwt.encode(plain, told, key, algorithms=[algorithm])

    def tokens(self, place: str | None = None, *, claims: ClaimRules | None = None, skew: float = 30) -> Tokens:
        """Return what verifies its tokens."""
        keys = SigningKeys(
            source_of(self.issuer, place),
            clock=self.clock,
            reload_every=timedelta(seconds=30),
            refresh_every=timedelta(seconds=600),
        )
        algorithms = ("RS256", "PS256", "ES256", "Ed25519")
        rules = TokenRules(self.issuer, (AUDIENCE, "other"), algorithms, timedelta(seconds=skew), claims or ClaimRules())
        return Tokens(rules, keys, self.clock)

    def later(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@contextlib.asynccontextmanager
async def running_provider() -> AsyncIterator[Provider]:
    """Serve a provider on loopback."""
    provider = Provider()
    listening = listen("127.0.0.1", 0)
    provider.issuer = address_of(listening)
    routes = [Route("/.well-known/openid-configuration", provider.discovery), Route("/jwks", provider.jwks)]
    async with serving(Starlette(routes=routes), listening):
        yield provider


def rsa(kid: str, bits: int = 2048) -> RSAKey:
    return RSAKey.generate_key(bits, {"kid": kid, "use": "sig"})
