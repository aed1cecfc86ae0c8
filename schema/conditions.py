"""How a platform stands beside being in sync: pauses, maintenance, clock, secrets, calls (平台状况). Part of `Platform`."""

from datetime import datetime
from enum import Enum

import strawberry

from schema.enums import graph_enum


class MaintenanceKind(Enum):
    """How the hub knows of a maintenance window (来源)."""

    PLANNED = "PLANNED"
    RECURRING = "RECURRING"
    ASKED = "ASKED"


class SecretPurpose(Enum):
    """What a secret is for: CALLS are signed by us, WEBHOOKS by the platform (用途)."""

    CALLS = "CALLS"
    WEBHOOKS = "WEBHOOKS"


graph_enum(MaintenanceKind)
graph_enum(SecretPurpose)


@strawberry.type(description="A pause that stands: nothing is read or sent, what is posted is kept and applied (暂停)")
class Paused:
    """Made from the pause that stands."""

    since: datetime = strawberry.field(description="Since when (暂停时间)")
    reason: str = strawberry.field(description="Why (原因)")
    by: str = strawberry.field(description="By whom (暂停人)")


@strawberry.type(description="A maintenance window that is open now; alerts are silent (维护中)")
class Maintenance:
    """ASKED: the platform itself answers 503 and says until when."""

    until: datetime = strawberry.field(description="Until when (结束时间)")
    reason: str = strawberry.field(description="Why (原因)")
    kind: MaintenanceKind = strawberry.field(description="How the hub knows of it (来源)")


@strawberry.type(description="A platform's clock against ours, from the Date of its answers (时钟偏差)")
class ClockSkew:
    """The median of recent answers of one process, half a round trip allowed for."""

    ahead_seconds: float = strawberry.field(description="Positive: the platform's clock is ahead of ours (超前秒数)")
    within_seconds: float = strawberry.field(description="The measurement may be off by this (误差秒数)")
    samples: int = strawberry.field(description="Answers it was taken of (样本数)")
    measured_at: datetime = strawberry.field(description="When (测量时间)")
    limit_seconds: float | None = strawberry.field(
        description="Difference that the platform allows; null if its page names none (上限秒数)"
    )
    warning: str | None = strawberry.field(description="What breaks, and what to do; null while the clocks agree (警告)")


@strawberry.type(description="A secret that is configured, and when it was last used; nothing of it shows (密钥使用)")
class SecretInUse:
    """Position 0 is the newest. An old one that was not used for days can be taken away."""

    purpose: SecretPurpose = strawberry.field(description="What it is for (用途)")
    position: int = strawberry.field(description="Its place among those configured; 0 is the newest (次序)")
    fingerprint: str = strawberry.field(description="Tells secrets apart (指纹)")
    last_used_at: datetime | None = strawberry.field(description="When it was last used; null if never seen (最近使用)")


@strawberry.type(description="Calls to a platform in a span of time (调用次数)")
class CallCount:
    """A call is counted when it ends; a lookup that is tried again is several calls."""

    made: int = strawberry.field(description="How many (调用次数)")
    failed: int = strawberry.field(
        description="Of these, how many brought no usable answer: refused, too many, unanswered, unusable (失败次数)"
    )


@strawberry.type(description="Calls of all processes of the hub to a platform (平台调用)")
class Calls:
    """As processes last told: each adds what it counted every quarter of a minute."""

    last_hour: CallCount = strawberry.field(description="Within the last hour, in steps of five minutes: 60 to 65 (最近一小时)")
    today: CallCount = strawberry.field(description="Since midnight in Beijing (今日)")


NO_CALLS = Calls(last_hour=CallCount(made=0, failed=0), today=CallCount(made=0, failed=0))


@strawberry.type(description="How much of a platform's quota is used, by all processes of the hub together (配额使用)")
class QuotaUse:
    """Counted where the quota is given away, in the hub's database: what was reserved counts, whether a call came of it or not."""

    per_second: float = strawberry.field(description="Calls a second that it allows, HUB_<PLATFORM>_QUOTA_PER_SECOND (每秒配额)")
    used: float = strawberry.field(description="Share of it that was used in the last minute, 0 to 1 (已用比例)")
    wait_seconds: float = strawberry.field(
        description="Seconds for which it is given away in advance; 0: a call goes out at once (排队秒数)"
    )
