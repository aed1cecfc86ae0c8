"""Backfill of a span of time, and the dry runs of backfill and replay: what they change, told before (dry_run.py) or after."""

import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from connectors.base import Connector, Item, Page
from connectors.errors import ConnectorError
from hub.dry_run import DryRun
from hub.intake.apply import not_applied
from hub.intake.difference import Tally
from hub.intake.rehearsal import Changed, Rehearsal
from hub.levers import Levers
from hub.mirror import audit, controls, inbox
from hub.mirror.audit import Entry
from hub.mirror.database import Database, DatabaseUnavailable
from hub.mirror.rows import Rows
from schema.backfill import Difference
from schema.identifiers import redact
from schema.operations import Outcome
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
"""Records that one backfill reads; what is beyond is left for the next."""
MOST_FORESEEN = 200_000
"""Records that one dry run reads."""
AT_ONCE = 200
"""Records of one transaction, so that nobody waits long for it."""


@dataclass(frozen=True)
class Backfiller:
    """Implements `schema.backfill.Backfills`. `wake` is called when something was applied."""

    database: Database
    rows: Rows
    connectors: Mapping[str, Connector]
    rehearsal: Rehearsal
    levers: Levers
    clock: Callable[[], datetime]
    wake: Callable[[], None]

    async def backfill(
        self, platform: str, stream: str, start: datetime, end: datetime, reason: str, by: str, *, dry_run: bool, skip: int = 0
    ) -> tuple[Outcome, Difference | None]:
        """Read what changed from `start` to before `end` once more. The stream's own place stays where it is.

        Where the platform is paused meanwhile it ends behind its page: with PlatformIsPaused, and what it came to until then.
        `skip` is of a dry run: what it shows begins behind so many lines.
        """
        await self.levers.refresh()
        if (wrong := self._wrong(platform, stream, start, end)) is not None:
            return Outcome(refused=(wrong,)), None
        stream_id, tally = f"{platform}/{stream}", Tally(dry_run=False)
        try:
            pages = self.connectors[platform].between(stream, start, end)
            if dry_run:
                return await self._foreseen(platform, stream, pages, skip)
            span = f"{start.isoformat()} to {end.isoformat()} is read again"
            entry = Entry(
                at=self.clock(), by=by, action="backfill", kind="StreamHealth", target=stream_id, reason=reason, outcome=span
            )
            await self.database.write(audit.note, self.rows, entry)
            stopped = await self._read(platform, stream, pages, tally)
        except ConnectorError as error:
            message = redact(f"{error}; applied so far: {tally.total}")
            return Outcome(refused=(NotReadable(message=message, path=["stream"], code=error.code),)), None
        return _outcome(platform, stream, stopped), tally.difference()

    async def foresee_replay(
        self, delivery_ids: Sequence[str], platform: str | None, since: datetime | None, *, skip: int = 0
    ) -> tuple[Outcome, Difference | None]:
        """Return what a replay would change: of these deliveries, or of all that a platform posted at `since` or later."""
        if platform is not None and platform not in self.connectors:
            return Outcome(refused=(self._unknown(platform),)), None
        run, found, last = self._dry_run(skip), dict[str, None](), None
        while kept := await self.database.read(inbox.kept_deliveries, self.rows, delivery_ids, platform, since, AT_ONCE, last):
            for one in kept:
                if one.platform in self.connectors:
                    await run.add(one.platform, "webhook", self.connectors[one.platform].parse(inbox.raw_of(one)))
            found |= dict.fromkeys(one.delivery_id for one in kept)
            last = kept[-1]
            if run.tally.total >= MOST_FORESEEN:
                run.tally.complete = False
                break
        refused = [
            UnknownDelivery(message=f"no delivery '{each}'", path=["deliveryIds", str(at)], delivery_id=each)
            for at, each in enumerate(delivery_ids)
            if each not in found
        ]
        return Outcome(tuple(found), tuple(refused)), await run.difference()

    def _dry_run(self, skip: int) -> DryRun:
        return DryRun(self.database, self.rehearsal, self.clock, max(0, skip))

    async def _foreseen(
        self, platform: str, stream: str, pages: AsyncIterator[Page], skip: int
    ) -> tuple[Outcome, Difference | None]:
        run, stopped = self._dry_run(skip), None
        async with _closing(pages):
            async for page in pages:
                await run.add(platform, stream, page.items)
                if page.more and await self._is_paused(platform):
                    stopped = await self._stopped(platform, applied=0)
                if page.more and (stopped or run.tally.total >= MOST_FORESEEN):
                    run.tally.complete = False
                    break
        return _outcome(platform, stream, stopped), await run.difference()

    async def _is_paused(self, platform: str) -> bool:
        return await self.database.read(controls.is_paused, platform)

    async def _read(self, platform: str, stream: str, pages: AsyncIterator[Page], tally: Tally) -> UserError | None:
        """Apply page after page; return why it ended before its time, None where it did not."""
        async with _closing(pages):
            async for page in pages:
                for start in range(0, len(page.items), AT_ONCE):
                    changed = await self._applied(platform, stream, page.items[start : start + AT_ONCE])
                    tally.add(changed.records)
                    tally.owe(changed.obligations)
                if not page.more:
                    continue
                if tally.total >= MOST:
                    tally.complete = False
                    return None
                if await self._is_paused(platform):
                    tally.complete = False
                    return await self._stopped(platform, tally.total)
        return None

    async def _stopped(self, platform: str, applied: int) -> UserError:
        await self.levers.refresh()
        paused = self.levers.paused(platform)
        by = f" by {paused.by}" if paused else ""
        message = (
            f"{platform} was paused{by} while it was read; applied so far: {applied}. Resume it, then ask for the same span "
            "again: what was applied stays, and changes nothing when it comes once more"
        )
        return PlatformIsPaused(message=message, path=["platform"], platform=platform)

    async def _applied(self, platform: str, stream: str, items: Sequence[Item]) -> Changed:
        """Apply items together; where one of them cannot be applied, each for itself, and name that one."""
        now = self.clock()
        try:
            changed = await self.rehearsal.apply(platform, stream, items, now)
        except DatabaseUnavailable:
            raise
        except Exception as error:
            if len(items) == 1:
                return await self.rehearsal.apply(platform, stream, [not_applied(items[0], error)], now)
            each = [await self._applied(platform, stream, [item]) for item in items]
            return Changed([record for one in each for record in one.records], [key for one in each for key in one.obligations])
        if changed.obligations:
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


def _outcome(platform: str, stream: str, stopped: UserError | None) -> Outcome:
    return Outcome((f"{platform}/{stream}",)) if stopped is None else Outcome(refused=(stopped,))


@contextlib.asynccontextmanager
async def _closing(pages: AsyncIterator[Page]) -> AsyncIterator[None]:
    """Let a reading that is left early end at once."""
    try:
        yield
    finally:
        if isinstance(pages, AsyncGenerator):
            await pages.aclose()
