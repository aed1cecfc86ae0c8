"""What is late and what soon will be: open obligations in the order of their terms. One of the parts that Query is made of."""

from datetime import timedelta
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
from schema.resolver import resolver
from schema.slices import FIRST_DEFAULT, Comparison, Order, Slice

EARLIEST_FIRST = Order("due_at")
STILL_OPEN = Comparison("state", "in", tuple(sorted((state for state in OPEN_STATES), key=lambda state: state.value)))
HOURS_AT_MOST = 8_784
"""A leap year."""

Within = Annotated[int, strawberry.argument(description="How many hours ahead, 1 to 8784 (未来小时数)")]
ObligationFilter: Any = filter_type(Obligation)


@strawberry.type
class DueQuery:
    """Two lists for whoever has to see to it that nothing is late."""

    @resolver("Open obligations whose term is over, the longest ago first", "逾期未办清单")
    def overdue(
        self,
        info: Info[Context, None],
        first: int = FIRST_DEFAULT,
        after: str | None = UNSET,
        where: ObligationFilter | None = UNSET,
    ) -> Connection[Obligation] | None:
        """List them as of now."""
        late = Comparison("due_at", "lt", info.context.hub.clock())
        return _page(info, first, after, where, (STILL_OPEN, late))

    @resolver("Open obligations whose term ends soon, the soonest first", "即将到期清单")
    def due_soon(
        self,
        info: Info[Context, None],
        within_hours: Within = 24,
        first: int = FIRST_DEFAULT,
        after: str | None = UNSET,
        where: ObligationFilter | None = UNSET,
    ) -> Connection[Obligation] | None:
        """List them as of now."""
        if not 1 <= within_hours <= HOURS_AT_MOST:
            raise GraphError(BAD_USER_INPUT, f"dueSoon: withinHours is {within_hours}; give 1 to {HOURS_AT_MOST}")
        now = info.context.hub.clock()
        from_now = Comparison("due_at", "gte", now)
        soon = Comparison("due_at", "lte", now + timedelta(hours=within_hours))
        return _page(info, first, after, where, (STILL_OPEN, from_now, soon))


def _page(info: Info[Context, None], first: int, after: Any, where: Any, always: tuple[Comparison, ...]) -> Connection[Obligation]:
    entity = declared(Obligation)
    info.context.caller.require_read(entity)
    place = read_cursor(entity, EARLIEST_FIRST, after) if after else None
    wanted = Slice(EARLIEST_FIRST, allowed_first(info.field_name, first), place, (*always, *read_filter(entity, where or None)))
    return Connection(page=Page(entity, wanted, None, info.context.reads))
