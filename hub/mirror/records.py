"""Versioned upserts: a record is applied only if its version is newer than the one we hold. Called by intake/apply.py.

Any permutation with any repetition of the same observations gives the same current records; of two different contents
under one version the first stays and the second is quarantined.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import Enum
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, bindparam, delete, select, update

from hub.mirror.database import insert_into, insert_of, lock_names
from hub.mirror.rows import Rows, content_of, micros
from hub.mirror.statistics import due
from hub.mirror.tables import CHANGE, CONTENT_HASH, TABLES, TOMBSTONE
from schema.declare import ENTITIES, Declared, declared
from schema.entity import Mirrored, Observation, Tombstone, key_of

CHUNK = 500


class Outcome(Enum):
    """What became of an observation."""

    APPLIED = "applied"
    UNCHANGED = "unchanged"
    STALE = "stale"
    CONFLICT = "conflict"


class Upserted(NamedTuple):
    """One observation and what became of it, in the order given."""

    item: Observation | Tombstone
    outcome: Outcome


class Seen(NamedTuple):
    """What would become of an item, and the version that is held of its record; None where there is none."""

    outcome: Outcome
    held_version: int | None


class _Held(NamedTuple):
    version: int
    digest: bytes | None  # None: a tombstone


class _Applied(NamedTuple):
    item: Observation | Tombstone
    version: int
    created: bool
    """Whether there was no such record before."""


Foreseen = dict[tuple[str, str], _Held]
"""What would be held, by entity and key, of the records that would have changed so far."""


def digest_of(observation: Observation) -> bytes:
    """Return a digest that is equal for equal content, whenever it was seen."""
    return hashlib.blake2b(content_of(observation.record, observation.parts), digest_size=16).digest()


def upsert(connection: Connection, rows: Rows, items: Sequence[Observation | Tombstone]) -> list[Upserted]:
    """Apply what is newer than what we hold, in one go for each entity; return what became of each item, in order.

    No two transactions apply the same record at the same time; the second one sees what the first one left.
    """
    by_entity: dict[str, list[int]] = defaultdict(list)
    for place, item in enumerate(items):
        by_entity[_entity(item)].append(place)
    outcomes: dict[int, Outcome] = {}
    for name in sorted(by_entity):
        found = _upsert_entity(connection, rows, ENTITIES[name], [items[place] for place in by_entity[name]])
        outcomes.update(zip(by_entity[name], found, strict=True))
    return [Upserted(item, outcomes[place]) for place, item in enumerate(items)]


def foresee(connection: Connection, items: Sequence[Observation | Tombstone], earlier: Foreseen | None = None) -> list[Seen]:
    """Return what `upsert` would make of each item, in order; nothing is written.

    With `earlier` nothing is locked, and what earlier calls have foreseen counts as done; this call adds to it.
    """
    by_entity: dict[str, list[int]] = defaultdict(list)
    for place, item in enumerate(items):
        by_entity[_entity(item)].append(place)
    seen: dict[int, Seen] = {}
    for name in sorted(by_entity):
        held = _held(connection, ENTITIES[name], sorted({_key(items[place]) for place in by_entity[name]}), lock=earlier is None)
        if earlier is not None:
            held |= {key: earlier[name, key] for key in {_key(items[place]) for place in by_entity[name]} if (name, key) in earlier}
        before = dict(held)
        for place in by_entity[name]:
            key = _key(items[place])
            outcome, holds = _judge(items[place], held.get(key))
            seen[place] = Seen(outcome, before[key].version if key in before else None)
            if holds is not None:
                held[key] = holds
                if earlier is not None:
                    earlier[name, key] = holds
    return [seen[place] for place in range(len(items))]


def _entity(item: Observation | Tombstone) -> str:
    return item.entity if isinstance(item, Tombstone) else type(item.record).__name__


def _key(item: Observation | Tombstone) -> str:
    return item.key if isinstance(item, Tombstone) else key_of(item.record)


def _upsert_entity(connection: Connection, rows: Rows, entity: Declared, items: Sequence[Observation | Tombstone]) -> list[Outcome]:
    held = _held(connection, entity, sorted({_key(item) for item in items}))
    outcomes: list[Outcome] = []
    winners: dict[str, Observation | Tombstone] = {}
    history: list[_Applied] = []
    for item in items:
        key = _key(item)
        outcome, holds = _judge(item, held.get(key))
        outcomes.append(outcome)
        if holds is not None:
            created = key not in held or held[key].digest is None
            held[key], winners[key] = holds, item
            presumed = isinstance(item, Tombstone) and item.presumed and item.version
            history.append(_Applied(item, presumed or holds.version, created))
    if winners:
        _write(connection, rows, entity, winners, held)
        _remember(connection, rows, entity, history)
        due.note(connection, entity.name, winners)
    return outcomes


def _judge(item: Observation | Tombstone, held: _Held | None) -> tuple[Outcome, _Held | None]:
    """Return what becomes of an item beside what is held, and what is held afterwards where that changes."""
    if isinstance(item, Tombstone):
        return _judge_tombstone(item, held)
    version, digest = item.record.version, digest_of(item)
    if held is None or version > held.version:
        return Outcome.APPLIED, _Held(version, digest)
    if version < held.version or held.digest is None:
        return Outcome.STALE, None
    return (Outcome.UNCHANGED if digest == held.digest else Outcome.CONFLICT), None


def _judge_tombstone(item: Tombstone, held: _Held | None) -> tuple[Outcome, _Held | None]:
    if item.counts_anew:
        unchanged = held is not None and held.digest is None
        return (Outcome.UNCHANGED, None) if unchanged else (Outcome.APPLIED, _Held(0, None))
    version = item.version if item.version is not None else held.version if held else 0
    if item.presumed:
        still = held is not None and held.digest is not None and held.version == version
        return (Outcome.APPLIED, _Held(version - 1, None)) if still else (Outcome.STALE, None)
    if held is not None and (version < held.version or (held.digest is None and version == held.version)):
        return (Outcome.STALE if version < held.version else Outcome.UNCHANGED), None
    return Outcome.APPLIED, _Held(version, None)


def _held(connection: Connection, entity: Declared, keys: Sequence[str], *, lock: bool = True) -> dict[str, _Held]:
    """Return what we hold of these keys, locked until we commit: what is there by its row, what is not by its name."""
    table, held = TABLES[entity.name], {}
    locking, known = lock and connection.dialect.name == "postgresql", set[str]()
    for chunk in _chunks(keys) if locking else ():
        known.update(connection.execute(select(table.c[entity.key]).where(table.c[entity.key].in_(chunk))).scalars())
        lock_names(connection, [f"{entity.name}:{key}" for key in chunk if key not in known])
    for chunk in _chunks(keys):
        here = select(table.c[entity.key], table.c.version, table.c[CONTENT_HASH]).where(table.c[entity.key].in_(chunk))
        if locking:
            here = here.order_by(table.c[entity.key]).with_for_update()
        held.update(_rows_held(connection, here))
        if locking and (deleted := [f"{entity.name}:{key}" for key in chunk if key in known and key not in held]):
            lock_names(connection, deleted)  # deleted while we waited for its row: its name keeps it from being made anew beside us
            held.update(_rows_held(connection, here))
        # Read last: who deleted a row that we waited for has left a tombstone.
        gone = select(TOMBSTONE.c.key, TOMBSTONE.c.version).where(TOMBSTONE.c.entity == entity.name, TOMBSTONE.c.key.in_(chunk))
        held.update({key: _Held(version, None) for key, version in connection.execute(gone)})
    return held


def _rows_held(connection: Connection, here: Select[Any]) -> dict[str, _Held]:
    return {str(key): _Held(version, bytes(digest)) for key, version, digest in connection.execute(here)}


def _write(
    connection: Connection, rows: Rows, entity: Declared, winners: dict[str, Observation | Tombstone], held: dict[str, _Held]
) -> None:
    gone = [item for item in winners.values() if isinstance(item, Tombstone)]
    here = [item for item in winners.values() if isinstance(item, Observation)]
    _delete_parts(connection, entity, list(winners))
    if here:
        _upsert_rows(connection, entity, [{**rows.as_row(item.record), CONTENT_HASH: held[_key(item)].digest} for item in here])
        parts: dict[str, list[Mirrored]] = defaultdict(list)
        for item in here:
            for part in item.parts:
                parts[type(part).__name__].append(part)
        for name, records in parts.items():
            _upsert_rows(connection, ENTITIES[name], [rows.as_row(record) for record in records])
        clear = delete(TOMBSTONE).where(TOMBSTONE.c.entity == entity.name, TOMBSTONE.c.key == bindparam("b_key"))
        connection.execute(clear, [{"b_key": key_of(item.record)} for item in here])
    for tombstone in gone:
        _bury(connection, entity, tombstone, held[tombstone.key].version)


def _upsert_rows(connection: Connection, entity: Declared, values: list[dict[str, object]]) -> None:
    connection.execute(_upsert_statement(connection.dialect.name, entity.name), values)


@cache
def _upsert_statement(dialect: str, entity: str) -> Any:
    """Return a statement that is made once: to make it takes longer than to carry it out."""
    table, key = TABLES[entity], ENTITIES[entity].key
    insert = insert_of(dialect, table)
    changed = {column.name: insert.excluded[column.name] for column in table.c if column.name != key}
    return insert.on_conflict_do_update(index_elements=[key], set_=changed)


def _delete_parts(connection: Connection, entity: Declared, keys: list[str]) -> None:
    for part in ENTITIES.values():
        if part.part_of and part.part_of[0] == entity.name:
            table = TABLES[part.name]
            for chunk in _chunks(keys):
                connection.execute(delete(table).where(table.c[part.part_of[1]].in_(chunk)))


def _bury(connection: Connection, entity: Declared, tombstone: Tombstone, version: int) -> None:
    table = TABLES[entity.name]
    connection.execute(delete(table).where(table.c[entity.key] == tombstone.key))
    values = {"version": version, "source": tombstone.source, "observed_at": micros(tombstone.observed_at)}
    insert = insert_into(connection, TOMBSTONE).values(entity=entity.name, key=tombstone.key, **values)
    connection.execute(insert.on_conflict_do_update(index_elements=["entity", "key"], set_=values))


def _remember(connection: Connection, rows: Rows, entity: Declared, items: Iterable[_Applied]) -> None:
    """Append applied versions to the change history, whole and sealed."""
    values = []
    for item, version, created in items:
        gone = isinstance(item, Tombstone)
        said = item if isinstance(item, Tombstone) else item.record
        values.append(
            {
                "entity": entity.name,
                "key": _key(item),
                "version": version,
                "deleted": gone,
                "created": created and not gone,
                "source": said.source,
                "observed_at": micros(said.observed_at),
                "content": rows.seals.seal(b"" if isinstance(item, Tombstone) else content_of(item.record, item.parts)),
            }
        )
    connection.execute(CHANGE.insert(), values)


def _chunks(keys: Sequence[str]) -> Iterable[Sequence[str]]:
    for start in range(0, len(keys), CHUNK):
        yield keys[start : start + CHUNK]


def get(connection: Connection, rows: Rows, entity: type[Mirrored], keys: Iterable[str]) -> dict[str, Mirrored]:
    """Return current records by key; unknown keys are left out."""
    told, found = declared(entity), {}
    table, read = TABLES[told.name], rows.reader(entity)
    for chunk in _chunks(sorted(set(keys))):
        for row in connection.execute(select(*(table.c[name] for name in told.fields)).where(table.c[told.key].in_(chunk))):
            record = read(row)
            found[key_of(record)] = record
    return found


def release_quarantine(connection: Connection, platform: str, record_keys: Sequence[str], now: datetime) -> None:
    """Mark a platform's quarantined records whose key has had a good version since."""
    table = TABLES["QuarantinedRecord"]
    for chunk in _chunks(record_keys):
        here = (table.c.platform == platform) & table.c.record_key.in_(chunk) & table.c.released_at.is_(None)
        connection.execute(update(table).where(here).values(released_at=micros(now)))
