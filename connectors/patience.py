"""Until when the caller of a read waits: a try that could only come later is not waited for. See `read_attempts.py`.

It travels with the task and not by parameter, as `asyncio.timeout` does: connectors make their reads several layers below.
"""

import asyncio
import contextlib
import math
from collections.abc import Iterator
from contextvars import ContextVar

_UNTIL: ContextVar[float] = ContextVar("until", default=math.inf)
"""On the clock of the running loop."""


@contextlib.contextmanager
def waits_until(until: float) -> Iterator[None]:
    """Let reads of the block, and of tasks begun in it, fail rather than wait beyond `until`, on the running loop's clock."""
    token = _UNTIL.set(until)
    try:
        yield
    finally:
        _UNTIL.reset(token)


def patience() -> float:
    """Return for how many seconds the caller still waits; infinity where nobody said so."""
    until = _UNTIL.get()
    return math.inf if until == math.inf else until - asyncio.get_running_loop().time()
