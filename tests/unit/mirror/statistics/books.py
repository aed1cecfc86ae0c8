"""A mirror with the statistics behind it: records are said to it, figures are asked of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection, StaticPool, create_engine, select

from hub.mirror.database import Database
from hub.mirror.records import upsert
from hub.mirror.rows import Rows
from hub.mirror.statistics import cells, reading
from hub.mirror.statistics.cells import Cell
from hub.mirror.statistics.fact import Fact
from hub.mirror.tables import STATISTIC_FACT
from hub.reconcile.tally import Tally
from schema.counting import Counted, Question, StatisticAxis, Within
from schema.entity import Observation, Tombstone
from tests.unit.graph.records import SEES_ALL

P = ParamSpec("P")
T = TypeVar("T")


class Memory(Database):
    """One connection to a SQLite that no disk holds up: a property has many transactions."""

    def __init__(self) -> None:
        self.engine = create_engine("sqlite://", poolclass=StaticPool)

    async def write(self, work: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        with self.engine.begin() as connection:
            return work(connection, *args, **kwargs)

    read = write

    async def close(self) -> None:
        self.engine.dispose()


def question(
    *names: str, by: Sequence[StatisticAxis] = (), first: int | None = None, last: int | None = None, **where: Sequence[Any]
) -> Question:
    """Ask for figures, in rows and in total."""
    within = tuple(Within(column, tuple(values)) for column, values in where.items())
    return Question(first, last, tuple(by), within, frozenset(names), frozenset(names))


def facts_kept(connection: Connection) -> dict[tuple[str, str], list[Fact]]:
    """Return all facts by entity and key, without their places."""
    found: dict[tuple[str, str], list[Fact]] = {}
    columns = [STATISTIC_FACT.c[name] for name in ("entity", "key", *Fact._fields)]
    for entity, key, *values in connection.execute(select(*columns)):
        fact = Fact(*values)
        found.setdefault((entity, key), []).append(fact._replace(watched=bool(fact.watched)))
    return {record: sorted(facts) for record, facts in found.items()}


def sums_of(facts: Mapping[tuple[str, str], Sequence[Fact]]) -> dict[Cell, tuple[int, int]]:
    """Return what cells must hold because of these facts: added up here once more, in the plainest way."""
    found: dict[Cell, tuple[int, int]] = {}
    for fact in (each for group in facts.values() for each in group):
        for grain, day in (("D", fact.day), ("M", fact.day - fact.day % 100 + 1)):
            cell = Cell(
                fact.kind, grain, day, fact.department, fact.matter, fact.town, fact.item, fact.way, fact.grade, fact.watched
            )
            number, amount = found.get(cell, (0, 0))
            found[cell] = (number + fact.number, amount + fact.amount)
    return found


@dataclass
class Books:
    """What a test holds."""

    database: Database
    rows: Rows

    def __post_init__(self) -> None:
        self.tally = Tally(self.database)

    async def say(self, *items: Observation | Tombstone) -> None:
        """Let platforms say something, in one transaction, and leave it uncounted."""
        await self.database.write(upsert, self.rows, list(items))

    async def tell(self, *items: Observation | Tombstone) -> None:
        """Let platforms say something, and count it."""
        await self.say(*items)
        await self.tally.count()

    async def ask(self, *names: str, **how: Any) -> Counted:
        return await self.database.read(reading.answer, question(*names, **how), SEES_ALL)

    async def total(self, *names: str, **how: Any) -> dict[str, Any]:
        return dict((await self.ask(*names, **how)).total)

    async def by(self, axis: StatisticAxis, name: str, **how: Any) -> dict[Any, Any]:
        """Return one figure by one axis."""
        return {row.key[0]: row.values[name] for row in (await self.ask(name, by=[axis], **how)).rows}

    async def facts(self) -> dict[tuple[str, str], list[Fact]]:
        return await self.database.read(facts_kept)

    async def cells(self) -> dict[Cell, tuple[int, int]]:
        return dict(await self.database.read(cells.totals))

    async def check(self) -> None:
        """Fail unless the cells are the sums of the facts."""
        assert await self.cells() == sums_of(await self.facts())
