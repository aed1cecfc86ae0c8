"""The reading of a list that a platform gives only as a whole: what it held last time, so that what is gone is noticed.

For short lists without a place in time (key subjects, departments). A cursor of ours is a `Roll`, written down.
"""

from collections.abc import Iterable

import msgspec

from connectors.errors import CursorExpired

MISSES = 2
"""Whole reads in a row that must miss a key before it is gone: a list that changes while it is paged can skip one."""


class Roll(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is known of a list, and how far a read under way has come."""

    known: dict[str, int] = {}
    """Keys that were there, each with the number of whole reads in a row that have missed it."""
    seen: tuple[str, ...] = ()
    """Keys in the read under way."""
    doubtful: bool = False
    """The read under way held a record whose key cannot be read: it proves of no other that it is gone."""
    token: str | None = None
    """The platform's own cursor for the rest of the read under way."""
    etag: str | None = None
    """The platform's name for the list as it was read last."""

    def turned(self, keys: Iterable[str | None], token: str | None) -> "Roll":
        """Return the roll after one more page with these keys; None stands for a key that cannot be read."""
        found = tuple(keys)
        seen = (*self.seen, *(key for key in found if key is not None))
        return msgspec.structs.replace(self, seen=seen, doubtful=self.doubtful or None in found, token=token, etag=None)

    def finished(self, etag: str | None = None) -> tuple["Roll", list[str]]:
        """Return the roll after the last page, and the keys that are gone."""
        missing = {} if self.doubtful else {key: misses + 1 for key, misses in self.known.items()}
        known = {**self.known, **missing, **dict.fromkeys(self.seen, 0)}
        gone = [key for key, misses in known.items() if misses >= MISSES]
        return Roll(known={key: misses for key, misses in known.items() if misses < MISSES}, etag=etag), gone

    def dropped(self) -> "Roll":
        """Return the roll where a new read starts instead of the one under way: the platform's cursor is gone.

        What that one has shown is known: it was told of, so that its end has to be told as well.
        """
        return Roll(known={**self.known, **dict.fromkeys(self.seen, 0)})

    def write(self) -> str:
        """Return the roll as a cursor."""
        return msgspec.json.encode(self).decode()


def read_roll(platform: str, cursor: str | None) -> Roll:
    """Return the roll that a cursor of ours names, an empty one for None; raise CursorExpired for anything else."""
    if cursor is None:
        return Roll()
    try:
        return msgspec.json.decode(cursor, type=Roll)
    except msgspec.DecodeError:
        raise CursorExpired(platform, "BAD_CURSOR", "this cursor is not one of ours; start over from the beginning") from None
