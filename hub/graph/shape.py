"""From a row of the graph's statements to a record. Columns that the graph never shows are not read, nor decrypted."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NoReturn

from hub.graph.sql import shown
from hub.mirror.rows import Rows
from schema.declare import Declared


class Unreadable:
    """Stands in a record for a value that could not be read back: an error for whoever asks for it, and for nobody else."""

    __slots__ = ("error",)

    def __init__(self, error: Exception) -> None:
        self.error = error

    def _raise(self, *_: object) -> NoReturn:
        raise self.error

    __eq__ = __hash__ = __lt__ = __le__ = __gt__ = __ge__ = __bool__ = __str__ = __iter__ = _raise


def field_of(root: Any, name: str) -> Any:
    """Return what a field of the graph shows where it has no resolver of its own; raise what kept it from being read."""
    value = getattr(root, name)
    if type(value) is Unreadable:
        raise value.error
    return value


def shaper(rows: Rows, entity: Declared) -> Callable[[Sequence[Any]], Any]:
    """Return a function from a row, its `shown` columns first, to a record whose hidden columns are None."""
    names = shown(entity)
    hidden = dict.fromkeys(name for name in entity.fields if name not in names)
    reads = [(name, partial(rows.read, entity.name, name)) for name in names]

    def shape(row: Sequence[Any]) -> Any:
        try:
            values = {name: read(kept) for (name, read), kept in zip(reads, row, strict=False)}
        except Exception:
            values = {name: _read(read, kept) for (name, read), kept in zip(reads, row, strict=False)}
        return entity.record(**values, **hidden)

    return shape


def _read(read: Callable[[Any], Any], kept: Any) -> Any:
    try:
        return read(kept)
    except Exception as error:
        return Unreadable(error)
