"""What is posted to HUB_ALERT_WEBHOOK: signed, once each, later where nobody listens; and what each process tells by itself."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from standardwebhooks import Webhook

from hub.alerts import telling
from hub.alerts.telling import Teller, wait_before
from hub.alerts.watch import DatabaseWatch
from hub.app import Hub
from hub.mirror.alerts import Standing, Which
from hub.mirror.database import DatabaseUnavailable
from hub.parts import World
from hub.settings import load_settings
from tests.settable_clock import SettableClock
from tests.unit.test_app import ask
from tests.unit.test_settings import complete, problems

SECRET = "whsec_" + base64.b64encode(b"a secret of twenty-four b").decode()
URL = "http://alarms.test/hook"


class Receiver:
    """Takes what is posted, or answers otherwise for a while."""

    def __init__(self) -> None:
        self.status = 200
        self.posted: list[httpx.Request] = []
        self.hangs = False

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        self.posted.append(request)
        if self.hangs:
            await asyncio.Event().wait()
        return httpx.Response(self.status)

    @property
    def told(self) -> list[tuple[str, str | None]]:
        """Return the kind and the name of everything that was posted."""
        return [(body["type"], body["data"]["name"]) for body in map(self.body, self.posted)]

    @staticmethod
    def body(request: httpx.Request) -> dict[str, Any]:
        """Return what a request says."""
        found: dict[str, Any] = json.loads(request.content)
        return found


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
async def hub(tmp_path: Path, clock: SettableClock, receiver: Receiver) -> AsyncIterator[Hub]:
    given = complete() | {
        "HUB_DATABASE_URL": f"sqlite:///{tmp_path / 'hub.db'}",
        "HUB_ALERT_WEBHOOK": URL,
        "HUB_ALERT_SECRET": SECRET,
    }
    made = Hub(load_settings(given), World(clock=clock, sleep=clock.sleep, transports={"alerts": httpx.MockTransport(receiver)}))
    async with made.opened():
        yield made


def break_(hub: Hub, clock: SettableClock) -> None:
    hub.conditions.broken("credit", clock() + timedelta(seconds=15))


async def test_an_alert_is_told_when_it_is_raised_and_when_it_is_cleared(
    hub: Hub, clock: SettableClock, receiver: Receiver
) -> None:
    break_(hub, clock)
    await hub.alerts.look()
    await hub.alerts.look()
    assert receiver.told == [("alert.raised", "BihuanBreakerOpen")]
    shown = await ask(hub, "{ alerts { name severity platform text runbook } }")
    assert shown == {
        "alerts": [
            {
                "name": "BihuanBreakerOpen",
                "severity": "critical",
                "platform": "credit",
                "text": "credit fails, and is left alone but for a probe now and then",
                "runbook": "docs/runbooks/BihuanBreakerOpen.md",
            }
        ]
    }
    hub.conditions.broken("credit", None)
    clock.advance(90)
    await hub.alerts.look()
    assert receiver.told[1:] == [("alert.cleared", "BihuanBreakerOpen")]
    assert await ask(hub, "{ alerts { name } }") == {"alerts": []}


async def test_what_is_posted_is_signed_by_standard_webhooks(receiver: Receiver) -> None:
    teller = Teller(URL, SecretStr(SECRET), lambda: datetime.now(UTC), lambda outcome: None, httpx.MockTransport(receiver))
    now = datetime.now(UTC)
    one = Standing(Which("BihuanStuck", "credit"), now, now, None, 3.0, raise_told=False, tries=0)
    assert await teller.tell(one)
    assert await teller.tell(one)
    first, second = receiver.posted
    headers = {name: first.headers[name] for name in ("webhook-id", "webhook-timestamp", "webhook-signature")}
    body = Webhook(SECRET).verify(first.content, headers)
    assert body["data"]["text"] == "credit refused 3 obligations: a person has to look at them"
    assert first.headers["webhook-id"] == second.headers["webhook-id"], "a repetition is to be told apart by its id"
    assert await teller.tell(one._replace(cleared_at=now))
    assert receiver.posted[2].headers["webhook-id"] != first.headers["webhook-id"]
    await teller.close()


@pytest.mark.parametrize("trouble", ["refused", "redirected", "hangs"])
async def test_an_alert_that_nobody_took_is_told_later(
    hub: Hub, clock: SettableClock, receiver: Receiver, trouble: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telling, "WITHIN_SECONDS", 0.05)
    receiver.status = {"refused": 503, "redirected": 302, "hangs": 200}[trouble]
    receiver.hangs = trouble == "hangs"
    break_(hub, clock)
    await hub.alerts.look()
    await hub.alerts.look()
    assert len(receiver.posted) == 1, "it is tried again after a pause only"
    for tries in range(1, 4):
        clock.advance(wait_before(tries))
        hub.conditions.broken("credit", clock())
        await hub.alerts.look()
    assert len(receiver.posted) == 4
    receiver.status, receiver.hangs = 200, False
    hub.conditions.broken("credit", None)
    clock.advance(90)
    await hub.alerts.look()
    await hub.alerts.look()
    assert receiver.told[4:] == [("alert.cleared", "BihuanBreakerOpen")]
    data = Receiver.body(receiver.posted[-1])["data"]
    assert data["raisedAt"] < data["clearedAt"]


def test_waits_grow_and_end() -> None:
    assert [wait_before(tries) for tries in (0, 1, 2, 6, 7, 10_000)] == [5, 10, 20, 300, 300, 300]


async def test_each_process_tells_by_itself_that_the_database_is_away(clock: SettableClock, receiver: Receiver) -> None:
    teller = Teller(URL, SecretStr(SECRET), clock, lambda outcome: None, httpx.MockTransport(receiver))
    one, other = DatabaseWatch(teller, clock, "1"), DatabaseWatch(teller, clock, "2")
    for seconds in (0, 20, 15, 15):
        clock.advance(seconds)
        await one.note(reached=False)
        await other.note(reached=False)
    assert receiver.told == [("alert.raised", "BihuanDatabaseUnreachable")] * 2
    assert len({request.headers["webhook-id"] for request in receiver.posted}) == 2
    await one.note(reached=True)
    await one.note(reached=True)
    assert receiver.told[2:] == [("alert.cleared", "BihuanDatabaseUnreachable")]
    await teller.close()


async def test_a_database_that_was_away_for_a_moment_is_no_alert_and_one_that_nobody_heard_of_is_told_later(
    clock: SettableClock, receiver: Receiver
) -> None:
    teller = Teller(URL, SecretStr(SECRET), clock, lambda outcome: None, httpx.MockTransport(receiver))
    watch = DatabaseWatch(teller, clock, "1")
    await watch.note(reached=False)
    clock.advance(20)
    await watch.note(reached=True)
    clock.advance(20)
    await watch.note(reached=False)
    assert receiver.posted == []
    receiver.status = 500
    clock.advance(40)
    await watch.note(reached=False)
    await watch.note(reached=True)
    receiver.status = 200
    clock.advance(10)
    await watch.note(reached=True)
    assert receiver.told[-1] == ("alert.cleared", "BihuanDatabaseUnreachable")
    await teller.close()


async def test_metrics_tell_that_the_database_is_away_and_nothing_that_it_said_before(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    sample = hub.metrics.registry.get_sample_value
    await hub.refresh_metrics()
    assert sample("bihuan_database_up") == 1
    assert sample("bihuan_platform_backlog", {"platform": "credit"}) == 0

    async def refuse(*_given: object) -> None:
        raise DatabaseUnavailable("gone")

    monkeypatch.setattr(hub.database, "read", refuse)
    await hub.refresh_metrics()
    assert sample("bihuan_database_up") == 0
    assert sample("bihuan_platform_backlog", {"platform": "credit"}) is None
    assert sample("bihuan_platform_quota_per_second", {"platform": "credit"}) == 20


async def test_a_disk_that_is_nearly_full_is_told(hub: Hub, receiver: Receiver) -> None:
    assert hub.gauges.disk is not None
    hub.gauges.disk = hub.gauges.disk._replace(low=2**62)
    await hub.alerts.look()
    assert receiver.told == [("alert.raised", "BihuanDiskLow")]


def test_a_webhook_without_a_usable_secret_is_refused_at_the_start() -> None:
    assert "HUB_ALERT_SECRET: is missing" in problems(HUB_ALERT_WEBHOOK=URL)[0]
    assert "HUB_ALERT_SECRET: has another form" in problems(HUB_ALERT_WEBHOOK=URL, HUB_ALERT_SECRET="whsec_???")[0]
