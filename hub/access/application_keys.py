"""Application keys, shown as `Authorization: Bearer <key>` or `X-Api-Key: <key>`. Asked by door.py.

Settings hold the SHA-256 of each key and never the key. Keys are long and random so that a plain hash suffices.
"""

import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass

from hub.access.scopes import check_scopes
from schema.context import Caller
from schema.row_limits import EVERY_ROW, RowLimits


@dataclass(frozen=True)
class ApplicationKey:
    """A key that an application was given: the hash of the key, what it may, and which rows it sees."""

    name: str
    sha256: str
    """64 hex digits."""
    scopes: frozenset[str]
    rows: RowLimits = EVERY_ROW

    def __post_init__(self) -> None:
        """Raise ValueError naming the key for a hash or a scope that cannot be meant."""
        if not self.name.strip():
            raise ValueError("an application key has no name; the audit needs one")
        if not re.fullmatch(r"[0-9a-fA-F]{64}", self.sha256):
            raise ValueError(f"application key '{self.name}': sha256 is not 64 hex digits; give `printf %s <key> | sha256sum`")
        check_scopes(self.scopes, f"application key '{self.name}'")
        if self.rows and any(scope.startswith(("ops:", "platform:")) for scope in self.scopes):
            raise ValueError(
                f"application key '{self.name}': whoever sees the rows of a department or region only has no scope of operators; "
                "give two keys"
            )


def hash_key(key: str) -> str:
    """Return the hash of a key as settings hold it."""
    return hashlib.sha256(key.encode()).hexdigest()


class Keyring:
    """All application keys."""

    def __init__(self, keys: Sequence[ApplicationKey]) -> None:
        names = [key.name for key in keys]
        if len(set(names)) < len(names):
            raise ValueError("two application keys have the same name; the audit could not tell them apart")
        self._keys = tuple(keys)

    def caller(self, shown: str) -> Caller | None:
        """Return whose key this is; None if it is nobody's."""
        digest, found = hash_key(shown), None
        for key in self._keys:  # every key is compared, so that the time says nothing about which one was near
            if hmac.compare_digest(digest, key.sha256.lower()):
                found = key
        return None if found is None else Caller(found.name, found.scopes, found.rows)
