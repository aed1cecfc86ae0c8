"""Limits of rows bind subscriptions as they bind queries: `is_told` says what hub/mirror/visibility.py says in SQL."""

from typing import Any

import pytest

from schema.declare import ENTITIES, BelongsTo, Declared
from schema.entities import Repair, SelfReport, VerificationTask
from schema.entity import Entity, Mirrored
from schema.subscribers import is_told
from tests.unit.graph.city import City
from tests.unit.graph.records import made
from tests.unit.graph.roles import ROLES, may_read, placed, sees

TOLD = sorted(name for name, one in ENTITIES.items() if issubclass(one.record, Mirrored) or name == "Obligation")
LIMITED = ("department", "region", "away")


async def told(city: City, role: str, entity: Declared, record: Entity | None) -> bool:
    return await is_told(city.context(ROLES[role]), entity, record)


@pytest.mark.parametrize("role", [*LIMITED, "reader", "operator"])
async def test_a_change_is_told_to_whoever_sees_the_row_and_to_nobody_else(city: City, role: str) -> None:
    records = {(name, mine): placed(ENTITIES[name], f"{name}-{mine}", {}, mine=mine) for name in TOLD for mine in (True, False)}
    wholes = {(type(one), each): one for _, *more in records.values() for one in more for each in [_key(one)]}
    await city.put(*wholes.values())
    answers = set[bool]()
    for (name, mine), (record, *_) in records.items():
        entity = ENTITIES[name]
        if may_read(role, entity):
            seen = await told(city, role, entity, record)
            assert (name, mine, seen) == (name, mine, sees(role, entity, mine=mine))
            answers.add(seen)
    assert answers == ({True, False} if role in LIMITED else {True})


def _key(record: Any) -> Any:
    return getattr(record, ENTITIES[type(record).__name__].key)


async def test_what_is_seen_with_a_record_that_is_not_here_is_told_to_nobody_who_is_limited(city: City) -> None:
    for record in (made(Repair, repair_id="R", record_id="gone"), made(SelfReport, report_no="S", repairs_biz_no=None)):
        entity = ENTITIES[type(record).__name__]
        assert not await told(city, "department", entity, record)
        assert await told(city, "reader", entity, record)


@pytest.mark.parametrize("role", LIMITED)
async def test_what_can_no_longer_be_read_is_told_to_nobody_who_is_limited(city: City, role: str) -> None:
    for name, entity in ENTITIES.items():
        if name in TOLD and may_read(role, entity) and isinstance(entity.seen, BelongsTo):
            assert not await told(city, role, entity, None)


async def test_who_takes_part_in_a_task_is_told_of_it(city: City) -> None:
    entity = ENTITIES["VerificationTask"]
    for participants, expected in ((("D3", "D1"), True), (("D3",), False), ((), False)):
        task = made(VerificationTask, department_code="D2", participants=participants)
        assert await told(city, "department", entity, task) is expected
