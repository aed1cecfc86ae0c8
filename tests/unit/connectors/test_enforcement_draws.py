"""Campaigns that the platform's own people have drawn come with the tasks that name them, each once."""

from datetime import timedelta
from typing import Any

import httpx
import msgspec
import pytest

from connectors import enforcement_draws
from connectors.base import Page
from connectors.enforcement import EnforcementConnector
from schema.entities import Campaign
from schema.entity import Observation
from tests.contract.cases import WIRE, FakeTime, said
from tests.unit.connectors.enforcement_gateway import Script, connector, page, refusal

SAMPLES = WIRE / "enforcement"
DOWN = [httpx.Response(502, text="<html>") for _ in range(3)]


def sample(name: str) -> Any:
    return msgspec.json.decode((SAMPLES / name).read_bytes())


def drawn(number: int, campaign_id: str | None = "SJ1") -> dict[str, Any]:
    return {**sample("tasks.json")["items"][1], "taskId": f"RW{number:03}", "campaignId": campaign_id}


def campaign(campaign_id: str = "SJ1", **fields: Any) -> httpx.Response:
    return httpx.Response(200, json={**sample("campaign.json"), "campaignId": campaign_id, **fields})


async def read(platform: EnforcementConnector) -> list[Page]:
    return [each async for each in platform.changes("tasks", None)]


async def names(platform: EnforcementConnector) -> list[str]:
    return [said(item).split("@")[0] for each in await read(platform) for item in each.items]


def asked_for_campaigns(script: Script) -> list[str]:
    return [each.removeprefix("GET campaigns/") for each in script.asked if each.startswith("GET campaigns/")]


async def test_a_campaign_that_tasks_name_comes_with_them_once() -> None:
    script = Script(page(drawn(1), drawn(2), drawn(3, None), cursor="c"), campaign(), page(drawn(4)), page(drawn(1)))
    platform = connector(script, FakeTime())

    assert await names(platform) == [
        "VerificationTask RW001",
        "VerificationTask RW002",
        "VerificationTask RW003",
        "Campaign SJ1",
        "VerificationTask RW004",
    ]
    assert await names(platform) == ["VerificationTask RW001"]
    assert asked_for_campaigns(script) == ["SJ1"]


async def test_a_campaign_that_cannot_be_read_fails_no_page_and_is_asked_for_later() -> None:
    time = FakeTime()
    script = Script(page(drawn(1)), *DOWN, page(), page(), campaign())
    platform = connector(script, time)

    assert await names(platform) == ["VerificationTask RW001"]
    assert await names(platform) == []  # not at once: reading tasks must not wait for it each time
    time.advance(enforcement_draws.PAUSE.total_seconds())
    assert await names(platform) == ["Campaign SJ1"]
    assert asked_for_campaigns(script) == ["SJ1"] * 4


async def test_a_campaign_that_the_platform_does_not_know_is_asked_for_once() -> None:
    script = Script(page(drawn(1, "SJ/9")), refusal(404, "NOT_FOUND"), page(drawn(2, "SJ/9")))
    platform = connector(script, FakeTime())

    assert await names(platform) == ["VerificationTask RW001"]
    assert await names(platform) == ["VerificationTask RW002"]
    assert asked_for_campaigns(script) == ["SJ%2F9"]


async def test_a_campaign_that_is_malformed_is_quarantined_and_its_tasks_are_not() -> None:
    script = Script(page(drawn(1)), campaign(seed=None))

    assert await names(connector(script, FakeTime())) == ["VerificationTask RW001", "Quarantined MISSING_FIELD"]


async def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(enforcement_draws, "KEPT", 2)
    monkeypatch.setattr(enforcement_draws, "PAUSE", timedelta(0))
    script = Script(
        page(drawn(1, "SJ1")), campaign("SJ1"), page(drawn(2, "SJ2")), campaign("SJ2"), page(drawn(3, "SJ3")), campaign("SJ3")
    )
    platform = connector(script, FakeTime())
    for _ in range(3):
        await read(platform)
    script.left += [page(drawn(3, "SJ3")), page(drawn(1, "SJ1")), campaign("SJ1")]
    for _ in range(2):
        await read(platform)
    assert asked_for_campaigns(script) == ["SJ1", "SJ2", "SJ3", "SJ1"]


async def test_the_pool_of_a_campaign_is_read_where_it_is_told() -> None:
    pool = {"industry": "锅炉使用单位", "town": "", "grades": ["C", "D"]}
    script = Script(page(drawn(1)), campaign(pool=pool))

    ((_, item),) = [each.items for each in await read(connector(script, FakeTime()))]
    assert isinstance(item, Observation)
    record = item.record
    assert isinstance(record, Campaign)
    assert (record.industry, record.town, record.grades) == ("锅炉使用单位", None, ("C", "D"))
