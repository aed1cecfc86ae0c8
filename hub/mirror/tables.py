"""The tables: one for each declared entity, and a few of the engine's own. Column types are plain; values go through rows.py."""

from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    text,
)
from sqlalchemy.types import TypeEngine

import schema.entities  # noqa: F401  (declares them all)
from schema.declare import ENTITIES, Declared, Field, Personal
from schema.entity import Mirrored

METADATA = MetaData(naming_convention={"pk": "pk_%(table_name)s", "ix": "ix_%(column_0_N_label)s"})

CONTENT_HASH = "content_hash"
AUTO = BigInteger().with_variant(Integer, "sqlite")
"""A key that the database counts up by itself."""


def column_type(field: Field) -> TypeEngine[Any]:
    """Return the plain column type that keeps a field."""
    if field.sealed:
        return LargeBinary()
    if field.many:
        return Text()
    if issubclass(field.kind, Enum):
        return String(40)
    if field.kind in {Decimal, datetime, int}:
        return BigInteger()
    if field.kind is bool:
        return Boolean()
    return Float() if field.kind is float else Text()


def joined_columns(entity: Declared) -> list[str]:
    """Return the personal fields that have a join column beside them."""
    return [name for name, field in entity.fields.items() if Personal in field.marks and field.marks[Personal].joined]


def _table(entity: Declared) -> Table:
    columns = [
        Column(name, column_type(field), primary_key=name == entity.key, nullable=field.nullable, comment=str(field.says))
        for name, field in entity.fields.items()
    ]
    indexes = list(entity.indexes)
    for name in joined_columns(entity):
        columns.append(Column(f"{name}_join", LargeBinary, comment=f"Keyed HMAC of {name}, for joins"))
        indexes.append((f"{name}_join",))
    if issubclass(entity.record, Mirrored) and not entity.part_of:
        columns.append(Column(CONTENT_HASH, LargeBinary, nullable=False, comment="Digest of the content at this version"))
    made = [Index(f"ix_{entity.table}_{'_'.join(names)}", *names) for names in indexes if names != (entity.key,)]
    return Table(entity.table, METADATA, *columns, *made, comment=str(entity.says))


TABLES: dict[str, Table] = {name: _table(entity) for name, entity in ENTITIES.items()}
"""The table of each entity, by the entity's name."""

_EVENT = TABLES["GridEvent"]
_LINKED = text("related <> '[]'")
Index("ix_grid_event_linked", _EVENT.c.event_no, sqlite_where=_LINKED, postgresql_where=_LINKED)
"""The few events that name others, so that those who name one are found without looking at every event (loops.py)."""

CHANGE = Table(
    "change",
    METADATA,
    Column("sequence", AUTO, primary_key=True, autoincrement=True),
    Column("entity", String(40), nullable=False),
    Column("key", Text, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("deleted", Boolean, nullable=False),
    Column("source", String(40), nullable=False),
    Column("observed_at", BigInteger, nullable=False),
    Column("content", LargeBinary, nullable=False, comment="The observation as JSON, sealed"),
    Column("position", BigInteger, comment="Place in the one public order, given after the commit, without holes; null until then"),
    Column("created", Boolean, comment="Whether there was no such record before; null in rows of older versions of the hub"),
    Index("ix_change_entity_key_version", "entity", "key", "version"),
    Index("ix_change_position_sequence", "position", "sequence"),
    comment="Every version that was ever applied, append-only (变更历史)",
)

OBLIGATION_CHANGE = Table(
    "obligation_change",
    METADATA,
    Column("sequence", AUTO, primary_key=True, autoincrement=True),
    Column("key", Text, nullable=False),
    Column("state", String(40), nullable=False, comment="What it was after this change"),
    Column("created", Boolean, nullable=False),
    Column("position", BigInteger, comment="Place in the order of these changes, given after the commit; null until then"),
    Column("placed_at", BigInteger, comment="When it was given, microseconds"),
    Index("ix_obligation_change_position_sequence", "position", "sequence"),
    comment="Which obligations changed, for subscribers; kept for some days (应办事项变更)",
)

AUDIT_BLOCK = Table(
    "audit_block",
    METADATA,
    Column("number", BigInteger, primary_key=True, autoincrement=False, comment="From 1, without holes"),
    Column("first", BigInteger, nullable=False, comment="Position of the first change that it seals"),
    Column("last", BigInteger, nullable=False, comment="Position of the last one"),
    Column("closed_at", BigInteger, nullable=False),
    Column("previous", LargeBinary, nullable=False, comment="Hash of the block before; zeros before the first"),
    Column("digests", LargeBinary, nullable=False, comment="SM3 of each change, one after the other"),
    Column("hash", LargeBinary, nullable=False, comment="SM3 of all of this"),
    comment="Blocks that seal the change history, each on the one before (审计区块)",
)

TOMBSTONE = Table(
    "tombstone",
    METADATA,
    Column("entity", String(40), primary_key=True),
    Column("key", Text, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("source", String(40), nullable=False),
    Column("observed_at", BigInteger, nullable=False),
    comment="Records that their platform deleted; an older version does not bring them back (删除标记)",
)

FULL_READ_KEY = Table(
    "full_read_key",
    METADATA,
    Column("stream_id", String(120), primary_key=True),
    Column("entity", String(40), primary_key=True),
    Column("key", Text, primary_key=True),
    Column("since", BigInteger, nullable=False, comment="When the full read that showed it began, microseconds"),
    comment="What a stream that is read from its beginning has shown so far (全量读取已见)",
)

QUOTA = Table(
    "quota",
    METADATA,
    Column("platform", String(40), primary_key=True),
    Column("next_slot_at", BigInteger, nullable=False, comment="The first moment not yet given away, microseconds"),
    Column("minute", BigInteger, nullable=True, comment="Minute, counted from 1970, in which slots were last given away"),
    Column("given", Integer, nullable=True, comment="Slots that were given away in it"),
    Column("given_before", Integer, nullable=True, comment="Slots that were given away in the minute before it"),
    comment="Calls to each platform, given away slot by slot to all processes (调用配额)",
)

LEASE = Table(
    "lease",
    METADATA,
    Column("name", String(80), primary_key=True),
    Column("until", BigInteger, nullable=False),
    Column("last_run_at", BigInteger, nullable=False),
    comment="Who runs a scheduled job now, and when it last ran (定时任务租约)",
)

PLATFORM_CONDITION = Table(
    "platform_condition",
    METADATA,
    Column("platform", String(40), primary_key=True),
    Column(
        "ahead", BigInteger, nullable=True, comment="By how much its clock is ahead of ours, microseconds; median of its answers"
    ),
    Column("within", BigInteger, nullable=True, comment="Half a round trip and half a second: the median may be off by this"),
    Column("samples", Integer, nullable=True, comment="Answers that the median was taken of"),
    Column("measured_at", BigInteger, nullable=True),
    Column("closed_until", BigInteger, nullable=True, comment="Until when it last asked to be left alone (503 with Retry-After)"),
    Column("closed_since", BigInteger, nullable=True, comment="When it first asked so in a row"),
    Column("broken_until", BigInteger, nullable=True, comment="A process's breaker leaves it alone until then; null: closed"),
    Column("told_at", BigInteger, nullable=True, comment="When it last told anything new, by whichever way"),
    Column("unannounced", Integer, nullable=True, comment="Records that it posts, and that polls found since its last webhook"),
    Column("unannounced_at", BigInteger, nullable=True, comment="When the newest of them was seen"),
    comment="What processes notice of a platform as they call it (平台状况)",
)

PLATFORM_HOUR = Table(
    "platform_hour",
    METADATA,
    Column("platform", String(40), primary_key=True),
    Column("hour", BigInteger, primary_key=True, autoincrement=False, comment="Hours since 1970, UTC"),
    Column("told", BigInteger, nullable=False, comment="New versions of records that were seen in it"),
    comment="How much each platform tells, hour by hour, for some weeks (平台消息量)",
)

PLATFORM_CALLS = Table(
    "platform_calls",
    METADATA,
    Column("platform", String(40), primary_key=True),
    Column("span", BigInteger, primary_key=True, autoincrement=False, comment="Five minutes, counted from 1970, UTC"),
    Column("made", BigInteger, nullable=False, comment="Calls to it that ended in them"),
    Column("failed", BigInteger, nullable=False, comment="Of these, how many brought no usable answer"),
    comment="How often processes called each platform, for two days (平台调用次数)",
)

ALERT = Table(
    "alert",
    METADATA,
    Column("name", String(60), primary_key=True),
    Column("platform", String(40), primary_key=True, comment="Empty where it is about none"),
    Column("since", BigInteger, nullable=False, comment="Since when its condition has held"),
    Column("seen_at", BigInteger, nullable=False, comment="When its condition last held"),
    Column("raised_at", BigInteger, nullable=True, comment="When it was raised; null until it has held long enough"),
    Column("cleared_at", BigInteger, nullable=True, comment="When it was over; kept only until that was told"),
    Column("number", Float, nullable=False, comment="What was measured last"),
    Column("raise_told_at", BigInteger, nullable=True, comment="When HUB_ALERT_WEBHOOK took that it was raised"),
    Column("tries", Integer, nullable=False, comment="Failures in a row to tell of it"),
    Column("next_try_at", BigInteger, nullable=False),
    comment="The hub's alerts: those that stand, and those whose end is still to be told (告警)",
)

SECRET_USE = Table(
    "secret_use",
    METADATA,
    Column("platform", String(40), primary_key=True),
    Column("purpose", String(10), primary_key=True, comment="CALLS: ours sign with it; WEBHOOKS: the platform's do"),
    Column("fingerprint", String(16), primary_key=True, comment="Keyed digest of the secret; says which, and tells nothing of it"),
    Column("last_used_at", BigInteger, nullable=False),
    comment="When each secret was last used, so that an old one can be taken away in time (密钥使用)",
)

BOOKMARK = Table(
    "bookmark",
    METADATA,
    Column("name", String(80), primary_key=True),
    Column("done", BigInteger, nullable=False, comment="The last position of the change history that was gone through"),
    comment="How far the change history was gone through, by what goes through it (变更历史书签)",
)

STATISTIC_DUE = Table(
    "statistic_due",
    METADATA,
    Column("id", AUTO, primary_key=True, autoincrement=True),
    Column("entity", String(40), nullable=False),
    Column("key", Text, nullable=False),
    comment="Records that changed and are not yet counted, written with the change (待统计记录)",
)


def _dimensions() -> list[Column[Any]]:
    """Return what facts and cells are told apart by; nothing is null, what is not known is empty."""
    texts = [Column(name, Text, nullable=False) for name in ("department", "matter", "town", "item", "way")]
    return [*texts, Column("grade", String(8), nullable=False), Column("watched", Boolean, nullable=False)]


STATISTIC_FACT = Table(
    "statistic_fact",
    METADATA,
    Column("entity", String(40), primary_key=True),
    Column("key", Text, primary_key=True),
    Column("place", Integer, primary_key=True),
    Column("kind", String(40), nullable=False),
    Column("day", Integer, nullable=False, comment="Beijing day as yyyymmdd"),
    *_dimensions(),
    Column("subject", Text, nullable=False),
    Column("member", Text, nullable=False, comment="What is counted once however often it comes: a case, an order, a campaign"),
    Column("link", Text, nullable=False, comment="The number by which facts of another record depend on this one"),
    Column("number", BigInteger, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Index("ix_statistic_fact_kind_day", "kind", "day"),
    Index("ix_statistic_fact_subject", "subject"),
    comment="What each mirrored record contributes to statistics (统计明细)",
)

STATISTIC_CELL = Table(
    "statistic_cell",
    METADATA,
    Column("kind", String(40), nullable=False),
    Column("grain", String(1), nullable=False, comment="D: of one day; M: of the month that begins on this day"),
    Column("day", Integer, nullable=False, comment="Beijing day as yyyymmdd"),
    *_dimensions(),
    Column("number", BigInteger, nullable=False),
    Column("amount", BigInteger, nullable=False),
    PrimaryKeyConstraint("kind", "grain", "day", "department", "matter", "town", "item", "way", "grade", "watched"),
    comment="Sums of statistic_fact, by day and by month (统计汇总)",
)
