"""How fast the worker goes: leases, echoes, waits between tries. Values come from settings; all in seconds."""

import random

import msgspec


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """The worker's times."""

    lease_seconds: float = 90.0
    """A claim lasts this long: longer than a call's deadline and the platform's settling time together."""
    echo_seconds: float = 120.0
    """What was accepted must be seen in the mirror within this time; then it is looked up and sent again."""
    idle_seconds: float = 1.0
    rescue_seconds: float = 5.0
    backoff_seconds: float = 1.0
    """Wait after the first failure; it doubles with each, with jitter."""
    backoff_most_seconds: float = 300.0
    asked_most_seconds: float = 86400.0
    """However long a platform asks us to wait, it is tried again after this time."""

    def backoff(self, tries: int, retry_after: float | None, rng: random.Random) -> float:
        """Return how long to wait after so many failures in a row; no less than the platform asks, up to a day."""
        if retry_after is not None:
            return min(max(retry_after, 0.0), self.asked_most_seconds) + rng.uniform(0, self.backoff_seconds / 4)
        return min(self.backoff_most_seconds, self.backoff_seconds * 2.0 ** min(max(tries, 1) - 1, 20)) * rng.uniform(0.5, 1.0)
