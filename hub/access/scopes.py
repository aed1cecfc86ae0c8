"""What a caller may: the names of scopes, and how they are written in settings and tokens."""

import re
from collections.abc import Iterable

SCOPES = "graph:read, graph:pii, ops:read, ops:act and platform:<name>"
_SCOPE = re.compile(r"graph:read|graph:pii|ops:read|ops:act|platform:[a-z][a-z0-9_-]*")


def is_scope(text: str) -> bool:
    """Return whether a text is a scope of the hub."""
    return _SCOPE.fullmatch(text) is not None


def check_scopes(scopes: Iterable[str], whose: str) -> None:
    """Raise ValueError for a scope that there is not."""
    for scope in scopes:
        if not is_scope(scope):
            raise ValueError(f"{whose}: no scope '{scope}'; there are {SCOPES}")
