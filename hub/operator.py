"""What the graph and the command line may ask of the engine: health, and the operators' levers. Built by app.py."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from connectors.base import Connector
from hub.alerts.desk import AlertDesk
from hub.backfill import Backfiller
from hub.campaign_requests import CampaignRequests
from hub.delivery_traces import DeliveryTracer
from hub.eligibility import Asker
from hub.graph.feeds.feeds import LiveFeeds
from hub.graph.loops.loop import loop_of
from hub.intake import replay, tombstones
from hub.intake.room import NoRoom
from hub.levers import Levers
from hub.live_reads import LiveReader
from hub.mirror.database import Database
from hub.mirror.replica import Replica
from hub.mirror.rows import Rows
from hub.notices import NoticeDesk
from hub.platform_health import HealthDesk, PlatformStatus
from hub.reconcile import identities, operations
from hub.reconcile.derive import Derivation
from hub.reveals import Reveals
from schema.alerts import ActiveAlert
from schema.context import Caller, PlatformHealth
from schema.decision import Decision
from schema.graph_errors import UNAVAILABLE, GraphError
from schema.loop import Loop
from schema.notice_operations import FiguresCheckWanted, NoticeWanted
from schema.operations import Outcome
from schema.request_inputs import RequestCampaignInput
from schema.user_errors import UnknownDelivery, UnknownPlatform, UnknownStream, UserError


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
    levers: Levers
    health: HealthDesk
    live: LiveReader
    tracer: DeliveryTracer
    backfiller: Backfiller
    feeds: LiveFeeds
    revealer: Reveals
    desk: AlertDesk

    def stale(self, source: str, observed_at: datetime) -> bool:
        """Return whether neither the record was seen, nor its platform read to its end, within the allowed age."""
        if source not in self.connectors or not self.connectors[source].streams:
            return False  # what policy says is never stale; nor what a platform tells that has nothing to read: there is no newer
        confirmed = max(observed_at, self.health.last_success.get(source, observed_at))
        return self.clock() - confirmed > self.stale_after

    async def refresh(self) -> None:
        """Look at what may have changed in other processes; called regularly by app.py."""
        await self.health.refresh()

    async def loop(self, entity: str, key: str, caller: Caller) -> Loop | None:
        """Return the whole chain that a record stands in, as of now and as far as the caller sees it; None if not at all."""
        return await self.reads.read(loop_of, self.rows, entity, key, self.clock(), caller)

    async def platforms(self) -> Sequence[PlatformHealth]:
        """Return the health of every platform, in the order of the settings."""
        return [status.health for status in await self.health.platforms()]

    async def status(self) -> list[PlatformStatus]:
        """Return the health of every platform, each with the reason why a stream of it fails now."""
        return await self.health.platforms()

    async def alerts(self) -> Sequence[ActiveAlert]:
        """Return the alerts that stand now."""
        return await self.desk.standing()

    async def eligibility(self, subject: str, matter: str) -> Decision:
        """Return whether a subject may use commitment for a matter; raise GraphError where too many ask at once."""
        try:
            return await self.asker.ask_in_share(subject, matter)
        except NoRoom:
            told = "too many questions of eligibility are under way; ask again"
            raise GraphError(UNAVAILABLE, told, retryable=True) from None

    async def retry(self, keys: Sequence[str], reason: str | None, by: str) -> Outcome:
        """Make obligations due again, now."""
        outcome = await self.database.write(operations.retry, self.derivation, keys, reason, by, self.clock())
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

    async def compare_now(self, platform: str, by: str) -> Outcome:
        """Let all comparisons with a platform be due now: the regular look at drift begins them."""
        if platform not in self.connectors:
            return Outcome(refused=(self._unknown_platform(platform),))
        return Outcome(done=tuple(await self.database.write(replay.compare_now, self.rows, platform, by, self.clock())))

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
        wanted = [each for each in connector.streams if stream in {None, each.name}]
        return Outcome(done=tuple(await self.database.write(replay.resync, self.rows, platform, wanted, by, self.clock())))

    async def replay(self, delivery_ids: Sequence[str], by: str) -> Outcome:
        """Let deliveries be applied once more."""
        found = await self.database.write(replay.replay, self.rows, list(delivery_ids), by, self.clock())
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
        found = await self.database.write(replay.replay_since, self.rows, platform, since, by, self.clock())
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
