"""Requests for joint inspections: checked, kept once by their number, owed in the same transaction."""

import asyncio
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, func, select

from hub.campaign_requests import CampaignRequests
from hub.domain.policy import Policy
from hub.intake.apply import Applier
from hub.mirror import inbox, ledger, records
from hub.mirror.database import Database
from hub.mirror.records import upsert
from hub.mirror.rows import Rows
from hub.mirror.tables import CHANGE
from hub.reconcile.derive import Derivation
from hub.reconcile.rule import Rulebook
from hub.reconcile.rules import RULES
from schema.entities import CampaignRequest, Obligation, ObligationState
from schema.operations import Outcome
from schema.request_inputs import RequestCampaignInput
from schema.user_errors import (
    InThePast,
    NoDepartment,
    OutOfRange,
    RequestConflict,
    UnknownDepartment,
    UnknownGrade,
    UnusableText,
    UserError,
)
from tests.builders import DAY, department, observed
from tests.settable_clock import START, SettableClock
from tests.unit.reconcile.city import POLICY

NUMBER = "SSJ-2019-0001"
DONE = Outcome((NUMBER, f"campaign:{NUMBER}"))


def wanted(**fields: Any) -> RequestCampaignInput:
    plain = {
        "request_no": NUMBER,
        "title": "锅炉专项双随机联合检查",
        "departments": ["HB", "ZJ"],
        "industry": "锅炉使用单位",
        "town": None,
        "grades": ["D", "C"],
        "subjects": 10,
        "officers_per_task": 2,
        "due_at": START + 10 * DAY,
    }
    return RequestCampaignInput(**plain | fields)


@dataclass
class Desk:
    """The desk that front ends ask, with the rules behind it."""

    database: Database
    rows: Rows
    clock: SettableClock
    policy: Policy = POLICY
    woken: list[None] = field(default_factory=list)

    def __post_init__(self) -> None:
        derivation = Derivation(self.rows, RULES, Rulebook(self.policy, "330782"))
        applier = Applier(self.database, self.rows, {}, derivation, clock=self.clock, after=lambda: None)
        self.requests = CampaignRequests(
            self.database, self.rows, applier.write, lambda: self.policy, self.clock, after=lambda: self.woken.append(None)
        )

    async def ask(self, by: str = "desk", **fields: Any) -> Outcome:
        return await self.requests.request(wanted(**fields), by)

    async def refusal(self, **fields: Any) -> UserError:
        outcome = await self.ask(**fields)
        (error,) = outcome.refused
        assert (outcome.done, await self.kept(), await self.owed()) == ((), None, None)
        return error

    async def kept(self) -> CampaignRequest | None:
        found = (await self.database.read(records.get, self.rows, CampaignRequest, [NUMBER])).get(NUMBER)
        assert found is None or isinstance(found, CampaignRequest)
        return found

    async def owed(self) -> Obligation | None:
        key = f"campaign:{NUMBER}"
        return (await self.database.read(ledger.by_keys, self.rows, [key])).get(key)


@pytest.fixture
def desk(database: Database, rows: Rows, clock: SettableClock) -> Desk:
    return Desk(database, rows, clock)


async def test_a_request_is_kept_and_its_campaign_is_owed(desk: Desk) -> None:
    assert await desk.ask(title=" 锅炉专项双随机联合检查 ", departments=["HB", "ZJ", "HB"], town=" ") == DONE
    kept, owed = await desk.kept(), await desk.owed()
    assert kept is not None
    assert owed is not None
    assert (kept.source, kept.version, kept.requested_by, kept.requested_at) == ("hub", 1, "desk", START)
    assert (kept.title, kept.departments, kept.town, kept.grades) == ("锅炉专项双随机联合检查", ("HB", "ZJ"), None, ("C", "D"))
    assert (owed.state, owed.number, owed.cause) == (ObligationState.DUE, kept.external_no, NUMBER)
    assert desk.woken == [None]


async def test_the_same_request_again_is_the_same_answer_whoever_asks_and_whenever(desk: Desk) -> None:
    await desk.ask()
    desk.clock.advance(100 * DAY.total_seconds())  # by now dueAt is over
    desk.policy = replace(POLICY, departments=())
    assert await desk.ask(by="another desk", grades=["C", "D"]) == DONE
    kept = await desk.kept()
    assert kept is not None
    assert (kept.requested_by, kept.requested_at) == ("desk", START)
    assert await desk.database.read(count_changes) == 1
    assert await desk.database.read(inbox.open_quarantine) == {}


def count_changes(connection: Connection) -> int:
    return connection.execute(select(func.count()).where(CHANGE.c.entity == "CampaignRequest")).scalar_one()


async def test_two_who_ask_at_once_make_one_request(desk: Desk) -> None:
    outcomes = await asyncio.gather(*(desk.ask(by=f"desk {number}") for number in range(5)))
    assert outcomes == [DONE] * 5
    assert await desk.database.read(count_changes) == 1
    assert await desk.database.read(inbox.open_quarantine) == {}


@pytest.mark.parametrize(
    ("fields", "differs"),
    [
        ({"title": "别的"}, ["title"]),
        ({"departments": ["ZJ", "HB"]}, ["departments"]),
        ({"subjects": 11, "officers_per_task": 3}, ["subjects", "officersPerTask"]),
        ({"due_at": START + 11 * DAY, "industry": None, "town": "佛堂镇"}, ["industry", "town", "dueAt"]),
        ({"grades": []}, ["grades"]),
    ],
)
async def test_another_content_under_the_same_number_is_refused_by_name(
    desk: Desk, fields: dict[str, Any], differs: list[str]
) -> None:
    await desk.ask()
    before = await desk.kept()
    (error,) = (await desk.ask(**fields)).refused
    assert isinstance(error, RequestConflict)
    assert (error.number, error.differs, error.path) == (NUMBER, differs, ["requestNo"])
    assert await desk.kept() == before
    assert desk.woken == [None]


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"title": " \n"}, "title"),
        ({"title": "长" * 201}, "title"),
        ({"title": "a\x00b"}, "title"),
        ({"request_no": ""}, "requestNo"),
        ({"request_no": "9" * 65}, "requestNo"),
        ({"industry": "长" * 201}, "industry"),
        ({"town": "\x00"}, "town"),
    ],
)
async def test_texts_that_nobody_could_keep_are_refused(desk: Desk, fields: dict[str, Any], path: str) -> None:
    error = await desk.refusal(**fields)
    assert isinstance(error, UnusableText)
    assert (error.path, error.message.startswith(path)) == ([path], True)


async def test_a_request_without_a_department_is_refused(desk: Desk) -> None:
    assert isinstance(await desk.refusal(departments=[]), NoDepartment)


async def test_a_department_that_nobody_knows_is_refused_with_those_there_are(desk: Desk) -> None:
    error = await desk.refusal(departments=["HB", "XX"])
    assert isinstance(error, UnknownDepartment)
    assert (error.department, error.path, "departments.csv" in error.message) == ("XX", ["departments", "1"], True)


async def test_a_department_that_policy_has_ended_is_refused(desk: Desk) -> None:
    ended = replace(next(one for one in POLICY.departments if one.code == "HB"), valid_until=date(2019, 9, 1))
    desk.policy = replace(POLICY, departments=(ended, *(one for one in POLICY.departments if one.code != "HB")))
    assert isinstance(await desk.refusal(), UnknownDepartment)


async def test_a_department_that_only_the_platform_publishes_is_taken(desk: Desk) -> None:
    await desk.database.write(upsert, desk.rows, [observed(department(code="XX", source="enforcement"))])
    assert await desk.ask(departments=["XX"]) == DONE


async def test_a_grade_that_there_is_not_is_refused(desk: Desk) -> None:
    error = await desk.refusal(grades=["C", "F"])
    assert isinstance(error, UnknownGrade)
    assert (error.grade, error.known) == ("F", ["A", "B", "C", "D", "E"])


@pytest.mark.parametrize(
    ("fields", "path", "most"),
    [
        ({"subjects": 0}, "subjects", 1000),
        ({"subjects": 1001}, "subjects", 1000),
        ({"officers_per_task": 0}, "officersPerTask", 20),
        ({"officers_per_task": 21}, "officersPerTask", 20),
    ],
)
async def test_numbers_out_of_range_are_refused_with_the_range(desk: Desk, fields: dict[str, Any], path: str, most: int) -> None:
    error = await desk.refusal(**fields)
    assert isinstance(error, OutOfRange)
    assert (error.path, error.least, error.most) == ([path], 1, most)


@pytest.mark.parametrize("late", [timedelta(0), timedelta(days=1)])
async def test_a_time_that_is_over_is_refused(desk: Desk, late: timedelta) -> None:
    assert isinstance(await desk.refusal(due_at=START - late), InThePast)


async def test_all_that_is_wrong_is_said_at_once(desk: Desk) -> None:
    outcome = await desk.ask(departments=["XX", "YY"], subjects=0, due_at=START)
    assert [type(error) for error in outcome.refused] == [UnknownDepartment, UnknownDepartment, OutOfRange, InThePast]
