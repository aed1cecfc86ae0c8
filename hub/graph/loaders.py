"""Reads of one request, batched: calls of one kind that are made in the same tick become one statement.

So the number of statements of a nested query depends on its shape, never on the number of its rows. No resolver reads in
any other way.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any, TypeVar, cast

import msgspec
from sqlalchemy import Connection
from strawberry.dataloader import DataLoader

from hub.graph import sql
from hub.graph.shape import shaper
from hub.graph.sql import Owners
from hub.mirror.database import Database
from hub.mirror.replica import Replica
from hub.mirror.rows import Rows
from hub.mirror.statistics import pool, reading
from schema.context import Caller
from schema.counting import Counted, PoolCounted, PoolQuestion, Question
from schema.declare import Declared, declared
from schema.slices import Joined, Slice

R = TypeVar("R", bound=msgspec.Struct)

BATCH = 10_000
"""Values in one statement; both databases take some 32,000 parameters."""


class Loaders:
    """Answers `schema.context.Reads` from the database, as far as the caller sees it. Lives as long as one request, in one loop."""

    def __init__(self, database: Database, rows: Rows, caller: Caller, replica: Replica | None = None) -> None:
        self._database = database
        self._from: Database | Replica = replica or database
        self._rows = rows
        self._caller = caller
        self._made: dict[Any, DataLoader[Any, Any]] = {}

    async def one(self, entity: type[R], joined: Joined) -> R | None:
        """Return the record whose column has the value, the lowest key first; None if there is none."""
        if isinstance(joined.value, str) and "\x00" in joined.value:  # PostgreSQL would refuse the whole statement
            return None
        told = declared(entity)
        owners = Owners(joined.column, joined.through)
        found = await self._load(("one", told.name, owners), joined.value, _read_one, told, owners)
        return cast(R | None, found)

    async def page(self, entity: type[R], wanted: Slice, joined: Joined | None = None) -> Sequence[R]:
        """Return the wanted records in order, and one more if there are more."""
        told = declared(entity)
        owners, value = _far_end(joined)
        return cast(Sequence[R], await self._load(("page", told.name, owners, wanted), value, _read_pages, told, owners, wanted))

    async def count(self, entity: type[R], wanted: Slice, joined: Joined | None = None) -> int:
        """Return the number of records that the filter lets through."""
        told = declared(entity)
        owners, value = _far_end(joined)
        kind = ("count", told.name, owners, wanted.where)
        return cast(int, await self._load(kind, value, _read_counts, told, owners, wanted))

    async def statistics(self, question: Question) -> Counted:
        """Return figures as they are counted now."""
        return await self._from.read(reading.answer, question, self._caller)

    async def pool(self, question: PoolQuestion) -> PoolCounted:
        """Return how many subjects a pool holds."""
        return await self._from.read(pool.answer, question, self._caller)

    def forget(self) -> None:
        """Forget what was read: something was changed in between. A replica may not know of it yet."""
        self._made.clear()
        self._from = self._database

    @property
    def behind_seconds(self) -> float:
        """Return by how much what is read now may be behind."""
        return self._from.behind_seconds if isinstance(self._from, Replica) else 0.0

    async def _load(self, kind: Any, value: Any, read: Callable[..., list[Any]], *about: Any) -> Any:
        if kind not in self._made:

            async def load(values: list[Any]) -> list[Any]:
                return await self._from.read(read, self._rows, self._caller, values, *about)

            self._made[kind] = DataLoader(load, max_batch_size=BATCH)
        # Whoever is cancelled must not take what others read with them: where all that wait are cancelled before a batch begins,
        # Strawberry's loader gives it up and yet lets the next ones join it, who then wait for ever.
        return await asyncio.shield(self._made[kind].load(value))


def _far_end(joined: Joined | None) -> tuple[Owners | None, Any]:
    return (None, None) if joined is None else (Owners(joined.column, joined.through), joined.value)


def _read_one(connection: Connection, rows: Rows, caller: Caller, values: list[Any], entity: Declared, owners: Owners) -> list[Any]:
    """Return a record or None for each value, in their order."""
    shape = shaper(rows, entity)
    found: dict[Any, Any] = {}
    for row in connection.execute(sql.by_values(rows, caller, entity, owners, values)):
        found.setdefault(row[-1], row)
    kept = [sql.owner_value(rows, entity, owners, value) for value in values]
    return [shape(found[each]) if each in found else None for each in kept]


def _read_pages(
    connection: Connection, rows: Rows, caller: Caller, values: list[Any], entity: Declared, owners: Owners | None, wanted: Slice
) -> list[Any]:
    """Return a list of records for each value, in their order."""
    shape = shaper(rows, entity)
    if owners is None or len(values) == 1:
        joined = None if owners is None else Joined(owners.column, values[0], owners.through)
        return [[shape(row) for row in connection.execute(sql.page(rows, caller, entity, wanted, joined))]]
    lists: dict[Any, list[Any]] = defaultdict(list)
    for row in connection.execute(sql.pages(rows, caller, entity, wanted, owners, values)):
        lists[row[-2]].append(shape(row))
    return [lists[sql.owner_value(rows, entity, owners, value)] for value in values]


def _read_counts(
    connection: Connection, rows: Rows, caller: Caller, values: list[Any], entity: Declared, owners: Owners | None, wanted: Slice
) -> list[int]:
    """Return the number of records for each value, in their order."""
    if owners is None:
        return [int(connection.execute(sql.count(rows, caller, entity, wanted)).scalar_one())]
    found = connection.execute(sql.counts(rows, caller, entity, wanted, owners, values))
    numbers = {row[0]: int(row[1]) for row in found}
    return [numbers.get(sql.owner_value(rows, entity, owners, value), 0) for value in values]
