"""What became of deliveries, read from what is kept: found by their ids, and what the change history says of their records."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, or_, select

from hub.mirror.inbox import COLUMNS, DELIVERY, QUARANTINE
from hub.mirror.rows import Rows, moment
from hub.mirror.tables import CHANGE, TABLES
from schema.declare import ENTITIES, declared
from schema.entities import Delivery, QuarantinedRecord
from schema.entity import Mirrored

QUARANTINE_COLUMNS = [QUARANTINE.c[name] for name in declared(QuarantinedRecord).fields]


class Known(NamedTuple):
    """A version of a record that was applied, and when what made it so was seen."""

    version: int
    observed_at: datetime
    deleted: bool


def found(connection: Connection, rows: Rows, named: str, limit: int) -> list[Delivery]:
    """Return deliveries by their id, or by the message id that their platform gave them; the newest first."""
    read = rows.reader(Delivery)
    here = select(*COLUMNS).where(or_(DELIVERY.c.delivery_id == named, DELIVERY.c.message_id == named))
    return [read(row) for row in connection.execute(here.order_by(DELIVERY.c.received_at.desc()).limit(limit))]


def that_hold(connection: Connection, rows: Rows, text: str, among: int, limit: int) -> list[Delivery]:
    """Return which of the newest `among` deliveries hold a text in their body, the newest first: an eventId, a record's number."""
    read, needle, holding = rows.reader(Delivery), text.encode(), list[Delivery]()
    for row in connection.execute(select(*COLUMNS).order_by(DELIVERY.c.received_at.desc()).limit(among)):
        if needle in (one := read(row)).body:
            holding.append(one)
            if len(holding) == limit:
                break
    return holding


def versions(connection: Connection, entity: str, key: str) -> list[Known]:
    """Return all versions of a record that were applied and are still in the history, the lowest first."""
    here = select(CHANGE.c.version, CHANGE.c.observed_at, CHANGE.c.deleted).where(CHANGE.c.entity == entity, CHANGE.c.key == key)
    ordered = here.order_by(CHANGE.c.version, CHANGE.c.sequence)
    return [Known(row.version, moment(row.observed_at), row.deleted) for row in connection.execute(ordered)]


def quarantined_one(connection: Connection, rows: Rows, quarantine_id: str) -> QuarantinedRecord | None:
    """Return a quarantined record by its id."""
    row = connection.execute(select(*QUARANTINE_COLUMNS).where(QUARANTINE.c.quarantine_id == quarantine_id)).first()
    return None if row is None else rows.reader(QuarantinedRecord)(row)


def held(connection: Connection, rows: Rows, entity: str, key: str) -> Mirrored | None:
    """Return a record of the mirror, without its parts; None where there is none, or no such kind."""
    kind = ENTITIES.get(entity)
    if kind is None or not issubclass(kind.record, Mirrored):
        return None
    table = TABLES[entity]
    row = connection.execute(select(*(table.c[name] for name in kind.fields)).where(table.c[kind.key] == key)).first()
    return None if row is None else rows.reader(kind.record)(row)


def quarantined(connection: Connection, rows: Rows, delivery_id: str) -> Sequence[QuarantinedRecord]:
    """Return the records of a delivery that could not be used."""
    read = rows.reader(QuarantinedRecord)
    here = select(*QUARANTINE_COLUMNS).where(QUARANTINE.c.delivery_id == delivery_id).order_by(QUARANTINE.c.quarantine_id)
    return [read(row) for row in connection.execute(here)]
