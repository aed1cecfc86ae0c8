"""Who asks the graph in tests of access, and where each record belongs."""

from typing import Any

from hub.mirror.tables import TABLES
from schema.context import Caller
from schema.declare import ENTITIES, BelongsTo, Declared, FirstOf, SeenWith
from schema.row_limits import RowLimits
from tests.unit.graph.records import made

HOME, ELSEWHERE = "330782", "110000"
D1_ONLY = RowLimits(frozenset({"D1"}))
ROLES = {
    "nobody": Caller(None, frozenset()),
    "reader": Caller("reader", frozenset({"graph:read"})),
    "personal": Caller("personal", frozenset({"graph:read", "graph:pii"})),
    "looks": Caller("looks", frozenset({"ops:read"})),
    "operator": Caller("operator", frozenset({"graph:read", "ops:read", "ops:act"})),
    "department": Caller("department", frozenset({"graph:read", "graph:pii", "ops:read", "ops:act", "platform:P1"}), D1_ONLY),
    "region": Caller("region", frozenset({"graph:read"}), RowLimits(None, frozenset({HOME}))),
    "away": Caller("away", frozenset({"graph:read"}), RowLimits(None, frozenset({ELSEWHERE}), at_home=False)),
    "vendor": Caller("vendor", frozenset({"platform:P1"})),
}


def may_read(role: str, entity: Declared) -> bool:
    """Say it once more, by hand: this is what the matrix is held against."""
    if entity.scope == "graph:read":
        return role in {"reader", "personal", "operator", "department", "region", "away"}
    return role in {"looks", "operator"} or (role == "vendor" and entity.of_platforms)


def sees(role: str, entity: Declared, *, mine: bool) -> bool:
    """Return whether a role sees a record that is placed here (`mine`) or elsewhere, by its declaration, said once more by hand."""
    if not may_read(role, entity) or role in {"reader", "personal", "operator", "looks"}:
        return may_read(role, entity)
    seen = entity.seen
    while isinstance(seen, SeenWith):
        entity = ENTITIES[seen.entity]
        seen = entity.seen
    if seen is None:
        return False
    if not isinstance(seen, BelongsTo):
        return True  # shared
    return {
        "department": mine and seen.department is not None,
        "region": mine or seen.region is None,
        "away": not mine and seen.region is not None,
        "vendor": mine,
    }[role]


def placed(entity: Declared, name: str, links: dict[str, Any], *, mine: bool) -> list[Any]:
    """Return a record of department, region and platform here or elsewhere, and what it is seen with."""
    links = {(mark.columns[0] if (mark := entity.fields[each].marks.get(FirstOf)) else each): it for each, it in links.items()}
    values: dict[str, Any] = {entity.key: name}
    more: list[Any] = []
    if isinstance(entity.seen, BelongsTo):
        here = ("D1", HOME, "P1") if mine else ("D2", ELSEWHERE, "P2")
        for column, value in zip(entity.seen[:3], here, strict=True):
            if column is not None:
                values[column] = (value, "D3") if entity.fields[column].many else value
    if isinstance(entity.seen, SeenWith):
        value = links.get(entity.seen.ours, name if entity.seen.ours == entity.key else f"{name}/whole")
        values[entity.seen.ours] = value
        whole = ENTITIES[entity.seen.entity]
        more = placed(whole, value if entity.seen.theirs == whole.key else f"{name}/whole", {entity.seen.theirs: value}, mine=mine)
    return [made(entity.record, **values | links), *more]  # type: ignore[type-var]


def everything() -> list[Any]:
    """Return one record of each entity, every text of it `K`, so that every edge leads to something."""
    found = []
    for name in TABLES:
        entity = ENTITIES[name]
        texts = {each.name: "K" for each in entity.fields.values() if each.kind is str and not each.many}
        found.append(made(entity.record, **texts))  # type: ignore[type-var]
    return found
