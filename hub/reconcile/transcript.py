"""What is said with a platform while one obligation is carried out. Filled by connectors, through `Surroundings.keeper`.

It is written with the completion, so that it costs no transaction of its own; of a process that dies in the call the attempt has
the command.
"""

from collections import deque
from contextvars import ContextVar, Token

from connectors.base import Keep
from schema.entities import Exchange

MOST = 8
"""Exchanges of one attempt that are kept, the last ones: the look-ups come first, then the write."""

_OPEN: ContextVar["Transcript | None"] = ContextVar("transcript", default=None)


class Transcript:
    """Takes down what is said within `with`, by this task and those that it starts."""

    def __init__(self) -> None:
        self._kept: deque[Exchange] = deque(maxlen=MOST)
        self._before: Token[Transcript | None] | None = None

    def __enter__(self) -> "Transcript":
        self._before = _OPEN.set(self)
        return self

    def __exit__(self, *_error: object) -> None:
        if self._before is not None:
            _OPEN.reset(self._before)

    @property
    def exchanges(self) -> tuple[Exchange, ...]:
        """Return what was said so far, in order."""
        return tuple(self._kept)

    def keep(self, exchange: Exchange) -> None:
        """Take down one exchange."""
        self._kept.append(exchange)


def keeper() -> Keep | None:
    """Return what takes down the exchanges of the work under way, None where it is no attempt; `Surroundings.keeper`."""
    transcript = _OPEN.get()
    return None if transcript is None else transcript.keep
