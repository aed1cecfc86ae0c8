"""Where a record comes from and when the hub saw it: three fields of every mirrored record, shown together."""

from datetime import datetime
from typing import Any

import strawberry
from strawberry import Info

from schema.context import Context
from schema.declare import Declared
from schema.resolver import resolver
from schema.scalars import BigInt

SHOWN_TOGETHER = ("source", "observed_at", "version")


def is_mirrored(entity: Declared) -> bool:
    """Return whether records of the entity say where they come from."""
    return all(name in entity.fields for name in SHOWN_TOGETHER)


@strawberry.type(description="Where a record comes from and when the hub saw it (来源与时效)")
class Freshness:
    """Shown as `freshness` of every mirrored record."""

    source: str = strawberry.field(description="Platform that said so (来源平台)")
    observed_at: datetime = strawberry.field(description="When the hub saw it (采集时间)")
    version: BigInt = strawberry.field(description="Version the platform gave it; it only grows (版本)")
    overdue: strawberry.Private[bool] = False

    @resolver("Older than its platform's setting allows, or than the `maxAge` that was asked for", "已过期")
    def stale(self, info: Info[Context, None]) -> bool:
        """Ask the engine, which knows the setting and the time."""
        return self.overdue or info.context.hub.stale(self.source, self.observed_at)

    @resolver(
        "Seconds by which this answer may be behind the hub's own database: the lag of a read replica, else 0", "副本延迟秒数"
    )
    def behind_seconds(self, info: Info[Context, None]) -> float:
        """Ask what is read from."""
        return info.context.reads.behind_seconds


def freshness_of(record: Any, context: Context) -> Freshness:
    """Return what a mirrored record says of itself, and whether the request asked for a fresher one."""
    return Freshness(
        source=record.source,
        observed_at=record.observed_at,
        version=BigInt(record.version),
        overdue=context.live.is_overdue(record),
    )
