"""Short messages through a whole hub: sent once, their receipts in the mirror, and a platform that is never read."""

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import httpx

from schema.commands import SendSms
from tests.e2e.eventually import eventually
from tests.e2e.stage import RunningHub, Stage

MOBILE = "13957912345"
RECEIPTS = "{ smsReceipts { edges { node { messageNo status phone freshness { stale } } } } deliveries { totalCount } }"


async def send(running: RunningHub, ext_no: str) -> str:
    """Send a message as the worker would; return the gateway's number of it."""
    notice = SendSms(ext_no=ext_no, mobile=MOBILE, content="【义乌信用】您单位被扣4.0分")
    return (await running.hub.connectors["sms"].ensure(notice, ext_no, unknown_since=None)).reference


async def receipts(running: RunningHub) -> list[dict[str, Any]]:
    told = await running.ask(RECEIPTS)
    return [edge["node"] for edge in told["smsReceipts"]["edges"]]


async def test_a_message_is_sent_and_its_receipt_comes_into_the_mirror_masked(stage: Stage) -> None:
    async with stage.hub() as running:
        taskid = await send(running, "SN1")
        (found,) = await eventually(receipts, running, or_say="the receipt")
        assert found == {"messageNo": taskid, "status": "DELIVRD", "phone": "139******45", "freshness": {"stale": False}}
        assert [(one["extno"], one["mobile"]) for one in stage.sms.outbox()] == [("SN1", MOBILE)]


async def test_a_second_use_of_one_signature_with_another_status_is_acknowledged_and_stores_nothing(stage: Stage) -> None:
    async with stage.hub() as running:
        await send(running, "SN1")
        await eventually(receipts, running, or_say="the receipt")
        at = stage.clock() + timedelta(minutes=1)
        first, second = (stage.sms.receipt("SN1", at=at, status=status) for status in ("EXPIRED", "REJECTD"))
        answers = [await _post(running, sending.content) for sending in (first, second, first)]
        assert [(answer.status_code, answer.text) for answer in answers] == [(200, "0")] * 3

        async def expired() -> bool:
            return [one["status"] for one in await receipts(running)] == ["EXPIRED"]

        await eventually(expired, or_say="the first status under that signature")
        assert (await running.ask(RECEIPTS))["deliveries"]["totalCount"] == 2
        told = await running.ask("{ quarantinedRecords { totalCount } }")
        assert told["quarantinedRecords"]["totalCount"] == 0


async def test_a_receipt_that_is_not_signed_is_refused_and_kept_nowhere(stage: Stage) -> None:
    async with stage.hub() as running:
        form = {"taskid": "1", "mobile": MOBILE, "status": "DELIVRD", "time": "20190902090000"}
        for body, code in ((urlencode(form), "MISSING_FIELD"), (urlencode({**form, "sign": "0" * 64}), "BAD_SIGNATURE")):
            answer = await _post(running, body.encode())
            assert (answer.status_code, answer.json()["code"]) == (401, code)
            assert MOBILE not in answer.text
        assert (await running.ask(RECEIPTS))["deliveries"]["totalCount"] == 0


async def test_a_platform_that_is_never_read_is_shown_without_success_or_lag_and_its_receipts_do_not_grow_stale(
    stage: Stage,
) -> None:
    async with stage.hub(STALE_SECONDS="1") as running:
        await send(running, "SN1")
        await eventually(receipts, running, or_say="the receipt")
        await stage.sleep(20)
        (found,) = await receipts(running)
        assert found["freshness"] == {"stale": False}
        told = await running.ask("{ platforms { name lastSuccess lagSeconds backlog stuck streams { stream } } }")
        (sms,) = (one for one in told["platforms"] if one["name"] == "sms")
        assert sms == {"name": "sms", "lastSuccess": None, "lagSeconds": None, "backlog": 0, "stuck": 0, "streams": []}
        resync = 'mutation { resync(input: {platform: "sms", stream: "messages"}) { userErrors { message } } }'
        (error,) = (await running.ask(resync))["resync"]["userErrors"]
        assert error["message"] == "platform 'sms' has no stream 'messages'; it has none"
        metrics = (await running.client.get("/metrics")).text
        assert 'bihuan_platform_calls_total{operation="/send",outcome="OK",platform="sms"} 1.0' in metrics


async def _post(running: RunningHub, body: bytes) -> httpx.Response:
    headers = {"content-type": "application/x-www-form-urlencoded"}
    return await running.client.post("/webhooks/sms", content=body, headers=headers)
