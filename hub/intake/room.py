"""How much may be under way at once, so that overload is refused before memory grows. Used at every door of the hub.

What does not fit is refused at once and not kept waiting: whoever sent it hears when to come again, and sends it again.
"""

import contextlib
from collections.abc import Iterator

RETRY_AFTER = 5
"""Seconds after which somebody who was refused may come again, as `Retry-After` says it."""


class NoRoom(Exception):
    """As much is under way as may be."""


class Room:
    """Room for so many things, and so many bytes of them. Used by one event loop; `held` and `taken` show what is in it."""

    def __init__(self, count: int, size: int = 0) -> None:
        self._count, self._size = count, size
        self.held = 0
        self.taken = 0

    def take(self, size: int = 0) -> bool:
        """Take room for one thing of so many bytes; return False, and take nothing, where it does not fit.

        Something larger than the whole room fits while nothing else is in it, for else it never would.
        """
        if self.held and (self.held >= self._count or self.taken + size > self._size):
            return False
        self.held += 1
        self.taken += size
        return True

    def give_back(self, size: int = 0) -> None:
        """Give back what `take` took."""
        self.held -= 1
        self.taken -= size

    @contextlib.contextmanager
    def inside(self, size: int = 0) -> Iterator[None]:
        """Hold room for the time of the block; raise NoRoom."""
        if not self.take(size):
            raise NoRoom
        try:
            yield
        finally:
            self.give_back(size)
