"""What is late and what soon will be: open obligations in the order of their terms. One of the parts that Query is made of."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Annotated, Any

import strawberry
from strawberry import UNSET, Info

from schema.connection import Connection, Page, allowed_first
from schema.context import Context
from schema.cursor import read_cursor
from schema.declare import declared
from schema.entities import OPEN_STATES, Obligation
from schema.filters import filter_type, read_filter
from schema.graph_errors import BAD_USER_INPUT, GraphError
from schema.reads import ReadsMany
from schema.resolver import resolver
from schema.slices import FIRST_DEFAULT, Comparison, Order, Slice

EARLIEST_FIRST = Order("due_at")
STILL_OPEN = Comparison("state", "in", tuple(sorted((state for state in OPEN_STATES), key=lambda state: state.value)))
HOURS_AT_MOST = 8_784
"""A leap year."""

Within = Annotated[int, strawberry.argument(description="How many hours ahead, 1 to 8784 (未来小时数)")]
ObligationFilter: Any = filter_type(Obligation)


def overdue_slice(now: datetime, field: str, first: int = FIRST_DEFAULT, after: Any = UNSET, where: Any = UNSET) -> Slice:
    """Return what is late by now; raise GraphError for what cannot be meant."""
    return _slice(field, first, after, where, Comparison("due_at", "lt", now))


def due_soon_slice(
    now: datetime, field: str, within_hours: int = 24, first: int = FIRST_DEFAULT, after: Any = UNSET, where: Any = UNSET
) -> Slice:
    """Return what soon will be late; raise GraphError for what cannot be meant."""
    if not 1 <= within_hours <= HOURS_AT_MOST:
        raise GraphError(BAD_USER_INPUT, f"dueSoon: withinHours is {within_hours}; give 1 to {HOURS_AT_MOST}")
    until = now + timedelta(hours=within_hours)
    return _slice(field, first, after, where, Comparison("due_at", "gte", now), Comparison("due_at", "lte", until))


def _slice(field: str, first: int, after: Any, where: Any, *always: Comparison) -> Slice:
    entity = declared(Obligation)
    place = read_cursor(entity, EARLIEST_FIRST, after) if after else None
    return Slice(EARLIEST_FIRST, allowed_first(field, first), place, (STILL_OPEN, *always, *read_filter(entity, where or None)))


@strawberry.type
class DueQuery:
    """Two lists for whoever has to see to it that nothing is late."""

    @resolver(
        "Open obligations whose term is over, the longest ago first", "逾期未办清单", ReadsMany(declared(Obligation), overdue_slice)
    )
    def overdue(
        self,
        info: Info[Context, None],
        first: int = FIRST_DEFAULT,
        after: str | None = UNSET,
        where: ObligationFilter | None = UNSET,
    ) -> Connection[Obligation] | None:
        """List them as of now."""
        return _page(info, lambda now: overdue_slice(now, info.field_name, first, after, where))

    @resolver(
        "Open obligations whose term ends soon, the soonest first", "即将到期清单", ReadsMany(declared(Obligation), due_soon_slice)
    )
    def due_soon(
        self,
        info: Info[Context, None],
        within_hours: Within = 24,
        first: int = FIRST_DEFAULT,
        after: str | None = UNSET,
        where: ObligationFilter | None = UNSET,
    ) -> Connection[Obligation] | None:
        """List them as of now."""
        return _page(info, lambda now: due_soon_slice(now, info.field_name, within_hours, first, after, where))


def _page(info: Info[Context, None], wanted: Callable[[datetime], Slice]) -> Connection[Obligation]:
    entity = declared(Obligation)
    info.context.caller.require_read(entity)
    return Connection(page=Page(entity, wanted(info.context.hub.clock()), None, info.context.reads))
