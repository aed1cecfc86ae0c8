"""When a record counts as stale: when the hub saw it longer ago than its platform's setting allows."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta


class Staleness:
    """Knows the age that each platform's records may have. What has no setting (policy) is never stale."""

    def __init__(self, ages: Mapping[str, timedelta], clock: Callable[[], datetime]) -> None:
        self._ages = dict(ages)
        self._clock = clock

    def stale(self, source: str, observed_at: datetime) -> bool:
        """Return whether `observed_at` is longer ago than the source's records may be."""
        allowed = self._ages.get(source)
        return allowed is not None and self._clock() - observed_at > allowed
