"""What a root field reads, said beside its resolver, so that others than the resolver can read it: hub/graph/compiled does.

A field that says nothing here is a method that decides by itself.
"""

from collections.abc import Callable
from dataclasses import dataclass

from schema.declare import Declared
from schema.slices import Slice

READS = "reads"
"""Under this name a field's metadata say what it reads."""


@dataclass(frozen=True)
class ReadsOne:
    """The record with this key, or null; `argument` is the key's name in Python, `canonical` makes it what is looked up."""

    entity: Declared
    argument: str = "key"
    canonical: Callable[[str], str] = str


@dataclass(frozen=True)
class ReadsMany:
    """A list over the whole entity. `wanted` makes the slice of now, the field's name and its arguments; None: the usual one."""

    entity: Declared
    wanted: Callable[..., Slice] | None = None


@dataclass(frozen=True)
class ReadsNode:
    """The record that a global id names, of whichever entity."""

    argument: str = "id_"


Reading = ReadsOne | ReadsMany | ReadsNode
