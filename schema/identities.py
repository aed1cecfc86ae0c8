"""What operators decide about who is who: one subject merged into another, and a merge undone. Scope ops:act, audited.

Nothing is decided here: the shape of the input is checked, all else is the engine's (hub/reconcile/identities.py).
"""

from typing import Annotated

import strawberry
from strawberry import Info

from schema.acting import REASON, Asked, actor, told, unreasoned
from schema.context import Context
from schema.entities import Subject, SubjectMerge
from schema.payloads import Payload, read_each
from schema.resolver import mutation, resolver


@strawberry.input(description="What is merged into which subject, and why (合并输入)")
class MergeSubjectsInput:
    """Input of mergeSubjects."""

    from_: str = strawberry.field(
        name="from",
        description="Identifier that is merged, with all that belongs to it: USCC, RID code or old number (被合并识别码)",
    )
    into: str = strawberry.field(description="Any identifier of the subject that stays (并入识别码)")
    reason: str = strawberry.field(description=REASON)


@strawberry.input(description="Which merge is undone, and why (撤销合并输入)")
class SplitSubjectsInput:
    """Input of splitSubjects."""

    merge_id: str = strawberry.field(description="Id of the merge (合并编号)")
    reason: str = strawberry.field(description=REASON)


@strawberry.type(description="What became of a merge (合并结果)")
class MergePayload(Payload):
    """Answer of mergeSubjects and splitSubjects."""

    @resolver("The merge as it stands now; null if refused", "人工合并")
    async def merge(self, info: Info[Context, None]) -> SubjectMerge | None:
        """Read it, which asks for the right to."""
        return next(iter(await read_each(info.context, SubjectMerge, self.outcome.done)), None)

    @resolver("The subject that what was merged, or split off, belongs to now; null if refused or not known", "监管对象")
    async def subject(self, info: Info[Context, None]) -> Subject | None:
        """Read the merge and follow its identifier."""
        merge = await self.merge(info)
        found = await read_each(info.context, Subject, [merge.from_identifier] if merge else [])
        return next(iter(found), None)


@strawberry.type
class IdentityMutations:
    """Merge and split."""

    @mutation("Say that an identifier names the same subject as another; mirrored records stay as they are", "合并监管对象")
    async def merge_subjects(
        self, info: Asked, input_: Annotated[MergeSubjectsInput, strawberry.argument(name="input")]
    ) -> MergePayload | None:
        """Ask the engine, after a look at the reason."""
        by = actor(info)
        outcome = unreasoned(input_.reason) or await info.context.hub.merge(input_.from_, input_.into, input_.reason, by)
        return MergePayload(outcome=told(info, outcome))

    @mutation("Undo a merge: what platforms said before and meanwhile is in force again", "撤销合并监管对象")
    async def split_subjects(
        self, info: Asked, input_: Annotated[SplitSubjectsInput, strawberry.argument(name="input")]
    ) -> MergePayload | None:
        """Ask the engine, after a look at the reason."""
        by = actor(info)
        outcome = unreasoned(input_.reason) or await info.context.hub.split(input_.merge_id, input_.reason, by)
        return MergePayload(outcome=told(info, outcome))
