"""The credit platform's access token (credit.md, Access): kept, renewed ahead of its end, fetched once for all who wait for it."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import msgspec

from connectors.base import Clock
from connectors.errors import TransientError

MINUTE = timedelta(minutes=1)


class Token(msgspec.Struct, frozen=True):
    """An answer of the token endpoint."""

    access_token: str
    expires_in: float


class TokenKeeper:
    """Holds one token. `fetch` asks the platform for a new one; at most `a_minute` times a minute, or TransientError is raised.

    The limit is kept by this process; what other processes ask for beside it, the platform answers with 429.
    """

    def __init__(
        self, platform: str, fetch: Callable[[], Awaitable[Token]], clock: Clock, *, ahead: timedelta, a_minute: int
    ) -> None:
        self._platform, self._fetch, self._clock, self._ahead, self._a_minute = platform, fetch, clock, ahead, a_minute
        self._token: str | None = None
        self._renew_at: datetime | None = None
        self._asked: list[datetime] = []
        self._renewing: asyncio.Task[str] | None = None

    async def current(self) -> str:
        """Return a token that is good for a while; callers that wait at the same time share one call."""
        if self._token is not None and self._renew_at is not None and self._clock() < self._renew_at:
            return self._token
        if self._renewing is None:
            self._renewing = asyncio.create_task(self._renew())
            self._renewing.add_done_callback(self._renewed)
        return await asyncio.shield(self._renewing)

    def drop(self, token: str) -> None:
        """Forget a token that the platform no longer takes; a newer one stays."""
        if self._token == token:
            self._token = None

    def close(self) -> None:
        """Stop a renewal under way."""
        if self._renewing is not None:
            self._renewing.cancel()

    async def _renew(self) -> str:
        now = self._clock()
        # Moments in the future are from before a clock was set back: they must not lock us out.
        self._asked = [moment for moment in self._asked if timedelta(0) <= now - moment < MINUTE]
        if len(self._asked) >= self._a_minute:
            rest = (self._asked[0] + MINUTE - now).total_seconds()
            raise TransientError(self._platform, "TOKEN_LIMIT", "tokens were asked for too often within a minute", rest)
        self._asked.append(now)
        token = await self._fetch()
        lifetime = timedelta(seconds=max(0.0, token.expires_in))
        self._token, self._renew_at = token.access_token, now + lifetime - min(self._ahead, lifetime / 2)
        return token.access_token

    def _renewed(self, done: asyncio.Task[str]) -> None:
        self._renewing = None
        if not done.cancelled():
            done.exception()  # seen, also when everyone who waited for it has gone
