"""Which sending of a grid event this is (DOMAIN.md, Sendings). Used by the two grid rules."""

from collections.abc import Iterable

from schema.commands import FeedbackEvent, decode_command
from schema.entities import Obligation, ObligationState


def sending_of(answers: Iterable[Obligation]) -> int:
    """Return 1 + the `returned` answers that took effect; an edit while the event waits is the same sending."""
    return 1 + sum(_returned(one) for one in answers if one.state is ObligationState.CLOSED)


def _returned(one: Obligation) -> bool:
    command = decode_command(one.payload)
    return isinstance(command, FeedbackEvent) and command.result == "returned"
