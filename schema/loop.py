"""The loop as one answer (闭环): from any of its records the whole chain, in order of time, and what is still owed.

The types are filled by hub/graph/loops/loop.py; docs/loop.md explains them with an example.
"""

from datetime import datetime
from typing import Annotated

import strawberry
from strawberry import Info
from strawberry.utils.str_converters import to_camel_case

from schema.context import GRAPH_READ, Context
from schema.declare import declared
from schema.entities import Obligation, ObligationState
from schema.enums import graph_enum
from schema.global_id import Node, read_global_id
from schema.graph_errors import BAD_USER_INPUT, GraphError
from schema.resolver import resolver
from schema.root_fields import read_one
from schema.step_kinds import StepKind

IN_LOOPS = (
    "Approval",
    "GridEvent",
    "VerificationTask",
    "TaskResult",
    "Finding",
    "CreditRecord",
    "Repair",
    "Coordination",
    "TownCoordination",
    "Campaign",
    "CampaignRequest",
    "SelfReport",
    "FiguresCheck",
    "ScoreEntry",
    "SmsReceipt",
    "Notice",
    "NoticeRequest",
    "BlacklistEntry",
    "Obligation",
)
"""Entities whose records stand in a chain. A subject is none: all its cases would be one."""


@strawberry.type(description="A line for people, in both languages (双语文字)")
class Wording:
    """Words of the hub; names and numbers in them are as the platform gave them, personal data masked."""

    en: str = strawberry.field(description="English (英文)")
    zh: str = strawberry.field(description="Chinese (中文)")


@strawberry.type(description="What the hub owed or owes at a step: the obligation as anybody may see it (环节对应的应办事项)")
class LoopObligation:
    """Nothing internal: no payload, no error, no operator's words. Those who may see more follow `obligation`."""

    key: str = strawberry.field(description="Identity: rule and cause (应办编号)")
    rule: str = strawberry.field(description="Rule that derived it (规则)")
    state: graph_enum(ObligationState) = strawberry.field(description="Where it stands (状态)")  # type: ignore[valid-type]
    needs: str | None = strawberry.field(description="What it waits for, named (等待条件)")
    due_provisional: bool = strawberry.field(description="Its term was counted beyond the holiday calendar (截止时间暂定)")
    closed_at: datetime | None = strawberry.field(description="When its proof was seen (闭环时间)")

    @resolver("The obligation itself, for those who may read it (scope ops:read)", "应办事项")
    async def obligation(self, info: Info[Context, None]) -> Obligation | None:
        """Read it, which asks for the right to."""
        found: Obligation | None = await read_one(info.context, declared(Obligation), self.key)
        return found


@strawberry.type(description="One step of a loop (闭环环节)")
class LoopStep:
    """Something that happened, or that is still to happen: then `at` is null and the step stands at the end."""

    id: strawberry.ID = strawberry.field(description="Name of the step within its loop; stable (环节编号)")
    at: datetime | None = strawberry.field(description="When it happened; null while it has not, or nobody kept it (发生时间)")
    kind: StepKind = strawberry.field(description="What happened, or is asked for (环节类型)")
    platform: str = strawberry.field(description="Platform on which; `hub` for what was asked of the hub itself (平台)")
    title: Wording = strawberry.field(description="The step in one line (标题)")
    record: Node | None = strawberry.field(description="Record that says so, or that it follows from (记录)")
    key: str | None = strawberry.field(description="Number that a clerk has at hand (业务编号)")
    subject_code: str | None = strawberry.field(description="Subject that it is about, where it names one (监管对象编码)")
    causes: list[strawberry.ID] = strawberry.field(description="Steps that led to it (起因环节)")
    due_at: datetime | None = strawberry.field(description="By when it is, or was, to be done (期限)")
    late_seconds: int | None = strawberry.field(
        description="Seconds that it happened later than that, or is late so far; 0 in time, null without a term (逾期秒数)"
    )
    obligation: LoopObligation | None = strawberry.field(
        description="What the hub owes here, or discharged by this step (应办事项)"
    )


@strawberry.type(description="A whole chain, from its trigger to its last consequence (闭环)")
class Loop:
    """The same from whichever of its records it is asked."""

    trigger: Node | None = strawberry.field(
        description="Record that set it off, the earliest of several; null if it is gone (触发记录)"
    )
    complete: bool = strawberry.field(description="Nothing is owed, nothing awaited, nothing left out (是否闭环)")
    owed: int = strawberry.field(description="How many obligations of the hub are open (应办未办数)")
    awaited: int = strawberry.field(description="How many things the platforms' people have still to do (待平台办理数)")
    overdue: int = strawberry.field(description="How many of both are late (逾期数)")
    truncated: bool = strawberry.field(description="The chain is longer than is shown; what is nearest is shown (已截断)")
    steps: list[LoopStep] = strawberry.field(
        description="What happened in order of time, then what is still to happen by its term (环节)"
    )


@strawberry.type
class LoopQuery:
    """The entry point; one of the parts that Query is made of."""

    @resolver("The whole chain that a record stands in; null if the record is gone", "闭环全过程")
    async def loop(
        self,
        info: Info[Context, None],
        of: Annotated[
            strawberry.ID, strawberry.argument(description="Global id of any record of the chain (任一环节记录的全局编号)")
        ],
    ) -> Loop | None:
        """Ask the engine; refuse an id of something that stands in no chain."""
        info.context.caller.require(GRAPH_READ)
        entity, key = read_global_id(of)
        if entity.name not in IN_LOOPS:
            fields = ", ".join(to_camel_case(name[0].lower() + name[1:]) for name in IN_LOOPS)
            raise GraphError(
                BAD_USER_INPUT, f"loop: a {entity.name} stands in no chain of its own; give the id of one of: {fields}"
            )
        return await info.context.hub.loop(entity.name, key, info.context.caller)
