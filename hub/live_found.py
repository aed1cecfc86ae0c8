"""What a live read found out about a record, and what that makes of the copy that a request holds. Used by hub/live_reads.py."""

from datetime import datetime, timedelta
from typing import NamedTuple

from schema.entity import Mirrored
from schema.live import LIVE_GONE, LIVE_OUTDATED, Shown, Trouble


class Found(NamedTuple):
    """What one call found out about a key; the same for all who asked for it."""

    trouble: Trouble | None = None
    """Why nothing was found out; None where the platform answered, then `since` is set."""
    since: datetime | None = None
    """When the call began: what was seen later is fresh."""
    settling: timedelta = timedelta(0)
    """How late the platform may still show what it has told already."""
    shown: Mirrored | None = None
    """What the platform showed; None: it has no such record."""
    is_kept: bool = False
    """Whether what was shown reached the mirror in time."""
    kept: Mirrored | None = None
    """What the mirror holds behind that."""
    renewed: object | None = None


def answer(platform: str, held: Mirrored | None, found: Found) -> Shown:
    """Return what a request is answered that holds this copy.

    The newest version that anybody showed; marked where it is not known to be as fresh as the call. A record that its platform has
    no more is none, unless it was seen just now: then the platform may be late in showing it.
    """
    if found.trouble is not None or found.since is None:
        return Shown(held, found.trouble)
    newest = found.kept if found.is_kept else _newer(held, found.shown)
    if found.shown is None:
        return _not_there(platform, newest, found.since - found.settling)
    if newest is not None and newest.observed_at >= found.since:
        return Shown(newest, None, found.renewed)
    told = f"{platform}: what it answered is not what it told the hub before; the hub's newer copy stands, ask again"
    return Shown(newest, Trouble(platform, LIVE_OUTDATED, told, True), found.renewed)


def _not_there(platform: str, newest: Mirrored | None, settled: datetime) -> Shown:
    if newest is None:
        return Shown(None)
    if newest.observed_at >= settled:
        told = f"{platform}: it does not show the record, and told of it just now; the hub's copy stands, ask again"
        return Shown(newest, Trouble(platform, LIVE_OUTDATED, told, True))
    told = f"{platform}: it has the record no more; the hub's copy is given without maxAge, until drift (docs/drift.md) settles it"
    return Shown(None, Trouble(platform, LIVE_GONE, told, False))


def _newer(held: Mirrored | None, shown: Mirrored | None) -> Mirrored | None:
    if held is None or shown is None:
        return held or shown
    return held if held.version > shown.version else shown
