"""The hub's own alerts: judged by one process at a time (a schedule), kept in the database, told to a webhook."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from connectors.base import Connector
from hub.alerts.judging import holding, samples_of
from hub.alerts.rules import ALERTS, BY_NAME, KEEP_SECONDS
from hub.alerts.telling import Teller, wait_before
from hub.alerts.watch import UNREACHABLE
from hub.alerts.words import text_of
from hub.gauges import Gauges
from hub.mirror import alerts, rhythm
from hub.mirror.alerts import Patience, Standing, Which
from hub.mirror.database import Database
from schema.alerts import ActiveAlert

log = structlog.get_logger()
JUDGED = tuple(alert for alert in ALERTS if alert is not UNREACHABLE)
"""Without the database nothing is kept; that it is away each process tells by itself (watch.py)."""
PATIENCE: Mapping[str, Patience] = {
    alert.name: Patience(timedelta(seconds=alert.for_seconds), timedelta(seconds=KEEP_SECONDS)) for alert in ALERTS
}


@dataclass
class AlertDesk:
    """`look` is called regularly by the schedule `alerts`."""

    database: Database
    connectors: Mapping[str, Connector]
    gauges: Gauges
    teller: Teller | None
    """None where nobody is to be told."""
    clock: Callable[[], datetime]

    async def look(self) -> None:
        """Judge all conditions, keep what changed, tell of it. Raises DatabaseUnavailable."""
        now = self.clock()
        announced = {name: connector.announced for name, connector in self.connectors.items()}
        await self.database.write(rhythm.count, announced, now)
        if not await self.gauges.refresh():
            return
        held = holding(samples_of(self.gauges.metrics.registry.collect()), JUDGED)
        noted = await self.database.write(alerts.note, held, PATIENCE, now, telling=self.teller is not None)
        for which in noted.raised:
            log.warning("alert raised", **_named(which), what=text_of(BY_NAME[which.name], which.platform, held[which]))
        for which in noted.cleared:
            log.info("alert cleared", **_named(which))
        if self.teller is not None:
            await self._tell(self.teller)

    async def _tell(self, teller: Teller) -> None:
        """Tell of what was not told yet, the oldest first; at the first that nobody takes all wait: the receiver is away."""
        for one in await self.database.read(alerts.untold, self.clock()):
            if not await teller.tell(one):
                again_at = self.clock() + timedelta(seconds=wait_before(one.tries))
                await self.database.write(alerts.not_told, one, again_at)
                return
            await self.database.write(alerts.told, one, self.clock())

    async def standing(self) -> Sequence[ActiveAlert]:
        """Return the alerts that stand now, as of the last look of any process, the oldest first."""
        return [active(one) for one in await self.database.read(alerts.standing) if one.which.name in BY_NAME]


def active(one: Standing) -> ActiveAlert:
    """Return an alert as the graph tells it."""
    alert = BY_NAME[one.which.name]
    return ActiveAlert(
        name=alert.name,
        severity=alert.severity.value,
        platform=one.which.platform or None,
        since=one.since,
        text=text_of(alert, one.which.platform, one.number),
        runbook=alert.runbook,
    )


def _named(which: Which) -> dict[str, str]:
    return {"alert": which.name} | ({"platform": which.platform} if which.platform else {})
