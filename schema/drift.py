"""What operators do about records that a platform does not show any more (schema/entities/drift.py)."""

from typing import Annotated

import strawberry

from schema.acting import REASON, Asked, actor, told, unreasoned
from schema.payloads import OpsItemPayload
from schema.resolver import mutation


@strawberry.input(description="Which records are marked as gone, and why (确认删除输入)")
class ApproveTombstonesInput:
    """Input of approveTombstones."""

    item_id: str = strawberry.field(description="Id of the item of the ops list that names them (编号)")
    reason: str = strawberry.field(description=REASON)


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
