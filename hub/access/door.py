"""Who asks: whoever shows a key or a token in the headers, or nobody. Called by hub/web/graphql.py."""

from collections.abc import Mapping

from hub.access.application_keys import Keyring
from hub.access.tokens import Tokens
from hub.access.unproven import Unproven
from schema.context import Caller


class Door:
    """Knows callers by application key or token. `anonymous` is what someone who shows neither may: nothing, unless a demo says
    otherwise. `tokens` is None where no provider is configured.
    """

    def __init__(self, keyring: Keyring, anonymous: frozenset[str] = frozenset(), tokens: Tokens | None = None) -> None:
        self._keyring = keyring
        self._nobody = Caller(None, anonymous)
        self._tokens = tokens

    async def caller(self, headers: Mapping[str, str]) -> Caller:
        """Return who shows the key or token in these headers (lower-case names).

        Raises Unproven for one that does not hold, KeysUnavailable where nobody can tell now.
        """
        shown = _shown(headers)
        if shown is None:
            return self._nobody
        if (found := self._keyring.caller(shown)) is not None:
            return found
        if self._tokens is not None and shown.count(".") == 2:
            return await self._tokens.caller(shown)
        raise Unproven("KEY_UNKNOWN", "the key is not known here; ask the operators of the hub for one")

    async def close(self) -> None:
        """Give up what is being read."""
        if self._tokens is not None:
            await self._tokens.close()


def _shown(headers: Mapping[str, str]) -> str | None:
    authorization = headers.get("authorization")
    if authorization is None:
        return headers.get("x-api-key")
    scheme, _, key = authorization.partition(" ")
    if scheme.lower() != "bearer" or not key.strip():
        message = "Authorization is not understood; send Authorization: Bearer <key or token> or X-Api-Key: <key>"
        raise Unproven("AUTHORIZATION_UNREADABLE", message, "invalid_request")
    return key.strip()
