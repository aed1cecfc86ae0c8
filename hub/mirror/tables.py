"""The tables: one for each declared entity, and a few of the engine's own. Column types are plain; values go through rows.py."""

from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Float, Index, Integer, LargeBinary, MetaData, String, Table, Text
from sqlalchemy.types import TypeEngine

import schema.entities  # noqa: F401  (declares them all)
from schema.declare import ENTITIES, Declared, Field, Personal, Sealed
from schema.entity import Mirrored

METADATA = MetaData(naming_convention={"pk": "pk_%(table_name)s", "ix": "ix_%(column_0_N_label)s"})

CONTENT_HASH = "content_hash"
AUTO = BigInteger().with_variant(Integer, "sqlite")
"""A key that the database counts up by itself."""


def column_type(field: Field) -> TypeEngine[Any]:
    """Return the plain column type that keeps a field."""
    if Personal in field.marks or Sealed in field.marks:
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
    Index("ix_change_entity_key_version", "entity", "key", "version"),
    comment="Every version that was ever applied, append-only (变更历史)",
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

QUOTA = Table(
    "quota",
    METADATA,
    Column("platform", String(40), primary_key=True),
    Column("next_slot_at", BigInteger, nullable=False, comment="The first moment not yet given away, microseconds"),
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
