"""From a row of the graph's statements to a record. Columns that the graph never shows are not read, nor decrypted."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from hub.graph.sql import shown
from hub.mirror.rows import Rows
from schema.declare import Declared


def shaper(rows: Rows, entity: Declared) -> Callable[[Sequence[Any]], Any]:
    """Return a function from a row, its `shown` columns first, to a record whose hidden columns are None."""
    names = shown(entity)
    hidden = dict.fromkeys(name for name in entity.fields if name not in names)
    reads = [(name, partial(rows.read, entity.name, name)) for name in names]

    def shape(row: Sequence[Any]) -> Any:
        values = {name: read(kept) for (name, read), kept in zip(reads, row, strict=False)}
        return entity.record(**values, **hidden)

    return shape
