"""Backfill of a span of time, and the dry runs of backfill and replay: what they change, told before or after. Built by app.py."""

from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from connectors.base import Connector, Item, Page
from connectors.errors import ConnectorError
from hub.intake.apply import not_applied
from hub.intake.rehearsal import Changed, Rehearsal
from hub.levers import Levers
from hub.mirror import audit, controls, inbox
from hub.mirror.audit import Entry
from hub.mirror.database import Database, DatabaseUnavailable
from hub.mirror.rows import Rows
from schema.entities import Delivery
from schema.identifiers import redact
from schema.operations import Outcome
from schema.rereading import SHOWN, Difference, Foreseen, ForeseenCount, ForeseenRecord
from schema.user_errors import (
    InvalidWindow,
    NotReadable,
    PlatformIsPaused,
    UnknownDelivery,
    UnknownPlatform,
    UnknownStream,
    UserError,
)

MOST = 20_000
"""Records that one backfill or dry run reads; what is beyond is left for the next."""
AT_ONCE = 200
"""Records of one transaction, so that nobody waits long for it. A dry run does not see what follows from two of them together."""


@dataclass
class _Tally:
    dry_run: bool
    counts: Counter[Foreseen] = field(default_factory=Counter)
    records: list[ForeseenRecord] = field(default_factory=list)
    obligations: dict[str, None] = field(default_factory=dict)
    complete: bool = True

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    def add(self, changed: Changed) -> None:
        self.counts.update(one.outcome for one in changed.records)
        same = [one for one in changed.records if one.outcome is Foreseen.UNCHANGED]
        self.records = [*[one for one in changed.records if one.outcome is not Foreseen.UNCHANGED], *self.records, *same]
        self.records = sorted(self.records, key=lambda one: one.outcome is Foreseen.UNCHANGED)[:SHOWN]
        self.obligations |= dict.fromkeys(changed.obligations)

    def difference(self) -> Difference:
        return Difference(
            counts=[ForeseenCount(outcome=outcome, number=self.counts[outcome]) for outcome in Foreseen],
            records=self.records,
            obligation_keys=list(self.obligations)[:SHOWN],
            obligations=len(self.obligations),
            complete=self.complete,
            dry_run=self.dry_run,
        )


@dataclass(frozen=True)
class Rereader:
    """Implements `schema.rereading.Reread`. `wake` is called when something was applied."""

    database: Database
    rows: Rows
    connectors: Mapping[str, Connector]
    rehearsal: Rehearsal
    levers: Levers
    clock: Callable[[], datetime]
    wake: Callable[[], None]

    async def backfill(
        self, platform: str, stream: str, start: datetime, end: datetime, reason: str, by: str, *, dry_run: bool
    ) -> tuple[Outcome, Difference | None]:
        """Read what changed from `start` to before `end` once more. The stream's own place stays where it is.

        Where the platform is paused meanwhile it ends behind its page: with PlatformIsPaused, and what it came to until then.
        """
        await self.levers.refresh()
        if (wrong := self._wrong(platform, stream, start, end)) is not None:
            return Outcome(refused=(wrong,)), None
        tally, stream_id = _Tally(dry_run), f"{platform}/{stream}"
        try:
            pages = self.connectors[platform].between(stream, start, end)
            if not dry_run:
                span = f"{start.isoformat()} to {end.isoformat()} is read again"
                entry = Entry(
                    at=self.clock(), by=by, action="backfill", kind="StreamHealth", target=stream_id, reason=reason, outcome=span
                )
                await self.database.write(audit.note, self.rows, entry)
            stopped = await self._read(platform, stream, pages, tally)
        except ConnectorError as error:
            message = redact(f"{error}; applied so far: {0 if dry_run else tally.total}")
            return Outcome(refused=(NotReadable(message=message, path=["stream"], code=error.code),)), None
        return Outcome((stream_id,)) if stopped is None else Outcome(refused=(stopped,)), tally.difference()

    async def foresee_replay(
        self, delivery_ids: Sequence[str], platform: str | None, since: datetime | None
    ) -> tuple[Outcome, Difference | None]:
        """Return what a replay would change: of these deliveries, or of all that a platform posted at `since` or later."""
        if platform is not None and platform not in self.connectors:
            return Outcome(refused=(self._unknown(platform),)), None
        kept = await self.database.read(inbox.kept_deliveries, self.rows, delivery_ids, platform, since, MOST + 1)
        tally, found = _Tally(dry_run=True, complete=len(kept) <= MOST), {one.delivery_id for one in kept}
        for one in kept[:MOST]:
            await self._rehearse(one, tally)
        refused = [
            UnknownDelivery(message=f"no delivery '{each}'", path=["deliveryIds", str(at)], delivery_id=each)
            for at, each in enumerate(delivery_ids)
            if each not in found
        ]
        return Outcome(tuple(one.delivery_id for one in kept[:MOST]), tuple(refused)), tally.difference()

    async def _rehearse(self, one: Delivery, tally: _Tally) -> None:
        items = self.connectors[one.platform].parse(inbox.raw_of(one)) if one.platform in self.connectors else []
        tally.add(await self._applied(one.platform, "webhook", items, tally.dry_run, one.delivery_id))

    async def _read(self, platform: str, stream: str, pages: AsyncIterator[Page], tally: _Tally) -> UserError | None:
        """Apply page after page; return why it ended before its time, None where it did not."""
        try:
            async for page in pages:
                for start in range(0, len(page.items), AT_ONCE):
                    tally.add(await self._applied(platform, stream, page.items[start : start + AT_ONCE], tally.dry_run))
                if not page.more:
                    continue
                if tally.total >= MOST:
                    tally.complete = False
                    return None
                if await self.database.read(controls.is_paused, platform):
                    tally.complete = False
                    return await self._stopped(platform, tally)
        finally:
            if isinstance(pages, AsyncGenerator):
                await pages.aclose()
        return None

    async def _stopped(self, platform: str, tally: _Tally) -> UserError:
        await self.levers.refresh()
        paused, applied = self.levers.paused(platform), 0 if tally.dry_run else tally.total
        by = f" by {paused.by}" if paused else ""
        message = (
            f"{platform} was paused{by} while it was read; applied so far: {applied}. Resume it, then ask for the same span again: "
            "what was applied stays, and changes nothing when it comes once more"
        )
        return PlatformIsPaused(message=message, path=["platform"], platform=platform)

    async def _applied(
        self, platform: str, stream: str, items: Sequence[Item], dry_run: bool, delivery_id: str | None = None
    ) -> Changed:
        """Apply items together; where one of them cannot be applied, each for itself, and name that one."""
        now = self.clock()
        try:
            changed = await self.rehearsal.apply(platform, stream, items, now, delivery_id=delivery_id, dry_run=dry_run)
        except DatabaseUnavailable:
            raise
        except Exception as error:
            if len(items) == 1:
                bad = [not_applied(items[0], error)]
                return await self.rehearsal.apply(platform, stream, bad, now, delivery_id=delivery_id, dry_run=dry_run)
            each = [await self._applied(platform, stream, [item], dry_run, delivery_id) for item in items]
            return Changed([record for one in each for record in one.records], [key for one in each for key in one.obligations])
        if changed.obligations and not dry_run:
            self.wake()
        return changed

    def _wrong(self, platform: str, stream: str, start: datetime, end: datetime) -> UserError | None:
        connector = self.connectors.get(platform)
        if connector is None:
            return self._unknown(platform)
        known = [each.name for each in connector.streams]
        if stream not in known:
            message = f"platform '{platform}' has no stream '{stream}'; it has {', '.join(known) or 'none'}"
            return UnknownStream(message=message, path=["stream"], stream=stream, known=known)
        if end <= start:
            message = f"the span ends at {end.isoformat()}, before it begins at {start.isoformat()}; mind the zones"
            return InvalidWindow(message=message, path=["to"])
        if (paused := self.levers.paused(platform)) is not None:
            message = f"{platform} is paused since {paused.since.isoformat()} by {paused.by}; resume it first"
            return PlatformIsPaused(message=message, path=["platform"], platform=platform)
        return None

    def _unknown(self, platform: str) -> UserError:
        known = list(self.connectors)
        message = f"no platform '{platform}'; there are {', '.join(known)}"
        return UnknownPlatform(message=message, path=["platform"], platform=platform, known=known)
