"""What operators do to a platform as a whole: pause and resume it, enter its maintenance windows. Scope ops:act, audited.

Nothing is decided here: the shape of the input is checked, all else is the engine's (hub/levers.py).
"""

from datetime import datetime
from typing import Annotated

import strawberry
from strawberry import Info

from schema.acting import REASON, Asked, actor, told, unreasoned
from schema.context import Context
from schema.entities import MaintenanceWindow, PlatformPause
from schema.payloads import Payload, read_each
from schema.resolver import mutation, resolver


@strawberry.input(description="Which platform is paused, and why (暂停输入)")
class PausePlatformInput:
    """Input of pausePlatform."""

    platform: str = strawberry.field(description="Name of the platform (平台)")
    reason: str = strawberry.field(description=REASON)


@strawberry.input(description="Which platform is resumed, and why (恢复输入)")
class ResumePlatformInput:
    """Input of resumePlatform."""

    platform: str = strawberry.field(description="Name of the platform (平台)")
    reason: str = strawberry.field(description=REASON)


@strawberry.input(description="When a platform is maintained, and why (维护窗口输入)")
class PlanMaintenanceInput:
    """Input of planMaintenance."""

    platform: str = strawberry.field(description="Name of the platform (平台)")
    from_: datetime | None = strawberry.field(name="from", default=None, description="From; now if not given (开始时间)")
    until: datetime = strawberry.field(description="Until, at most 7 days later (结束时间)")
    reason: str = strawberry.field(description=REASON)


@strawberry.input(description="Which maintenance window is called off, and why (取消维护输入)")
class CancelMaintenanceInput:
    """Input of cancelMaintenance."""

    window_id: str = strawberry.field(description="Id of the window (窗口编号)")
    reason: str = strawberry.field(description=REASON)


@strawberry.type(description="What became of a pause (暂停结果)")
class PausePayload(Payload):
    """Answer of pausePlatform and resumePlatform."""

    @resolver("The pause as it stands now; null if refused, or where the platform never was paused", "暂停")
    async def pause(self, info: Info[Context, None]) -> PlatformPause | None:
        """Read it, which asks for the right to."""
        return next(iter(await read_each(info.context, PlatformPause, self.outcome.done)), None)


@strawberry.type(description="What became of a maintenance window (维护窗口结果)")
class MaintenancePayload(Payload):
    """Answer of planMaintenance and cancelMaintenance."""

    @resolver("The window as it stands now; null if refused", "维护窗口")
    async def maintenance_window(self, info: Info[Context, None]) -> MaintenanceWindow | None:
        """Read it, which asks for the right to."""
        return next(iter(await read_each(info.context, MaintenanceWindow, self.outcome.done)), None)


@strawberry.type
class PlatformActions:
    """Pauses and maintenance windows."""

    @mutation("Neither read a platform nor send anything there until it is resumed; what it posts is kept and applied", "暂停平台")
    async def pause_platform(
        self, info: Asked, input_: Annotated[PausePlatformInput, strawberry.argument(name="input")]
    ) -> PausePayload | None:
        """Ask the engine, after a look at the reason."""
        by = actor(info)
        outcome = unreasoned(input_.reason) or await info.context.hub.levers.pause(input_.platform, input_.reason, by)
        return PausePayload(outcome=told(info, outcome))

    @mutation("Go on with a platform that was paused, within its quota", "恢复平台")
    async def resume_platform(
        self, info: Asked, input_: Annotated[ResumePlatformInput, strawberry.argument(name="input")]
    ) -> PausePayload | None:
        """Ask the engine, after a look at the reason."""
        by = actor(info)
        outcome = unreasoned(input_.reason) or await info.context.hub.levers.resume(input_.platform, input_.reason, by)
        return PausePayload(outcome=told(info, outcome))

    @mutation("Enter a maintenance window: its platform's alerts are silent, work goes on as it is", "登记维护窗口")
    async def plan_maintenance(
        self, info: Asked, input_: Annotated[PlanMaintenanceInput, strawberry.argument(name="input")]
    ) -> MaintenancePayload | None:
        """Ask the engine, after a look at the reason."""
        by, given = actor(info), input_
        outcome = unreasoned(given.reason) or await info.context.hub.levers.plan_maintenance(
            given.platform, given.from_, given.until, given.reason, by
        )
        return MaintenancePayload(outcome=told(info, outcome))

    @mutation("Call a maintenance window off, also one that is open", "取消维护窗口")
    async def cancel_maintenance(
        self, info: Asked, input_: Annotated[CancelMaintenanceInput, strawberry.argument(name="input")]
    ) -> MaintenancePayload | None:
        """Ask the engine, after a look at the reason."""
        by = actor(info)
        outcome = unreasoned(input_.reason) or await info.context.hub.levers.cancel_maintenance(input_.window_id, input_.reason, by)
        return MaintenancePayload(outcome=told(info, outcome))
