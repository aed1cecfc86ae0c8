"""A platform's health in the graph: whether the hub is in sync with it (平台同步状况)."""

from datetime import datetime

import strawberry
from strawberry import Info

from schema.conditions import Calls, ClockSkew, Maintenance, Paused, QuotaUse, SecretInUse
from schema.context import Context, PlatformHealth
from schema.declare import declared
from schema.entities import DriftReport, StreamHealth
from schema.resolver import resolver
from schema.slices import FIRST_LIMIT, Joined, Order, Slice


@strawberry.type(description="A platform that the hub bridges, and whether it is in sync (平台)")
class Platform:
    """Made from what the engine knows; the streams come from the mirror."""

    name: str = strawberry.field(description="Name, as in webhook addresses (平台名称)")
    last_success: datetime | None = strawberry.field(
        description="When it was last read without error; null before, and where it has no streams (最近成功)"
    )
    lag_seconds: float | None = strawberry.field(description="Seconds since then; null before the first success (滞后秒数)")
    backlog: int = strawberry.field(description="Open obligations towards it (未办结事项数)")
    stuck: int = strawberry.field(description="Of these, how many a person has to look at (待人工处理数)")
    breaker_open_until: datetime | None = strawberry.field(
        description="No call is made until then; null while calls go through (熔断至)"
    )
    bridged: bool = strawberry.field(
        description="Whether the hub calls it; one left out is shown while something is owed to it, which waits for ever (是否接入)"
    )
    paused: Paused | None = strawberry.field(description="The pause that stands; null while it is not paused (暂停)")
    maintenance: Maintenance | None = strawberry.field(description="The maintenance that it is in now; null outside (维护中)")
    silenced: bool = strawberry.field(description="Whether alerts about it are silent: it is paused or in maintenance (告警静默)")
    clock: ClockSkew | None = strawberry.field(
        description="Its clock against ours; null where it shows none, or was not called yet (时钟偏差)"
    )
    secrets: list[SecretInUse] = strawberry.field(description="Secrets that are configured, and when each was last used (密钥使用)")

    calls: Calls = strawberry.field(description="How often the hub called it, and in vain, of late (调用次数)")
    quota: QuotaUse | None = strawberry.field(description="How much of its quota is used; null where it is left out (配额使用)")

    @resolver("Its streams, and how far each has been read", "数据流")
    async def streams(self, info: Info[Context, None]) -> list[StreamHealth]:
        """Read them, in one statement for all platforms."""
        info.context.caller.require_read(declared(StreamHealth))
        whole = Slice(Order("stream_id"), FIRST_LIMIT)
        found = await info.context.reads.page(StreamHealth, whole, Joined("platform", self.name))
        return list(found[:FIRST_LIMIT])

    @resolver("How the hub and it compared last", "比对报告")
    async def drift(self, info: Info[Context, None]) -> list[DriftReport]:
        """Read them, in one statement for all platforms."""
        info.context.caller.require_read(declared(DriftReport))
        found = await info.context.reads.page(DriftReport, Slice(Order("report_id"), FIRST_LIMIT), Joined("platform", self.name))
        return list(found[:FIRST_LIMIT])


def platform_of(health: PlatformHealth) -> Platform:
    """Return what the engine knows of a platform as the graph shows it."""
    return Platform(
        name=health.name,
        last_success=health.last_success,
        lag_seconds=health.lag_seconds,
        backlog=health.backlog,
        stuck=health.stuck,
        breaker_open_until=health.breaker_open_until,
        bridged=health.bridged,
        paused=health.paused,
        maintenance=health.maintenance,
        silenced=health.silenced,
        clock=health.clock,
        secrets=list(health.secrets),
        calls=health.calls,
        quota=health.quota,
    )
