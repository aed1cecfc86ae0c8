"""What subscribers ask of the engine: changes of records and of obligations in their public orders, and the platforms' health.

Implemented by hub/graph/feeds. A cursor names an order and a place in it; whoever comes back with the last one that they saw
goes on behind it, without a gap and without a repetition.
"""

from collections.abc import AsyncGenerator, Callable, Collection, Sequence
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple, Protocol

from schema.entities import Obligation, ObligationState
from schema.entity import Mirrored
from schema.global_id import pack, unpack
from schema.graph_errors import BAD_CURSOR, GraphError

if TYPE_CHECKING:
    from schema.context import PlatformHealth

CURSOR_TOO_OLD = "CURSOR_TOO_OLD"
TOO_SLOW = "TOO_SLOW"


class ChangeKind(Enum):
    """What happened to a record (变更类型). CREATED: there was none before, or it had been deleted."""

    CREATED = "CREATED"
    CHANGED = "CHANGED"
    DELETED = "DELETED"


class RecordChanged(Protocol):
    """A change of a record."""

    @property
    def position(self) -> int:
        """Return its place in the order."""
        ...

    @property
    def entity(self) -> str:
        """Return the name of the record's entity."""
        ...

    @property
    def key(self) -> str:
        """Return the record's key."""
        ...

    @property
    def kind(self) -> ChangeKind:
        """Return what happened."""
        ...

    @property
    def at(self) -> datetime:
        """Return when the hub saw it."""
        ...

    @property
    def record(self) -> Mirrored | None:
        """Return the record as it was said then; of a deletion the last version before. None where it cannot be read any more."""
        ...


class ObligationChanged(NamedTuple):
    """A change of an obligation."""

    position: int
    key: str
    kind: ChangeKind
    state: ObligationState
    at: datetime
    obligation: Obligation | None
    """As it is now; columns that the graph does not show are None."""


class Feeds(Protocol):
    """What there is to subscribe to. A generator that is closed gives back all that it holds."""

    def records(
        self, after: int | None, entities: Collection[str], wanted: Callable[[RecordChanged], bool]
    ) -> AsyncGenerator[RecordChanged, None]:
        """Yield changes of some entities behind a position, None: from now on.

        Raises GraphError CURSOR_TOO_OLD, BAD_CURSOR (it lies ahead), TOO_SLOW.
        """
        ...

    def obligations(
        self, after: int | None, wanted: Callable[[ObligationChanged], bool]
    ) -> AsyncGenerator[ObligationChanged, None]:
        """Yield changes of obligations; as `records`."""
        ...

    def health(self) -> "AsyncGenerator[Sequence[PlatformHealth], None]":
        """Yield all platforms first, then whichever changed."""
        ...

    async def identifiers_of(self, subject: str) -> frozenset[str]:
        """Return every identifier by which a subject is known now, the given one among them."""
        ...


def write_position(order: str, position: int) -> str:
    """Return the cursor of a place in an order."""
    return pack(f"{order}:{position}")


def read_position(order: str, cursor: str | None) -> int | None:
    """Return the place that a cursor names; raise GraphError BAD_CURSOR if it is none of this order."""
    if cursor is None:
        return None
    try:
        named, _, position = unpack(cursor).partition(":")
    except ValueError:
        named = position = ""
    if named != order or not (position.isascii() and position.isdigit() and len(position) <= 18):
        raise GraphError(BAD_CURSOR, f"'{cursor}' is no cursor of {order}; give the `cursor` of an event of the same subscription")
    return int(position)
