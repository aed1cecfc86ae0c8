"""What a caller's limits are to a statement: how many codes there are stands in its text, the codes are its values.

A statement is made for a caller whose codes are the names of its values, so that nothing else of a real caller can get into it, and
that all who are limited in the same way share it.
"""

from collections.abc import Collection, Iterator
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import Text, bindparam

from schema.context import PLATFORM, Caller
from schema.declare import ENTITIES
from schema.row_limits import RowLimits

SCOPES = frozenset(entity.scope for entity in ENTITIES.values())
CALLERS = 1_000
"""Callers whose sight is remembered."""


class Sight(NamedTuple):
    """A caller as statements know it."""

    shape: Caller
    """What a text depends on."""
    codes: dict[str, str]
    """The values, by the names that stand in the shape."""


EVERY_ROW = Sight(Caller(None, SCOPES), {})
"""Of who is not limited in anything that is read."""


@lru_cache(CALLERS)
def sight_of(caller: Caller) -> Sight:
    """Return what a caller sees."""
    codes: dict[str, str] = {}
    limits = caller.rows
    rows = RowLimits(
        None if limits.departments is None else _named("department", limits.departments, codes),
        None if limits.regions is None else _named("region", limits.regions, codes),
        limits.at_home,
    )
    platforms = {f"{PLATFORM}{name}" for name in _named("platform", caller.platforms, codes)}
    return Sight(Caller(None, caller.scopes & SCOPES | platforms, rows), codes)


def _named(kind: str, allowed: Collection[str], codes: dict[str, str]) -> frozenset[str]:
    """Return names for codes, whose values are noted. There are 1, 2, 4, 8 ... of them: the last code stands there again."""
    found = {f"{kind}_{at}": code for at, code in enumerate(_filled_up(sorted(allowed)))}
    codes |= found
    return frozenset(found)


def _filled_up(codes: list[str]) -> Iterator[str]:
    yield from codes
    if codes:
        yield from codes[-1:] * ((1 << (len(codes) - 1).bit_length()) - len(codes))


def open_code(name: str) -> Any:
    """Return what stands in a statement for a code of a shape."""
    return bindparam(name, type_=Text())
