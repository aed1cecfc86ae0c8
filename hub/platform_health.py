"""The health of every platform, put together for graph, `bihuan status` and metrics. Built by app.py, used by operator.py."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import NamedTuple

from connectors.base import Connector
from hub.call_counts import CallCounts
from hub.conditions import Conditions
from hub.levers import Levers
from hub.mirror import drift, ledger, quota, score_difference_queries, streams
from hub.mirror.database import Database
from hub.mirror.platform_calls import Lately
from hub.mirror.replica import Replica
from hub.mirror.rows import Rows
from schema.conditions import CallCount, Calls, ClockSkew, QuotaUse, SecretInUse
from schema.context import PlatformHealth
from schema.entities import StreamHealth


class PlatformStatus(NamedTuple):
    """A platform's health with what `bihuan status` shows beside it."""

    health: PlatformHealth
    failure: str | None
    drift_open: int
    """Differences that nobody can repair by himself."""
    drift_waiting: int
    """Records that an operator has to decide about: the platform does not show them any more."""
    differences: int = 0
    """Figures of points that differ from ours now; of the credit platform only."""

    @property
    def name(self) -> str:
        """Return the platform's name."""
        return self.health.name

    @property
    def bridged(self) -> bool:
        """Return whether HUB_PLATFORMS names it; one that it leaves out is shown while something is owed to it."""
        return self.health.bridged

    @property
    def backlog(self) -> int:
        """Return the number of open obligations towards it."""
        return self.health.backlog


UNUSED = quota.GivenAway(0.0, 0.0)
LEFT_OUT = "left out of HUB_PLATFORMS: nothing is sent to it; name it there again, or waive what is owed to it"


@dataclass
class HealthDesk:
    """Knows when each platform was last read as of the last look (`refresh`), so that a record's age costs no statement."""

    database: Database
    reads: Database | Replica
    """What the graph reads: as old as it is, so old are its records."""
    rows: Rows
    connectors: Mapping[str, Connector]
    levers: Levers
    conditions: Conditions
    call_counts: CallCounts
    keep_refusals: Callable[[], Awaitable[None]]
    clock: Callable[[], datetime]
    last_success: dict[str, datetime] = field(default_factory=dict)

    async def refresh(self) -> None:
        """Learn when each platform was last read and what operators decided; keep what was noticed. Raises DatabaseUnavailable."""
        await self.conditions.keep()
        await self.call_counts.keep()
        await self.keep_refusals()
        await self.levers.refresh()
        self.last_success = self._read_to_end(await self.reads.read(streams.all_streams, self.rows))

    async def platforms(self) -> list[PlatformStatus]:
        """Return each platform's health, in the order of the settings; then those left out to which something is owed.

        A platform without streams is never read: it has neither success nor lag, and its backlog says how it does.
        """
        await self.refresh()
        counts = await self.database.read(ledger.backlog)
        health = await self.database.read(streams.all_streams, self.rows)
        standing = await self.database.read(drift.standing)
        differences = {"credit": await self.database.read(score_difference_queries.open_count)}
        calls, quotas = await self.call_counts.lately(), await self.database.read(quota.in_use, self.clock())
        clocks, secrets = await self.conditions.clocks(), await self.conditions.secrets()
        owed_to = {platform for (platform, state), count in counts.items() if count and state in ledger.OPEN}
        return [
            PlatformStatus(
                replace(
                    self._health(name, counts, clocks.get(name), secrets.get(name, [])),
                    calls=_calls(calls.get(name, Lately())),
                    quota=self._quota(name, quotas.get(name, UNUSED)),
                ),
                self._failure(name, health),
                standing.get(name, {}).get("OPEN", 0),
                standing.get(name, {}).get("WAITING", 0),
                differences.get(name, 0),
            )
            for name in (*self.connectors, *sorted(owed_to - set(self.connectors)))
        ]

    def _health(
        self, name: str, counts: Mapping[tuple[str, str], int], clock: ClockSkew | None, secrets: Sequence[SecretInUse]
    ) -> PlatformHealth:
        last, connector = self.last_success.get(name), self.connectors.get(name)
        return PlatformHealth(
            name=name,
            last_success=last,
            lag_seconds=None if last is None else (self.clock() - last).total_seconds(),
            backlog=sum(count for (its, state), count in counts.items() if its == name and state in ledger.OPEN),
            stuck=counts.get((name, "STUCK"), 0),
            breaker_open_until=None if connector is None else connector.open_until,
            bridged=connector is not None,
            paused=self.levers.paused(name),
            maintenance=self.levers.maintenance(name),
            silenced=self.levers.silenced(name),
            clock=clock,
            secrets=secrets,
        )

    def _quota(self, name: str, found: quota.GivenAway) -> QuotaUse | None:
        """Return how much of the quota is used; None for a platform that is not called at all."""
        if (connector := self.connectors.get(name)) is None:
            return None
        per_second = connector.settings.quota_per_second
        used = min(1.0, found.last_minute / (60 * per_second))
        return QuotaUse(per_second=per_second, used=used, wait_seconds=found.wait_seconds)

    def _failure(self, name: str, health: Sequence[StreamHealth]) -> str | None:
        if name not in self.connectors:
            return LEFT_OUT
        return "; ".join(f"{one.stream}: {one.failure}" for one in health if one.platform == name and one.failure) or None

    def notes(self) -> dict[str, str]:
        """Return, as of the last look, which platforms are paused or in maintenance; nothing that only operators may read."""
        found = {}
        for name in self.connectors:
            if (paused := self.levers.paused(name)) is not None:
                found[name] = f"paused since {paused.since.isoformat()}"
            elif (maintenance := self.levers.maintenance(name)) is not None:
                found[name] = f"in maintenance until {maintenance.until.isoformat()}"
        return found

    def _read_to_end(self, health: Sequence[StreamHealth]) -> dict[str, datetime]:
        """Return when each platform was last read to its end: its slowest stream counts, lists read now and then do not."""
        slow = {(name, each.name) for name, one in self.connectors.items() for each in one.streams if each.poll_factor > 1}
        known = {(name, each.name) for name, one in self.connectors.items() for each in one.streams}
        found: dict[str, list[datetime | None]] = {}
        for one in health:
            if (one.platform, one.stream) in known and (one.platform, one.stream) not in slow:
                found.setdefault(one.platform, []).append(one.last_success_at)
        return {name: min(each for each in times if each) for name, times in found.items() if all(times)}


def _calls(lately: Lately) -> Calls:
    hour, today = (CallCount(made=each.made, failed=each.failed) for each in lately)
    return Calls(last_hour=hour, today=today)
