"""Reading what changed between two times from platforms whose changes come in the order of their times."""

import contextlib
from collections.abc import AsyncGenerator, AsyncIterator
from datetime import datetime
from typing import cast

import msgspec

from connectors.base import Item, Page
from schema.entity import Observation


async def until(pages: AsyncIterator[Page], end: datetime) -> AsyncIterator[Page]:
    """Yield pages up to the one that reaches `end`, without what changed at `end` or later."""
    async with contextlib.aclosing(cast(AsyncGenerator[Page], pages)):
        async for page in pages:
            within = tuple(item for item in page.items if (at := _changed_at(item)) is None or at < end)
            over = len(within) < len(page.items)
            yield msgspec.structs.replace(page, items=within, more=page.more and not over)
            if over:
                return


def _changed_at(item: Item) -> datetime | None:
    record = item.record if isinstance(item, Observation) else None
    at = getattr(record, "updated_at", None) or getattr(record, "issued_at", None)
    return at if isinstance(at, datetime) else None
