"""What front ends can ask for: it is kept as a record under the number that they give it, and what follows is owed at once.

Each mutation takes one `input`, asks for the scope ops:act, and can be repeated: the same number with the same content is the same
request. Nothing is decided here.
"""

from typing import Annotated

import strawberry
from strawberry import Info

from schema.acting import Asked, actor, told
from schema.context import Context
from schema.entities import CampaignRequest, Obligation
from schema.payloads import Payload, read_each
from schema.request_inputs import RequestCampaignInput
from schema.resolver import mutation, resolver


@strawberry.type(description="What became of a request for a joint inspection (双随机联合检查下达结果)")
class CampaignRequestPayload(Payload):
    """Answer of requestCampaign. `outcome.done` holds the request's number and the key of what is owed because of it."""

    @resolver("The request as it is kept; null if refused", "双随机联合检查下达")
    async def campaign_request(self, info: Info[Context, None]) -> CampaignRequest | None:
        """Read it."""
        return next(iter(await read_each(info.context, CampaignRequest, self.outcome.done[:1])), None)

    @resolver("What is owed because of it, and where that stands; null if refused", "应办事项")
    async def obligation(self, info: Info[Context, None]) -> Obligation | None:
        """Read it, which asks for the right to."""
        return next(iter(await read_each(info.context, Obligation, self.outcome.done[1:])), None)


@strawberry.type(description="What front ends can ask for (下达)")
class Requests:
    """The mutations of front ends."""

    @mutation("Let a joint inspection be drawn, once for each request number", "下达双随机联合检查")
    async def request_campaign(
        self, info: Asked, input_: Annotated[RequestCampaignInput, strawberry.argument(name="input")]
    ) -> CampaignRequestPayload | None:
        """Ask the engine."""
        by = actor(info)
        return CampaignRequestPayload(outcome=told(info, await info.context.hub.request_campaign(input_, by)))
