"""Records that are here and that their platform does not show any more: marked as gone, or, where they are many, asked about.

Before a record is marked, the platform is asked for it by its key once more, wherever it can be. Called by drift.py and
full_read.py; `approve` by operator.py. A record that is shown again at the same version comes back (hub/mirror/records.py).
"""

import hashlib
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence, Set
from datetime import datetime
from typing import NamedTuple

import msgspec
import structlog
from sqlalchemy import Connection

from connectors.base import Connector, Item
from connectors.buckets import Digest
from connectors.errors import ConnectorError, TransientError
from hub.intake.apply import Applier
from hub.intake.pauses import stop_if_paused
from hub.mirror import audit, controls, drift, held, ops_list
from hub.mirror.audit import Entry
from hub.mirror.database import Database, DatabaseUnavailable
from hub.mirror.drift import Compared, Seen
from hub.mirror.ops_list import Trouble
from hub.mirror.rows import Rows
from hub.mirror.streams import LeaseLost
from schema.entities import DriftFinding, DriftMethod, DriftState
from schema.entity import Observation, Tombstone, key_of
from schema.operations import Outcome
from schema.user_errors import PlatformIsPaused, UnknownOpsItem, WrongState

log = structlog.get_logger()
KIND = "tombstones"
CHUNK = 50
Hold = Callable[[Connection], None]
"""Holds, until the transaction ends, what gives the right to mark anything; raises where that is another's by now."""
NOTED_AT_ONCE = 2000
"""Findings that are written in one transaction."""
Gone = Callable[[], AsyncIterator[Sequence[Seen]]]
"""Yields what is missed, some of it at a time and always in the same order: there may be more than fits into memory."""
NAMED = 200
"""Keys that an item of the ops list names; its findings name all."""


class CarriedOut(NamedTuple):
    """How many findings were settled, and why the others wait: an error for each platform. They go on by themselves."""

    settled: int
    waiting: tuple[ConnectorError, ...]


class Burial(NamedTuple):
    """Records that are to be marked as gone, or come `back`; `findings` are those that were noted of them."""

    compared: Compared
    stream: str
    some: Sequence[Seen]
    back: Set[str]
    findings: Sequence[DriftFinding]
    hold: Hold | None


class Tombstones:
    """`share` and `at_least`: so much of what we hold of an entity, or so many, is marked as gone without asking."""

    def __init__(
        self,
        database: Database,
        rows: Rows,
        connectors: Mapping[str, Connector],
        applier: Applier,
        *,
        clock: Callable[[], datetime],
        after: Callable[[], None],
        share: float,
        at_least: int,
    ) -> None:
        self._database = database
        self._rows = rows
        self._connectors = connectors
        self._applier = applier
        self._clock = clock
        self._after = after
        self._share = share
        self._at_least = at_least

    async def bury(self, connector: Connector, compared: Compared, number: int, gone: Gone, hold: Hold) -> None:
        """Mark records as gone that a reading has missed there, or ask about all of them. Raises TransientError, and as `hold`."""
        if await self._may_be_marked(compared, number, gone, hold):
            async for some in gone():
                for start in range(0, len(some), CHUNK):
                    await self._mark(connector, compared, some[start : start + CHUNK], hold=hold)

    async def bury_found(self, connector: Connector, compared: Compared, found: Sequence[DriftFinding]) -> None:
        """Do the same with what was noted as missing there: what is shown after all ends. Raises TransientError."""

        found = sorted(found, key=lambda one: one.record_key)

        async def gone() -> AsyncIterator[Sequence[Seen]]:
            for start in range(0, len(found), NOTED_AT_ONCE):
                yield [_seen(one) for one in found[start : start + NOTED_AT_ONCE]]

        if await self._may_be_marked(compared, len(found), gone):
            for start in range(0, len(found), CHUNK):
                some = found[start : start + CHUNK]
                await self._mark(connector, compared, [_seen(one) for one in some], some)

    async def _may_be_marked(self, compared: Compared, missing: int, gone: Gone, hold: Hold | None = None) -> bool:
        """Return whether these are few enough; ask about them if they are not."""
        if not missing:
            return False
        number = await self._database.read(held.count, compared.platform, compared.entity)
        if missing <= max(self._at_least, int(number * self._share)):
            return True
        await self._ask(compared, gone, missing, number, hold)
        return False

    async def _mark(
        self,
        connector: Connector,
        compared: Compared,
        some: Sequence[Seen],
        findings: Sequence[DriftFinding] = (),
        hold: Hold | None = None,
    ) -> None:
        await stop_if_paused(self._database, compared.platform)
        shown = await self._shown(connector, compared.entity, [one.key for one in some])
        back = {_key(item) for item in shown}
        items = [*shown, *self._stones(compared, [one for one in some if one.key not in back])]
        burial = Burial(compared, self._stream_of(compared), some, {key for key in back if key is not None}, findings, hold)
        try:
            await self._database.write(self._bury, burial, items)
        except (DatabaseUnavailable, LeaseLost):
            raise
        except Exception:  # find the one that fails: it must not hold up the others
            log.exception("records cannot be marked as gone together; they are one by one", platform=compared.platform)
            _, bad = await self._applier.one_by_one(compared.platform, burial.stream, items)
            await self._database.write(self._bury, burial, bad)
        self._after()

    def _stones(self, compared: Compared, gone: Sequence[Seen]) -> Iterator[Tombstone]:
        for one in gone:
            yield Tombstone(
                entity=compared.entity,
                key=one.key,
                source=compared.platform,
                observed_at=self._clock(),
                version=one.our_version,
                presumed=True,
            )

    def _stream_of(self, compared: Compared) -> str:
        streams = self._connectors[compared.platform].streams
        return next(each.name for each in streams if compared.entity in each.whole)

    async def carry_out(self) -> CarriedOut:
        """Mark as gone what operators have approved. What a paused platform or one that does not answer holds up stays approved."""
        settled, waiting = 0, list[ConnectorError]()
        for platform in await self._database.read(drift.platforms_in_state, DriftState.APPROVED):
            try:
                async for some in self._approved(platform):
                    await self._carry_out(some)
                    settled += len(some)
            except ConnectorError as error:
                waiting.append(error)
            except DatabaseUnavailable:
                raise
            except Exception as error:  # outermost of a platform: what is approved of the others is marked all the same
                log.exception("what is approved cannot be marked as gone", platform=platform)
                message = f"{type(error).__name__} while records were marked as gone; the log has it"
                waiting.append(TransientError(platform, "UNEXPECTED", message))
        return CarriedOut(settled, tuple(waiting))

    async def _approved(self, platform: str) -> AsyncIterator[Sequence[DriftFinding]]:
        """Yield what is approved of a platform, some of one comparison at a time; raise TransientError once it is paused."""
        while found := await self._database.read(drift.in_state, self._rows, DriftState.APPROVED, CHUNK, None, platform):
            by_report: dict[str, list[DriftFinding]] = {}
            for one in found:
                by_report.setdefault(one.report_id, []).append(one)
            for findings in by_report.values():
                await stop_if_paused(self._database, platform)
                yield findings

    async def _carry_out(self, findings: Sequence[DriftFinding]) -> None:
        first = findings[0]
        compared = Compared(first.platform, first.entity, DriftMethod(first.report_id.rsplit("/", 1)[1]))
        connector = self._connectors.get(first.platform)
        if connector is None:  # it is bridged no more: nobody can say what it shows
            await self._database.write(drift.settle, self._rows, findings, DriftState.ENDED, self._clock())
            return
        await self._mark(connector, compared, [_seen(one) for one in findings], findings)

    async def _shown(self, connector: Connector, entity: str, keys: Sequence[str]) -> list[Item]:
        """Return what the platform shows of these records after all; nothing where it cannot be asked by key."""
        return await connector.fetch(entity, keys) if entity in connector.fetchable else []

    def _bury(self, connection: Connection, burial: Burial, items: Sequence[Item]) -> None:
        """Write what is shown after all, and tombstones for the rest; settle the findings that were noted of them."""
        compared, findings, now = burial.compared, burial.findings, self._clock()
        if burial.hold is not None:
            burial.hold(connection)
        self._applier.write(connection, compared.platform, burial.stream, items)
        left = held.versions(connection, compared.entity, [one.key for one in burial.some]).keys() | burial.back
        buried = [msgspec.structs.replace(one, state=DriftState.TOMBSTONED) for one in burial.some if one.key not in left]
        drift.settle(connection, self._rows, [one for one in findings if one.record_key in left], DriftState.ENDED, now)
        if findings:
            drift.settle(
                connection, self._rows, [one for one in findings if one.record_key not in left], DriftState.TOMBSTONED, now
            )
        else:
            drift.note(connection, self._rows, compared, buried, now)
        if buried:
            log.info("marked as gone", platform=compared.platform, entity=compared.entity, count=len(buried))

    async def _ask(self, compared: Compared, gone: Gone, missing: int, number: int, hold: Hold | None) -> None:
        """Put an item on the ops list, and then what it is about, some at a time, each waiting for its answer."""
        named, told = list[str](), hashlib.sha256()
        async for some in gone():
            for one in some:
                told.update(msgspec.json.encode(one.key))
            named += [one.key for one in some[: NAMED - len(named)]]
        trouble = Trouble(
            kind=KIND,
            cause=cause_of(compared),
            message=(
                f"{compared.platform}: {missing} of {number} {compared.entity} are here and not there, more than are marked as "
                f"gone without asking. If the platform lost them, have it find them again: they come back by themselves. If they "
                f"are gone for good, approveTombstones or `bihuan drift --approve` marks them so; driftFindings names all"
            ),
            after=msgspec.json.encode(named).decode(),
            distinct=told.hexdigest(),
        )
        await self._database.write(self._open, trouble, hold)
        async for some in gone():
            waiting = [msgspec.structs.replace(one, state=DriftState.WAITING, item_id=trouble.item_id) for one in some]
            await self._database.write(self._note, compared, waiting, hold)
        log.warning("too many are gone", platform=compared.platform, entity=compared.entity, count=missing, of=number)

    def _open(self, connection: Connection, trouble: Trouble, hold: Hold | None) -> None:
        if hold is not None:
            hold(connection)
        now, carried_out = self._clock(), drift.in_state(connection, self._rows, DriftState.TOMBSTONED, 1, trouble.item_id)
        ops_list.open_items(connection, self._rows, [trouble], now)
        ops_list.reopen(connection, self._rows, trouble, now, settled=bool(carried_out))

    def _note(self, connection: Connection, compared: Compared, waiting: Sequence[Seen], hold: Hold | None) -> None:
        if hold is not None:
            hold(connection)
        drift.note(connection, self._rows, compared, waiting, self._clock())

    def close_answered(self, connection: Connection, compared: Compared) -> None:
        """Settle items of the ops list for which nothing waits any more: what they named is shown again, or in another list."""
        waiting = drift.waiting_items(connection, compared.platform, compared.entity)
        for item_id in ops_list.open_about(connection, KIND, cause_of(compared)):
            if item_id not in waiting:
                why = "compared again, it is no more, or stands in another item"
                ops_list.resolve(connection, self._rows, item_id, ops_list.BY_ITSELF, why, self._clock())


def approve(connection: Connection, rows: Rows, item_id: str, reason: str, by: str, now: datetime) -> Outcome:
    """Let all that an item of the ops list names be marked as gone; done is the item. Refuses UnknownOpsItem, WrongState.

    Approved once more, it is done. What the platform shows by then after all is not marked. Where the platform is paused the
    approval stands, and PlatformIsPaused beside it says that it waits.
    """
    if not ops_list.exists(connection, item_id):
        message = f"no item '{item_id}' on the ops list; opsItems lists them"
        return Outcome(refused=(UnknownOpsItem(message=message, path=["itemId"], item_id=item_id),))
    if drift.decide(connection, item_id, DriftState.APPROVED):
        ops_list.resolve(connection, rows, item_id, by, reason, now)
        outcome = "what it names is marked as gone"
        entry = Entry(at=now, by=by, action="approveTombstones", kind="OpsItem", target=item_id, reason=reason, outcome=outcome)
        audit.note(connection, rows, entry)
        return _approved(connection, rows, item_id)
    for state in (DriftState.APPROVED, DriftState.TOMBSTONED):
        if drift.in_state(connection, rows, state, 1, item_id):
            return _approved(connection, rows, item_id)
    message = f"nothing waits for item '{item_id}': it is another kind of item, or the platform shows again what it named"
    return Outcome(refused=(WrongState(message=message, path=["itemId"], state="NOTHING_WAITS", allowed=["WAITING"]),))


def _approved(connection: Connection, rows: Rows, item_id: str) -> Outcome:
    """Return that an item is approved; and, where its platform is paused, that it waits for that."""
    waiting = drift.in_state(connection, rows, DriftState.APPROVED, 1, item_id)
    if not waiting or not controls.is_paused(connection, waiting[0].platform):
        return Outcome(done=(item_id,))
    platform = waiting[0].platform
    message = f"item '{item_id}' is approved; {platform} is paused: its records are marked as gone by themselves once it is resumed"
    return Outcome(done=(item_id,), refused=(PlatformIsPaused(message=message, path=["itemId"], platform=platform),))


def cause_of(compared: Compared) -> str:
    """Return what an item of the ops list is about."""
    return f"{compared.platform}/{compared.entity}"


def _seen(one: DriftFinding) -> Seen:
    return Seen(
        key=one.record_key,
        kind=one.kind,
        state=one.state,
        bucket=one.bucket,
        our_version=one.our_version,
        ours=_digest(one.our_count, one.our_digest),
        theirs=_digest(one.their_count, one.their_digest),
    )


def _digest(count: int | None, digest: str | None) -> Digest | None:
    return None if count is None or digest is None else Digest(count, digest)


def _key(item: Item) -> str | None:
    return key_of(item.record) if isinstance(item, Observation) else item.key
