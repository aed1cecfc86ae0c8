"""Which sending of a grid event this is (DOMAIN.md, Sendings). Used by the two grid rules."""

from collections.abc import Iterable

from hub.reconcile.standing import command_of
from schema.commands import FeedbackEvent
from schema.entities import Obligation, ObligationState

TOOK_EFFECT = frozenset({ObligationState.CLOSED, ObligationState.SETTLED})
DISPATCH, ACCEPTANCE, ANSWER = 1, 2, 3
"""What is made for a sending, in this order."""


def sending_of(answers: Iterable[Obligation]) -> int:
    """Return 1 + the `returned` answers that took effect; an edit while the event waits is the same sending."""
    return 1 + sum(is_returned(one) for one in answers if one.state in TOOK_EFFECT)


def is_returned(one: Obligation) -> bool:
    """Return whether an answer says that the event goes back to the town."""
    command = command_of(one)
    return isinstance(command, FeedbackEvent) and command.result == "returned"


def place_of(sending: int, step: int) -> int:
    """Return the place of one step of a sending in the event's chain."""
    return 3 * (sending - 1) + step
