"""The enforcement platform in the contract tests: signed and written as enforcement.md says."""

import base64
import hashlib
import hmac
import json
import random
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime
from itertools import count
from typing import Any

import httpx

from connectors.base import Answer, Connector, Delivery, PlatformSettings
from connectors.enforcement import EnforcementConnector
from connectors.enforcement_settings import EnforcementSettings
from mocks.enforcement import EnforcementPlatform
from mocks.enforcement import EnforcementSettings as MockSettings
from mocks.faults import Faults
from schema.commands import (
    AnyCommand,
    CancelTask,
    CreateCampaign,
    CreateTask,
    FileLink,
    GiveCoordinationFeedback,
    PutKeySubject,
    RemoveKeySubject,
    TaskSubject,
)
from schema.entities import TaskType
from tests.contract.cases import NOW, WIRE, Bodies, FakeTime, Golden, PlatformCases, Secret, World

SECRETS: dict[Secret, str] = {"new": "callback-new", "old": "callback-old", "wrong": "callback-wrong"}
PATH = "/webhooks/enforcement"
COMPANY, OTHER = "91330782MA2E4K7B4C", "92330782MA28D19X9T"
DUE = "2019-09-12T18:00:00+08:00"
SAMPLE = json.loads((WIRE / "enforcement" / "batch.json").read_text(encoding="utf-8"))
TASK: dict[str, Any] = SAMPLE["events"][0]["task"]
_numbers = count(1)


def batch(*tasks: dict[str, Any], **beside: object) -> bytes:
    """Return a batch of task events."""
    events = [{**SAMPLE["events"][0], "eventId": f"E{at}", "task": task, **beside} for at, task in enumerate(tasks)]
    return json.dumps({"batchId": "B1", "events": events, **beside}, ensure_ascii=False).encode()


def task(**fields: object) -> dict[str, Any]:
    """Return the golden task with fields changed; `...` leaves one out."""
    return {name: value for name, value in {**TASK, **fields}.items() if value is not ...}


class EnforcementWorld(World):
    """The mock enforcement platform."""

    def __init__(self, time: FakeTime) -> None:
        settings = MockSettings(
            access_key="AK", secrets=("secret-new",), callback_access_key="CB", callback_secrets=(SECRETS["new"],)
        )
        self.platform = EnforcementPlatform(settings, clock=time.clock, rng=random.Random(1), sleep=time.sleep)
        self.platform.faults = Faults(callbacks_off=True)
        self.transport = httpx.ASGITransport(self.platform.app)
        self._time = time

    def make(self, count: int) -> list[str]:
        return [self._task() for _ in range(count)]

    def change(self, key: str) -> int:
        status = self.platform.tasks.current(key)["status"]
        changed = self.platform.dispatch(key) if status == "PENDING" else self.platform.finish(key)
        return int(changed["version"])

    def commands(self) -> Sequence[AnyCommand]:
        pool = {"name": "锅炉厂", "address": "佛堂镇", "industry": "boiler", "town": "佛堂镇", "grade": "C"}
        self.platform.add_pool([{**pool, "code": COMPANY}, {**pool, "code": OTHER}])
        issued = self.platform.issue_coordination(department="ZFJ", town="佛堂镇", category="JT-03", content="核实", due_at=DUE)
        self.platform.store.put(
            "key subject", OTHER, {"code": OTHER, "reason": "x", "since": "2019-08-01", "ref": "r", "version": 1}
        )
        due_at = datetime.fromisoformat(DUE)
        to_cancel = self._task()
        self._time.advance(5)  # until it is visible
        return [
            CreateTask(
                external_no="av-5f0c",
                type=TaskType.COMMITMENT,
                title="承诺核查",
                subjects=(TaskSubject(code=COMPANY, name="印务有限公司"), TaskSubject(code=None, name="不明")),
                department="WH",
                due_at=due_at,
                origin_platform="approval",
                origin_ref="YW2019080500042",
                urgency=3,
                attachments=(FileLink(name="1.jpg", url="http://10.33.2.9/1.jpg"),),
            ),
            CreateCampaign(
                external_no="cp-19",
                title="锅炉双随机检查",
                departments=("HB", "ZJ"),
                industry="boiler",
                town=None,
                grades=("C", "D"),
                subjects=2,
                officers_per_task=2,
                due_at=due_at,
            ),
            CancelTask(task_id=to_cancel, reason="审批已撤销"),
            PutKeySubject(code=COMPANY, reason="违反告知承诺", since=date(2019, 8, 15), ref="RW0000000042"),
            RemoveKeySubject(code=OTHER),
            GiveCoordinationFeedback(
                coordination_id=issued["coordinationId"], grid_no="XG1", result="handled", opinion="已清理", handled_at=NOW
            ),
        ]

    def made(self, command: AnyCommand) -> int:
        store = self.platform.store
        match command:
            case CreateTask():
                return sum(each["externalNo"] == command.external_no for each in store.all("task").values())
            case CreateCampaign():
                return sum(each["externalNo"] == command.external_no for each in store.all("campaign").values())
            case CancelTask():
                return int(self.platform.tasks.current(command.task_id)["status"] == "CANCELLED")
            case PutKeySubject():
                return int(store.get("key subject", command.code) is not None)
            case RemoveKeySubject():
                return int(store.get("key subject", command.code) is None)
            case GiveCoordinationFeedback():
                return int(store.get("coordination feedback", command.coordination_id) is not None)
        raise AssertionError(f"not ours: {command}")

    def _task(self) -> str:
        subjects = [{"code": COMPANY, "name": "印务有限公司"}]
        return str(self.platform.make_task(subjects=subjects, department="SCJG", due_at=DUE)["taskId"])


class EnforcementCases(PlatformCases):
    connector = EnforcementConnector
    stream = "tasks"
    fresh_for = timedelta(minutes=15)
    signature_headers = ("x-bg-hmac-access-key", "x-bg-hmac-algorithm", "x-bg-date", "x-bg-hmac-signature", "x-body-sm3")
    bodies = Bodies(
        good=batch(task()),
        unknown_field=batch(task(nodeNo="330782-1", extra={"a": [1]}), xx=1),
        missing_field=batch(task(department=...)),
        malformed_field=batch(task(dueAt="2019-09-12 18:00")),
        wrong_encoding=batch(task()).decode().encode("gb18030") + b"\xff",
        optional_variants=(batch(task(externalNo=...)), batch(task(externalNo=None)), batch(task(externalNo=""))),
        one_bad_of_two=batch(task(version="13857912345x"), task()),
    )
    golden = (Golden("batch.json", ("VerificationTask RW0000000042@5", "Coordination XG00000001@1")),)
    personal = ("13857912345",)
    overlap_seconds = 30.0

    def settings(self, *, secrets: bool = True) -> PlatformSettings:
        return EnforcementSettings.model_validate(
            {
                "url": "http://enforcement.test",
                "access_key": "AK",
                "secrets": ("secret-new", "secret-old") if secrets else (),
                "callback_access_key": "CB",
                "callback_secrets": (SECRETS["new"], SECRETS["old"]) if secrets else (),
            }
        )

    def delivery(self, body: bytes, *, at: datetime, signed_with: Secret = "new") -> Delivery:
        body = body.replace(b'"batchId": "B1"', f'"batchId": "B{next(_numbers)}"'.encode())
        when = format_datetime(at.astimezone(UTC), usegmt=True)
        text = f"POST\n{PATH}\n\nCB\n{when}\n".encode()
        headers = {
            "x-bg-hmac-access-key": "CB",
            "x-bg-hmac-algorithm": "hmac-sha256",
            "x-bg-date": when,
            "x-bg-hmac-signature": base64.b64encode(hmac.new(SECRETS[signed_with].encode(), text, "sha256").digest()).decode(),
            "x-body-sm3": hashlib.new("sm3", body).hexdigest(),
        }
        return Delivery(platform="enforcement", path=PATH, headers=headers, body=body, received_at=NOW)

    def is_acknowledged(self, answer: Answer) -> bool:
        said = json.loads(answer.body)
        return answer.status == 200 and len(said["accepted"]) == 1 and said["rejected"] == []

    async def read(self, connector: Connector) -> object:
        return await connector.fetch("VerificationTask", ["RW0000000042"])

    def busy(self, seconds: int) -> httpx.Response:
        return httpx.Response(429, headers={"X-RateLimit-Reset": str(seconds)}, text="<html>429</html>")

    def refusal(self) -> httpx.Response:
        return httpx.Response(403, text="<html>not subscribed</html>")

    def world(self, time: FakeTime) -> World:
        return EnforcementWorld(time)


CASES = EnforcementCases()
