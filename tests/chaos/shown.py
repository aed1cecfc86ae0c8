"""What a chaos test shows, in a form that pytest asserts and `python -m tests.chaos` prints."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum


class Form(Enum):
    """How much of a test is run."""

    SHORT = "short"
    """In `uv run pytest`: seconds, or a minute at most."""
    FULL = "full"
    """By `python -m tests.chaos`: as much as the guarantee claims."""


@dataclass(frozen=True)
class Shown:
    """The outcome of one chaos test."""

    scale: str
    """What was done, in numbers: `500 kills over 10,000 deliveries, SQLite and PostgreSQL`."""
    said: str
    """What was counted: `0 acknowledged lost, 0 effects missing, 0 doubled`."""
    losses: Sequence[str]
    """A sentence for everything that must not be; empty where the guarantee holds."""


Run = Callable[[Form], Shown]
"""Each chaos test is a module of tests/chaos with a function `show(form) -> Shown`, and a line in __main__.py."""
