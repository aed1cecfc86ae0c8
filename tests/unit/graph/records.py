"""Records with every field filled in, so that a test says only what it is about."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any, TypeVar

from schema.alerts import ActiveAlert
from schema.context import Caller, PlatformHealth
from schema.decision import Decision
from schema.declare import Field, declared
from schema.entity import Entity
from schema.loop import Loop
from schema.notice_operations import FiguresCheckWanted, NoticeWanted
from schema.operations import Outcome
from schema.request_inputs import RequestCampaignInput
from schema.user_errors import UnknownObligation, UserError

E = TypeVar("E", bound=Entity)
SEES_ALL = Caller("tests", frozenset({"graph:read", "ops:read", "ops:act"}))
NOW = datetime(2019, 9, 11, 1, 0, tzinfo=UTC)
ELIGIBLE = Decision(subject="-", matter="-", eligible=True, grade=None, score=None, reasons=(), as_of=None, data=())
PLAIN: dict[type, Any] = {str: "-", int: 1, bool: False, Decimal: Decimal(0), datetime: NOW, bytes: b"-"}


def made(entity: type[E], /, **told: Any) -> E:
    """Return a record with what is told; the rest is null, empty or plain."""
    columns = declared(entity).fields
    return entity(**{name: told[name] if name in told else _plain(column) for name, column in columns.items()})


def _plain(column: Field) -> Any:
    if column.nullable:
        return None
    if column.many:
        return ()
    return next(iter(column.kind)) if issubclass(column.kind, Enum) else PLAIN[column.kind]


class FakeLevers:
    """Nothing is paused."""

    def is_paused(self, platform: str) -> bool:
        return False


@dataclass
class FakeHub:
    """An engine that notes what it was asked, and refuses every key that begins with `no-`."""

    calls: list[tuple[Any, ...]] = field(default_factory=list)
    health: Sequence[PlatformHealth] = ()
    standing: Sequence[ActiveAlert] = ()
    now: datetime = NOW
    on_call: Any = None
    decision: Decision = field(default_factory=lambda: ELIGIBLE)
    read_loop: Callable[[str, str, Caller], Awaitable[Loop | None]] | None = None

    levers: Any = field(default_factory=FakeLevers)
    live: Any = None
    tracer: Any = None
    backfiller: Any = None
    feeds: Any = None
    revealer: Any = None

    def clock(self) -> datetime:
        return self.now

    async def loop(self, entity: str, key: str, caller: Caller) -> Loop | None:
        return await self.read_loop(entity, key, caller) if self.read_loop else None

    def stale(self, source: str, observed_at: datetime) -> bool:
        return self.now - observed_at > timedelta(hours=1)

    async def platforms(self) -> Sequence[PlatformHealth]:
        return self.health

    async def alerts(self) -> Sequence[ActiveAlert]:
        return self.standing

    async def eligibility(self, subject: str, matter: str) -> Decision:
        self.calls.append(("eligibility", subject, matter))
        return self.decision

    async def _note(self, *call: Any) -> Outcome:
        self.calls.append(call)
        if self.on_call:
            await self.on_call()
        keys = [call[1]] if isinstance(call[1], str) else call[1]
        refused: list[UserError] = [
            UnknownObligation(message=f"no obligation '{key}'", path=["keys", str(at)], key=key)
            for at, key in enumerate(keys)
            if key.startswith("no-")
        ]
        return Outcome(tuple(key for key in keys if not key.startswith("no-")), tuple(refused))

    async def request_campaign(self, wanted: RequestCampaignInput, by: str) -> Outcome:
        return await self._note("request_campaign", [wanted.request_no, f"campaign:{wanted.request_no}"], wanted, by)

    async def retry(self, keys: Sequence[str], reason: str | None, by: str) -> Outcome:
        return await self._note("retry", keys, reason, by)

    async def waive(self, key: str, reason: str, by: str) -> Outcome:
        return await self._note("waive", key, reason, by)

    async def settle(self, key: str, reason: str, by: str) -> Outcome:
        return await self._note("settle", key, reason, by)

    async def resolve(self, item_id: str, resolution: str, by: str) -> Outcome:
        return await self._note("resolve", item_id, resolution, by)

    async def compare_now(self, platform: str, by: str) -> Outcome:
        return await self._note("compare_now", platform, by)

    async def approve_tombstones(self, item_id: str, reason: str, by: str) -> Outcome:
        return await self._note("approve_tombstones", item_id, reason, by)

    async def merge(self, identifier: str, into: str, reason: str, by: str) -> Outcome:
        refused = await self._note("merge", identifier, into, reason, by)
        return Outcome((f"{identifier}/1",)) if refused.done else refused

    async def split(self, merge_id: str, reason: str, by: str) -> Outcome:
        return await self._note("split", merge_id, reason, by)

    async def resync(self, platform: str, stream: str | None, by: str) -> Outcome:
        return await self._note("resync", platform, stream, by)

    async def replay(self, delivery_ids: Sequence[str], by: str) -> Outcome:
        return await self._note("replay", delivery_ids, by)

    async def replay_since(self, platform: str, since: datetime, by: str) -> Outcome:
        return await self._note("replay_since", platform, since, by)

    async def push_notice(self, wanted: NoticeWanted, by: str) -> Outcome:
        return await self._note("push_notice", wanted.request_no, wanted, by)

    async def record_figures_check(self, wanted: FiguresCheckWanted, by: str) -> Outcome:
        return await self._note("record_figures_check", wanted.report_no, wanted, by)
