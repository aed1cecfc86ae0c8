"""One contribution of one record, and how columns are read for it: raw, so that nothing is decrypted that is not counted."""

from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import Any, ClassVar, NamedTuple

from sqlalchemy import Connection, Row, select

from hub.domain.calendar import beijing_day
from hub.mirror.rows import moment
from hub.mirror.statistics.due import Target
from hub.mirror.tables import TABLES

CHUNK = 500
HOUR = 3_600_000_000
UNKNOWN_DAY = 0
"""The day of what names none that can be read: before every period, so that it counts in the whole only."""


class Fact(NamedTuple):
    """What a record contributes to one kind on one day. Amounts that are points are tenths. Unknown is empty, never null."""

    kind: str
    day: int
    department: str = ""
    matter: str = ""
    town: str = ""
    item: str = ""
    way: str = ""
    grade: str = ""
    watched: bool = False
    subject: str = ""
    member: str = ""
    link: str = ""
    number: int = 1
    amount: int = 0


Facts = dict[str, list[Fact]]
"""Facts by the key of their record; a record that is in the mirror and contributes nothing has an empty list."""


class Source(ABC):
    """Says what records of one entity contribute. Grade and key supervision are added by counting.py."""

    entity: ClassVar[str]

    @abstractmethod
    def facts(self, connection: Connection, keys: Sequence[str]) -> Facts:
        """Return the facts of those records that are in the mirror, in a number of statements that does not grow with them."""

    def dependents(self, connection: Connection, keys: Sequence[str], links: Iterable[str]) -> Iterator[Target]:
        """Yield records whose facts depend on these; `links` are the links of the facts that these have and had."""
        return iter(())


def day_of(micros: int) -> int:
    """Return the Beijing day of a moment as kept, as yyyymmdd."""
    return _day_of_hour(micros // HOUR)


@lru_cache(100_000)
def _day_of_hour(hour: int) -> int:
    return number_of(beijing_day(moment(hour * HOUR)))  # Beijing's midnight is on the hour


def number_of(day: date) -> int:
    """Return a day as yyyymmdd, so that months and years are quotients of it."""
    return day.year * 10_000 + day.month * 100 + day.day


def day_of_date(text: str) -> int:
    """Return a date `yyyy-MM-dd` as yyyymmdd; UNKNOWN_DAY for what is no date."""
    try:
        return number_of(date.fromisoformat(text))
    except ValueError:
        return UNKNOWN_DAY


def rows_where(connection: Connection, entity: str, column: str, values: Iterable[str], names: Sequence[str]) -> list[Row[Any]]:
    """Return the named columns, as kept, of the records whose column has one of the values."""
    table, wanted, found = TABLES[entity], sorted(set(values)), list[Row[Any]]()
    columns = [table.c[name] for name in names]
    for start in range(0, len(wanted), CHUNK):
        found += connection.execute(select(*columns).where(table.c[column].in_(wanted[start : start + CHUNK]))).all()
    return found


def grouped(rows: Iterable[Row[Any]], name: str) -> Mapping[str, list[Row[Any]]]:
    """Return rows by the value of a column."""
    groups: dict[str, list[Row[Any]]] = defaultdict(list)
    for row in rows:
        groups[row._mapping[name]].append(row)
    return groups
