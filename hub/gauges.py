"""Brings the gauges of metrics.py up to date: before they are shown, and before alerts are judged. Built by parts.py."""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Connection

from hub.domain.calendar import WorkingDays
from hub.domain.silence import hour_of, silence_limit
from hub.metrics import Metrics
from hub.mirror import alerts, inbox, ledger, measures, ops_list, rhythm, streams
from hub.mirror.database import DatabaseUnavailable
from hub.mirror.replica import Replica
from hub.mirror.rows import moment
from hub.mirror.streams import AGAIN
from hub.platform_health import HealthDesk, PlatformStatus
from schema.entities import ObligationState, StreamHealth

LATELY = timedelta(hours=1)
MISSED = 3
"""So many times a stream, or a sweep, may be due until it counts as missed."""


class Disk(NamedTuple):
    """Where the embedded database is, and how many bytes should be free there."""

    folder: Path
    low: int


class _Read(NamedTuple):
    """What one look at the database found."""

    backlog: Mapping[tuple[str, str], int]
    overdue: Mapping[str, tuple[int, float]]
    waiting: Mapping[str, int]
    oldest: Mapping[str, datetime]
    failed: Mapping[str, int]
    quarantined: Mapping[str, int]
    quarantined_lately: Mapping[str, int]
    broken: set[str]
    quota: Mapping[str, datetime]
    ran: Mapping[str, datetime]
    told: Mapping[str, tuple[int | None, int]]
    streams: list[StreamHealth]
    ops_items: int
    alerts: Mapping[str, int]
    untold: int


@dataclass
class Gauges:
    """`refresh` is called by /metrics and by the judging of alerts. Times are seconds."""

    metrics: Metrics
    health: HealthDesk
    replica: Replica | None
    listeners: Callable[[], int]
    disk: Disk | None
    """None with a database server: its disk is not ours to see."""
    days: Callable[[], WorkingDays]
    clock: Callable[[], datetime]
    stale_seconds: float
    clock_warning_seconds: float
    full_sweep_seconds: float
    _limits: dict[str, timedelta | None] = field(default_factory=dict)
    _limits_of: int | None = None
    """The hour for which silence was judged last."""

    async def refresh(self) -> bool:
        """Measure everything anew; return whether the database answered. While it is away only this process's own is shown."""
        self._show_process()
        try:
            statuses = await self.health.platforms()
            found = await self.health.database.read(self._read, self.clock())
            if self._limits_of != hour_of(self.clock()):
                self._judge_silence(await self.health.database.read(rhythm.hours))
        except DatabaseUnavailable:
            self.metrics.forget_database()
            self.metrics.database_up.set(0)
            return False
        self.metrics.forget_database()
        self.metrics.database_up.set(1)
        self._show_platforms(statuses)
        self._show_found(found, [status.name for status in statuses])
        return True

    def _show_process(self) -> None:
        metrics = self.metrics
        metrics.subscriptions.set(self.listeners())
        for name, connector in self.health.connectors.items():
            metrics.quota_rate.labels(name).set(connector.settings.quota_per_second)
        if self.replica:
            lag, trouble = self.replica.health
            metrics.replica_read.set(trouble is None)
            metrics.replica_lag.set(float("nan") if lag is None else lag)
        if self.disk:
            metrics.disk_free.set(shutil.disk_usage(self.disk.folder).free)
            metrics.disk_low.set(self.disk.low)

    def _read(self, connection: Connection, now: datetime) -> _Read:
        return _Read(
            ledger.backlog(connection),
            measures.overdue(connection, now),
            inbox.waiting(connection),
            measures.oldest_waiting(connection),
            inbox.failed(connection),
            inbox.open_quarantine(connection),
            measures.quarantined_since(connection, now - LATELY),
            measures.broken(connection, now),
            measures.quota_ends(connection),
            measures.last_runs(connection),
            rhythm.told(connection),
            list(streams.all_streams(connection, self.health.rows)),
            ops_list.open_count(connection),
            alerts.standing_by_name(connection),
            alerts.untold_count(connection),
        )

    def _show_platforms(self, statuses: list[PlatformStatus]) -> None:
        metrics, now = self.metrics, self.clock()
        for status in statuses:
            name, health = status.name, status.health
            metrics.backlog.labels(name).set(health.backlog)
            metrics.silenced.labels(name).set(health.silenced)
            metrics.maintenance.labels(name).set(health.maintenance is not None)
            metrics.paused.labels(name).set((now - health.paused.since).total_seconds() if health.paused else 0.0)
            if health.last_success is not None:
                metrics.last_success.labels(name).set(health.last_success.timestamp())
                metrics.lag.labels(name).set(health.lag_seconds or 0.0)
            if (connector := self.health.connectors.get(name)) is not None and connector.streams:
                metrics.stale_after.labels(name).set(max(self.stale_seconds, MISSED * connector.settings.poll_seconds))
            if health.clock is not None:
                metrics.clock_ahead.labels(name).set(health.clock.ahead_seconds)
                metrics.clock_limit.labels(name).set(health.clock.limit_seconds or 0.0)
                metrics.clock_off.labels(name).set(max(0.0, abs(health.clock.ahead_seconds) - health.clock.within_seconds))
                metrics.clock_warning.labels(name).set(self.clock_warning_seconds)
            for secret in health.secrets:
                used = 0.0 if secret.last_used_at is None else secret.last_used_at.timestamp()
                metrics.secret_used.labels(name, secret.purpose.value, str(secret.position)).set(used)

    def _show_found(self, found: _Read, platforms: list[str]) -> None:
        """Show what was found, a zero where nothing was: what is gone must not seem to stay."""
        metrics, now = self.metrics, self.clock()
        for name in platforms:
            for state in ObligationState:
                metrics.obligations.labels(name, state.value).set(found.backlog.get((name, state.value), 0))
            late, most = found.overdue.get(name, (0, 0.0))
            metrics.overdue.labels(name).set(late)
            metrics.most_overdue.labels(name).set(most)
            metrics.deliveries_waiting.labels(name).set(found.waiting.get(name, 0))
            oldest = found.oldest.get(name, now)
            metrics.oldest_waiting.labels(name).set(max(0.0, (now - oldest).total_seconds()))
            metrics.deliveries_failed.labels(name).set(found.failed.get(name, 0))
            metrics.quarantined.labels(name).set(found.quarantined.get(name, 0))
            metrics.quarantined_lately.labels(name).set(found.quarantined_lately.get(name, 0))
            metrics.breaker_open.labels(name).set(name in found.broken)
            metrics.quota_wait.labels(name).set(max(0.0, (found.quota.get(name, now) - now).total_seconds()))
        self._show_streams(found)
        for name, at in found.ran.items():
            metrics.schedule_ran.labels(name).set(at.timestamp())
        if (swept := found.ran.get(measures.FULL_SWEEP)) is not None:
            metrics.sweep_age.set((now - swept).total_seconds())
            metrics.sweep_limit.set(MISSED * self.full_sweep_seconds)
        metrics.ops_items.set(found.ops_items)
        for name, standing in found.alerts.items():
            metrics.alerts.labels(name).set(standing)
        metrics.alerts_untold.set(found.untold)

    def _show_streams(self, found: _Read) -> None:
        metrics, now = self.metrics, self.clock()
        for name, connector in self.health.connectors.items():
            told_at, unannounced = found.told.get(name, (None, 0))
            metrics.unannounced.labels(name).set(unannounced)
            if not connector.streams:
                continue
            pace = {each.name: each.poll_factor * connector.settings.poll_seconds for each in connector.streams}
            slow = {each.name for each in connector.streams if each.poll_factor > 1}
            failing = [
                one.stream
                for one in found.streams
                if one.platform == name
                and one.failure
                and not one.stream.endswith(AGAIN)
                and one.stream in pace
                and (one.stream not in slow or _is_missed(one, now, pace[one.stream]))
            ]
            metrics.streams_failing.labels(name).set(len(failing))
            if told_at is not None and not failing:
                metrics.silent.labels(name).set(max(0.0, (now - moment(told_at)).total_seconds()))
            if (limit := self._limits.get(name)) is not None:
                metrics.silence_limit.labels(name).set(limit.total_seconds())

    def _judge_silence(self, told: Mapping[str, Mapping[int, int]]) -> None:
        """Judge once an hour: which silence is unusual changes no faster."""
        now = self.clock()
        self._limits = {name: silence_limit(told.get(name, {}), now, self.days()) for name in self.health.connectors}
        self._limits_of = hour_of(now)


def _is_missed(one: StreamHealth, now: datetime, every: float) -> bool:
    return one.last_success_at is None or (now - one.last_success_at).total_seconds() > MISSED * every
