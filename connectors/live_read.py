"""Several live reads at once, for platforms that give one record a call."""

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any, TypeVar

from connectors.errors import ConnectorError

T = TypeVar("T")


async def together(reads: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """Return the results in order; when one fails the others are cancelled and its own error is raised."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(read) for read in reads]
    except BaseExceptionGroup as failed:
        first = failed.exceptions[0]
        if isinstance(first, ConnectorError):
            raise first from None
        raise
    return [task.result() for task in tasks]
