"""Who asks in generated operations: operators and readers, and whoever is limited to departments, regions or platforms."""

from collections.abc import Callable, Iterable
from random import Random

from schema.context import PLATFORM, Caller
from schema.declare import BelongsTo, Declared, declared
from schema.entity import Entity
from schema.graph_errors import GraphError
from schema.row_limits import RowLimits
from tests.unit.graph.city import OPERATOR, READER


def _codes(random: Random, records: Iterable[Entity], which: int) -> frozenset[str]:
    """Return some of the departments (0), regions (1) or platforms (2) that records belong to, and one that nothing belongs to."""
    found = {""}
    for record in records:
        seen = declared(type(record)).seen
        if isinstance(seen, BelongsTo) and (column := seen[which]) is not None:
            value = getattr(record, column)
            found |= set(value) if isinstance(value, tuple) else {value or ""}
    return frozenset(random.sample(sorted(found), random.randrange(len(found) + 1))) | {"nothing%"}


def _limited(random: Random, records: list[Entity], kind: str) -> Caller:
    departments = _codes(random, records, 0) if "departments" in kind else None
    regions = _codes(random, records, 1) if "regions" in kind else None
    return Caller(kind, READER, RowLimits(departments, regions, random.random() < 0.7))


def _vendor(random: Random, records: list[Entity], scopes: frozenset[str]) -> Caller:
    return Caller("vendor", scopes | {PLATFORM + code for code in _codes(random, records, 2)})


KINDS: dict[str, tuple[int, Callable[[Random, list[Entity]], Caller]]] = {
    "operator": (10, lambda *_: Caller("console", OPERATOR)),
    "reader": (2, lambda *_: Caller("front", READER)),
    "nobody": (1, lambda *_: Caller(None, frozenset())),
    "departments": (6, lambda random, records: _limited(random, records, "departments")),
    "regions": (4, lambda random, records: _limited(random, records, "regions")),
    "both": (2, lambda random, records: _limited(random, records, "departments and regions")),
    "nothing": (1, lambda *_: Caller("nothing", READER, RowLimits(frozenset()))),
    "no operator": (1, lambda *_: Caller("both", OPERATOR, RowLimits(frozenset({"w1"})))),
    "vendor": (2, lambda random, records: _vendor(random, records, frozenset())),
    "reading vendor": (3, lambda random, records: _vendor(random, records, READER)),
}
"""How often each kind asks, and how one is made up."""


def may_read(caller: Caller, entity: Declared) -> bool:
    """Return whether a caller may read some of an entity's rows."""
    try:
        caller.require_read(entity)
    except GraphError:
        return False
    return True


def everybody(random: Random, records: list[Entity]) -> list[tuple[str, Caller]]:
    """Return callers of all kinds in any order, each with its kind."""
    found = [(kind, make(random, records)) for kind, (often, make) in KINDS.items() for _ in range(often)]
    random.shuffle(found)
    return found
