"""Ctrl-C: the first asks a command to end, and those that follow do not break off its end. Used by base.py."""

import asyncio
import contextlib
import signal
import threading
from collections.abc import Awaitable, Iterator
from types import FrameType
from typing import TypeVar

T = TypeVar("T")


class Interruption:
    """What Ctrl-C does to the work of a command. Whoever cannot wait for its end sends SIGTERM or SIGKILL."""

    def __init__(self) -> None:
        self._task: asyncio.Task[object] | None = None
        self._asked = False

    @contextlib.contextmanager
    def heard(self) -> Iterator[None]:
        """Hear of Ctrl-C instead of Python, while the block runs. Only the main thread hears of signals."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = signal.signal(signal.SIGINT, self._interrupt)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)

    async def obeyed(self, work: Awaitable[T]) -> T:
        """Return what the work returns; it is cancelled by the first Ctrl-C."""
        self._task = asyncio.current_task()
        return await work

    def _interrupt(self, _number: int, _frame: FrameType | None) -> None:
        if self._task is None:
            raise KeyboardInterrupt
        if not self._asked:
            self._asked = True
            self._task.cancel()
            self._task.get_loop().call_soon_threadsafe(lambda: None)  # a loop that waits for the network looks up
