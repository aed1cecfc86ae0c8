"""The list of records that changed and are not yet counted. Written by hub/mirror/records.py with every applied version."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, delete, func, select

from hub.mirror.tables import STATISTIC_DUE

COUNTED = frozenset(
    {
        "Approval",
        "BlacklistEntry",
        "Coordination",
        "CreditProfile",
        "CreditRecord",
        "GridEvent",
        "KeySubject",
        "Matter",
        "Notice",
        "Repair",
        "SelfReport",
        "VerificationTask",
    }
)
"""Entities whose records contribute facts, or say something about the facts of others."""


class Target(NamedTuple):
    """A record whose facts may have changed."""

    entity: str
    key: str


def note(connection: Connection, entity: str, keys: Iterable[str]) -> None:
    """Put records on the list, whether they were changed or deleted. Twice does no harm."""
    if entity in COUNTED and (values := [{"entity": entity, "key": key} for key in keys]):
        connection.execute(STATISTIC_DUE.insert(), values)


def waiting(connection: Connection, limit: int) -> tuple[list[int], list[Target]]:
    """Return the ids of the oldest entries, at most so many, and the records that they name, each once, in order."""
    chosen = select(STATISTIC_DUE.c.id, STATISTIC_DUE.c.entity, STATISTIC_DUE.c.key).order_by(STATISTIC_DUE.c.id).limit(limit)
    found = connection.execute(chosen).all()
    return [row[0] for row in found], list(dict.fromkeys(Target(row[1], row[2]) for row in found))


def take_off(connection: Connection, ids: Sequence[int]) -> None:
    """Take entries off the list: these and no others, for a lower id can be committed later than a higher one."""
    if ids:
        connection.execute(delete(STATISTIC_DUE).where(STATISTIC_DUE.c.id.in_(ids)))


def count(connection: Connection) -> int:
    """Return how many entries wait."""
    return connection.execute(select(func.count()).select_from(STATISTIC_DUE)).scalar_one()


def is_empty(connection: Connection) -> bool:
    """Return whether nothing waits."""
    return connection.execute(select(STATISTIC_DUE.c.id).limit(1)).first() is None
