"""Webhook batches of the mock enforcement platform."""

import base64
import hashlib
import hmac
import json
from typing import Any

import httpx
import pytest

from mocks.enforcement import EnforcementPlatform
from tests.unit.mocks.city_clock import CityClock
from tests.unit.mocks.enforcement_caller import EnforcementCaller


class Hub:
    """Takes batches and answers what the test has laid ready; when that is used up, it accepts everything."""

    def __init__(self, *answers: Any) -> None:
        self.requests: list[httpx.Request] = []
        self._answers = list(answers)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        ids = [event["eventId"] for event in json.loads(request.content)["events"]]
        if not self._answers:
            return httpx.Response(200, json={"accepted": ids, "rejected": []})
        answer = self._answers.pop(0)
        return answer(ids) if callable(answer) else httpx.Response(200, json=answer)

    @property
    def batches(self) -> list[dict[str, Any]]:
        return [json.loads(request.content) for request in self.requests]

    @property
    def events(self) -> list[list[str]]:
        return [[event["eventId"] for event in batch["events"]] for batch in self.batches]


def started(hub: Hub, **settings: Any) -> EnforcementCaller:
    return EnforcementCaller(CityClock(), hub, **settings)


def coordination(platform: EnforcementPlatform) -> None:
    platform.issue_coordination(department="JT", town="佛堂镇", category="JT-03", content="x", due_at="2019-08-16T18:00:00+08:00")


async def test_each_change_is_told_with_the_whole_object_and_a_signature() -> None:
    hub = Hub()
    call = started(hub)
    task_id = await call.make()
    for happens in (call.platform.dispatch, call.platform.accept, call.platform.begin, call.platform.finish):
        happens(task_id)
    call.platform.correct(task_id, [{"conclusion": "UNREACHABLE"}])
    coordination(call.platform)
    await call.platform.callbacks.settled()
    (batch,) = hub.batches
    assert [event["type"] for event in batch["events"]] == [
        "task.dispatched",
        "task.accepted",
        "task.done",
        "task.corrected",
        "coordination.issued",
    ]
    assert [event["task"]["version"] for event in batch["events"][:4]] == [2, 3, 5, 6]
    assert batch["events"][3]["task"]["results"][0]["conclusion"] == "UNREACHABLE"
    assert batch["events"][4]["coordination"]["town"] == "佛堂镇"
    (request,) = hub.requests
    text = f"POST\n/webhooks/enforcement\n\ncb\n{request.headers['X-BG-DATE']}\n"
    expected = base64.b64encode(hmac.digest(b"cb-secret", text.encode(), "sha256")).decode()
    assert request.headers["X-BG-HMAC-SIGNATURE"] == expected
    assert request.headers["X-BG-HMAC-ACCESS-KEY"] == "cb"
    assert request.headers["X-Body-SM3"] == hashlib.new("sm3", request.content).hexdigest()
    await call.close()


async def test_only_events_in_neither_list_come_again_in_a_new_batch() -> None:
    hub = Hub(lambda ids: httpx.Response(200, json={"accepted": ids[:1], "rejected": [{"eventId": ids[1], "reason": "bad"}]}))
    call = started(hub)
    for _ in range(3):
        coordination(call.platform)
    await call.platform.callbacks.settled()
    first, second = hub.events
    assert (len(first), second) == (3, first[2:])
    assert hub.batches[0]["batchId"] != hub.batches[1]["batchId"]
    assert hub.requests[0].headers["X-BG-HMAC-SIGNATURE"] != hub.requests[1].headers["X-BG-HMAC-SIGNATURE"]
    counters = call.platform.counters
    assert (counters["events.accepted"], counters["events.rejected"], counters["events.repeated"]) == (2, 1, 1)
    await call.close()


@pytest.mark.parametrize(
    "answer",
    [
        {"accepted": ["E000000000001"]},
        {"rejected": []},
        {"accepted": ["E000000000001"], "rejected": ["E000000000001"]},
        {"accepted": ["E000000000001"], "rejected": None},
        lambda _: httpx.Response(202, json={"accepted": ["E000000000001"], "rejected": []}),
        lambda _: httpx.Response(200, text="ok"),
    ],
)
async def test_any_other_status_or_shape_counts_as_no_answer(answer: object) -> None:
    hub = Hub(answer)
    call = started(hub)
    coordination(call.platform)
    await call.platform.callbacks.settled()
    assert hub.events == [["E000000000001"], ["E000000000001"]]
    await call.close()


async def test_batches_hold_a_hundred_events_at_most() -> None:
    hub = Hub()
    call = started(hub)
    for _ in range(205):
        coordination(call.platform)
    await call.platform.callbacks.settled()
    assert [len(batch) for batch in hub.events] == [100, 100, 5]
    await call.close()


async def test_repeated_events_keep_their_numbers_and_are_put_together_anew() -> None:
    hub = Hub(*[lambda _: httpx.Response(503)] * 6)
    call = started(hub, batch_limit=3)
    for _ in range(9):
        coordination(call.platform)
    await call.platform.callbacks.settled()
    first, *later = hub.events
    assert first == ["E000000000001", "E000000000002", "E000000000003"]
    assert {event for batch in later for event in batch} == {f"E{number:012d}" for number in range(1, 10)}
    assert any(0 < len(set(batch) & set(first)) < len(batch) for batch in later)
    assert len({batch["batchId"] for batch in hub.batches}) == len(hub.batches)
    await call.close()


async def test_an_event_is_given_up_after_a_day() -> None:
    hub = Hub(*[lambda _: httpx.Response(500)] * 400)
    call = started(hub)
    coordination(call.platform)
    begun = call.clock()
    await call.platform.callbacks.settled()
    assert len(hub.requests) == 289  # at once, and every 5 minutes for 24 hours
    assert 24 * 3600 <= (call.clock() - begun).total_seconds() < 24 * 3600 + 60
    assert call.platform.counters["events.given_up"] == 1
    await call.close()


async def test_nothing_is_told_while_callbacks_are_off_or_lost() -> None:
    hub = Hub()
    call = started(hub)
    call.platform.faults = call.platform.faults.changed({"callbacks_off": True})
    coordination(call.platform)
    call.platform.faults = call.platform.faults.changed({"callbacks_off": False})
    await call.platform.callbacks.settled()
    assert hub.requests == []
    assert call.platform.counters["callbacks.suppressed"] == 1
    await call.close()
