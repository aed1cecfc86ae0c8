"""Takes changed records off the list and brings what they contribute up to date. Called by hub/reconcile/tally.py.

Who counts is alone (cells.alone); who changes records never waits for that. What changes while we count is on the list again.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Select, delete, select

from hub.mirror.statistics import cells, due
from hub.mirror.statistics.due import Target
from hub.mirror.statistics.fact import CHUNK, Fact, Facts
from hub.mirror.statistics.sources import SOURCES
from hub.mirror.statistics.watched import Standing, standings
from hub.mirror.tables import STATISTIC_FACT

FACT = STATISTIC_FACT.c


def count_due(connection: Connection, limit: int) -> int:
    """Count the records that wait, at most so many entries; return how many entries were taken off the list."""
    cells.alone(connection)
    ids, targets = due.waiting(connection, limit)
    bring(connection, targets)
    due.take_off(connection, ids)
    return len(ids)


def bring(connection: Connection, targets: Iterable[Target]) -> None:
    """Bring the facts of records, and of those that depend on them, up to date.

    The caller is `alone`. One step of dependence is enough: what a fact says of another record, it reads from that record
    and not from its facts.
    """
    wanted = _by_entity(targets)
    dependents = set[Target]()
    for entity, keys in wanted.items():
        _, links = _bring_entity(connection, entity, keys)
        dependents.update(SOURCES[entity].dependents(connection, keys, links))
    for entity, keys in _by_entity(each for each in dependents if each.key not in wanted.get(each.entity, ())).items():
        _bring_entity(connection, entity, keys)


def bring_alone(connection: Connection, entity: str, keys: Sequence[str]) -> int:
    """Bring the facts of these records up to date, and of no others; return of how many they differed. The caller is `alone`."""
    return _bring_entity(connection, entity, keys)[0]


def bring_one(connection: Connection, target: Target) -> int:
    """Be alone, and bring the facts of one record up to date; for what failed together with others."""
    cells.alone(connection)
    return bring_alone(connection, target.entity, [target.key])


def concerned(connection: Connection, target: Target) -> list[Target]:
    """Return a record and those whose facts depend on it."""
    source = SOURCES[target.entity]
    kept = (*source.facts(connection, [target.key]).values(), *_held(connection, target.entity, [target.key]).values())
    links = {fact.link for facts in kept for fact in facts if fact.link}
    return [target, *sorted(set(source.dependents(connection, [target.key], links)) - {target})]


def _by_entity(targets: Iterable[Target]) -> Mapping[str, list[str]]:
    groups: dict[str, set[str]] = defaultdict(set)
    for target in targets:
        groups[target.entity].add(target.key)
    return {entity: sorted(groups[entity]) for entity in sorted(groups)}


def _bring_entity(connection: Connection, entity: str, keys: Sequence[str]) -> tuple[int, set[str]]:
    """Return how many records of one entity differed, and the links that their facts have and had."""
    said = _graded(connection, SOURCES[entity].facts(connection, keys))
    held = _held(connection, entity, keys)
    links = {fact.link for facts in (*said.values(), *held.values()) for fact in facts if fact.link}
    differing = [key for key in keys if sorted(said.get(key, ())) != held.get(key, [])]
    if differing:
        _replace(connection, entity, {key: sorted(said.get(key, ())) for key in differing})
        gone = (change for key in differing for change in cells.changes(held.get(key, ()), -1))
        come = (change for key in differing for change in cells.changes(said.get(key, ()), +1))
        cells.add(connection, [*gone, *come])
    return len(differing), links


def _graded(connection: Connection, said: Facts) -> Facts:
    """Return facts with the present standing of their subjects."""
    known = standings(connection, (fact.subject for facts in said.values() for fact in facts))
    if not known:
        return said
    nobody = Standing()
    return {key: [fact._replace(**known.get(fact.subject, nobody)._asdict()) for fact in facts] for key, facts in said.items()}


def _held(connection: Connection, entity: str, keys: Sequence[str]) -> Facts:
    """Return the facts that are kept of records, sorted."""
    found: Facts = defaultdict(list)
    for start in range(0, len(keys), CHUNK):
        for key, *values in connection.execute(kept_facts(entity).where(FACT.key.in_(keys[start : start + CHUNK]))):
            fact = Fact(*values)
            found[key].append(fact._replace(watched=bool(fact.watched)))
    return {key: sorted(facts) for key, facts in found.items()}


def kept_facts(entity: str) -> Select[Any]:
    """Return the statement for the key and the columns of Fact of an entity's facts."""
    return select(FACT.key, *(FACT[name] for name in Fact._fields)).where(FACT.entity == entity)


def _replace(connection: Connection, entity: str, facts: Mapping[str, Sequence[Fact]]) -> None:
    keys = list(facts)
    for start in range(0, len(keys), CHUNK):
        here = (FACT.entity == entity) & FACT.key.in_(keys[start : start + CHUNK])
        connection.execute(delete(STATISTIC_FACT).where(here))
    values = [
        {"entity": entity, "key": key, "place": place, **fact._asdict()}
        for key, group in facts.items()
        for place, fact in enumerate(group)
    ]
    for start in range(0, len(values), cells.WRITTEN_AT_ONCE):
        connection.execute(STATISTIC_FACT.insert(), values[start : start + cells.WRITTEN_AT_ONCE])
