"""Where an obligation stands towards its platform: surely not there, or perhaps; and with what. Rules and settle.py ask here."""

import msgspec

from schema.commands import AnyCommand, decode_command
from schema.entities import Obligation, ObligationState

UNSENT = frozenset({ObligationState.WAITING, ObligationState.DUE, ObligationState.STUCK})
THERE = frozenset({ObligationState.LEASED, ObligationState.SENT, ObligationState.CLOSED, ObligationState.SETTLED})

CORRECTED = "corrected after it was sent"
"""Begins what stands in `reason` once ops was told, so that they are told once of each correction."""


def is_unsent(one: Obligation) -> bool:
    """Return whether it is open, and no call of it can have been carried out."""
    return one.state in UNSENT and one.unknown_since is None


def may_exist(one: Obligation) -> bool:
    """Return whether the platform may hold it: it was accepted, done by hand, or a call of it has no known outcome."""
    return one.state in THERE or one.unknown_since is not None or one.sent_at is not None


def keeps_policy(one: Obligation, version: str) -> bool:
    """Return whether its measures stay though policy, now of this version, may say otherwise: the policy that made it counts.

    What was refused is made anew by the policy of the day, and so is what never had a command.
    """
    return may_exist(one) or (one.state is ObligationState.DUE and one.policy_version != version)


def is_corrected(one: Obligation) -> bool:
    """Return whether what was sent is known to be owed otherwise now."""
    return CORRECTED in (one.reason or "")


def command_of(one: Obligation) -> AnyCommand | None:
    """Return its command; None where it has none yet, or one that this version of the hub does not know."""
    try:
        return decode_command(one.payload) if one.payload else None
    except msgspec.MsgspecError:
        return None
