"""The approval system in the contract tests: signed and written as approval.md says."""

import hashlib
import hmac
import json
import random
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from itertools import count

import httpx

from connectors.approval import ApprovalConnector
from connectors.approval_calls import ApprovalSettings
from connectors.base import Answer, Connector, Delivery, PlatformSettings
from mocks.approval import ApprovalPlatform
from mocks.approval import ApprovalSettings as MockSettings
from mocks.faults import Faults
from schema.commands import AddToBlacklist, AnyCommand, PushVerificationResult
from tests.contract.cases import NOW, WIRE, Bodies, FakeTime, Golden, PlatformCases, Secret, World

SECRETS: dict[Secret, str] = {"new": "approval-new", "old": "approval-old", "wrong": "approval-wrong"}
PATH = "/webhooks/approval"
SAMPLE = json.loads((WIRE / "approval" / "decided.json").read_text())
_numbers = count(1)


def sign(secret: str, headers: dict[str, str], path: str, body: bytes) -> str:
    """Return X-Sign, from the page's text alone."""
    text = (
        f"appKey={headers['x-app-key']}&body={hashlib.new('sm3', body).hexdigest()}&nonce={headers['x-nonce']}"
        f"&path={path}&timestamp={headers['x-timestamp']}"
    )
    return hmac.new(secret.encode(), text.encode(), "sm3").hexdigest()


def body_with(**fields: object) -> bytes:
    """Return the golden callback with fields of its record changed; `...` leaves one out."""
    data = {name: value for name, value in {**SAMPLE["data"], **fields}.items() if value is not ...}
    return json.dumps({**SAMPLE, "data": data}, ensure_ascii=False).encode()


class ApprovalWorld(World):
    """The mock approval system."""

    def __init__(self, time: FakeTime) -> None:
        settings = MockSettings(app_secrets=(SECRETS["new"],), late_commit_share=0.0)
        self.platform = ApprovalPlatform(settings, clock=time.clock, rng=random.Random(1), sleep=time.sleep)
        self.platform.faults = Faults(callbacks_off=True)
        self.transport = httpx.ASGITransport(self.platform.app)

    def make(self, count: int) -> list[str]:
        return [self.platform.accept() for _ in range(count)]

    def change(self, key: str) -> int:
        self.platform.change(key, {"LXDH": "13957900000"})
        return int(self.platform.record(key)["BBH"])

    def commands(self) -> Sequence[AnyCommand]:
        serial = self.platform.grant()
        push = PushVerificationResult(approval_no=serial, kept=False, checked_at=NOW, task_id="T-1", version_before=1)
        entry = AddToBlacklist(
            entry_no="bl-0123456789",
            holder="91330782147664100G",
            holder_name="义乌市印务有限公司",
            matter_code="WH-SX01",
            reason="未履行承诺",
            since=date(2019, 8, 15),
        )
        return [push, entry]

    def made(self, command: AnyCommand) -> int:
        if isinstance(command, PushVerificationResult):
            return int(self.platform.record(command.approval_no).get("HCRWBH") == command.task_id)
        return len(self.platform.store.all("hmd"))


class ApprovalCases(PlatformCases):
    connector = ApprovalConnector
    stream = "approvals"
    fresh_for = timedelta(seconds=300)
    signature_headers = ("x-app-key", "x-timestamp", "x-nonce", "x-sign")
    bodies = Bodies(
        good=body_with(),
        unknown_field=json.dumps({**SAMPLE, "xx": 1, "data": {**SAMPLE["data"], "YYY": {"a": [1]}}}, ensure_ascii=False).encode(),
        missing_field=body_with(SXBM=...),
        malformed_field=body_with(GXSJ="2019-08-15T09:30:00"),
        wrong_encoding=json.dumps(SAMPLE, ensure_ascii=False).encode("gb18030"),
        optional_variants=(body_with(JYDZ=...), body_with(JYDZ=None), body_with(JYDZ="")),
    )
    golden = (
        Golden("decided.json", ("Approval YW2019081500000001@2",)),
        Golden("natural_person.json", ("Approval YW2019081500000002@1",)),
        Golden("revoked_old_number.json", ("Approval YW2009010500000003@7",)),
        Golden("bad_check_digit.json", ("Quarantined BAD_CHECK_DIGIT",)),
    )
    personal = ("330725198803045527", "330782196512120011", "13957912345")
    overlap_seconds = 120.0

    def settings(self, *, secrets: bool = True) -> PlatformSettings:
        given = {
            "url": "http://approval.test",
            "app_key": "bihuan",
            "app_secrets": (SECRETS["new"], SECRETS["old"]) if secrets else (),
            "exchange_key": "an-exchange-key",
            "history_since": date(2019, 1, 1),
        }
        return ApprovalSettings.model_validate(given)

    def delivery(self, body: bytes, *, at: datetime, signed_with: Secret = "new") -> Delivery:
        headers = {
            "x-app-key": "bihuan",
            "x-timestamp": str(int(at.timestamp() * 1000)),
            "x-nonce": f"nonce-{next(_numbers):08d}",
        }
        headers["x-sign"] = sign(SECRETS[signed_with], headers, PATH, body)
        return Delivery(platform="approval", path=PATH, headers=headers, body=body, received_at=NOW)

    def is_acknowledged(self, answer: Answer) -> bool:
        return answer.status == 200 and json.loads(answer.body) == {"code": "0", "msg": "success"}

    async def read(self, connector: Connector) -> object:
        return await connector.fetch("Approval", ["YW2019081500000001"])

    def busy(self, seconds: int) -> httpx.Response:
        return httpx.Response(200, json={"code": "42901", "msg": "too many calls", "data": {"retryAfterMs": seconds * 1000}})

    def refusal(self) -> httpx.Response:
        return httpx.Response(200, json={"code": "40001", "msg": "ywlsh", "data": None})

    def world(self, time: FakeTime) -> World:
        return ApprovalWorld(time)


CASES = ApprovalCases()
