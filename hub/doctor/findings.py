"""What the doctor finds: one thing that was looked at, how it is, and what to do about it."""

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """How something is."""

    FINE = "fine"
    WARNING = "warning"
    """It works, and will not for long, or not as it is probably meant."""
    PROBLEM = "problem"
    SKIPPED = "skipped"
    """It could not be looked at."""


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    check: str
    """What kind of check: settings, secrets, policy, calendar, database, disk, platforms, webhooks."""
    about: str
    """The setting, platform, file or folder that it is about."""
    state: State
    found: str
    cure: str | None = None
    """What to do; None where there is nothing to do."""


def fine(check: str, about: str, found: str) -> Finding:
    """Return that something is as it should be."""
    return Finding(check, about, State.FINE, found)


def skipped(check: str, about: str, found: str) -> Finding:
    """Return that something could not be looked at, and why."""
    return Finding(check, about, State.SKIPPED, found)


def warning(check: str, about: str, found: str, cure: str) -> Finding:
    """Return what will not do for long."""
    return Finding(check, about, State.WARNING, found, cure)


def problem(check: str, about: str, found: str, cure: str) -> Finding:
    """Return what is wrong, and its cure."""
    return Finding(check, about, State.PROBLEM, found, cure)
