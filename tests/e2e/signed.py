"""Webhooks as the platforms sign them, made by hand for a test: by the mocks' own signing, never by the hub's."""

import hashlib
from datetime import datetime
from typing import Any, NamedTuple, Protocol

import msgspec

from hub.demo_household import Household
from mocks import approval_signing, credit_signing, enforcement_gateway, grid_xml
from mocks.grid_records import stamp
from mocks.platform import Clock
from tests.e2e.stage import Stage

NAMES = ("approval", "credit", "enforcement", "grid")


class Signer(Protocol):
    """Who knows the platforms' secrets, and what time it is."""

    @property
    def household(self) -> Household: ...

    @property
    def clock(self) -> Clock: ...


class Webhook(NamedTuple):
    """One request to the hub."""

    path: str
    headers: dict[str, str]
    body: bytes


def signed(stage: Signer, platform: str, body: bytes, *, at: datetime | None = None, nonce: str = "nonce-000001") -> Webhook:
    """Return a body as the platform's webhook, signed at a moment, now if not given."""
    own, now, path = stage.household.secrets, at or stage.clock(), f"/webhooks/{platform}"
    if platform == "approval":
        milliseconds = int(now.timestamp() * 1000)
        headers = approval_signing.signed_headers(
            own["approval"], "bihuan", path, body, epoch_milliseconds=milliseconds, nonce=nonce
        )
    elif platform == "credit":
        headers = credit_signing.webhook_headers([own["credit_webhook"]], f"msg_{nonce}", int(now.timestamp()), body)
    elif platform == "enforcement":
        headers = enforcement_gateway.signed_headers(
            own["enforcement_callback"], access_key="enforcement", method="POST", path=path, query="", body=body, now=now
        )
    else:
        written = stamp(now)
        headers = {
            "Content-Type": "text/xml; charset=GB18030",
            "X-Grid-User": "grid",
            "X-Grid-Time": written,
            "X-Grid-Sign": grid_xml.sign(own["grid_callback"], written, body),
        }
    return Webhook(path, headers, body)


def receipt(signer: Signer, taskid: str, status: str = "DELIVRD") -> Webhook:
    """Return a receipt of the gateway: what is signed stands in the form, and is not all of it."""
    written = f"{signer.clock():%Y%m%d%H%M%S}"
    sign = hashlib.new("sm3", (taskid + signer.household.secrets["sms"] + written).encode()).hexdigest()
    body = f"taskid={taskid}&mobile=13905790001&status={status}&time={written}&sign={sign}"
    return Webhook("/webhooks/sms", {"Content-Type": "application/x-www-form-urlencoded"}, body.encode())


def tampered(platform: str, webhook: Webhook) -> Webhook:
    """Return the webhook with another signature than its own."""
    name = {"approval": "X-Sign", "credit": "webhook-signature", "enforcement": "X-BG-HMAC-SIGNATURE", "grid": "X-Grid-Sign"}[
        platform
    ]
    given = webhook.headers[name]
    return webhook._replace(headers={**webhook.headers, name: given[:-2] + ("A=" if given[-2:] != "A=" else "B=")})


def good_body(stage: Stage, platform: str) -> bytes:
    """Return what the platform would post of a record that it holds; the record is made for it."""
    if platform == "approval":
        record = stage.approval.record(stage.approval.accept())
        return msgspec.json.encode({"msgId": "MSG1", "ywlx": "SL", "sj": record["SLSJ"], "data": record})
    if platform == "credit":
        subject = stage.credit.add_subject("91330782MA28D5K77N", "义乌市天䶮贸易有限公司")
        return msgspec.json.encode({"type": "subject.updated", "timestamp": subject["updatedAt"], "data": subject})
    if platform == "enforcement":
        return batch([("E1", a_task(stage))])
    event = stage.grid.report(category="JT-03", title="䶮路口积水", town="佛堂镇", level=4)
    return grid_body(event)


def a_task(stage: Stage) -> dict[str, Any]:
    """Return a task of the enforcement platform's own."""
    due_at = stage.clock().isoformat()
    return stage.enforcement.make_task(subjects=[{"name": "义乌市𬭎印刷厂"}], department="WH", due_at=due_at)


def batch(events: list[tuple[str, Any]]) -> bytes:
    """Return a batch of the enforcement platform: event ids, each with its task."""
    told = [
        {"eventId": number, "type": "task.dispatched", "occurredAt": "2019-09-02T09:00:00+08:00", "task": task}
        for number, task in events
    ]
    return msgspec.json.encode({"batchId": "B1", "events": told})


def grid_body(event: dict[str, Any], before: str = "") -> bytes:
    """Return a callback of the grid platform in GB18030, `before` put before its root."""
    plain = {name: value for name, value in event.items() if name != "attach"}
    root = grid_xml.element("notify", {"id": "N1", "type": "EVENT"})
    root.append(grid_xml.element("event", plain))
    return grid_xml.document(before + grid_xml.written(root), "GB18030")
