"""Which changes a subscriber is told of: limits of rows bind subscriptions as they bind queries."""

from collections.abc import Collection

from schema.context import Context
from schema.declare import ENTITIES, BelongsTo, Declared, SeenWith, Shared
from schema.entity import Entity
from schema.row_limits import RowLimits
from schema.slices import Joined


async def is_told(context: Context, entity: Declared, record: Entity | None) -> bool:
    """Return whether the caller sees this record's row: the one place, which says what hub/mirror/visibility.py says in SQL.

    The scope was asked for before. What is seen with another record is told to whoever sees that one now. `record` is None where
    nothing of it can be read any more: that is told to nobody who is limited.
    """
    limits, seen = context.caller.rows, entity.seen
    if not limits or isinstance(seen, Shared):
        return True
    if record is None:
        return False
    if isinstance(seen, BelongsTo):
        return _belongs(record, seen, limits)
    return isinstance(seen, SeenWith) and await _whole_is_seen(context, seen, getattr(record, seen.ours))


async def _whole_is_seen(context: Context, seen: SeenWith, value: str | None) -> bool:
    whole = ENTITIES[seen.entity].record
    return value is not None and await context.reads.one(whole, Joined(seen.theirs, value)) is not None


def _belongs(record: Entity, seen: BelongsTo, limits: RowLimits) -> bool:
    if limits.departments is not None:
        columns = (seen.department, seen.taking_part)
        if not any(_names(record, each, limits.departments) for each in columns):
            return False
    if limits.regions is None:
        return True
    return limits.at_home if seen.region is None else _names(record, seen.region, limits.regions)


def _names(record: Entity, column: str | None, allowed: Collection[str]) -> bool:
    value = None if column is None else getattr(record, column)
    return any(each in allowed for each in value) if isinstance(value, tuple) else value in allowed
