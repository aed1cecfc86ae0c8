"""Lists as Relay connections: nothing is read before `edges` or `pageInfo` is asked for, nothing counted before `totalCount` is."""

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import strawberry
from strawberry import UNSET, Info

from schema.context import Context, Reads
from schema.cursor import read_cursor, write_cursor
from schema.declare import Declared
from schema.filters import filter_type, order_type, read_filter, read_order
from schema.graph_errors import BAD_USER_INPUT, GraphError, page_too_large
from schema.live import fresh_many, with_max_age
from schema.resolver import resolver
from schema.slices import FIRST_DEFAULT, FIRST_LIMIT, Joined, Slice

T = TypeVar("T")


@strawberry.federation.type(shareable=True, description="Where a page stands in its list (分页信息)")
class PageInfo:
    """Relay's PageInfo."""

    has_next_page: bool = strawberry.field(description="Whether more records follow (有下一页)")
    has_previous_page: bool = strawberry.field(description="Whether the list was entered behind its beginning (有上一页)")
    start_cursor: str | None = strawberry.field(description="Cursor of the first record (起始游标)")
    end_cursor: str | None = strawberry.field(description="Cursor of the last record; give it as `after` to go on (结束游标)")


@strawberry.type(description="A record at its place in a list (列表项)")
class Edge(Generic[T]):
    """Relay's edge."""

    cursor: str = strawberry.field(description="Its place, for `after` (游标)")
    node: T = strawberry.field(description="The record (记录)")


@dataclass(frozen=True)
class Page:
    """What was asked for; reads it when it must. `joined` is None for a list over the whole entity."""

    entity: Declared
    wanted: Slice
    joined: Joined | None
    reads: Reads
    max_age: int | None = None
    """Seconds that records of it may be old; which records it holds, and in which order, the mirror alone says."""

    async def records(self) -> tuple[list[Any], bool]:
        """Return the records, and whether more follow. Asked twice, it reads once: `Reads` remembers."""
        if self.joined is not None and self.joined.value is None:
            return [], False
        found = await self.reads.page(self.entity.record, self.wanted, self.joined)
        return list(found[: self.wanted.first]), len(found) > self.wanted.first

    async def count(self) -> int:
        """Return how many records there are behind the filter."""
        if self.joined is not None and self.joined.value is None:
            return 0
        return await self.reads.count(self.entity.record, self.wanted, self.joined)

    def cursor(self, record: Any) -> str:
        """Return a record's cursor."""
        return write_cursor(self.entity, self.wanted.order, record)


@strawberry.type(description="A page of a list (分页列表)")
class Connection(Generic[T]):
    """Relay's connection."""

    page: strawberry.Private[Page]

    @resolver("The records of this page", "列表项")
    async def edges(self, info: Info[Context, None]) -> list[Edge[T]]:
        """Read the page, its records from their platform where they are too old; what that one has no more is left out."""
        records, _ = await self.page.records()
        shown = await fresh_many(info, self.page.entity, records, self.page.max_age)
        places = (self.page.cursor(record) for record in records)
        return [Edge(cursor=cursor, node=node) for cursor, node in zip(places, shown, strict=True) if node is not None]

    @resolver("Where this page stands", "分页信息")
    async def page_info(self) -> PageInfo:
        """Read the page."""
        records, more = await self.page.records()
        return PageInfo(
            has_next_page=more,
            has_previous_page=self.page.wanted.after is not None,
            start_cursor=self.page.cursor(records[0]) if records else None,
            end_cursor=self.page.cursor(records[-1]) if records else None,
        )

    @resolver("How many records the filter lets through, on all pages", "总数")
    async def total_count(self) -> int:
        """Count, in one statement for all lists of this kind."""
        return await self.page.count()


def of(generic: Any, kind: type) -> Any:
    """Return `generic[kind]`, for a kind that is known at run time only."""
    return operator.getitem(generic, kind)


def connection_field(
    to: Declared,
    says: str,
    joined: Callable[[Any], Joined | None],
    *,
    nullable: bool,
    metadata: Mapping[Any, Any] | None = None,
) -> Any:
    """Return the field of a list: its arguments, what they mean, and the right that it asks for.

    `joined` says, for the object that the list hangs on, which records belong to it. Where refusal must not take its
    neighbours with it the field is `nullable`.
    """

    def read(
        root: Any,
        info: Info[Context, None],
        first: int = FIRST_DEFAULT,
        after: Any = UNSET,
        where: Any = UNSET,
        order_by: Any = UNSET,
    ) -> Any:
        return read_live(root, info, first, after, where, order_by)

    def read_live(
        root: Any,
        info: Info[Context, None],
        first: int = FIRST_DEFAULT,
        after: Any = UNSET,
        where: Any = UNSET,
        order_by: Any = UNSET,
        max_age: Any = UNSET,
    ) -> Any:
        info.context.caller.require_read(to)
        wanted = wanted_slice(to, info.field_name, first, after, where, order_by)
        return Connection(page=Page(to, wanted, joined(root), info.context.reads, max_age))

    resolve = with_max_age(read_live) if to.live else read
    resolve.__annotations__.update(after=str | None, where=filter_type(to.record) | None, order_by=order_type(to.record) | None)
    made = of(Connection, to.record)
    kind = made | None if nullable else made
    return strawberry.field(resolver=resolve, graphql_type=kind, description=says, metadata=metadata)


def wanted_slice(
    to: Declared, field: str, first: int = FIRST_DEFAULT, after: Any = UNSET, where: Any = UNSET, order_by: Any = UNSET
) -> Slice:
    """Return what the arguments of a list ask for; raise GraphError for what cannot be meant."""
    order = read_order(to, order_by or None)
    place = read_cursor(to, order, after) if after else None
    return Slice(order, allowed_first(field, first), place, read_filter(to, where or None))


def allowed_first(field: str, first: int) -> int:
    """Return how many records a list field may give; raise GraphError for more than a page, or less than none."""
    if first > FIRST_LIMIT:
        raise page_too_large(field, first)  # the limits refuse it earlier, where they are asked
    if first < 0:
        raise GraphError(BAD_USER_INPUT, f"{field}: first is {first}; give 0 to {FIRST_LIMIT}")
    return first
