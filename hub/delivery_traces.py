"""Tells what became of a delivery: received, verified by which secret, refused, applied, quarantined, repeated. Built by app.py.

Nothing is stored for this: the delivery is verified and parsed once more from what was kept, and compared with the history.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import Connection

from connectors import exchanges
from connectors.base import Connector, Item, Quarantined
from connectors.errors import BadSignature
from hub.mirror import inbox, refusals, traces
from hub.mirror.database import Database
from hub.mirror.rows import Rows
from hub.mirror.traces import Known
from schema.declare import Personal, declared
from schema.delivery_trace import DeliveryTrace, DeliveryTraces, RecordFate, TracedRecord
from schema.entities import Delivery, DeliveryState
from schema.entity import Entity, Observation, Tombstone, key_of
from schema.graph_type import MASKS
from schema.identifiers import redact
from schema.quarantine import QuarantineView

MOST = 50
"""Deliveries, and refusals, that one question is answered with."""


@dataclass(frozen=True)
class DeliveryTracer:
    """Implements `schema.delivery_trace.Tracer`."""

    database: Database
    rows: Rows
    connectors: Mapping[str, Connector]
    clock: Callable[[], datetime]
    refusals_last: timedelta

    async def trace(self, named: str, look_through: int = 0) -> DeliveryTraces:
        """Return what is known of deliveries with this delivery id or message id.

        Where there is none, `look_through` of the newest kept deliveries are searched for the text in their bodies.
        """
        return await self.database.read(self._trace, named.strip(), look_through)

    async def quarantined(self, quarantine_id: str) -> QuarantineView | None:
        """Return a quarantined record beside what is held of it; None where none has this id."""
        return await self.database.read(self._quarantined, quarantine_id)

    def _quarantined(self, connection: Connection, quarantine_id: str) -> QuarantineView | None:
        one = None if "\x00" in quarantine_id else traces.quarantined_one(connection, self.rows, quarantine_id)
        if one is None:
            return None
        known = one.entity is not None and one.record_key is not None
        held = traces.held(connection, self.rows, one.entity or "", one.record_key or "") if known else None
        return QuarantineView(
            record=one,
            raw=readable(one.content) if one.content else None,
            held=None if held is None else understood(Observation(record=held)),
            held_version=None if held is None else held.version,
        )

    def _trace(self, connection: Connection, named: str, look_through: int) -> DeliveryTraces:
        kept = traces.found(connection, self.rows, named, MOST) if named else []
        if named and not kept and look_through:
            kept = traces.that_hold(connection, self.rows, named, look_through, MOST)
        return DeliveryTraces(
            traces=[self._traced(connection, one) for one in kept],
            refusals=refusals.of_message(connection, self.rows, redact(named), MOST),
            refusals_since=self.clock() - self.refusals_last,
        )

    def _traced(self, connection: Connection, delivery: Delivery) -> DeliveryTrace:
        raw = inbox.raw_of(delivery)
        connector = self.connectors.get(delivery.platform)
        position, items = None, list[Item]()
        if connector is not None:
            try:
                position = connector.verify(raw).secret_index
            except BadSignature:  # it was good when it came: its secret has been taken away since
                position = None
            items = connector.parse(raw)
        return DeliveryTrace(
            delivery=delivery,
            remote=raw.remote,
            secret_position=position,
            records=self._records(connection, delivery, items),
            body=readable(delivery.body) if delivery.body else None,
        )

    def _records(self, connection: Connection, delivery: Delivery, items: Sequence[Item]) -> list[TracedRecord]:
        bad = traces.quarantined(connection, self.rows, delivery.delivery_id)
        conflicts = {one.record_key: one.detail for one in bad if one.reason == "VERSION_CONFLICT"}
        found = []
        for item in items:
            if isinstance(item, Quarantined):
                detail = redact(f"{item.reason}: {item.detail}")
                found.append(
                    TracedRecord(entity=item.entity, key=item.key, version=None, fate=RecordFate.QUARANTINED, detail=detail)
                )
                continue
            gone = isinstance(item, Tombstone)
            entity, key = (
                (item.entity, item.key) if isinstance(item, Tombstone) else (type(item.record).__name__, key_of(item.record))
            )
            version = item.version if isinstance(item, Tombstone) else item.record.version
            known = traces.versions(connection, entity, key)
            fate, why = _fate(delivery, version, gone, known, conflicts.get(key))
            found.append(
                TracedRecord(
                    entity=entity,
                    key=key,
                    version=version,
                    fate=fate,
                    detail=None if why is None else redact(why),
                    content=None if isinstance(item, Tombstone) else understood(item),
                )
            )
        return found


def readable(body: bytes) -> str:
    """Return a body as text, identity and telephone numbers masked; a document that declares GBK is GB18030."""
    return redact(exchanges.readable(body))


def understood(item: Observation) -> str:
    """Return a record and its parts as JSON, every personal field masked as the graph masks it."""
    plain = [_plain(each) for each in (item.record, *item.parts)]
    return redact(msgspec.json.format(msgspec.json.encode(plain if item.parts else plain[0]), indent=2).decode())


def _plain(record: Entity) -> dict[str, object]:
    entity = declared(type(record))
    found: dict[str, object] = {}
    for name, field in entity.fields.items():
        value = getattr(record, name)
        mark: Personal | None = field.marks.get(Personal)
        if value is None or field.internal:
            continue
        found[name] = MASKS[mark.kind](value) if mark is not None else value
    return found


def _fate(
    delivery: Delivery, version: int | None, gone: bool, known: Sequence[Known], conflict: str | None
) -> tuple[RecordFate, str | None]:
    """Return what became of a record, and why in words."""
    if delivery.state is DeliveryState.FAILED:
        return RecordFate.FAILED, delivery.detail
    same = [one for one in known if one.version == version and one.deleted == gone]
    if any(one.observed_at == delivery.received_at for one in same) or delivery.state is DeliveryState.STORED:
        return (RecordFate.APPLIED if same else RecordFate.PENDING), None
    if conflict is not None:
        return RecordFate.CONFLICT, conflict
    if same:
        return RecordFate.UNCHANGED, f"this version was there, seen at {same[0].observed_at.isoformat()}"
    newer = max((one.version for one in known if version is None or one.version > version), default=None)
    fate = RecordFate.FORGOTTEN if newer is None else RecordFate.OUTDATED
    return fate, "the history no longer holds it" if newer is None else f"version {newer} was there"
