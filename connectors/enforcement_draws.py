"""Joint inspections behind tasks of the enforcement platform: no list tells of those that its own people have drawn.

A task names the campaign that drew it; each one is read once, when a task first names it. Used by `connectors.enforcement`.
"""

from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime, timedelta
from typing import Final

from connectors.base import Clock, Item
from connectors.errors import ConnectorError
from schema.entities import VerificationTask
from schema.entity import Observation

KEPT: Final = 1000
"""How many campaigns are remembered as read, and how many as still to be read: the oldest are forgotten first."""
PAUSE: Final = timedelta(seconds=60)
"""How long no campaign is asked for after one could not be read: reading tasks must not wait for that each time."""

Read = Callable[[str], Awaitable[Item | None]]
"""Reads one campaign; None where there is none."""


class Draws:
    """Remembers what was read. After a restart campaigns are read once more, which changes nothing."""

    def __init__(self, read: Read, clock: Clock) -> None:
        self._read, self._clock = read, clock
        self._known: dict[str, None] = {}
        self._wanted: dict[str, None] = {}
        self._not_before: datetime | None = None

    async def behind(self, items: Iterable[Item]) -> list[Item]:
        """Return the campaigns that these tasks name and that were not read lately.

        Raises nothing of the platform's: what cannot be read now is asked for again with a later page.
        """
        named = [_campaign_of(item) for item in items]
        self._wanted.update((each, None) for each in named if each is not None and each not in self._known)
        _bound(self._wanted)
        found: list[Item] = []
        if self._not_before is not None and self._clock() < self._not_before:
            return found
        for campaign_id in list(self._wanted):
            try:
                item = await self._read(campaign_id)
            except ConnectorError:
                self._not_before = self._clock() + PAUSE
                return found
            del self._wanted[campaign_id]
            self._known[campaign_id] = None
            _bound(self._known)
            found += [] if item is None else [item]
        return found


def _campaign_of(item: Item) -> str | None:
    record = item.record if isinstance(item, Observation) else None
    return record.campaign_id if isinstance(record, VerificationTask) else None


def _bound(ids: dict[str, None]) -> None:
    while len(ids) > KEPT:
        del ids[next(iter(ids))]
