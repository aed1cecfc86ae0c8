"""The graph's entry points for subscribing: changes of records and obligations, and whether the platforms are in sync."""

import contextlib
from collections.abc import AsyncGenerator, Callable
from datetime import datetime
from enum import Enum
from typing import Annotated, Any, TypeVar, cast

import strawberry
from strawberry import UNSET, Info

from schema.changes import ChangeKind, ObligationChanged, RecordChanged, read_position, write_position
from schema.comparable import holds
from schema.context import OPS_READ, Context
from schema.declare import ENTITIES, Declared, Relation, declared
from schema.entities import Obligation, ObligationState
from schema.entity import Entity, Mirrored
from schema.enums import graph_enum
from schema.filters import filter_type, read_filter
from schema.global_id import Node
from schema.graph_errors import BAD_USER_INPUT, PAGE_LIMIT, GraphError
from schema.identifiers import canonical_identifier
from schema.platform import Platform, platform_of
from schema.resolver import subscription
from schema.slices import FIRST_LIMIT
from schema.subscribers import is_told

C = TypeVar("C")

RECORDS, OBLIGATIONS = "recordChanges", "obligationChanges"
AFTER = "The cursor of the last event that was seen; without it, from now on (上次事件游标)"

graph_enum(ChangeKind)
RecordType: Any = strawberry.enum(
    cast(Any, Enum)(
        "RecordType",
        {one.table.upper(): one.name for one in ENTITIES.values() if issubclass(one.record, Mirrored) and not one.part_of},
    ),
    description="Kinds of records that platforms tell of; parts of a record change with it (记录类型)",
)
ObligationFilter: Any = filter_type(Obligation)


@strawberry.input(description="Which changes: all conditions must hold (变更筛选)")
class RecordChangeFilter:
    """By key, or by the subject that a record is about."""

    keys: list[str] | None = strawberry.field(default=UNSET, description=f"Keys of records, at most {FIRST_LIMIT} (记录主键)")
    subject: str | None = strawberry.field(
        default=UNSET, description="USCC, RID code or old number, whichever of them a record names (识别码)"
    )


@strawberry.type(description="A change of a record (记录变更)")
class RecordChange:
    """One version of one record."""

    cursor: str = strawberry.field(description="Its place in the public order; go on behind it with `after` (游标)")
    kind: ChangeKind = strawberry.field(description="What happened (变更类型)")
    type: RecordType = strawberry.field(description="Kind of record (记录类型)")
    key: str = strawberry.field(description="Key of the record (记录主键)")
    at: datetime = strawberry.field(description="When the hub saw it (采集时间)")
    record: Node | None = strawberry.field(
        description="The record as it was said then, its edges as they are now; null for a deletion (记录)"
    )


@strawberry.type(description="A change of an obligation (应办事项变更)")
class ObligationChange:
    """A step of one obligation."""

    cursor: str = strawberry.field(description="Its place in the order; go on behind it with `after` (游标)")
    kind: ChangeKind = strawberry.field(description="CREATED or CHANGED; none is ever deleted (变更类型)")
    key: str = strawberry.field(description="Identity: rule and cause (应办编号)")
    state: ObligationState = strawberry.field(description="What it was after this change (变更后状态)")
    at: datetime = strawberry.field(description="When the change took its place in the order (排序时间)")
    obligation: Obligation | None = strawberry.field(description="As it is now, which may be later than `state` (应办事项)")


@strawberry.type(description="Platforms whose condition changed; all of them in the first event (同步状况变更)")
class SyncHealth:
    """A condition, no history: there is no cursor, and what changed and changed back in between is not told."""

    at: datetime = strawberry.field(description="When the hub noticed (发现时间)")
    platforms: list[Platform] = strawberry.field(description="As `platforms` shows them (平台)")


@strawberry.type(description="What can be subscribed to (订阅)")
class Subscription:
    """Each event is answered as a query of its own; what it shows is masked as everywhere."""

    @subscription("Changes of records, in the one public order of the hub", "记录变更订阅")
    async def record_changes(
        self,
        info: Info[Context, None],
        types: Annotated[list[RecordType], strawberry.argument(description="Which kinds of records (记录类型)")],
        filter_: Annotated[
            RecordChangeFilter | None, strawberry.argument(name="filter", description="Which of them; all unless said (筛选)")
        ] = UNSET,
        after: Annotated[str | None, strawberry.argument(description=AFTER)] = UNSET,
    ) -> AsyncGenerator[RecordChange, None]:
        """Check what is asked for before anything is told."""
        entities = {ENTITIES[one.value].name: ENTITIES[one.value] for one in types}
        if not entities:
            raise GraphError(BAD_USER_INPUT, "recordChanges: types is empty; name at least one")
        for entity in entities.values():
            info.context.caller.require(entity.scope)
        context, matches = info.context, await _record_filter(info.context, filter_, entities)
        source = context.hub.feeds.records(read_position(RECORDS, after or None), entities, matches)
        return _told(context, _seen(context, source, lambda change: (entities[change.entity], change.record)), _record_change)

    @subscription("Changes of obligations, in an order of their own", "应办事项变更订阅")
    async def obligation_changes(
        self,
        info: Info[Context, None],
        filter_: Annotated[
            ObligationFilter | None,
            strawberry.argument(
                name="filter",
                description="Which of them; `state` is compared with the state after the change, the rest as it is now (筛选)",
            ),
        ] = UNSET,
        after: Annotated[str | None, strawberry.argument(description=AFTER)] = UNSET,
    ) -> AsyncGenerator[ObligationChange, None]:
        """Check what is asked for before anything is told."""
        entity, context = declared(Obligation), info.context
        context.caller.require(entity.scope)
        comparisons = read_filter(entity, filter_)

        def wanted(change: ObligationChanged) -> bool:
            one = change.obligation
            return all(holds(change.state if by.column == "state" else getattr(one, by.column, None), by) for by in comparisons)

        source = context.hub.feeds.obligations(read_position(OBLIGATIONS, after or None), wanted)
        return _told(context, _seen(context, source, lambda change: (entity, change.obligation)), _obligation_change)

    @subscription("The platforms' conditions, whenever one changes", "各平台同步状况订阅")
    async def sync_health(self, info: Info[Context, None]) -> AsyncGenerator[SyncHealth, None]:
        """Tell of all platforms first."""
        info.context.caller.require(OPS_READ)
        clock = info.context.hub.clock
        return _told(
            info.context,
            info.context.hub.feeds.health(),
            lambda changed: SyncHealth(at=clock(), platforms=[platform_of(one) for one in changed]),
        )


async def _seen(
    context: Context, source: AsyncGenerator[C, None], about: Callable[[C], tuple[Declared, Entity | None]]
) -> AsyncGenerator[C, None]:
    """Yield the changes of records that the caller sees."""
    async with contextlib.aclosing(source):
        async for change in source:
            context.reads.forget()
            if await is_told(context, *about(change)):
                yield change


async def _told(context: Context, source: AsyncGenerator[Any, None], as_told: Callable[[Any], Any]) -> AsyncGenerator[Any, None]:
    """Yield what comes as the graph shows it; what was read for one event is forgotten before the next."""
    async with contextlib.aclosing(source):
        async for change in source:
            context.reads.forget()
            context.live.forget()
            yield as_told(change)


def _record_change(change: RecordChanged) -> RecordChange:
    return RecordChange(
        cursor=write_position(RECORDS, change.position),
        kind=change.kind,
        type=RecordType(change.entity),
        key=change.key,
        at=change.at,
        record=None if change.kind is ChangeKind.DELETED else cast(Any, change.record),
    )


def _obligation_change(change: ObligationChanged) -> ObligationChange:
    return ObligationChange(
        cursor=write_position(OBLIGATIONS, change.position),
        kind=change.kind,
        key=change.key,
        state=change.state,
        at=change.at,
        obligation=change.obligation,
    )


async def _record_filter(
    context: Context, given: RecordChangeFilter | None, entities: dict[str, Declared]
) -> Callable[[RecordChanged], bool]:
    """Return whether a change passes; raise GraphError for too many keys, or a kind of record that is about no subject."""
    keys = frozenset(given.keys) if given and given.keys else None
    if keys is not None and len(keys) > FIRST_LIMIT:
        raise GraphError(PAGE_LIMIT, f"filter.keys has {len(keys)} values; at most {FIRST_LIMIT} at once", limit=FIRST_LIMIT)
    if not given or not given.subject:
        return lambda change: keys is None or change.key in keys
    columns = {name: _subject_column(entity) for name, entity in entities.items()}
    codes = await context.hub.feeds.identifiers_of(canonical_identifier(given.subject))

    def about(change: RecordChanged) -> bool:
        return (keys is None or change.key in keys) and getattr(change.record, columns[change.entity], None) in codes

    return about


def _subject_column(entity: Declared) -> str:
    edge = entity.edges.get("subject")
    if not isinstance(edge, Relation) or edge.to != "Subject":
        raise GraphError(BAD_USER_INPUT, f"filter.subject: a {entity.name} is about no subject; leave it out of types")
    return edge.ours
