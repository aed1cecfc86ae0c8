"""Where people sign in for the console: the endpoints of the OpenID provider, as its discovery document names them.

The page itself asks for the token (code flow with PKCE, RFC 7636); the hub never sees a password, a code or a client's secret.
"""

import asyncio
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

import httpx
import structlog

from hub.access.key_sources import discovered

log = structlog.get_logger()
KEPT_SECONDS = 60.0
"""Whoever opens the page makes the provider be asked no oftener than that."""


def origin_of(url: str) -> str:
    """Return the origin of an address, as browsers name it."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


class SignIn:
    """Tells where to sign in as `client_id`, asking for `scope`; `monotonic` counts seconds."""

    def __init__(self, issuer: str, client_id: str, scope: str, monotonic: Callable[[], float]) -> None:
        self._issuer, self._client_id, self._scope, self._monotonic = issuer, client_id, scope, monotonic
        self._told: Mapping[str, str] | None = None
        self._until = float("-inf")
        self._one = asyncio.Lock()

    @property
    def origin(self) -> str:
        """Return the one origin beside the hub that the page may ask: the issuer's."""
        return origin_of(self._issuer)

    async def __call__(self) -> Mapping[str, str] | None:
        """Return the endpoints; None while the provider cannot be asked, or asks for tokens at another origin than its own."""
        async with self._one:
            if self._monotonic() >= self._until:
                self._told = await self._ask()
                self._until = self._monotonic() + KEPT_SECONDS
        return self._told

    async def _ask(self) -> Mapping[str, str] | None:
        try:
            document = await discovered(self._issuer)
        except (OSError, httpx.HTTPError, ValueError) as error:
            log.warning("people cannot sign in at the provider now; application keys go on", issuer=self._issuer, error=repr(error))
            return None
        authorization, token = document.get("authorization_endpoint"), document.get("token_endpoint")
        if not isinstance(authorization, str) or not isinstance(token, str) or origin_of(token) != self.origin:
            log.warning("the provider's endpoints cannot be used by the console", issuer=self._issuer, token_endpoint=token)
            return None
        return {
            "authorizationEndpoint": authorization,
            "tokenEndpoint": token,
            "clientId": self._client_id,
            "scope": self._scope,
        }
