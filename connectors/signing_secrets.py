"""Which of several secrets signs our calls while one is changed: the newer first, the older where the platform refuses the newer.

Who changes a secret first is open, so that both must be configured for a while. A refusal for any other reason says nothing of the
secret. What one call finds out holds for the next ones; now and then the newest is tried first again.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from pydantic import SecretStr

from connectors.base import CALLS, Surroundings
from connectors.errors import ConnectorError

T = TypeVar("T")
NEWEST_AGAIN = timedelta(minutes=10)


class SecretRefused(ConnectorError):
    """The platform did not take the signature, and therefore did nothing."""


class SigningSecrets:
    """The secrets that sign our calls to one platform, the newest first."""

    def __init__(self, platform: str, secrets: Sequence[SecretStr], surroundings: Surroundings) -> None:
        self._platform, self._secrets, self._surroundings = platform, tuple(secrets), surroundings
        self._preferred = 0
        self._found_at: datetime | None = None

    async def signed(self, send: Callable[[str], Awaitable[T]]) -> T:
        """Return what `send(secret)` returns; it is called with each secret in turn while it raises SecretRefused.

        Raises the first refusal when every secret was refused: it names the newest.
        """
        refusals: list[SecretRefused] = []
        for position in self._order():
            try:
                result = await send(self._secrets[position].get_secret_value())
            except SecretRefused as refused:
                refusals.append(refused)
                continue
            self._took(position)
            return result
        self._preferred = 0  # what was tried in vain is not kept
        raise refusals[0]

    def _order(self) -> list[int]:
        """Return the positions in the order of trying; each call has its own, whatever others find out meanwhile."""
        now = self._surroundings.clock()
        if self._preferred and (self._found_at is None or not timedelta(0) <= now - self._found_at < NEWEST_AGAIN):
            self._preferred = 0
        first = self._preferred
        return [first, *(each for each in range(len(self._secrets)) if each != first)]

    def _took(self, position: int) -> None:
        if position != self._preferred:
            self._preferred, self._found_at = position, self._surroundings.clock()
        self._surroundings.notices.signed(self._platform, CALLS, position)
