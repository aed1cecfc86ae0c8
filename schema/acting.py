"""What all mutations share: who acts, and that what was read before is read anew afterwards."""

from strawberry import Info

from schema.context import OPS_ACT, Context
from schema.operations import Outcome
from schema.user_errors import UserError

Asked = Info[Context, None]


def actor(info: Asked) -> str:
    """Return the name under which an act is audited; raise GraphError if the caller may not act."""
    info.context.caller.require(OPS_ACT)
    return info.context.caller.name or "anonymous"


def told(info: Asked, outcome: Outcome) -> Outcome:
    """Return the outcome, and let what was read before be read anew."""
    info.context.reads.forget()
    return outcome


def refusal(error: UserError) -> Outcome:
    """Return the outcome of an act that was refused as a whole."""
    return Outcome(refused=(error,))
