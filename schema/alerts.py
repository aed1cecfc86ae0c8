"""The alerts that stand now (告警): what needs a look, since when, and the page that says what to do."""

from datetime import datetime

import strawberry
from strawberry import Info

from schema.context import Context
from schema.resolver import resolver


@strawberry.type(description="Something that needs a look (告警)")
class ActiveAlert:
    """Made by the engine; the conditions are in docs/alerts.md."""

    name: str = strawberry.field(description="Name of the alert, as in docs/alerts.md (告警名称)")
    severity: str = strawberry.field(description="critical: somebody should look now; warning: today (级别)")
    platform: str | None = strawberry.field(description="Platform that it is about; null where it is about the hub itself (平台)")
    since: datetime = strawberry.field(description="Since when its condition has held (起始时间)")
    text: str = strawberry.field(description="What is wrong, with the number last measured (说明)")
    runbook: str = strawberry.field(description="Page that says what it means and what to do (处置手册)")


@strawberry.type
class AlertsQuery:
    """A base of Query."""

    @resolver("Alerts that stand now, the oldest first; those about the hub itself for operators of the whole hub only", "当前告警")
    async def alerts(self, info: Info[Context, None]) -> list[ActiveAlert] | None:
        """Ask the engine."""
        seen = info.context.caller.platforms_seen()
        return [each for each in await info.context.hub.alerts() if seen is None or each.platform in seen]
