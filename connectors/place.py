"""Where the reading of a stream goes on: what is settled for good, and how far a run under way has come.

For platforms whose changes are read by their time and may show up a little late behind others. A cursor of ours is a
`Place`, written down; the platform's own cursor, where there is one, travels in it.
"""

from datetime import datetime, timedelta

import msgspec

from connectors.errors import CursorExpired


class Place(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A place in a stream. All times are the changes' own times, as the platform writes them, except `began`."""

    settled: datetime | None = None
    """Nothing that changed before this can still be new to us; a run starts here. None: from the beginning."""
    began: datetime | None = None
    """When the run under way began, by our clock; None between runs."""
    reached: datetime | None = None
    """How far the run under way has read, in order."""
    token: str | None = None
    """The platform's own cursor for the rest of the run."""

    def starting(self, now: datetime, overlap: timedelta) -> "Place":
        """Return the place of a run: the one under way, or a new one.

        A settled place in the future (a clock was set back) is brought back, so that what changes meanwhile is not passed over.
        """
        if self.began is not None:
            return self
        settled = None if self.settled is None else min(self.settled, now - overlap)
        return Place(settled=settled, began=now)

    def dated(self, answered: datetime | None, overlap: timedelta) -> "Place":
        """Return the place with the platform's own clock (the Date of its answer) heeded where it is behind ours.

        Changes bear the platform's time: what a clock of ours that is ahead calls settled may be yet to come.
        """
        if self.began is None or answered is None or answered >= self.began:
            return self
        settled = None if self.settled is None else min(self.settled, answered - overlap)
        return msgspec.structs.replace(self, began=answered, settled=settled)

    def advanced(self, reached: datetime | None, overlap: timedelta, token: str | None = None) -> "Place":
        """Return the place after a page whose changes reach up to `reached`; None: nothing is settled by it.

        What changed less than `overlap` before the run began may have shown up behind its page: the settled place stays
        behind that moment, however far the run comes, and never goes back.
        """
        place = msgspec.structs.replace(self, reached=reached or self.reached, token=token)
        return place if reached is None else place._settled_up_to(reached, overlap)

    def ended(self, overlap: timedelta) -> "Place":
        """Return the place where the next run starts, after the last page of this one."""
        settled = self if self.began is None else self._settled_up_to(self.began, overlap)
        return Place(settled=settled.settled)

    def dropped(self) -> "Place":
        """Return the place where a new run starts instead of this one: the platform's cursor is gone."""
        return Place(settled=self.settled)

    def _settled_up_to(self, reached: datetime, overlap: timedelta) -> "Place":
        settled = (reached if self.began is None else min(reached, self.began)) - overlap
        return msgspec.structs.replace(self, settled=settled if self.settled is None else max(settled, self.settled))

    def write(self) -> str:
        """Return the place as a cursor."""
        return msgspec.json.encode(self).decode()


def read_place(platform: str, cursor: str | None) -> Place:
    """Return the place that a cursor of ours names, the beginning for None; raise CursorExpired for anything else."""
    if cursor is None:
        return Place()
    try:
        place = msgspec.json.decode(cursor, type=Place)
    except msgspec.DecodeError:
        place = None
    moments = () if place is None else (place.settled, place.began, place.reached)
    if place is None or any(moment is not None and moment.tzinfo is None for moment in moments):
        raise CursorExpired(platform, "BAD_CURSOR", "this cursor is not one of ours; start over from the beginning")
    return place
