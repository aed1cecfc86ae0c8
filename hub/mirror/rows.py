"""Between a record and its row: how each value is kept and read back. Built once by app.py with the seals."""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import Enum
from functools import cache
from typing import Any, NamedTuple, TypeVar

import msgspec

from hub.mirror.sealing import Seals
from hub.mirror.tables import joined_columns
from schema.declare import ENTITIES, Field, FirstOf, Personal, Sealed, SealedList, Step, declared
from schema.entity import Entity

E = TypeVar("E", bound=Entity)
EPOCH, MICROSECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)


def micros(at: datetime) -> int:
    """Return a moment as the database keeps it: microseconds since 1970, UTC."""
    return (at - EPOCH) // MICROSECOND


def moment(kept: int) -> datetime:
    """Return the moment that `micros` kept, in UTC."""
    return EPOCH + kept * MICROSECOND


class Codec(NamedTuple):
    """How a value is kept and read; None passes through both ways, and no function means as it is."""

    keep: Callable[[Any], Any] | None = None
    read: Callable[[Any], Any] | None = None


class Rows:
    """Turns records into rows and back."""

    def __init__(self, seals: Seals) -> None:
        self.seals = seals
        self._codecs = {
            (name, column): self._codec(field) for name, entity in ENTITIES.items() for column, field in entity.fields.items()
        }
        self._readers: dict[type[Entity], Callable[[Sequence[Any]], Any]] = {}
        self._writers: dict[type[Entity], Callable[[Entity], dict[str, Any]]] = {}

    def _codec(self, field: Field) -> Codec:  # noqa: PLR0911  (a table of kinds)
        seals = self.seals
        if Personal in field.marks:
            return Codec(lambda clear: seals.seal(clear.encode()), lambda sealed: seals.open(bytes(sealed)).decode())
        if Sealed in field.marks:
            return Codec(seals.seal, lambda sealed: seals.open(bytes(sealed)))
        if field.many:
            decoder = msgspec.json.Decoder(tuple[field.kind, ...])  # type: ignore[name-defined]
            if SealedList in field.marks:
                return Codec(
                    lambda items: seals.seal(msgspec.json.encode(items)), lambda sealed: decoder.decode(seals.open(bytes(sealed)))
                )
            return Codec(lambda items: msgspec.json.encode(items).decode(), decoder.decode)
        if issubclass(field.kind, Enum):
            return Codec(lambda member: member.value, {member.value: member for member in field.kind}.__getitem__)
        if field.kind is Decimal:
            of = field.marks[Step].of
            return Codec(lambda amount: int(amount / of), lambda steps: steps * of)
        if field.kind is datetime:
            return Codec(micros, moment)
        if field.kind is bool:
            return Codec(None, bool)
        return Codec()

    def keep(self, entity: str, column: str, value: Any) -> Any:
        """Return a value as the database keeps it in that column."""
        change = self._codecs[entity, column].keep
        return value if value is None or change is None else change(value)

    def read(self, entity: str, column: str, kept: Any) -> Any:
        """Return what `keep` kept."""
        change = self._codecs[entity, column].read
        return kept if kept is None or change is None else change(kept)

    def as_row(self, record: Entity) -> dict[str, Any]:
        """Return column -> kept value, for `insert(table)`; join columns included."""
        if (write := self._writers.get(type(record))) is None:
            write = self._writers[type(record)] = self._writer(type(record))
        return write(record)

    def _writer(self, record: type[Entity]) -> Callable[[Entity], dict[str, Any]]:
        """Return what `as_row` does for one kind of record: a function made for its columns, three times as quick as a loop."""
        entity = declared(record)
        scope: dict[str, Any] = {"join": self.seals.join}
        parts = []
        for at, column in enumerate(entity.fields):
            scope[f"keep{at}"] = keep = self._codecs[entity.name, column].keep
            value = f"r.{column}"
            parts.append(f"{column!r}: {value if keep is None else f'None if {value} is None else keep{at}({value})'}")
        parts += [f"{column + '_join'!r}: None if r.{column} is None else join(r.{column})" for column in joined_columns(entity)]
        made: Callable[[Entity], dict[str, Any]] = eval(f"lambda r: {{{', '.join(parts)}}}", scope)  # noqa: S307  (column names only)
        return made

    def values(self, entity: type[Entity], **changes: Any) -> dict[str, Any]:
        """Return changed columns as kept, for `update(table).values(...)`."""
        return {column: self.keep(entity.__name__, column, value) for column, value in changes.items()}

    def reader(self, record: type[E]) -> Callable[[Sequence[Any]], E]:
        """Return a function from a row, its columns in declared order (more may follow), to a record."""
        if record not in self._readers:
            scope: dict[str, Any] = {"Record": record}
            parts = []
            for at, (column, field) in enumerate(declared(record).fields.items()):
                scope[f"read{at}"] = read = self._codecs[record.__name__, column].read
                value = f"read{at}(r[{at}])" if read else f"r[{at}]"
                parts.append(f"{column}=" + (f"None if r[{at}] is None else {value}" if field.nullable and read else value))
            self._readers[record] = eval(f"lambda r: Record({', '.join(parts)})", scope)  # noqa: S307  (made of column names only)
        return self._readers[record]


@cache
def derived_columns(entity: str) -> tuple[str, ...]:
    """Return the fields whose value follows from others of the record."""
    return tuple(name for name, field in ENTITIES[entity].fields.items() if FirstOf in field.marks)


def content_of(record: Entity, parts: Sequence[Entity] = ()) -> bytes:
    """Return a record and its parts as JSON: equal content gives equal bytes.

    Left out is what we added: when we saw it, and what follows from other fields. The same moment in another zone, and the
    same number with other zeros behind the point, is the same content.
    """
    plain = [[type(each).__name__, msgspec.to_builtins(each, builtin_types=(datetime, Decimal))] for each in (record, *parts)]
    for entity, fields in plain:
        for name in ("observed_at", *derived_columns(entity)):
            fields.pop(name, None)
    return json.dumps(plain, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=_canonical).encode()


def _canonical(value: Any) -> str:
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else f"{value.normalize():f}"
