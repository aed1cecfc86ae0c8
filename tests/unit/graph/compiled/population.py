"""Records of every entity whose edges meet: columns that an edge joins draw their values from one small set."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from enum import Enum
from random import Random
from typing import Any, cast

import msgspec
from sqlalchemy import Update, update

from hub.mirror.tables import TABLES
from schema.declare import ENTITIES, Declared, Field, FirstOf, Personal, Step, read_fields
from schema.entities import SubjectMerge
from schema.entity import Entity
from tests.unit.graph.records import NOW

SET_SIZE = 7
EACH = 6
"""Records of each entity, at most."""
WORDS = ("", "义乌市天䶮印刷有限公司", 'a "quoted" \\ text', "line\nbreak", "🏙", "330782199001011234", "电话 13812345678", "0")


def _joined_sets() -> dict[tuple[str, str], str]:
    """Return for each column that is joined the name of the set that its values are drawn from."""
    above: dict[tuple[str, str], tuple[str, str]] = {}

    def top(column: tuple[str, str]) -> tuple[str, str]:
        while above.setdefault(column, column) != column:
            column = above[column]
        return column

    for name, entity in ENTITIES.items():
        top((name, entity.key))
        for edge in entity.edges.values():
            ends = [(name, edge.ours), (edge.to, edge.theirs)]
            if edge.through:
                ends += [(edge.through.entity, edge.through.ours), (edge.through.entity, edge.through.theirs)]
            for end in ends[1:]:
                above[top(end)] = top(ends[0])
    return {column: "-".join(top(column)) for column in list(above)}


SETS = _joined_sets()


def value_of(random: Random, entity: Declared, field: Field) -> Any:
    """Return a value that the column may hold."""
    if field.nullable and random.random() < 0.25:
        return None
    if (entity.name, field.name) in SETS and field.kind is str:
        return f"{SETS[entity.name, field.name]}{random.randrange(SET_SIZE)}"
    if field.many:
        return tuple(_one(random, field) for _ in range(random.randrange(3)))
    return _one(random, field)


def _one(random: Random, field: Field) -> Any:
    kind = field.kind
    if issubclass(kind, msgspec.Struct):
        return kind(
            **{each.name: None if each.nullable and random.random() < 0.3 else _one(random, each) for each in read_fields(kind)}
        )
    if issubclass(kind, Enum):
        return random.choice(list(kind))
    if kind is Decimal:
        return random.randrange(-5, 40) * field.marks[Step].of
    if kind is datetime:
        return NOW + timedelta(minutes=random.randrange(-500, 5), microseconds=random.choice((0, 0, 1, 999_999)))
    if kind in {bool, int}:
        return kind(random.randrange(-2, 5))
    return random.choice(WORDS) if Personal in field.marks or random.random() < 0.3 else f"w{random.randrange(5)}"


def population(random: Random) -> Iterator[Entity]:
    """Yield records of every entity, each key once."""
    for entity in ENTITIES.values():
        keys = random.sample(range(SET_SIZE), random.randrange(2, EACH + 1))
        for key in sorted(keys):
            told = {name: value_of(random, entity, field) for name, field in entity.fields.items() if FirstOf not in field.marks}
            told = {name: b"-" if entity.fields[name].kind is bytes else value for name, value in told.items()}
            if entity.record is SubjectMerge:  # merges that stand make no circles: the hub refuses them
                told["undone_at"] = NOW
            told[entity.key] = f"{SETS[entity.name, entity.key]}{key}"
            yield cast(type[Entity], entity.record)(**told)


def spoilt(random: Random) -> Iterator[Update]:
    """Yield statements that leave values in some rows which cannot be read back, or cannot be shown."""
    for entity in ENTITIES.values():
        table = TABLES[entity.name]
        for field in random.sample(list(entity.fields.values()), 4):
            if field.name == entity.key or (bad := _bad(random, field)) is None:
                continue
            yield update(table).where(table.c[entity.key].like(f"%{random.randrange(SET_SIZE)}")).values({field.name: bad})


def _bad(random: Random, field: Field) -> Any:
    if field.sealed and field.kind is not bytes:
        return random.choice((b"", b"no key", b"\x04test" + bytes(30)))
    if field.many:
        return random.choice(("not JSON", "[1]", "null", '[{"name": 1}]'))
    if issubclass(field.kind, Enum):
        return "NO_SUCH"
    if field.kind in {int, datetime}:
        return random.choice((2**40, -(2**62)))
    return None
