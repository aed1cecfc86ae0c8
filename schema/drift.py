"""What operators do about records that a platform does not show any more (schema/entities/drift.py)."""

from typing import Annotated

import strawberry

from schema.acting import REASON, Asked, actor, told, unreasoned
from schema.entities import DriftReport
from schema.payloads import OpsItemPayload, Payload, read_each
from schema.resolver import mutation, resolver


@strawberry.input(description="Which records are marked as gone, and why (确认删除输入)")
class ApproveTombstonesInput:
    """Input of approveTombstones."""

    item_id: str = strawberry.field(description="Id of the item of the ops list that names them (编号)")
    reason: str = strawberry.field(description=REASON)


@strawberry.input(description="Which platform is compared now (立即比对输入)")
class CompareNowInput:
    """Input of compareNow."""

    platform: str = strawberry.field(description="Name of the platform (平台)")


@strawberry.type(description="Which comparisons begin (立即比对结果)")
class CompareNowPayload(Payload):
    """Answer of compareNow."""

    @resolver("Their reports; what they find shows there when they have ended", "比对报告")
    async def reports(self, info: Asked) -> list[DriftReport]:
        """Read them, which asks for the right to."""
        return await read_each(info.context, DriftReport, self.outcome.done)


@strawberry.type
class DriftActions:
    """What only an operator decides: that many records at once are gone for good."""

    @mutation("Mark the records that an item of the ops list names as gone; such as are shown after all are left", "确认删除")
    async def approve_tombstones(
        self, info: Asked, input_: Annotated[ApproveTombstonesInput, strawberry.argument(name="input")]
    ) -> OpsItemPayload | None:
        """Ask the engine, after a look at the reason."""
        by = actor(info)
        outcome = unreasoned(input_.reason) or await info.context.hub.approve_tombstones(input_.item_id, input_.reason, by)
        return OpsItemPayload(outcome=told(info, outcome))

    @mutation("Compare the hub with a platform now, not when it is due; one process begins within seconds", "立即比对平台")
    async def compare_now(
        self, info: Asked, input_: Annotated[CompareNowInput, strawberry.argument(name="input")]
    ) -> CompareNowPayload | None:
        """Ask the engine."""
        by = actor(info)
        return CompareNowPayload(outcome=told(info, await info.context.hub.compare_now(input_.platform, by)))
