"""What was refused at the door, noted in memory and written now and then, so that "we sent it, you never got it" can be answered.

A flood costs neither memory nor rows: past a bound for each platform and address refusals are only counted. Built by app.py; web/
webhooks.py notes, the loop that refreshes keeps.
"""

import hashlib
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import msgspec

from hub.mirror import refusals
from hub.mirror.database import Database, DatabaseUnavailable
from hub.mirror.rows import Rows
from schema.entities import RefusedDelivery
from schema.identifiers import redact

OF_PLATFORM, OF_ADDRESS = 200, 20
"""Refusals that are told apart between two writes; what comes beyond is counted together, by platform and reason."""
MOST_KEPT = 1000
"""Rows of each platform."""


class _Alike(NamedTuple):
    platform: str
    code: str
    remote: str | None
    message_id: str | None
    day: str


class Refusals:
    """`note` costs nothing that matters; `keep` writes."""

    def __init__(self, database: Database, rows: Rows, clock: Callable[[], datetime], days: float, most: int = MOST_KEPT) -> None:
        self._database, self._rows, self._clock = database, rows, clock
        self._lasts, self._most = timedelta(days=days), most
        self._noted: dict[_Alike, RefusedDelivery] = {}
        self._distinct: Counter[tuple[str, str | None]] = Counter()

    def note(self, platform: str, code: str, remote: str | None, message_id: str | None, detail: str) -> None:
        """Note one refusal; `message_id` is what the delivery claims, unproven."""
        now = self._clock()
        claimed = None if message_id is None else redact(message_id)
        alike = _Alike(platform, code, remote, claimed, f"{now.astimezone(UTC):%Y-%m-%d}")
        if alike not in self._noted and self._is_full(platform, remote):
            alike = alike._replace(remote=None, message_id=None)
        self._add(alike, _refused(alike, detail, now, now, 1))

    async def keep(self) -> None:
        """Write what was noted; where the database is away it is kept for the next time. Raises DatabaseUnavailable."""
        if not self._noted:
            return
        noted, self._noted, self._distinct = self._noted, {}, Counter()
        try:
            await self._database.write(refusals.note, self._rows, list(noted.values()), self._most, self._clock() - self._lasts)
        except DatabaseUnavailable:
            for alike, one in noted.items():
                self._add(alike, one)
            raise

    def _is_full(self, platform: str, remote: str | None) -> bool:
        all_of_it = sum(number for (its, _), number in self._distinct.items() if its == platform)
        return all_of_it >= OF_PLATFORM or self._distinct[platform, remote] >= OF_ADDRESS

    def _add(self, alike: _Alike, one: RefusedDelivery) -> None:
        before = self._noted.get(alike)
        if before is None:
            self._distinct[alike.platform, alike.remote] += 1
            self._noted[alike] = one
            return
        self._noted[alike] = msgspec.structs.replace(
            before, last_at=max(before.last_at, one.last_at), times=before.times + one.times, detail=one.detail
        )


def _refused(alike: _Alike, detail: str, first: datetime, last: datetime, times: int) -> RefusedDelivery:
    return RefusedDelivery(
        refusal_id=hashlib.sha256(msgspec.json.encode(alike)).hexdigest()[:32],
        platform=alike.platform,
        code=alike.code,
        remote=alike.remote,
        message_id=alike.message_id,
        detail=detail,
        first_at=first,
        last_at=last,
        times=times,
    )
