"""What the graph and the command line may ask of the engine: health, and the operators' levers. Built by app.py."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from connectors.base import Connector
from hub.campaign_requests import CampaignRequests
from hub.eligibility import Asker
from hub.graph.loops.loop import loop_of
from hub.intake import tombstones
from hub.mirror import drift, ledger, score_difference_queries, streams
from hub.mirror.database import Database
from hub.mirror.replica import Replica
from hub.mirror.rows import Rows
from hub.notices import NoticeDesk
from hub.reconcile import identities, operations, rereading
from hub.reconcile.derive import Derivation
from schema.context import PlatformHealth
from schema.decision import Decision
from schema.entities import StreamHealth
from schema.loop import Loop
from schema.notice_operations import FiguresCheckWanted, NoticeWanted
from schema.operations import Outcome
from schema.request_inputs import RequestCampaignInput
from schema.user_errors import UnknownDelivery, UnknownPlatform, UnknownStream, UserError


class PlatformStatus(NamedTuple):
    """A platform's health with what `bihuan status` shows beside it."""

    name: str
    last_success: datetime | None
    lag_seconds: float | None
    backlog: int
    stuck: int
    failure: str | None
    drift_open: int
    """Differences that nobody can repair by himself."""
    drift_waiting: int
    """Records that an operator has to decide about: the platform does not show them any more."""
    differences: int = 0
    """Figures of points that differ from ours now; of the credit platform only."""
    bridged: bool = True
    """Whether HUB_PLATFORMS names it; one that it leaves out is shown while something is owed to it."""


@dataclass
class Operator:
    """Implements `schema.context.Hub`. `wake` is called after something was made due."""

    database: Database
    reads: Database | Replica
    """What the graph reads."""
    rows: Rows
    connectors: Mapping[str, Connector]
    asker: Asker
    derivation: Derivation
    clock: Callable[[], datetime]
    stale_after: timedelta
    wake: Callable[[], None]
    arrived: Callable[[], None]
    campaigns: CampaignRequests
    notices: NoticeDesk

    def __post_init__(self) -> None:
        """Know no success yet; `refresh` learns them."""
        self._last_success: dict[str, datetime] = {}

    def stale(self, source: str, observed_at: datetime) -> bool:
        """Return whether neither the record was seen, nor its platform read to its end, within the allowed age."""
        if source not in self.connectors or not self.connectors[source].streams:
            return False  # what policy says is never stale; nor what a platform tells that has nothing to read: there is no newer
        confirmed = max(observed_at, self._last_success.get(source, observed_at))
        return self.clock() - confirmed > self.stale_after

    async def refresh(self) -> None:
        """Learn when each platform was last read; called regularly by app.py."""
        self._last_success = self._read_to_end(await self.reads.read(streams.all_streams, self.rows))

    async def loop(self, entity: str, key: str) -> Loop | None:
        """Return the whole chain that a record stands in, as of now; None if there is no such record."""
        return await self.reads.read(loop_of, self.rows, entity, key, self.clock())

    async def platforms(self) -> Sequence[PlatformHealth]:
        """Return the health of every platform, in the order of the settings; then those left out to which something is owed."""
        return [
            PlatformHealth(
                name=status.name,
                last_success=status.last_success,
                lag_seconds=status.lag_seconds,
                backlog=status.backlog,
                stuck=status.stuck,
                breaker_open_until=self.connectors[status.name].open_until if status.bridged else None,
                bridged=status.bridged,
            )
            for status in await self.status()
        ]

    async def status(self) -> list[PlatformStatus]:
        """Return each platform's last success, lag, backlog and the reason why a stream fails now.

        A platform without streams is never read: it has neither success nor lag, and its backlog says how it does.
        """
        health = await self.database.read(streams.all_streams, self.rows)
        counts = await self.database.read(ledger.backlog)
        standing = await self.database.read(drift.standing)
        differences = {"credit": await self.database.read(score_difference_queries.open_count)}
        self._last_success = self._read_to_end(health)
        owed_to = {platform for (platform, state), count in counts.items() if count and state in ledger.OPEN}
        names = [*self.connectors, *sorted(owed_to - set(self.connectors))]
        found = [self._status(name, health, counts, standing.get(name, {})) for name in names]
        return [each._replace(differences=differences.get(each.name, 0)) for each in found]

    def _status(
        self, name: str, health: Sequence[StreamHealth], counts: Mapping[tuple[str, str], int], differences: Mapping[str, int]
    ) -> PlatformStatus:
        last = self._last_success.get(name)
        failures = [f"{one.stream}: {one.failure}" for one in health if one.platform == name and one.failure]
        bridged = name in self.connectors
        if not bridged:
            failures = ["left out of HUB_PLATFORMS: nothing is sent to it; name it there again, or waive what is owed to it"]
        return PlatformStatus(
            name=name,
            last_success=last,
            lag_seconds=None if last is None else (self.clock() - last).total_seconds(),
            backlog=sum(count for (platform, state), count in counts.items() if platform == name and state in ledger.OPEN),
            stuck=counts.get((name, "STUCK"), 0),
            failure="; ".join(failures) or None,
            drift_open=differences.get("OPEN", 0),
            drift_waiting=differences.get("WAITING", 0),
            bridged=bridged,
        )

    async def eligibility(self, subject: str, matter: str) -> Decision:
        """Return whether a subject may use commitment for a matter."""
        return await self.asker.ask(subject, matter)

    async def retry(self, keys: Sequence[str], reason: str | None, by: str) -> Outcome:
        """Make obligations due again, now."""
        outcome = await self.database.write(operations.retry, self.rows, keys, reason, by, self.clock())
        self.wake()
        return outcome

    async def waive(self, key: str, reason: str, by: str) -> Outcome:
        """Take an obligation off."""
        return await self.database.write(operations.waive, self.rows, key, reason, by, self.clock())

    async def settle(self, key: str, reason: str, by: str) -> Outcome:
        """Note that an obligation was discharged by hand."""
        return await self.database.write(operations.settle_by_hand, self.rows, key, reason, by, self.clock())

    async def resolve(self, item_id: str, resolution: str, by: str) -> Outcome:
        """Close an item of the ops list."""
        return await self.database.write(operations.resolve_ops_item, self.rows, item_id, resolution, by, self.clock())

    async def approve_tombstones(self, item_id: str, reason: str, by: str) -> Outcome:
        """Let what an item of the ops list names be marked as gone, by the next look at drift."""
        return await self.database.write(tombstones.approve, self.rows, item_id, reason, by, self.clock())

    async def request_campaign(self, wanted: RequestCampaignInput, by: str) -> Outcome:
        """Keep a request for a joint inspection."""
        return await self.campaigns.request(wanted, by)

    async def merge(self, identifier: str, into: str, reason: str, by: str) -> Outcome:
        """Merge what an identifier names into the subject of another."""
        outcome = await self.database.write(identities.merge, self.derivation, identifier, into, reason, by, self.clock())
        self.wake()
        return outcome

    async def split(self, merge_id: str, reason: str, by: str) -> Outcome:
        """Undo a merge."""
        outcome = await self.database.write(identities.split, self.derivation, merge_id, reason, by, self.clock())
        self.wake()
        return outcome

    async def resync(self, platform: str, stream: str | None, by: str) -> Outcome:
        """Let streams be read from their beginning."""
        connector = self.connectors.get(platform)
        if connector is None:
            return Outcome(refused=(self._unknown_platform(platform),))
        known = [each.name for each in connector.streams]
        if stream is not None and stream not in known:
            message = f"platform '{platform}' has no stream '{stream}'; it has {', '.join(known) or 'none'}"
            return Outcome(refused=(UnknownStream(message=message, path=["stream"], stream=stream, known=known),))
        wanted = known if stream is None else [stream]
        return Outcome(done=tuple(await self.database.write(rereading.resync, self.rows, platform, wanted, by, self.clock())))

    async def replay(self, delivery_ids: Sequence[str], by: str) -> Outcome:
        """Let deliveries be applied once more."""
        found = await self.database.write(rereading.replay, self.rows, list(delivery_ids), by, self.clock())
        refused: list[UserError] = [
            UnknownDelivery(message=f"no delivery '{each}'", path=["deliveryIds", str(at)], delivery_id=each)
            for at, each in enumerate(delivery_ids)
            if each not in found
        ]
        self.arrived()
        return Outcome(done=tuple(each for each in delivery_ids if each in found), refused=tuple(refused))

    async def replay_since(self, platform: str, since: datetime, by: str) -> Outcome:
        """Let all deliveries of a platform since then be applied once more."""
        if platform not in self.connectors:
            return Outcome(refused=(self._unknown_platform(platform),))
        found = await self.database.write(rereading.replay_since, self.rows, platform, since, by, self.clock())
        self.arrived()
        return Outcome(done=tuple(found))

    async def push_notice(self, wanted: NoticeWanted, by: str) -> Outcome:
        """Keep a request for notices."""
        return await self.notices.push_notice(wanted, by)

    async def record_figures_check(self, wanted: FiguresCheckWanted, by: str) -> Outcome:
        """Keep the check of a report's figures."""
        return await self.notices.record_figures_check(wanted, by)

    def _unknown_platform(self, platform: str) -> UserError:
        known = list(self.connectors)
        message = f"no platform '{platform}'; there are {', '.join(known)}"
        return UnknownPlatform(message=message, path=["platform"], platform=platform, known=known)

    def _read_to_end(self, health: Sequence[StreamHealth]) -> dict[str, datetime]:
        """Return when each platform was last read to its end: its slowest stream counts, lists read now and then do not."""
        slow = {(name, each.name) for name, one in self.connectors.items() for each in one.streams if each.poll_factor > 1}
        known = {(name, each.name) for name, one in self.connectors.items() for each in one.streams}
        found: dict[str, list[datetime | None]] = {}
        for one in health:
            if (one.platform, one.stream) in known and (one.platform, one.stream) not in slow:
                found.setdefault(one.platform, []).append(one.last_success_at)
        return {name: min(each for each in times if each) for name, times in found.items() if all(times)}
