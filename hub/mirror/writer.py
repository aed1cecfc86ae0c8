"""The one thread that writes to an embedded database: work in the order it came, what somebody waits for at the door first.

Used by database.py. SQLite lets one writer in at a time, so that a long piece of work holds up all others: what must not wait
behind others says so.
"""

import itertools
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, NamedTuple, TypeVar

T = TypeVar("T")
FIRST, IN_TURN, LAST = range(3)


class _Piece(NamedTuple):
    """Some work, in the order in which it is taken up: by lane, then as it came."""

    lane: int
    number: int
    result: Future[Any]
    run: Callable[[], Any] | None
    """None ends the thread."""


class Writer:
    """A thread of its own. `close` lets it finish all that it was given."""

    def __init__(self, name: str) -> None:
        self._waiting: queue.PriorityQueue[_Piece] = queue.PriorityQueue()
        self._numbers = itertools.count()
        self._closed = False
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def submit(self, run: Callable[[], T], *, first: bool = False) -> Future[T]:
        """Take work on, before all that waits in turn if `first`; raise RuntimeError once it is closed."""
        if self._closed:
            raise RuntimeError("the database is closed")
        result: Future[T] = Future()
        self._waiting.put(_Piece(FIRST if first else IN_TURN, next(self._numbers), result, run))
        return result

    def close(self) -> None:
        """Return when all work that was taken on is done; nothing more is taken on."""
        if not self._closed:
            self._closed = True
            self._waiting.put(_Piece(LAST, next(self._numbers), Future(), None))
        self._thread.join()

    def _work(self) -> None:
        while (piece := self._waiting.get()).run is not None:
            if not piece.result.set_running_or_notify_cancel():
                continue
            try:
                done = piece.run()
            except BaseException as error:  # whoever waits for it hears of it
                piece.result.set_exception(error)
            else:
                piece.result.set_result(done)
            del piece  # else it would keep what the work returned until the next one comes
