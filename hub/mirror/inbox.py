"""Deliveries as they came, kept raw and sealed until and after they are applied; and what of them could not be used."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Executable, Select, bindparam, func, literal, select, tuple_, union_all, update

from connectors.base import Delivery as RawDelivery
from connectors.base import Quarantined, Verified
from hub.mirror.database import insert_into, insert_of
from hub.mirror.rows import Rows, micros
from hub.mirror.tables import TABLES
from schema.declare import declared
from schema.entities import Delivery, DeliveryState, QuarantinedRecord

DELIVERY, QUARANTINE = TABLES["Delivery"], TABLES["QuarantinedRecord"]
EMPTIED = DeliveryState.EMPTIED.value
CHUNK = 500
COLUMNS = [DELIVERY.c[name] for name in declared(Delivery).fields]


def kept(raw: RawDelivery, verified: Verified, sequence: int, claimed_id: str | None = None, trace: str | None = None) -> Delivery:
    """Return the row of a verified delivery.

    Its identity comes from what was signed and the body, so that a second use of one signature stores nothing (the gateway's
    signature does not cover the body: two batches of one second carry the same). Where the connector says that a signature
    stands for one message although it leaves part of the body open, it counts once, whatever the body. `repeat_key` is equal
    for repetitions that the platform signed anew (same message id, same body); `claimed_id` is what it is found by where its
    id is new at each repetition.
    """
    body = hashlib.sha256(raw.body).hexdigest()
    signed = f"{raw.platform}\n{verified.signature}" + (f"\n{body}" if verified.covers_body else "")
    identity = hashlib.sha256(signed.encode()).hexdigest()[:40]
    repeat_key = f"{raw.platform}:{verified.message_id}:{body}" if verified.message_id else None
    return Delivery(
        delivery_id=f"{raw.platform}:{identity}",
        platform=raw.platform,
        message_id=verified.message_id or claimed_id,
        received_at=raw.received_at,
        state=DeliveryState.STORED,
        applied_at=None,
        detail=None,
        repeats=None,
        repeated_at=None,
        sequence=sequence,
        repeat_key=repeat_key,
        headers=msgspec.json.encode({"path": raw.path, "remote": raw.remote, "headers": raw.headers}),
        body=raw.body,
        trace=trace,
    )


def raw_of(delivery: Delivery) -> RawDelivery:
    """Return a kept delivery as it came."""
    told = msgspec.json.decode(delivery.headers)
    return RawDelivery(
        platform=delivery.platform,
        path=told["path"],
        headers=told["headers"],
        body=delivery.body,
        received_at=delivery.received_at,
        remote=told["remote"],
    )


def store(connection: Connection, rows: Rows, deliveries: Sequence[Delivery]) -> None:
    """Keep deliveries in each platform's order of arrival; a signature or message that is kept already changes nothing."""
    known = _known(connection, {one.repeat_key for one in deliveries if one.repeat_key})
    last = _last_sequences(connection, tuple(sorted({one.platform for one in deliveries})))
    values, repeated = [], list[Delivery]()
    for one in deliveries:
        if one.repeat_key in known:
            repeated.append(one)
            continue
        if one.repeat_key:
            known.add(one.repeat_key)
        last[one.platform] += 1
        values.append(rows.as_row(one) | {"sequence": last[one.platform]})
    if values:
        _insert(connection, values)
    _count_repeats(connection, repeated)


def _count_repeats(connection: Connection, repeated: Sequence[Delivery]) -> None:
    """Count what came again on what is kept of it."""
    if repeated:
        once_more = update(DELIVERY).where(DELIVERY.c.repeat_key == bindparam("b_key"))
        once_more = once_more.values(repeats=func.coalesce(DELIVERY.c.repeats, 0) + 1, repeated_at=bindparam("b_at"))
        ordered = sorted(repeated, key=lambda one: one.repeat_key or "")  # so that processes never wait in a circle
        connection.execute(once_more, [{"b_key": one.repeat_key, "b_at": micros(one.received_at)} for one in ordered])


def _insert(connection: Connection, values: Sequence[Mapping[str, Any]]) -> None:
    """Add rows that are new. On SQLite all in one statement: row by row each would have to wait for the interpreter's lock."""
    if connection.dialect.name != "sqlite":
        connection.execute(_insert_one(connection.dialect.name), values)
        return
    names = list(values[0])
    row = f"({','.join('?' * len(names))})"
    every = ",".join([row] * len(values))
    statement = f"INSERT INTO {DELIVERY.name} ({','.join(names)}) VALUES {every} ON CONFLICT (delivery_id) DO NOTHING"  # noqa: S608  (names of columns, and marks)
    connection.exec_driver_sql(statement, tuple(one[name] for one in values for name in names))


@cache
def _insert_one(dialect: str) -> Any:
    return insert_of(dialect, DELIVERY).on_conflict_do_nothing(index_elements=["delivery_id"])


def _known(connection: Connection, repeat_keys: set[str]) -> set[str | None]:
    """Return which of these keys belong to something that is kept."""
    if not repeat_keys:
        return set()
    return set(connection.execute(_REPEATED, {"keys": sorted(repeat_keys)}).scalars())


_REPEATED = select(DELIVERY.c.repeat_key).where(DELIVERY.c.repeat_key.in_(bindparam("keys", expanding=True)))


def _last_sequences(connection: Connection, platforms: tuple[str, ...]) -> dict[str, int]:
    """Return each platform's highest sequence so far, 0 where there is none: the ends of one index, whatever is kept."""
    return {platform: highest or 0 for platform, highest in connection.execute(_highest(platforms))}


@cache
def _highest(platforms: tuple[str, ...]) -> Select[str, int | None]:
    ends = union_all(
        *(
            select(literal(platform).label("platform"), func.max(DELIVERY.c.sequence).label("sequence")).where(
                DELIVERY.c.state == state.value, DELIVERY.c.platform == platform
            )
            for platform in platforms
            for state in DeliveryState
        )
    ).subquery()
    return select(ends.c.platform, func.max(ends.c.sequence)).group_by(ends.c.platform)


def platforms_waiting(connection: Connection, platforms: Sequence[str]) -> list[str]:
    """Return which of these platforms have deliveries that wait to be applied."""
    return list(connection.execute(_waiting(tuple(platforms))).scalars()) if platforms else []


@cache
def _waiting(platforms: tuple[str, ...]) -> Executable:
    return union_all(*(_first(platform) for platform in platforms))


def _first(platform: str) -> Select[str]:
    here = select(DELIVERY.c.sequence).where(DELIVERY.c.state == "STORED", DELIVERY.c.platform == platform).limit(1)
    return select(literal(platform)).where(here.exists())


def pending(connection: Connection, rows: Rows, platform: str, limit: int) -> list[Delivery]:
    """Return a platform's deliveries that wait to be applied, in order of arrival; on PostgreSQL they are locked meanwhile."""
    here = (DELIVERY.c.state == "STORED", DELIVERY.c.platform == platform)
    statement = select(*COLUMNS).where(*here).order_by(DELIVERY.c.sequence).limit(limit)
    if connection.dialect.name == "postgresql":
        statement = statement.with_for_update(skip_locked=True)
    read = rows.reader(Delivery)
    return [read(row) for row in connection.execute(statement)]


def pending_ids(connection: Connection, platform: str, limit: int) -> list[str]:
    """Return the ids of a platform's deliveries that wait to be applied, in order of arrival; nothing is locked."""
    here = (DELIVERY.c.state == "STORED", DELIVERY.c.platform == platform)
    statement = select(DELIVERY.c.delivery_id).where(*here).order_by(DELIVERY.c.sequence).limit(limit)
    return list(connection.execute(statement).scalars())


def pending_one(connection: Connection, rows: Rows, delivery_id: str) -> Delivery | None:
    """Return a delivery if it still waits to be applied, and nobody else applies it; locked as by `pending`."""
    statement = select(*COLUMNS).where(DELIVERY.c.delivery_id == delivery_id, DELIVERY.c.state == "STORED")
    if connection.dialect.name == "postgresql":
        statement = statement.with_for_update(skip_locked=True)
    row = connection.execute(statement).first()
    return None if row is None else rows.reader(Delivery)(row)


def mark(
    connection: Connection, rows: Rows, ids: Sequence[str], state: DeliveryState, now: datetime, detail: str | None = None
) -> None:
    """Say what became of deliveries."""
    if ids:
        values = rows.values(Delivery, state=state, applied_at=now, detail=detail)
        connection.execute(update(DELIVERY).where(DELIVERY.c.delivery_id.in_(ids)).values(values))


def fail(connection: Connection, rows: Rows, details: Mapping[str, str], now: datetime) -> None:
    """Say, by id, why deliveries could not be applied; those that another process has applied meanwhile stay as they are."""
    for delivery_id, detail in sorted(details.items()):
        values = rows.values(Delivery, state=DeliveryState.FAILED, applied_at=now, detail=detail)
        waits = (DELIVERY.c.delivery_id == delivery_id) & (DELIVERY.c.state == "STORED")
        connection.execute(update(DELIVERY).where(waits).values(values))


def kept_deliveries(
    connection: Connection,
    rows: Rows,
    ids: Sequence[str],
    platform: str | None,
    since: datetime | None,
    limit: int,
    behind: Delivery | None = None,
) -> list[Delivery]:
    """Return deliveries by id, or all of a platform that came at `since` or later, in order of arrival, behind one of them."""
    read = rows.reader(Delivery)
    here: list[ColumnElement[bool]] = [DELIVERY.c.delivery_id.in_(ids)]
    if platform is not None and since is not None:
        here = [DELIVERY.c.platform == platform, DELIVERY.c.received_at >= micros(since)]
    order = (DELIVERY.c.received_at, DELIVERY.c.sequence, DELIVERY.c.delivery_id)
    if behind is not None:
        here.append(tuple_(*order) > tuple_(micros(behind.received_at), behind.sequence, behind.delivery_id))
    ordered = select(*COLUMNS).where(*here).order_by(*order).limit(limit)
    return [read(row) for row in connection.execute(ordered)]


def put_back(connection: Connection, ids: Sequence[str]) -> list[str]:
    """Let deliveries be applied once more; return the ids of those whose content is still there."""
    here = DELIVERY.c.delivery_id.in_(ids) & (DELIVERY.c.state != EMPTIED)
    found = list(connection.execute(select(DELIVERY.c.delivery_id).where(here)).scalars())
    connection.execute(update(DELIVERY).where(DELIVERY.c.delivery_id.in_(found)).values(state="STORED"))
    return found


def put_back_since(connection: Connection, platform: str, since: datetime) -> list[str]:
    """Let all deliveries of a platform that came at `since` or later be applied once more; return their ids."""
    here = (DELIVERY.c.platform == platform) & (DELIVERY.c.received_at >= micros(since)) & (DELIVERY.c.state != EMPTIED)
    found = list(connection.execute(select(DELIVERY.c.delivery_id).where(here)).scalars())
    connection.execute(update(DELIVERY).where(here).values(state="STORED"))
    return found


def quarantine(
    connection: Connection,
    rows: Rows,
    platform: str,
    stream: str,
    bad: Sequence[Quarantined],
    now: datetime,
    delivery_id: str | None = None,
) -> None:
    """Keep records that could not be used, each once, with the reason."""
    values = [rows.as_row(_quarantined(platform, stream, one, now, delivery_id)) for one in bad]
    if values:
        connection.execute(insert_into(connection, QUARANTINE).on_conflict_do_nothing(index_elements=["quarantine_id"]), values)


def keep_quarantined(
    connection: Connection,
    rows: Rows,
    platform: str,
    reason: str,
    stream: str,
    now_said: Mapping[str, Quarantined | None],
    now: datetime,
) -> None:
    """Bring what is quarantined for this reason in line with what is said of these records, by their keys, now.

    None releases a record; so does other content the former content. What is said again after its release is open again, in its
    own row. Records that are not spoken of, and other reasons, stay as they are.
    """
    kept = {key: _quarantined(platform, stream, one, now, None) for key, one in now_said.items() if one is not None}
    keys = sorted(now_said)
    for start in range(0, len(keys), CHUNK):
        some = keys[start : start + CHUNK]
        mine = (QUARANTINE.c.platform == platform) & (QUARANTINE.c.reason == reason) & QUARANTINE.c.record_key.in_(some)
        stays = QUARANTINE.c.quarantine_id.in_([kept[key].quarantine_id for key in some if key in kept])
        here = mine & QUARANTINE.c.released_at.is_(None) & ~stays
        connection.execute(update(QUARANTINE).where(here).values(released_at=micros(now)))
    if kept:
        again = insert_into(connection, QUARANTINE).on_conflict_do_update(
            index_elements=["quarantine_id"], set_={"released_at": None}, where=QUARANTINE.c.released_at.is_not(None)
        )
        connection.execute(again, [rows.as_row(one) for one in kept.values()])


def _quarantined(platform: str, stream: str, one: Quarantined, now: datetime, delivery_id: str | None) -> QuarantinedRecord:
    identity = hashlib.sha256(msgspec.json.encode([platform, one.reason, one.key, one.content])).hexdigest()[:40]
    return QuarantinedRecord(
        quarantine_id=identity,
        platform=platform,
        stream=stream,
        record_key=one.key,
        reason=one.reason,
        detail=one.detail,
        delivery_id=delivery_id,
        quarantined_at=now,
        released_at=None,
        content=one.content,
        entity=one.entity,
    )


def waiting(connection: Connection) -> dict[str, int]:
    """Return the number of deliveries not yet applied, by platform."""
    grouped = select(DELIVERY.c.platform, func.count()).where(DELIVERY.c.state == "STORED").group_by(DELIVERY.c.platform)
    return {row[0]: row[1] for row in connection.execute(grouped)}


def failed(connection: Connection) -> dict[str, int]:
    """Return the number of deliveries that could not be applied, by platform."""
    grouped = select(DELIVERY.c.platform, func.count()).where(DELIVERY.c.state == "FAILED").group_by(DELIVERY.c.platform)
    return {row[0]: row[1] for row in connection.execute(grouped)}


def last_received(connection: Connection) -> dict[str, int]:
    """Return when the newest delivery of each platform came, microseconds."""
    grouped = select(DELIVERY.c.platform, func.max(DELIVERY.c.received_at)).group_by(DELIVERY.c.platform)
    return {row[0]: row[1] for row in connection.execute(grouped)}


def open_quarantine(connection: Connection) -> dict[str, int]:
    """Return the number of quarantined records without a good version since, by platform."""
    here = QUARANTINE.c.released_at.is_(None)
    grouped = select(QUARANTINE.c.platform, func.count()).where(here).group_by(QUARANTINE.c.platform)
    return {row[0]: row[1] for row in connection.execute(grouped)}
