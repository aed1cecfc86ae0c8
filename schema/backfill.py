"""Reading again, and what it would change: backfill of a span of time, replay of deliveries, both with a dry run (补采与重放).

Scope ops:act, audited. Nothing is decided here: the shape of the input is checked, all else is the engine's (hub/backfill.py).
"""

from collections.abc import Sequence
from datetime import datetime
from enum import Enum
from typing import Annotated, Protocol

import strawberry
from strawberry import Info

from schema.acting import Asked, actor, told, unreasoned
from schema.context import Context
from schema.entities import Delivery
from schema.enums import graph_enum
from schema.operations import Outcome
from schema.payloads import Payload, read_each
from schema.resolver import mutation, resolver
from schema.slices import FIRST_LIMIT

SHOWN = 200
"""Records and keys that a difference lists; the counts are of all."""


SKIP = "With dryRun: lines of the difference to leave out, to see the next ones (跳过行数)"


class Foreseen(Enum):
    """What becomes of a record that is read again (预计结果).

    NEW: there is none yet. NEWER: an older version is held. UNCHANGED: it is held as it is. OLDER: a newer version is held.
    CONFLICT: the same version is held with other content, which stays. QUARANTINED: it cannot be used.
    """

    NEW = "NEW"
    NEWER = "NEWER"
    UNCHANGED = "UNCHANGED"
    OLDER = "OLDER"
    CONFLICT = "CONFLICT"
    QUARANTINED = "QUARANTINED"


graph_enum(Foreseen)


@strawberry.type(description="A record that was read again (重读记录)")
class ForeseenRecord:
    """One line of a difference."""

    entity: str | None = strawberry.field(description="Kind of record; null where it could not be read (实体)")
    key: str | None = strawberry.field(description="Its key; null where it could not be read (编号)")
    version: int | None = strawberry.field(description="Version that was read (版本)")
    held_version: int | None = strawberry.field(description="Version that the mirror held before (原版本)")
    outcome: Foreseen = strawberry.field(description="What becomes of it (结果)")
    detail: str | None = strawberry.field(description="Why it cannot be used (说明)")


@strawberry.type(description="How many records became what (计数)")
class ForeseenCount:
    """One line of the counts."""

    outcome: Foreseen = strawberry.field(description="What becomes of them (结果)")
    number: int = strawberry.field(description="How many (数量)")


@strawberry.type(description="What reading again changes (差异)")
class Difference:
    """The counts are of everything that was read; what is listed begins behind `skip` lines.

    In a dry run what changes something was applied for real, rule by rule, and then rolled back.
    """

    counts: list[ForeseenCount] = strawberry.field(description="Records by what becomes of them (计数)")
    records: list[ForeseenRecord] = strawberry.field(
        description=f"{SHOWN} of them at most, those that change something before others; the next with `skip` (记录)"
    )
    obligation_keys: list[str] = strawberry.field(
        description=f"Obligations that come of it, {SHOWN} keys at most; the next with `skip` (新增应办事项)"
    )
    obligations: int = strawberry.field(description="How many obligations come of it (新增应办事项数)")
    complete: bool = strawberry.field(description="False where there was more than is read at once: take a shorter span (是否完整)")
    exact: bool = strawberry.field(
        description="False where more records change than a dry run applies together: obligations that come of records of "
        "different parts, or are spared by them, are not told right; take a shorter span (应办事项是否准确)"
    )
    dry_run: bool = strawberry.field(description="Whether nothing was changed (是否试运行)")


@strawberry.input(description="Which span of a platform's stream is read again (补采输入)")
class BackfillInput:
    """Input of backfill."""

    platform: str = strawberry.field(description="Name of the platform (平台)")
    stream: str = strawberry.field(description="Name of the stream (数据流)")
    from_: datetime = strawberry.field(name="from", description="Changes from this time on (开始时间)")
    to: datetime = strawberry.field(description="Changes before this time (结束时间)")
    reason: str = strawberry.field(default="", description="Why, for the record; may be blank in a dry run only (原因)")
    dry_run: bool = strawberry.field(default=False, description="Only show what would change (试运行)")
    skip: int = strawberry.field(default=0, description=SKIP)


@strawberry.type(description="What became of a backfill (补采结果)")
class BackfillPayload(Payload):
    """Answer of backfill."""

    difference: Difference | None = strawberry.field(description="What it changes; null if refused (差异)")


@strawberry.type(description="Which deliveries are applied once more (重放结果)")
class ReplayPayload(Payload):
    """Answer of replayDeliveries."""

    @resolver("How many deliveries are applied once more", "重放数量")
    def replayed(self) -> int:
        """Count them."""
        return len(self.outcome.done)

    @resolver(f"The deliveries, the first {FIRST_LIMIT} of them", "投递")
    async def deliveries(self, info: Info[Context, None]) -> list[Delivery] | None:
        """Read them, which asks for the right to."""
        return await read_each(info.context, Delivery, self.outcome.done)

    difference: Difference | None = strawberry.field(description="What it would change; null without a dry run (差异)")


class Backfills(Protocol):
    """Implemented by hub/backfill.py; `by` is the name of the caller."""

    async def backfill(
        self, platform: str, stream: str, start: datetime, end: datetime, reason: str, by: str, *, dry_run: bool, skip: int = 0
    ) -> tuple[Outcome, Difference | None]:
        """Read a span again; refuses UnknownPlatform, UnknownStream, InvalidWindow, PlatformIsPaused, NotReadable."""
        ...

    async def foresee_replay(
        self, delivery_ids: Sequence[str], platform: str | None, since: datetime | None, *, skip: int = 0
    ) -> tuple[Outcome, Difference | None]:
        """Return what a replay would change; refuses UnknownPlatform, UnknownDelivery."""
        ...


@strawberry.type
class BackfillActions:
    """Backfill; replayDeliveries is in mutation.py."""

    @mutation("Read what changed on a platform in a span of time again, or see what that would change", "补采时间段")
    async def backfill(
        self, info: Asked, input_: Annotated[BackfillInput, strawberry.argument(name="input")]
    ) -> BackfillPayload | None:
        """Ask the engine, after a look at the reason."""
        by, given = actor(info), input_
        if not given.dry_run and (refusal := unreasoned(given.reason)) is not None:
            return BackfillPayload(outcome=told(info, refusal), difference=None)
        outcome, difference = await info.context.hub.backfiller.backfill(
            given.platform, given.stream, given.from_, given.to, given.reason, by, dry_run=given.dry_run, skip=given.skip
        )
        return BackfillPayload(outcome=told(info, outcome), difference=difference)
