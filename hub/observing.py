"""What a process is watched by: its metrics, its traces, who is told of alerts, the disk below it. Built by parts.py."""

import asyncio
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

import httpx

from hub.alerts.telling import Teller
from hub.alerts.watch import DatabaseWatch
from hub.call_counts import CallCounts
from hub.domain.calendar import WorkingDays
from hub.gauges import Disk, Gauges
from hub.metrics import Metrics
from hub.mirror.database import Database
from hub.mirror.replica import Replica
from hub.platform_health import HealthDesk
from hub.settings import HubSettings
from hub.tracing import OFF, Tracing, took

SQLITE = "sqlite:///"


class Observing:
    """Built from settings; `wires` may replace the network to HUB_ALERT_WEBHOOK (`alerts`), `lent` is where traces go instead.

    `in_memory`: whatever the settings say, the database is on no disk.
    """

    def __init__(
        self,
        own: HubSettings,
        clock: Callable[[], datetime],
        wires: Mapping[str, httpx.AsyncBaseTransport],
        lent: Tracing | None,
        database: Database,
        *,
        in_memory: bool,
    ) -> None:
        self._own, self._clock = own, clock
        self.call_counts = CallCounts(database, clock)
        self.metrics = Metrics()
        self._lent = lent
        self.tracing = lent or _traces(own.otel_endpoint)
        self.teller: Teller | None = None
        if own.alert_webhook is not None and own.alert_secret is not None:
            self.teller = Teller(own.alert_webhook, own.alert_secret, clock, self._count, wires.get("alerts"))
        self.watch = DatabaseWatch(self.teller, clock, uuid.uuid4().hex)
        self.disk: Disk | None = None
        if own.database_url.startswith(SQLITE) and not in_memory:
            self.disk = Disk(Path(own.database_url.removeprefix(SQLITE)).absolute().parent, own.disk_low_bytes)

    def gauges(
        self, health: HealthDesk, replica: Replica | None, listeners: Callable[[], int], days: Callable[[], WorkingDays]
    ) -> Gauges:
        """Return what brings the gauges up to date."""
        own = self._own
        return Gauges(
            self.metrics,
            health,
            replica,
            listeners,
            self.disk,
            days,
            self._clock,
            stale_seconds=own.stale_seconds,
            clock_warning_seconds=own.clock_warning_seconds,
            full_sweep_seconds=own.full_sweep_seconds,
        )

    def call(self, platform: str, operation: str, outcome: str, seconds: float) -> None:
        """Count a call to a platform, and tell its trace; `Surroundings.observe`."""
        self.metrics.observe_call(platform, operation, outcome, seconds)
        self.call_counts.note(platform, outcome)
        took("call", seconds, platform=platform, operation=operation, outcome=outcome)

    def _count(self, outcome: str) -> None:
        self.metrics.alerts_told.labels(outcome).inc()

    async def close(self) -> None:
        """Send the traces that wait, and close connections. Traces that were lent are not ours to close."""
        if self.teller is not None:
            await self.teller.close()
        if self.tracing.on and self._lent is None:
            await asyncio.to_thread(self.tracing.close)


def _traces(endpoint: str | None) -> Tracing:
    """Return where traces go; nothing of OpenTelemetry is loaded where nowhere. Raises ValueError where it is not installed."""
    if endpoint is None:
        return OFF
    try:
        from hub.otel import otel_tracing  # noqa: PLC0415  (an optional extra)
    except ImportError as error:
        raise ValueError(f"HUB_OTEL_ENDPOINT: {error.name} is missing; install bihuan[otel], or leave this out") from error
    return otel_tracing(endpoint)
