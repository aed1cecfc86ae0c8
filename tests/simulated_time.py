"""An event loop whose time jumps to the next thing that happens: hours of waiting take milliseconds, in a fixed order."""

import asyncio
import selectors
from collections.abc import Coroutine
from datetime import datetime, timedelta
from typing import Any, TypeVar

from tests.settable_clock import START

T = TypeVar("T")


class _JumpingSelector(selectors.DefaultSelector):
    """Never waits: what it was asked to wait is added to the loop's time. Nothing else may wake the loop (no threads)."""

    def __init__(self) -> None:
        super().__init__()
        self.passed = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise RuntimeError("everybody waits for something that never happens")
        self.passed += max(0.0, timeout)
        return super().select(0)


class SimulatedLoop(asyncio.SelectorEventLoop):
    """A loop that begins at `START`; `now` is its clock, and asyncio.sleep its sleep."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.passed

    def now(self) -> datetime:
        return START + timedelta(seconds=self.time())


def simulated_now() -> datetime:
    """Return the running simulated loop's present moment."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, SimulatedLoop)
    return loop.now()


def in_simulated_time(work: Coroutine[Any, Any, T]) -> T:
    """Run work in simulated time; the database must be `inline`."""
    with asyncio.Runner(loop_factory=SimulatedLoop) as runner:
        return runner.run(work)
