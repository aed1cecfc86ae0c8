"""Who asks: application keys, shown as `Authorization: Bearer <key>` or `X-Api-Key: <key>`. Called by hub/web/graphql.py.

Settings hold the SHA-256 of each key and never the key. Keys are long and random so that a plain hash suffices.
"""

import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from schema.context import Caller
from schema.graph_errors import UNAUTHENTICATED, GraphError

SCOPES = "graph:read, graph:pii, ops:read, ops:act and platform:<name>"
_SCOPE = re.compile(r"graph:read|graph:pii|ops:read|ops:act|platform:[a-z][a-z0-9_-]*")


@dataclass(frozen=True)
class ApplicationKey:
    """A key that an application was given: the hash of the key and what it may."""

    name: str
    sha256: str
    """64 hex digits."""
    scopes: frozenset[str]

    def __post_init__(self) -> None:
        """Raise ValueError naming the key for a hash or a scope that cannot be meant."""
        if not self.name.strip():
            raise ValueError("an application key has no name; the audit needs one")
        if not re.fullmatch(r"[0-9a-fA-F]{64}", self.sha256):
            raise ValueError(f"application key '{self.name}': sha256 is not 64 hex digits; give `printf %s <key> | sha256sum`")
        for scope in self.scopes:
            if not _SCOPE.fullmatch(scope):
                raise ValueError(f"application key '{self.name}': no scope '{scope}'; there are {SCOPES}")


def hash_key(key: str) -> str:
    """Return the hash of a key as settings hold it."""
    return hashlib.sha256(key.encode()).hexdigest()


class Keyring:
    """All application keys. `anonymous` is what someone without a key may: nothing, unless a demo says otherwise."""

    def __init__(self, keys: Sequence[ApplicationKey], anonymous: frozenset[str] = frozenset()) -> None:
        names = [key.name for key in keys]
        if len(set(names)) < len(names):
            raise ValueError("two application keys have the same name; the audit could not tell them apart")
        self._keys = tuple(keys)
        self._nobody = Caller(None, anonymous)

    def caller(self, headers: Mapping[str, str]) -> Caller:
        """Return who shows the key in these headers (lower-case names); raise GraphError UNAUTHENTICATED for a wrong one."""
        shown = _shown(headers)
        if shown is None:
            return self._nobody
        digest, found = hash_key(shown), None
        for key in self._keys:  # every key is compared, so that the time says nothing about which one was near
            if hmac.compare_digest(digest, key.sha256.lower()):
                found = key
        if found is None:
            raise GraphError(UNAUTHENTICATED, "the key is not known here; ask the operators of the hub for one")
        return Caller(found.name, found.scopes)


def _shown(headers: Mapping[str, str]) -> str | None:
    authorization = headers.get("authorization")
    if authorization is None:
        return headers.get("x-api-key")
    scheme, _, key = authorization.partition(" ")
    if scheme.lower() != "bearer" or not key.strip():
        raise GraphError(UNAUTHENTICATED, "Authorization is not understood; send Authorization: Bearer <key> or X-Api-Key: <key>")
    return key.strip()
