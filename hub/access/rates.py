"""How often each client may ask: a bucket that fills evenly, up to a burst (token bucket, counted as GCRA). Of this process alone.

Behind a load balancer that spreads evenly, N processes together let a client ask N times as often, and burst N times as far:
set a share of what is meant (docs/access.md has the arithmetic). Clients who have not been heard of for long are forgotten.
"""

import ipaddress
import math
from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple

CLIENTS = 20_000
RATE_LIMIT = "RATE_LIMIT"
"""The error of who asks too often."""


class Taken(NamedTuple):
    """What became of one question: whether it may be asked, how many more at once, and in how many seconds there is one again."""

    allowed: bool
    left: int
    wait: float


class Rates:
    """`seconds` is a clock that only grows."""

    def __init__(self, per_second: float, burst: int, seconds: Callable[[], float]) -> None:
        self._interval, self._burst, self._seconds = 1 / per_second, burst, seconds
        self._full_at: OrderedDict[str, float] = OrderedDict()
        """When each client's bucket is full again; nothing is kept of one that is."""
        self.policy = f'"client";q={burst};w={math.ceil(burst / per_second)}'

    def take(self, client: str) -> Taken:
        """Take one question of a client out of its bucket."""
        now = self._seconds()
        full_at = max(self._full_at.get(client, now), now)
        wait = full_at - now - self._interval * (self._burst - 1)
        if wait > 1e-9:  # less is what adding up intervals makes of nothing
            return Taken(False, 0, wait)
        self._full_at[client] = full_at + self._interval
        self._full_at.move_to_end(client)
        while len(self._full_at) > CLIENTS:
            self._full_at.popitem(last=False)
        return Taken(True, int(self._burst - (full_at + self._interval - now) / self._interval + 1e-6), 0.0)

    def headers(self, taken: Taken) -> dict[str, str]:
        """Return what a client is told of it (draft-ietf-httpapi-ratelimit-headers)."""
        told = {"RateLimit-Policy": self.policy, "RateLimit": f'"client";r={taken.left};t={math.ceil(taken.wait)}'}
        return told if taken.allowed else told | {"Retry-After": str(max(1, math.ceil(taken.wait)))}


def client_at(address: str | None) -> str:
    """Return the client behind an address: of IPv6 the whole network of a household or office, 64 bits."""
    try:
        found = ipaddress.ip_address(address or "")
    except ValueError:
        return "address:unknown"
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped:
            return f"address:{found.ipv4_mapped}"
        return f"address:{ipaddress.ip_network((found, 64), strict=False).network_address}/64"
    return f"address:{found}"
