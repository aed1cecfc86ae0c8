"""unknown-officer-department: an officer of a department that no list names is for ops, once a department; the check counts."""

from dataclasses import replace
from datetime import timedelta

import pytest

from hub.domain.policy_values import Department as PolicyDepartment
from hub.reconcile.rule import Rulebook
from hub.reconcile.rules.unknown_officer_department import UnknownOfficerDepartment
from schema.entities import TaskStatus, TaskType, VerificationTask
from schema.entity import Observation
from tests.builders import approval, credit_record, department, observed, task, task_result
from tests.settable_clock import START
from tests.unit.reconcile.city import BOOK, POLICY, TASK_ID, City, bad, check, observation, stranger, was_read

KIND = "unknown-officer-department"


def strangers_task(*departments: str, **fields: object) -> VerificationTask:
    """A check of the platform's own, by an officer of each of these departments."""
    officers = tuple(stranger(each, id=f"ZF-{each}-01") for each in departments or ("XX",))
    mine = {"type": TaskType.SPECIAL, "external_no": None, "origin_platform": None, "origin_ref": None, "officers": officers}
    return task(**mine | fields)


async def list_read(city: City, seconds: float = 1) -> None:
    """Let the departments have been read to their end so long after START."""
    await city.database.write(was_read, city.rows, "enforcement", "departments", START + timedelta(seconds=seconds))


async def told(city: City) -> list[str]:
    """Return the departments that ops was told of."""
    return [item.cause for item in await city.ops() if item.kind == KIND]


async def test_ops_is_told_once_with_officer_task_department_and_the_way_out(city: City) -> None:
    await list_read(city)
    await city.say(observed(strangers_task()))
    await city.say(observed(strangers_task(version=2)), observed(strangers_task(task_id="T-OTHER")))
    await city.sweep.everything()
    (item,) = await city.ops()
    assert (item.kind, item.cause) == (KIND, "XX")
    for word in ("ZF-XX-01", TASK_ID, "'XX'", "departments.csv", "enforcement platform"):
        assert word in item.message
    assert await city.lines() == {}


async def test_the_check_counts_all_the_same(city: City) -> None:
    await list_read(city)
    found = strangers_task(status=TaskStatus.DONE)
    await city.say(observation(check(found, task_result(), findings=[bad()])))
    assert await city.lines() == {"breach-record:F0001": "DUE"}
    assert await told(city) == ["XX"]


async def test_two_unknown_departments_of_one_task_are_two_items(city: City) -> None:
    await list_read(city)
    await city.say(observed(strangers_task("XX", "WH", "YY")))
    assert sorted(await told(city)) == ["XX", "YY"]


@pytest.mark.parametrize("read_at", [None, -1, 0])
async def test_nothing_is_said_before_the_platforms_list_was_read_since(city: City, read_at: float | None) -> None:
    if read_at is not None:
        await list_read(city, read_at)
    await city.say(observed(strangers_task()))
    swept = await city.sweep.everything()
    assert (await told(city), swept.causes[KIND]) == ([], 0)
    await list_read(city, 5)
    await city.sweep.everything()
    assert await told(city) == ["XX"]


async def test_a_department_that_the_platform_publishes_meanwhile_is_no_news(city: City) -> None:
    await city.say(observed(strangers_task()))
    await city.say(observed(department(code="XX", name="新设部门")))
    await list_read(city)
    await city.say(observed(strangers_task(version=2)))
    await city.sweep.everything()
    assert await told(city) == []


async def test_a_department_that_policy_names_is_known_though_the_mirror_does_not_hold_it(city: City) -> None:
    named = (*POLICY.departments, PolicyDepartment("XX", "新设部门", "新设", "XX"))
    city.derivation.book = Rulebook(replace(POLICY, departments=named), BOOK.region)
    await list_read(city)
    await city.say(observed(strangers_task()))
    swept = await city.sweep.everything()
    assert (await told(city), swept.causes[KIND]) == ([], 0)


async def test_the_sweep_asks_about_nothing_that_ops_was_told_of(city: City) -> None:
    await list_read(city)
    await city.keep_silent(observed(strangers_task("XX", "YY")), observed(strangers_task("XX", task_id="T-OTHER")))
    assert (await city.sweep.everything()).causes[KIND] == 2
    assert (await city.sweep.everything()).causes[KIND] == 0
    assert sorted(await told(city)) == ["XX", "YY"]


@pytest.mark.parametrize(
    ("said", "causes"),
    [
        (observed(strangers_task()), [TASK_ID]),
        (observed(task(officers=())), []),
        (observed(approval()), []),
        (observed(credit_record()), []),
    ],
)
def test_tasks_with_officers_are_what_it_listens_to(said: Observation, causes: list[str]) -> None:
    assert list(UnknownOfficerDepartment().causes(said)) == causes
