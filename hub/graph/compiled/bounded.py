"""A memory of the last things that were made, each of which can be made again."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Bounded(Generic[K, V]):
    """Keeps the `most` that were used last, of all together no more than `size`. Two threads that miss the same thing at once make
    it both; either will do.

    `weigh` says how much one takes; what alone takes more than `size` is not kept.
    """

    def __init__(self, most: int, *, size: int | None = None, weigh: Callable[[K, V], int] = lambda key, value: 1) -> None:
        self._most, self._size, self._weigh = most, size, weigh
        self._kept: OrderedDict[K, tuple[V, int]] = OrderedDict()
        self._taken = 0
        self._lock = Lock()

    def get(self, key: K, make: Callable[[], V]) -> V:
        """Return what is kept under the key, made now if it is not; what `make` raises is not kept."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key][0]
        found = make()
        weight = 0 if self._size is None else self._weigh(key, found)
        if self._size is not None and weight > self._size:
            return found
        with self._lock:
            if key not in self._kept:
                self._kept[key] = found, weight
                self._taken += weight
            while len(self._kept) > self._most or self._taken > (self._size or 0):
                self._taken -= self._kept.popitem(last=False)[1][1]
        return found

    def __len__(self) -> int:
        return len(self._kept)
