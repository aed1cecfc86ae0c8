"""What can be done through the graph: the operators' levers, and what front ends ask for (schema/requests.py).

Each mutation takes one `input`, asks for the scope ops:act (revealPersonalData for graph:pii), can be repeated, and is audited.
Nothing is decided here: the shape of the input is checked (a blank reason, too many keys), all else is the engine's.
"""

from datetime import datetime
from typing import Annotated

import strawberry

from schema.acting import REASON, Asked, actor, refused, told, too_many, unreasoned
from schema.backfill import SKIP, BackfillActions, Difference, ReplayPayload
from schema.context import Context
from schema.drift import DriftActions
from schema.identities import IdentityMutations
from schema.notices import NoticeActions
from schema.operations import Outcome
from schema.payloads import ObligationPayload, ObligationsPayload, OpsItemPayload, ResyncPayload
from schema.platform_actions import PlatformActions
from schema.requests import Requests
from schema.resolver import mutation
from schema.reveal import RevealActions
from schema.slices import FIRST_LIMIT
from schema.user_errors import InputMissing

KEY = "Key of the obligation (应办编号)"


@strawberry.input(description="Which obligations are to be tried again (重试输入)")
class RetryObligationsInput:
    """Input of retryObligations."""

    keys: list[str] = strawberry.field(description=f"Keys of at most {FIRST_LIMIT} obligations (应办编号)")
    reason: str | None = strawberry.field(default=None, description="Why, for the record (原因)")


@strawberry.input(description="Which obligation is taken off, and why (豁免输入)")
class WaiveObligationInput:
    """Input of waiveObligation."""

    key: str = strawberry.field(description=KEY)
    reason: str = strawberry.field(description=REASON)


@strawberry.input(description="Which obligation was discharged by hand, and how (人工办结输入)")
class SettleObligationInput:
    """Input of settleObligation."""

    key: str = strawberry.field(description=KEY)
    reason: str = strawberry.field(description=REASON)


@strawberry.input(description="Which item of the ops list is settled, and how (人工处理输入)")
class ResolveOpsItemInput:
    """Input of resolveOpsItem."""

    item_id: str = strawberry.field(description="Id of the item (编号)")
    resolution: str = strawberry.field(description="How it was settled and why; not blank (处理说明)")


@strawberry.input(description="What is read again from its beginning (重新同步输入)")
class ResyncInput:
    """Input of resync."""

    platform: str = strawberry.field(description="Name of the platform (平台)")
    stream: str | None = strawberry.field(default=None, description="Name of the stream; all of the platform's without it (数据流)")


@strawberry.input(description="Which deliveries are applied once more: ids, or a platform and a time (重放输入)")
class ReplayDeliveriesInput:
    """Input of replayDeliveries."""

    delivery_ids: list[str] | None = strawberry.field(
        default=None, description=f"Ids of at most {FIRST_LIMIT} deliveries (投递编号)"
    )
    platform: str | None = strawberry.field(default=None, description="Name of the platform, with `since` (平台)")
    since: datetime | None = strawberry.field(default=None, description="All that it posted at this time or later (起始时间)")
    dry_run: bool = strawberry.field(default=False, description="Only show what would change (试运行)")
    skip: int = strawberry.field(default=0, description=SKIP)


@strawberry.type
class OperatorActions:
    """What operators do to the ledger, the ops list and the intake."""

    @mutation("Try obligations again now: stuck ones, and such as were waived or settled", "重试应办事项")
    async def retry_obligations(
        self, info: Asked, input_: Annotated[RetryObligationsInput, strawberry.argument(name="input")]
    ) -> ObligationsPayload | None:
        """Ask the engine, after a look at the number of keys."""
        by = actor(info)
        outcome = _too_many(input_.keys, "keys") or await info.context.hub.retry(input_.keys, input_.reason, by)
        return ObligationsPayload(outcome=told(info, outcome))

    @mutation("Take an open obligation off the ledger, with a reason", "豁免应办事项")
    async def waive_obligation(
        self, info: Asked, input_: Annotated[WaiveObligationInput, strawberry.argument(name="input")]
    ) -> ObligationPayload | None:
        """Ask the engine, after a look at the reason."""
        by = actor(info)
        outcome = unreasoned(input_.reason, "reason") or await info.context.hub.waive(input_.key, input_.reason, by)
        return ObligationPayload(outcome=told(info, outcome))

    @mutation("Note that an obligation was discharged by hand, with a reason", "人工办结应办事项")
    async def settle_obligation(
        self, info: Asked, input_: Annotated[SettleObligationInput, strawberry.argument(name="input")]
    ) -> ObligationPayload | None:
        """Ask the engine, after a look at the reason."""
        by = actor(info)
        outcome = unreasoned(input_.reason, "reason") or await info.context.hub.settle(input_.key, input_.reason, by)
        return ObligationPayload(outcome=told(info, outcome))

    @mutation("Close an item of the ops list, saying how it was settled", "办结人工处理事项")
    async def resolve_ops_item(
        self, info: Asked, input_: Annotated[ResolveOpsItemInput, strawberry.argument(name="input")]
    ) -> OpsItemPayload | None:
        """Ask the engine, after a look at the resolution."""
        by = actor(info)
        outcome = unreasoned(input_.resolution, "resolution") or await info.context.hub.resolve(
            input_.item_id, input_.resolution, by
        )
        return OpsItemPayload(outcome=told(info, outcome))

    @mutation("Read a platform's stream again from its beginning; nothing is lost or doubled", "重新同步数据流")
    async def resync(self, info: Asked, input_: Annotated[ResyncInput, strawberry.argument(name="input")]) -> ResyncPayload | None:
        """Ask the engine."""
        by = actor(info)
        return ResyncPayload(outcome=told(info, await info.context.hub.resync(input_.platform, input_.stream, by)))

    @mutation("Apply deliveries once more, from what was kept of them", "重放投递")
    async def replay_deliveries(
        self, info: Asked, input_: Annotated[ReplayDeliveriesInput, strawberry.argument(name="input")]
    ) -> ReplayPayload | None:
        """Ask the engine, after a look at which of the two ways is meant."""
        by = actor(info)
        if input_.dry_run:
            outcome, difference = await _foreseen(info.context, input_)
            return ReplayPayload(outcome=told(info, outcome), difference=difference)
        return ReplayPayload(outcome=told(info, await _replay(info.context, input_, by)), difference=None)


@strawberry.type(description="What operators can do (操作)")
class Mutation(
    OperatorActions, Requests, NoticeActions, IdentityMutations, DriftActions, PlatformActions, BackfillActions, RevealActions
):
    """All actions: the operators' own, and what front ends ask for."""


async def _replay(context: Context, wanted: ReplayDeliveriesInput, by: str) -> Outcome:
    ids, platform, since = wanted.delivery_ids, wanted.platform, wanted.since
    if ids is not None and platform is None and since is None:
        return _too_many(ids, "deliveryIds") or await context.hub.replay(ids, by)
    if ids is None and platform is not None and since is not None:
        return await context.hub.replay_since(platform, since, by)
    return refused(InputMissing(message="give either deliveryIds, or platform and since", path=[]))


async def _foreseen(context: Context, wanted: ReplayDeliveriesInput) -> tuple[Outcome, Difference | None]:
    ids, platform, since = wanted.delivery_ids, wanted.platform, wanted.since
    if (ids is None) == (platform is None or since is None) or (ids is not None and (platform or since)):
        return refused(InputMissing(message="give either deliveryIds, or platform and since", path=[])), None
    if ids is not None and (wrong := _too_many(ids, "deliveryIds")) is not None:
        return wrong, None
    return await context.hub.backfiller.foresee_replay(ids or [], platform, since, skip=wanted.skip)


def _too_many(keys: list[str], name: str) -> Outcome | None:
    errors = too_many(keys, name, FIRST_LIMIT)
    return refused(*errors) if errors else None
