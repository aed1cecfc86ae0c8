"""The credit platform's sequence feed (credit.md, "Feed"): numbers with holes, items that show up after higher ones, 90 days."""

import random
from bisect import bisect_left, bisect_right
from datetime import datetime, timedelta
from typing import Final

from mocks.store import Document, Store

_KEPT: Final = timedelta(days=90)
_BEFORE_THE_FIRST: Final = 1000
_BIGGEST_STEP: Final = 3


class TooOld(Exception):
    """The feed no longer holds everything after `since`; `oldest` is the oldest seq that it has."""

    def __init__(self, oldest: int) -> None:
        super().__init__(f"the feed begins at {oldest}: take a snapshot first")
        self.oldest = oldest


class Feed:
    """Every change of subjects, records and repairs, in the order of seq; kept in the store under the kind "change"."""

    def __init__(self, store: Store, *, rng: random.Random, late_seconds: float, late_share: float) -> None:
        """A change in `late_share` becomes visible up to `late_seconds` after it was made."""
        self._store = store
        self._rng = rng
        self._late_seconds = late_seconds
        self._late_share = late_share
        self._changes: list[Document] = sorted(store.all("change").values(), key=_seq)
        if not store.last_number("seq"):
            store.next_number("seq", _BEFORE_THE_FIRST)
        if not store.last_number("forgotten"):
            store.next_number("forgotten", 1)

    def append(self, kind: str, op: str, data: Document, now: datetime) -> None:
        """Add a change; its seq leaves a hole now and then."""
        seq = self._store.next_number("seq", self._rng.choice((1, 1, 1, _BIGGEST_STEP)))
        late = self._rng.uniform(0, self._late_seconds) if self._rng.random() < self._late_share else 0.0
        change = {"seq": seq, "type": kind, "op": op, "data": data, "at": now.timestamp(), "visible": now.timestamp() + late}
        self._changes.append(change)
        self._store.put("change", f"{seq:015d}", change)

    def read(self, since: int, limit: int, now: datetime) -> tuple[list[Document], bool]:
        """Return the visible items after since, at most limit, and whether there are more.

        Raise TooOld for 0, and for a since after which something was forgotten already.
        """
        self._forget(now)
        if since < self._store.last_number("forgotten"):
            raise TooOld(_seq(self._changes[0]) if self._changes else self._store.last_number("seq"))
        moment = now.timestamp()
        chosen: list[Document] = []
        for place in range(bisect_right(self._changes, since, key=_seq), len(self._changes)):
            change = self._changes[place]
            if change["visible"] > moment:
                continue
            if len(chosen) == limit:
                return chosen, True
            chosen.append({field: change[field] for field in ("seq", "type", "op", "data")})
        return chosen, False

    def as_of(self) -> int:
        """Return a seq up to which data read now is complete: the last one, or one a little lower, so that pages differ."""
        lower = self._store.last_number("seq") - self._rng.choice((0, 1, 2, 5))
        return max(lower, self._store.last_number("forgotten"))

    def _forget(self, now: datetime) -> None:
        kept = bisect_left(self._changes, (now - _KEPT).timestamp(), key=_at)
        if not kept:
            return
        last = _seq(self._changes[kept - 1])
        self._store.next_number("forgotten", last - self._store.last_number("forgotten"))
        for change in self._changes[:kept]:
            self._store.delete("change", f"{_seq(change):015d}")
        del self._changes[:kept]


def _seq(change: Document) -> int:
    return int(change["seq"])


def _at(change: Document) -> float:
    return float(change["at"])
