"""An event loop whose time jumps to the next thing that happens: hours of waiting take milliseconds, in a fixed order."""

import asyncio
import selectors
from collections.abc import Coroutine, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar

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
    """A loop that begins at `start` (aware); `now` is its clock, and asyncio.sleep its sleep."""

    _scheduled: list[asyncio.TimerHandle]
    _ready: Sequence[asyncio.Handle]

    def __init__(self, start: datetime) -> None:
        self._jumping = _JumpingSelector()
        self._start = start
        self._waited_for: asyncio.TimerHandle | None = None
        super().__init__(self._jumping)
        # What is due within it is due now: it must be more than a float can tell apart after years, else nothing is ever due.
        self._clock_resolution = 1e-6

    def _run_once(self) -> None:
        """Take one turn; raise RuntimeError where what is due is not seen as due, and turns would go round for ever."""
        first = self._scheduled[0] if self._scheduled and not self._ready else None
        before = self._jumping.passed
        super()._run_once()  # type: ignore[misc]
        if first is None or first is not self._waited_for or self._jumping.passed > before:
            self._waited_for = first
        elif self._scheduled and self._scheduled[0] is first:
            raise RuntimeError(f"time stands still at {self.time()} s, and what is due at {first.when()} s never comes")

    def time(self) -> float:
        """Return the seconds that have passed since the beginning."""
        return self._jumping.passed

    def now(self) -> datetime:
        """Return the present moment, in the zone of `start`."""
        return self._start + timedelta(seconds=self.time())


def simulated_now() -> datetime:
    """Return the running simulated loop's present moment; raise TypeError in any other loop."""
    loop = asyncio.get_running_loop()
    if not isinstance(loop, SimulatedLoop):
        raise TypeError(f"{type(loop).__name__} has no simulated time; run this by in_simulated_time")
    return loop.now()


def in_simulated_time(work: Coroutine[Any, Any, T], start: datetime) -> T:
    """Run work in simulated time from `start` (aware) on; databases must be `inline`: no thread may be waited for."""
    with asyncio.Runner(loop_factory=partial(SimulatedLoop, start)) as runner:
        return runner.run(work)
