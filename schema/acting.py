"""What every mutation does first and last: who acts, what of the input cannot be meant, and that reads begin anew."""

from strawberry import Info

from schema.context import OPS_ACT, Context
from schema.operations import Outcome
from schema.slices import FIRST_LIMIT
from schema.user_errors import ReasonMissing, TooMany, UserError

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


def blank(text: str, name: str) -> Outcome | None:
    """Return the refusal of a blank reason, None where there is one."""
    return None if text.strip() else refused(ReasonMissing(message=f"{name} is blank: say why, for the record", path=[name]))


def too_many(keys: list[str], name: str) -> Outcome | None:
    """Return the refusal of a list that is too long, None where it is not."""
    if len(keys) <= FIRST_LIMIT:
        return None
    message = f"{name} has {len(keys)} entries; at most {FIRST_LIMIT} at once"
    return refused(TooMany(message=message, path=[name], limit=FIRST_LIMIT))


def refused(error: UserError) -> Outcome:
    """Return an outcome in which nothing was done."""
    return Outcome(refused=(error,))
