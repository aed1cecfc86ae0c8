"""The list of what only a person can settle (人工处理清单): opened by rules, resolved by operators."""

import hashlib
from collections.abc import Iterable
from datetime import datetime

import msgspec
from sqlalchemy import Connection, func, select, update

from hub.mirror.database import insert_into
from hub.mirror.rows import Rows
from hub.mirror.tables import TABLES
from schema.entities import OpsItem

OPS_ITEM = TABLES["OpsItem"]
BY_ITSELF = "hub"
"""Stands for who resolved an item, where what it told of is over."""


class Trouble(msgspec.Struct, frozen=True, kw_only=True):
    """Something a person must look at. Equal kind, cause and `distinct` are the same trouble, opened once."""

    kind: str
    cause: str
    message: str
    subject_code: str | None = None
    before: str | None = None
    after: str | None = None
    distinct: str = ""

    @property
    def item_id(self) -> str:
        """Return the identity of the ops item."""
        return hashlib.sha256(msgspec.json.encode([self.kind, self.cause, self.distinct])).hexdigest()[:32]


def open_items(connection: Connection, rows: Rows, troubles: Iterable[Trouble], now: datetime) -> None:
    """Put troubles on the list; what is on it already, resolved or not, stays as it is."""
    values = [
        rows.as_row(
            OpsItem(
                item_id=trouble.item_id,
                kind=trouble.kind,
                subject_code=trouble.subject_code,
                cause=trouble.cause,
                message=trouble.message,
                before=trouble.before,
                after=trouble.after,
                opened_at=now,
                resolved_at=None,
                resolved_by=None,
                resolution=None,
            )
        )
        for trouble in {trouble.item_id: trouble for trouble in troubles}.values()
    ]
    if values:
        connection.execute(insert_into(connection, OPS_ITEM).on_conflict_do_nothing(index_elements=["item_id"]), values)


def reopen(connection: Connection, rows: Rows, trouble: Trouble, now: datetime, *, settled: bool) -> None:
    """Put a trouble on the list again that was over and has come back: the hub took it off by itself, or it was `settled`.

    What an operator took off stays off.
    """
    again = rows.values(OpsItem, opened_at=now, resolved_at=None, resolved_by=None, resolution=None, message=trouble.message)
    over = OPS_ITEM.c.resolved_at.is_not(None) if settled else OPS_ITEM.c.resolved_by == BY_ITSELF
    connection.execute(update(OPS_ITEM).where(OPS_ITEM.c.item_id == trouble.item_id, over).values(again))


def resolve(connection: Connection, rows: Rows, item_id: str, by: str, why: str, now: datetime) -> bool:
    """Mark an item as settled; return False if there is none, or it is settled already."""
    values = rows.values(OpsItem, resolved_at=now, resolved_by=by, resolution=why)
    here = (OPS_ITEM.c.item_id == item_id) & OPS_ITEM.c.resolved_at.is_(None)
    return bool(connection.execute(update(OPS_ITEM).where(here).values(values)).rowcount)


def open_about(connection: Connection, kind: str, cause: str) -> list[str]:
    """Return the items of a kind that stand open about something."""
    here = (OPS_ITEM.c.kind == kind) & (OPS_ITEM.c.cause == cause) & OPS_ITEM.c.resolved_at.is_(None)
    return list(connection.execute(select(OPS_ITEM.c.item_id).where(here)).scalars())


def resolve_all(connection: Connection, rows: Rows, over: Iterable[tuple[str, str]], why: str, now: datetime) -> None:
    """Mark the open items of these kinds and causes as settled by themselves."""
    values = rows.values(OpsItem, resolved_at=now, resolved_by=BY_ITSELF, resolution=why)
    for kind, cause in sorted(over):
        here = (OPS_ITEM.c.cause == cause) & (OPS_ITEM.c.kind == kind) & OPS_ITEM.c.resolved_at.is_(None)
        connection.execute(update(OPS_ITEM).where(here).values(values))


def exists(connection: Connection, item_id: str) -> bool:
    """Return whether there is such an item."""
    return connection.execute(select(OPS_ITEM.c.item_id).where(OPS_ITEM.c.item_id == item_id)).first() is not None


def open_count(connection: Connection) -> int:
    """Return how many items wait for a person."""
    return connection.execute(select(func.count()).where(OPS_ITEM.c.resolved_at.is_(None))).scalar_one()
