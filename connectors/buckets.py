"""How a platform proves completeness: a count and a digest of what it holds, bucket by bucket, and the same made of ours.

The engine asks for a bucket's `Digest`, makes its own of the keys and versions that it holds, and compares.
"""

import hashlib
from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta, timezone
from typing import NamedTuple

import msgspec

from schema.entity import Mirrored, key_of

BEIJING = timezone(timedelta(hours=8))


class Line(NamedTuple):
    """One record as a digest sees it."""

    key: str
    version: int


class Digest(msgspec.Struct, frozen=True):
    """How many records a bucket holds, and the digest over their lines `key:version` in the order of the key."""

    count: int
    digest: str


class Running:
    """A digest that is made line by line; whoever adds lines keeps their order, that of the keys' bytes."""

    def __init__(self, algorithm: str, upper: bool) -> None:
        self._hash = hashlib.new(algorithm, usedforsecurity=False)
        self._upper = upper
        self._count = 0

    def add(self, line: Line) -> None:
        """Go on with one more record."""
        self._hash.update(f"{line.key}:{line.version}\n".encode())
        self._count += 1

    def digest(self) -> Digest:
        """Return the digest of what was added so far."""
        written = self._hash.hexdigest()
        return Digest(self._count, written.upper() if self._upper else written)


class Buckets(msgspec.Struct, frozen=True, kw_only=True):
    """How the records of one entity are put into buckets, and how a bucket's digest is made."""

    entity: str
    stream: str
    """The stream by which these records come."""
    day_of: str | None = None
    """The field whose Beijing day, `yyyy-MM-dd`, is the bucket; None: the first byte of SM3(key), `0` to `255`."""
    algorithm: str = "sm3"
    upper: bool = False
    """Whether the digest is written in upper-case hex."""

    def bucket_of(self, record: Mirrored) -> str:
        """Return the bucket that a record is in."""
        if self.day_of is None:
            return byte_of(key_of(record))
        at: datetime = getattr(record, self.day_of)
        return at.astimezone(BEIJING).date().isoformat()

    def names(self, first: date, now: datetime) -> Iterator[str]:
        """Yield all buckets: 256, or the days from the present one in Beijing back to `first`."""
        if self.day_of is None:
            yield from map(str, range(256))
            return
        day = now.astimezone(BEIJING).date()
        while day >= first:
            yield day.isoformat()
            day -= timedelta(days=1)

    def running(self) -> Running:
        """Return the digest of nothing, to go on with."""
        return Running(self.algorithm, self.upper)

    def digest(self, lines: Iterable[Line]) -> Digest:
        """Return the digest of these records, in whatever order they come."""
        running = self.running()
        for line in sorted(lines):
            running.add(line)
        return running.digest()


def byte_of(key: str) -> str:
    """Return the bucket of a key where there is one for each first byte of its SM3."""
    return str(hashlib.new("sm3", key.encode()).digest()[0])


def day_bounds(bucket: str) -> tuple[datetime, datetime]:
    """Return the first moment of a day bucket and that of the day after it; raise ValueError where it is no day."""
    first = datetime.strptime(bucket, "%Y-%m-%d").replace(tzinfo=BEIJING)
    return first, first + timedelta(days=1)
