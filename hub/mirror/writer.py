"""The one thread that writes to an embedded database: work in the order it came, what somebody waits for at the door first.

Used by database.py. SQLite lets one writer in at a time, and a commit waits for the disk, which takes longer than most pieces of
work. So pieces that wait for each other share a commit, each behind a savepoint of its own: one that fails takes nothing with it.
"""

import itertools
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

T = TypeVar("T")
FIRST, IN_TURN, LAST = range(3)
TOGETHER_SECONDS = 0.01
"""How long pieces are added to a transaction, but for those that somebody waits for at the door."""

Transaction = Callable[[], AbstractContextManager[Connection]]
"""Opens a transaction that is committed at the end; an error of its own means that nothing in it was written."""


def _end(_connection: Connection) -> None:
    """Stand for the end of the thread; never run."""


class _Piece(NamedTuple):
    """Some work, in the order in which it is taken up: by lane, then as it came."""

    lane: int
    number: int
    result: Future[Any]
    run: Callable[[Connection], Any]


class Writer:
    """A thread of its own. `close` lets it finish all that it was given."""

    def __init__(self, name: str, transaction: Transaction) -> None:
        self._transaction = transaction
        self._waiting: queue.PriorityQueue[_Piece] = queue.PriorityQueue()
        self._numbers = itertools.count()
        self._closed = False
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def submit(self, run: Callable[[Connection], T], *, first: bool = False) -> Future[T]:
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
            self._waiting.put(_Piece(LAST, next(self._numbers), Future(), _end))
        self._thread.join()

    def _work(self) -> None:
        while (piece := self._waiting.get()).run is not _end:
            if piece.result.set_running_or_notify_cancel():
                self._commit_with(piece)
            del piece  # else it would keep what the work returned until the next one comes

    def _commit_with(self, piece: _Piece) -> None:
        """Run a piece and those that join it, commit, and only then tell each what became of it."""
        group = [_Ran(piece)]
        try:
            with self._transaction() as connection:
                self._run(connection, group)
        except BaseException as error:  # nothing of all this was written
            for each in group:
                each.error = each.error or error
        for each in group:
            each.tell()

    def _run(self, connection: Connection, group: "list[_Ran]") -> None:
        until = time.monotonic() + TOGETHER_SECONDS
        while True:
            one = group[-1]
            savepoint = connection.begin_nested()
            try:
                one.found = one.piece.run(connection)
                savepoint.commit()
            except BaseException as error:
                one.error = error
                connection.detach()  # a cursor that it left open must meet no others: the connection ends with this transaction
                try:
                    savepoint.rollback()
                except DBAPIError:  # the database took everything back by itself, as it does on a full disk
                    raise error from None
                return
            if (joining := self._joining(one.piece.lane, until)) is None:
                return
            group.append(_Ran(joining))

    def _joining(self, lane: int, until: float) -> _Piece | None:
        """Return the next piece that shares the transaction; who waits at the door does not wait for what is in turn."""
        while True:
            try:
                piece = self._waiting.get_nowait()
            except queue.Empty:
                return None
            if piece.run is _end or (piece.lane == IN_TURN and (lane == FIRST or time.monotonic() > until)):
                self._waiting.put(piece)
                return None
            if piece.result.set_running_or_notify_cancel():
                return piece


@dataclass
class _Ran:
    """A piece that was run, and what it returned or raised."""

    piece: _Piece
    found: Any = None
    error: BaseException | None = None

    def tell(self) -> None:
        """Tell whoever waits."""
        if self.error is not None:
            self.piece.result.set_exception(self.error)
        else:
            self.piece.result.set_result(self.found)
