"""Personal data in clear text, one field of one record at a time, with a reason: `revealPersonalData`. Queries always mask.

Asks for graph:pii and for the right to read the record. That it was done is in the audit before the text is answered.
"""

from dataclasses import dataclass
from typing import Annotated, Protocol

import strawberry
from strawberry.utils.str_converters import to_camel_case

from schema.acting import REASON, Asked
from schema.context import GRAPH_PII, Caller
from schema.declare import Declared, Personal
from schema.global_id import read_global_id
from schema.resolver import mutation
from schema.user_errors import NotPersonal, ReasonMissing, UserError


@dataclass(frozen=True)
class Revealed:
    """The clear text, None where the record has none, or what was refused."""

    value: str | None = None
    refused: tuple[UserError, ...] = ()


class Revealer(Protocol):
    """Implemented by hub/reveals.py."""

    async def reveal(self, entity: Declared, key: str, column: str, reason: str, caller: Caller) -> Revealed:
        """Return a personal field of a record in clear text, audited; refuse UnknownRecord, RevealedTooOften."""
        ...


@strawberry.input(description="Which field of which record is shown in clear text, and why (个人信息查看输入)")
class RevealPersonalDataInput:
    """Input of revealPersonalData."""

    id: strawberry.ID = strawberry.field(description="Global id of the record (全局编号)")
    field: str = strawberry.field(description="Name of its field, as `phone` (字段)")
    reason: str = strawberry.field(description=REASON)


@strawberry.type(description="A personal field in clear text (个人信息查看结果)")
class RevealPersonalDataPayload:
    """Nothing of it is kept anywhere by the hub but that it was shown."""

    value: str | None = strawberry.field(description="The clear text; null if refused, or where the record has none (明文)")
    user_errors: list[UserError] = strawberry.field(
        description="What was refused, each with its type; empty when all was done (被拒绝的部分)"
    )


@strawberry.type
class RevealActions:
    """One of the parts that Mutation is made of."""

    @mutation(
        "Show a personal field of one record in clear text, with a reason; audited, and limited in number", "查看个人信息明文"
    )
    async def reveal_personal_data(
        self, info: Asked, input_: Annotated[RevealPersonalDataInput, strawberry.argument(name="input")]
    ) -> RevealPersonalDataPayload | None:
        """Ask the engine, after a look at the field and the reason."""
        caller = info.context.caller
        caller.require(GRAPH_PII)
        entity, key = read_global_id(input_.id)
        caller.require_read(entity)
        revealed = _unusable(entity, input_)
        if revealed is None:
            column = personal_fields(entity)[input_.field]
            revealed = await info.context.hub.revealer.reveal(entity, key, column, input_.reason, caller)
        return RevealPersonalDataPayload(value=revealed.value, user_errors=list(revealed.refused))


def personal_fields(entity: Declared) -> dict[str, str]:
    """Return the personal fields that the graph shows masked: the name there and the column."""
    shown = (field for field in entity.fields.values() if Personal in field.marks and not field.internal)
    return {to_camel_case(field.name): field.name for field in shown}


def _unusable(entity: Declared, wanted: RevealPersonalDataInput) -> Revealed | None:
    if not wanted.reason.strip():
        return Revealed(refused=(ReasonMissing(message="reason is blank: say why, for the record", path=["reason"]),))
    known = list(personal_fields(entity))
    if wanted.field not in known:
        message = f"{entity.name} has no personal field '{wanted.field}'; it has {', '.join(known) or 'none'}"
        return Revealed(refused=(NotPersonal(message=message, path=["field"], known=known),))
    return None
