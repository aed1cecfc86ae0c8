"""The loop as one answer: the same from each of its records, in order, with what led to what and what is owed."""

import dataclasses
from datetime import datetime
from typing import Any

import pytest

from hub.graph.loops.loop import loop_of
from schema.entities import Obligation
from schema.entity import Entity, key_of
from schema.loop import Loop, LoopStep
from schema.step_kinds import StepKind as K
from tests.builders import DAY, approval, task
from tests.settable_clock import START
from tests.unit.graph.chains import CASES, beside
from tests.unit.graph.city import City

NOW = START + 5 * DAY


async def loop(city: City, record: Entity, now: datetime = NOW, **limits: int) -> Loop:
    found = await city.database.read(loop_of, city.rows, type(record).__name__, key_of(record), now, **limits)
    assert found is not None
    return found


def kinds(found: Loop) -> list[K]:
    return [step.kind for step in found.steps]


def step(found: Loop, kind: K, key: str | None = None) -> LoopStep:
    (one,) = [each for each in found.steps if each.kind is kind and key in {None, each.key}]
    return one


def causes(found: Loop, kind: K, key: str | None = None) -> list[str]:
    """Return the kinds of the steps that led to the one of this kind."""
    named = {each.id: each.kind.name for each in found.steps}
    return [named[cause] for cause in step(found, kind, key).causes]


def plain(found: Loop) -> Any:
    """Return a loop as what can be compared."""
    return dataclasses.replace(found, trigger=key_of(found.trigger) if found.trigger else None)  # type: ignore[arg-type,type-var]


@pytest.mark.parametrize("case", CASES)
async def test_from_each_of_its_records_the_same_loop_comes_out(each_city: City, case: str) -> None:
    records = CASES[case]()
    await each_city.put(*records, *beside(records))
    first = await loop(each_city, records[0])
    for record in records:
        assert plain(await loop(each_city, record)) == plain(first), record
    shown = {f"{type(record).__name__}/{key_of(record)}" for record in records if not isinstance(record, Obligation)}
    told = {f"{type(each.record).__name__}/{key_of(each.record)}" for each in first.steps if each.record}  # type: ignore[type-var]
    assert shown <= told
    assert not {each.id for each in first.steps if "OTHER" in each.id}
    discharged = {each.obligation.key for each in first.steps if each.obligation}
    assert discharged == {record.key for record in records if isinstance(record, Obligation)}


async def test_a_commitment_that_was_not_kept_is_told_from_end_to_end(city: City) -> None:
    await city.put(*CASES["commitment"]())
    found = await loop(city, task())
    assert kinds(found) == [
        K.APPROVAL_ACCEPTED,
        K.APPROVAL_GRANTED,
        K.TASK_CREATED,
        K.CHECKED,
        K.FINDING,
        K.RECTIFICATION_ORDERED,
        K.TASK_CREATED,
        K.RESULT_WRITTEN_BACK,
        K.RECORD_CREATED,
        K.BLACKLISTED,
        K.WATCHED,
        K.SCORE_LISTED,
        K.SMS_SENT,
        K.SMS_DELIVERED,
        K.SELF_REPORTED,
        K.SELF_REPORT_APPROVED,
        K.REPAIRED,
        K.CHECKED,
        K.TASK_CREATED,
        K.CHECKED,
        K.CASE_FILED,
        K.REPORT_TAKEN,
    ] or kinds(found)
    assert (found.complete, found.owed, found.awaited, found.overdue, found.truncated) == (True, 0, 0, 0, False)
    assert found.trigger == approval()
