"""Statements in a driver's own words, for what is read so often that SQLAlchemy's share of it counts. Run by `Database.fetch`."""

from collections.abc import Callable, Generator, Sequence
from typing import Any, TypeVar

T = TypeVar("T")

Reading = Generator[tuple[str, Sequence[Any]], Sequence[Sequence[Any]], T]
"""Yields statements with their values, is sent all rows of each, and returns what it made of them."""


class StatementRefused(Exception):
    """A statement in the driver's words is wrong, or a value that it has: trying again is no use."""


def driven(steps: Reading[T], run: Callable[[str, Sequence[Any]], Sequence[Sequence[Any]]]) -> T:
    """Return what a reading returns, each of its statements run by a function."""
    try:
        text, values = next(steps)
        while True:
            text, values = steps.send(run(text, values))
    except StopIteration as ended:
        found: T = ended.value
        return found


async def driven_by(connection: Any, steps: Reading[T]) -> T:
    """Do as `driven`, on a connection of asyncpg."""
    try:
        text, values = next(steps)
        while True:
            text, values = steps.send(await connection.fetch(text, *values))
    except StopIteration as ended:
        found: T = ended.value
        return found
