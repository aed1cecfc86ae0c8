"""Takes changed records off the list and brings what they contribute up to date. Called by hub/reconcile/tally.py.

Who counts is alone (cells.alone); who changes records never waits for that. What changes while we count is on the list again.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

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
        links = _bring_entity(connection, entity, keys)
        dependents.update(SOURCES[entity].dependents(connection, keys, links))
    for entity, keys in _by_entity(each for each in dependents if each.key not in wanted.get(each.entity, ())).items():
        _bring_entity(connection, entity, keys)


def bring_alone(connection: Connection, entity: str, keys: Sequence[str]) -> None:
    """Be alone, and bring the facts of these records up to date, and of no others."""
    cells.alone(connection)
    _bring_entity(connection, entity, keys)


def concerned(connection: Connection, target: Target) -> list[Target]:
    """Return a record and those whose facts depend on it."""
    links = compare(connection, target.entity, [target.key]).links
    return [target, *sorted(set(SOURCES[target.entity].dependents(connection, [target.key], links)) - {target})]


def _by_entity(targets: Iterable[Target]) -> Mapping[str, list[str]]:
    groups: dict[str, set[str]] = defaultdict(set)
    for target in targets:
        groups[target.entity].add(target.key)
    return {entity: sorted(groups[entity]) for entity in sorted(groups)}


class Compared(NamedTuple):
    """What records of one entity contribute by the mirror, what is kept of that, and of which records the two differ."""

    said: Facts
    held: Facts
    differing: list[str]

    @property
    def links(self) -> set[str]:
        """Return the links that the facts have and had."""
        return {fact.link for facts in (*self.said.values(), *self.held.values()) for fact in facts if fact.link}


def compare(connection: Connection, entity: str, keys: Sequence[str]) -> Compared:
    """Compare what is kept of records with the mirror; changes nothing."""
    graded = _graded(connection, SOURCES[entity].facts(connection, keys))
    said, held = {key: sorted(facts) for key, facts in graded.items()}, _held(connection, entity, keys)
    return Compared(said, held, [key for key in keys if said.get(key, []) != held.get(key, [])])


def _bring_entity(connection: Connection, entity: str, keys: Sequence[str]) -> set[str]:
    """Bring the facts of records of one entity up to date; return the links that these have and had."""
    compared = compare(connection, entity, keys)
    if compared.differing:
        said, held = ({key: facts.get(key, []) for key in compared.differing} for facts in (compared.said, compared.held))
        _replace(connection, entity, said)
        gone = (change for facts in held.values() for change in cells.changes(facts, -1))
        come = (change for facts in said.values() for change in cells.changes(facts, +1))
        cells.add(connection, [*gone, *come])
    return compared.links


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
