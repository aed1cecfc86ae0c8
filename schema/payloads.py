"""What mutations answer: the records they worked on, read again when asked for, and what they refused."""

import asyncio
from collections.abc import Sequence
from typing import Any

import strawberry
from strawberry import Info

from schema.context import Context
from schema.declare import Record, declared
from schema.entities import Obligation, OpsItem, StreamHealth
from schema.operations import Outcome
from schema.resolver import resolver
from schema.root_fields import read_one
from schema.slices import FIRST_LIMIT
from schema.user_errors import UserError


async def read_each(context: Context, record: Record, keys: Sequence[str]) -> list[Any]:
    """Return the records of these keys that there are, in this order; at most as many as a page holds."""
    found = await asyncio.gather(*(read_one(context, declared(record), key) for key in keys[:FIRST_LIMIT]))
    return [one for one in found if one is not None]


@strawberry.type
class Payload:
    """What all answers have; the records are read again, and only if they are asked for."""

    outcome: strawberry.Private[Outcome]

    @resolver("What was refused, each with its type; empty when all was done", "被拒绝的部分")
    def user_errors(self) -> list[UserError]:
        """Return what the engine, or the shape of the input, refused."""
        return list(self.outcome.refused)


@strawberry.type(description="What became of obligations (应办事项处理结果)")
class ObligationsPayload(Payload):
    """Answer of retryObligations."""

    @resolver("The obligations as they stand now", "应办事项")
    async def obligations(self, info: Info[Context, None]) -> list[Obligation] | None:
        """Read them, which asks for the right to."""
        return await read_each(info.context, Obligation, self.outcome.done)


@strawberry.type(description="What became of an obligation (应办事项处理结果)")
class ObligationPayload(Payload):
    """Answer of waiveObligation and settleObligation."""

    @resolver("The obligation as it stands now; null if refused", "应办事项")
    async def obligation(self, info: Info[Context, None]) -> Obligation | None:
        """Read it, which asks for the right to."""
        return next(iter(await read_each(info.context, Obligation, self.outcome.done)), None)


@strawberry.type(description="What became of an item of the ops list (人工处理结果)")
class OpsItemPayload(Payload):
    """Answer of resolveOpsItem."""

    @resolver("The item as it stands now; null if refused", "人工处理事项")
    async def ops_item(self, info: Info[Context, None]) -> OpsItem | None:
        """Read it, which asks for the right to."""
        return next(iter(await read_each(info.context, OpsItem, self.outcome.done)), None)


@strawberry.type(description="Which streams are read again (重新同步结果)")
class ResyncPayload(Payload):
    """Answer of resync."""

    @resolver("The streams that are read again from their beginning", "数据流")
    async def streams(self, info: Info[Context, None]) -> list[StreamHealth] | None:
        """Read their health, which asks for the right to."""
        return await read_each(info.context, StreamHealth, self.outcome.done)
