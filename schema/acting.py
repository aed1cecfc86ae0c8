"""What every mutation does beside its own work: who acts, what is refused before the engine is asked, and reading anew after it."""

from strawberry import Info

from schema.context import OPS_ACT, Context
from schema.operations import Outcome
from schema.user_errors import InputMissing, ReasonMissing, TooMany, UserError

Asked = Info[Context, None]
REASON = "Why, for the record; not blank (原因)"


def actor(info: Asked) -> str:
    """Return the name under which an act is audited; raise GraphError if the caller may not act."""
    info.context.caller.require(OPS_ACT)
    return info.context.caller.name or "anonymous"


def told(info: Asked, outcome: Outcome) -> Outcome:
    """Return the outcome, and let what was read before be read anew."""
    info.context.reads.forget()
    return outcome


def refused(*errors: UserError) -> Outcome:
    """Return the outcome of an act that was not done."""
    return Outcome(refused=errors)


def blank(text: str, name: str) -> list[UserError]:
    """Return the error of a text that says nothing."""
    return [] if text.strip() else [InputMissing(message=f"{name} is blank", path=[name])]


def too_many(entries: list[str], name: str, limit: int) -> list[UserError]:
    """Return the error of a list that is too long."""
    if len(entries) <= limit:
        return []
    return [TooMany(message=f"{name} has {len(entries)} entries; at most {limit} at once", path=[name], limit=limit)]


def unreasoned(reason: str, name: str = "reason") -> Outcome | None:
    """Return the refusal of an act for which no reason is given, None where there is one."""
    return None if reason.strip() else refused(ReasonMissing(message=f"{name} is blank: say why, for the record", path=[name]))
