"""How many calls a mock platform takes in a stretch of time."""

from collections import deque
from datetime import datetime, timedelta


class Quota:
    """At most `limit` calls in any `seconds` (a sliding window); 0 or less takes everything."""

    def __init__(self, limit: int, seconds: float = 1.0) -> None:
        self._limit = limit
        self._window = timedelta(seconds=seconds)
        self._taken: deque[datetime] = deque()

    def take(self, now: datetime) -> float:
        """Return 0.0 when the call is within the quota, else the seconds until the next one will be."""
        if self._limit <= 0:
            return 0.0
        while self._taken and now - self._taken[0] >= self._window:
            self._taken.popleft()
        if len(self._taken) >= self._limit:
            return (self._taken[0] + self._window - now).total_seconds()
        self._taken.append(now)
        return 0.0
