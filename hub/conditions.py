"""What this process notices of platforms as it calls them: their clocks, their closures, which secrets are used. Built by app.py.

Noticing costs nothing; `keep`, called now and then, writes what changed, so that all processes and `bihuan status` can show it.
"""

from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from statistics import median
from typing import NamedTuple

import structlog
from sqlalchemy import Connection

from connectors.base import WEBHOOKS, ClockLimit, Connector, Notices
from hub.mirror import conditions
from hub.mirror.conditions import ClockReading, Closure, SecretUse
from hub.mirror.database import Database
from hub.mirror.rows import Rows
from schema.conditions import ClockSkew, SecretInUse, SecretPurpose

log = structlog.get_logger()
ANSWERS = 7
"""The newest answers, whose median is taken: four of them must lie alike, and a clock that was set is seen after four."""
RECENT = timedelta(minutes=15)
KEPT_EVERY = timedelta(seconds=15)


COMPARE_CLOCKS = "compare this machine's clock with NTP, then tell the platform's people"


def clock_off(platform: str, reading: ClockReading, limit: ClockLimit | None, warns_from: float) -> str | None:
    """Return by how much a platform's clock differs from ours, and what that breaks; None within `warns_from` seconds."""
    if abs(reading.ahead_seconds) - reading.within_seconds <= warns_from:
        return None
    where = "ahead of" if reading.ahead_seconds > 0 else "behind"
    breaks = "" if limit is None else f"; beyond {limit.limit.total_seconds():.0f} s {limit.breaks}"
    return f"{platform}: its clock is {abs(reading.ahead_seconds):.0f} s {where} ours{breaks}"


class _Sample(NamedTuple):
    at: datetime
    ahead: float
    within: float


class Conditions(Notices):
    """Implements `connectors.base.Notices`; `connect` must be called once the connectors are there."""

    def __init__(self, database: Database, rows: Rows, clock: Callable[[], datetime], warning_seconds: float) -> None:
        self._database, self._rows, self._clock, self._warns_from = database, rows, clock, warning_seconds
        self._connectors: Mapping[str, Connector] = {}
        self._fingerprints: dict[tuple[str, str], list[str]] = {}
        self._samples: dict[str, deque[_Sample]] = defaultdict(lambda: deque(maxlen=ANSWERS))
        self._closures: dict[str, Closure | None] = {}
        self._closures_kept: dict[str, Closure | None] = {}
        self._broken: dict[str, datetime | None] = {}
        self._broken_kept: dict[str, datetime | None] = {}
        self._used: dict[SecretUse, datetime] = {}
        self._kept: dict[str | SecretUse, datetime] = {}
        self._warned: set[str] = set()

    def connect(self, connectors: Mapping[str, Connector]) -> None:
        """Know which secrets there are."""
        self._connectors = connectors
        for name, connector in connectors.items():
            for purpose, secrets in connector.secrets.items():
                texts = [f"secret\n{name}\n{secret.get_secret_value()}" for secret in secrets]
                self._fingerprints[name, purpose] = [self._rows.seals.join(text).hex()[:8] for text in texts]

    # --- what is noticed

    def clock(self, platform: str, ahead: timedelta, within: timedelta) -> None:
        """Take a sample of the platform's clock."""
        self._samples[platform].append(_Sample(self._clock(), ahead.total_seconds(), within.total_seconds()))

    def closed(self, platform: str, until: datetime | None) -> None:
        """Remember until when it asked to be left alone."""
        self._closures[platform] = None if until is None else Closure(self._clock(), until)

    def broken(self, platform: str, until: datetime | None) -> None:
        """Remember until when its breaker leaves it alone."""
        self._broken[platform] = until

    def signed(self, platform: str, purpose: str, position: int) -> None:
        """Remember when a secret was used."""
        known = self._fingerprints.get((platform, purpose), [])
        if position < len(known):
            self._used[SecretUse(platform, purpose, known[position])] = self._clock()

    def verified(self, platform: str, position: int) -> None:
        """Remember that a webhook was verified by the secret at this position."""
        self.signed(platform, WEBHOOKS, position)

    # --- what is kept

    async def keep(self) -> None:
        """Write what was noticed since; each thing at most every quarter of a minute. Raises DatabaseUnavailable."""
        now = self._clock()
        closures = {name: one for name, one in self._closures.items() if self._closures_kept.get(name) != one}
        broken = {name: until for name, until in self._broken.items() if self._broken_kept.get(name) != until}
        used = {use: at for use, at in self._used.items() if self._is_due(use, now) and at != self._kept.get(use)}
        measured = {name: self._reading(name, now) for name in list(self._samples) if self._is_due(name, now)}
        readings = {name: one for name, one in measured.items() if one is not None}
        if used or readings or closures or broken:
            await self._database.write(self._write, readings, closures, used, broken)
        for name in readings:
            self._kept[name] = now
        for use, at in used.items():
            self._kept[use] = at
        self._closures_kept |= closures
        self._broken_kept |= broken

    def _is_due(self, what: str | SecretUse, now: datetime) -> bool:
        return what not in self._kept or abs(now - self._kept[what]) >= KEPT_EVERY

    def _reading(self, platform: str, now: datetime) -> ClockReading | None:
        """Return the median of the recent samples; None where there is none since the last one that was kept."""
        recent = [one for one in self._samples[platform] if timedelta(0) <= now - one.at < RECENT]
        if not recent or (platform in self._kept and recent[-1].at <= self._kept[platform]):
            return None
        ahead = median(one.ahead for one in recent)
        return ClockReading(ahead, median(one.within for one in recent), len(recent), now)

    @staticmethod
    def _write(
        connection: Connection,
        readings: Mapping[str, ClockReading],
        closures: Mapping[str, Closure | None],
        used: Mapping[SecretUse, datetime],
        broken: Mapping[str, datetime | None],
    ) -> None:
        for platform in sorted(
            readings.keys() | closures.keys() | broken.keys()
        ):  # in one order, so that processes never wait in a circle
            if platform in readings:
                conditions.note_clock(connection, platform, readings[platform])
            if platform in closures:
                conditions.note_closure(connection, platform, closures[platform])
            if platform in broken:
                conditions.note_broken(connection, platform, broken[platform])
        for use in sorted(used):
            conditions.note_use(connection, use, used[use])

    # --- what is shown

    async def clocks(self) -> dict[str, ClockSkew]:
        """Return each platform's clock, as it was last kept by any process."""
        return {name: self._skew(name, one) for name, one in (await self._database.read(conditions.clocks)).items()}

    async def secrets(self) -> dict[str, list[SecretInUse]]:
        """Return the configured secrets of each platform, and when each was last used."""
        uses = await self._database.read(conditions.uses)
        found: dict[str, list[SecretInUse]] = defaultdict(list)
        for (platform, purpose), fingerprints in self._fingerprints.items():
            for position, fingerprint in enumerate(fingerprints):
                last = uses.get(SecretUse(platform, purpose, fingerprint))
                found[platform].append(
                    SecretInUse(purpose=SecretPurpose(purpose), position=position, fingerprint=fingerprint, last_used_at=last)
                )
        return found

    def _skew(self, platform: str, reading: ClockReading) -> ClockSkew:
        connector = self._connectors.get(platform)
        limit = None if connector is None else connector.clock_limit
        off = clock_off(platform, reading, limit, self._warns_from)
        warning = None if off is None else f"{off}; {COMPARE_CLOCKS}"
        self._tell(platform, warning)
        return ClockSkew(
            ahead_seconds=reading.ahead_seconds,
            within_seconds=reading.within_seconds,
            samples=reading.samples,
            measured_at=reading.measured_at,
            limit_seconds=None if limit is None else limit.limit.total_seconds(),
            warning=warning,
        )

    def _tell(self, platform: str, warning: str | None) -> None:
        """Log a warning when it begins, not as long as it lasts."""
        if warning is None:
            self._warned.discard(platform)
        elif platform not in self._warned:
            self._warned.add(platform)
            log.warning("clocks differ", platform=platform, what=warning)
