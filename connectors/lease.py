"""Until when a write may be sent: while the claim that it is made under lasts. Asked right before sending (`http.py`).

A process that is suspended between its claim and its sending wakes up when somebody else has made the thing true, perhaps in
another way: what it was about to say is old by then. It travels with the task and not by parameter, as `patience.py` does.
"""

import contextlib
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from datetime import datetime

Until = Callable[[], datetime | None]
"""Until when a claim lasts, for it is renewed meanwhile; None once it is another's."""

_UNTIL: ContextVar[Until | None] = ContextVar("lease", default=None)


@contextlib.contextmanager
def sends_under(until: Until) -> Iterator[None]:
    """Let writes of the block be sent only as long as a claim lasts."""
    token = _UNTIL.set(until)
    try:
        yield
    finally:
        _UNTIL.reset(token)


def may_send(now: datetime) -> bool:
    """Return whether a write may be sent now; always, where it is made under no claim."""
    if (until := _UNTIL.get()) is None:
        return True
    return (lasts := until()) is not None and now < lasts
